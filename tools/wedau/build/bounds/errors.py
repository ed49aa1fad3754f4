"""Why there is no bound."""


class NoBoundError(Exception):
    """No bound can be given; the text says why, in the terms of the machine code."""
