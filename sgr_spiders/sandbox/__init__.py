"""An offline stand-in for SoundCloud's API: a seeded world and a server in front of it.

It shares no code with the rest of the project, so that one
misreading of the API cannot affect both.
"""
