"""Other people's ways from a forest to a board, measured beside ours: what each is given."""
