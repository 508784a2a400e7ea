"""Names, labels and search terms from titles and descriptions."""
