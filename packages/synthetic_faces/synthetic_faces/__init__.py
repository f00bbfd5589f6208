"""Faces rendered by code: a control experiment whose right answer is known."""
