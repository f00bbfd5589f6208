"""Short trainings of Keras models, each step traced once, with weights pruned or clustered as they learn."""
