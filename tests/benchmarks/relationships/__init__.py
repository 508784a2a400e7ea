"""How fast relationships are found, read and written, beside other ways to do it."""
