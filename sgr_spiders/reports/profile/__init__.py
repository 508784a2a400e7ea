"""The preferences of the listeners of a track."""
