"""Requests of a deep harvest against the minimum possible; ``__main__`` describes how to run it."""
