"""Names read from titles: precision, recall and F1 per suite and kind."""
