"""Smaller models: pruning, clustering, quantization, and the files that phones load."""
