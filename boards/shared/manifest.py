# The Python inside the firmware of every board: MicroPython's own, and Wedau's package.
include("$(PORT_DIR)/boards/manifest.py")
freeze("../../modules/frozen")
