"""Latency of .tflite image classifiers: predicted for Cortex-A53 cores from published measurements, or timed on a phone."""
