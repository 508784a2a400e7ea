"""Snapshots: a harvest in one plain SQLite file, for programs that only read."""
