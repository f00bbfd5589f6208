"""Faces: where they come from, how they are found, described and fed to a network."""
