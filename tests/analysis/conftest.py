"""Made-up faces and predictions, for every test of this folder."""

from made_up_predictions import faces_of, joined_of, predictions_of

__all__ = ["faces_of", "joined_of", "predictions_of"]
