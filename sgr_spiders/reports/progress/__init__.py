"""The progress of a running harvest, on a terminal and as log lines."""
