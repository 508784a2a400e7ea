"""What the listeners of a track prefer."""
