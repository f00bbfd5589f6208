"""Helpers that the stage notebooks call; see CONTRIBUTING.md for the plan of the rooms."""
