"""A refresh by delta, measured on a world in which days pass."""
