"""How results are shown: figures, numbers in prose, where they came from."""
