"""Latency of .tflite image classifiers on ARM Cortex-A53 cores, predicted from published measurements."""
