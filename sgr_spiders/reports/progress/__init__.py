"""What a user sees of a harvest while it runs: on a terminal, and as lines in a log."""
