"""Simulation studies on predictions whose truth is known: they validate the analyses."""
