"""Requests of a whole deep harvest against the least possible; ``__main__`` says how to run it."""
