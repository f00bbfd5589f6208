"""How fast and how large a model file is, measured or predicted."""
