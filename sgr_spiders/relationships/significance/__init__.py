"""Significance of pairs: how much of an overlap chance alone explains."""
