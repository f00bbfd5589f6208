"""Exported TFLite files of expression networks: their metadata, and the ranges of their int8 tensors."""
