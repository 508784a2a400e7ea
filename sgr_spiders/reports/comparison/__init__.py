"""The comparison of two databases, or of two states of one: figures, text, JSON and a page."""
