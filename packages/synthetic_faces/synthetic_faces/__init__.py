"""Faces drawn by code: a control experiment whose right answer is known."""
