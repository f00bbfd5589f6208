"""The published numbers: what they are and what they can support."""
