"""A database as one object, for notebooks and scripts."""
