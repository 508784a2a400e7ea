"""How well names are read from titles: precision, recall and F1 per suite and kind."""
