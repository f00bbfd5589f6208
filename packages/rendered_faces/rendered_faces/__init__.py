"""Faces rendered by code from a head in three dimensions: a control experiment whose right answer is known."""
