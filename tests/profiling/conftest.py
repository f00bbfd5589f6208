"""Tiny networks as .tflite files."""

from tiny_networks import converted, reshaping_file, tiny_file  # noqa: F401
