# Goes after each script: runs it and prints the line that the host looks for.

print("\nwedau-answer " + repr(run(given)))
