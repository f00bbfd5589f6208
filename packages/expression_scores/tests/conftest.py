"""Made-up faces and predictions, for every test of this folder."""

from made_up_children import faces_of, joined_of, predictions_of

__all__ = ["faces_of", "joined_of", "predictions_of"]
