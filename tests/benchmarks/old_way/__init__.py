"""A plain harvester as most people would write it, beside ours; ``__main__`` says how to run it."""
