"""Helpers that the stage notebooks call; see CONTRIBUTING.md for the plan of the rooms."""

import os

# Before NumPy is imported: jobs fill the cores, and OpenBLAS's threads would only wait: a fifth of a notebook's CPU time
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
