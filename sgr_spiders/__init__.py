"""SoundGraph Deep Harvest: harvest everything around a SoundCloud track, then connect it."""
