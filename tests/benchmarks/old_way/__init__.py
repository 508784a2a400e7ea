"""A simple, typical harvester compared with ours; ``__main__`` describes how to run it."""
