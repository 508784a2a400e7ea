"""SoundGraph Deep Harvest: harvest everything around a SoundCloud track, then connect it."""

__version__ = "0.1.0"
