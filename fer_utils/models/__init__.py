"""The five networks: building, training, predicting."""
