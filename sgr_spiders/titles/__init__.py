"""What titles and descriptions tell of the people behind a track."""
