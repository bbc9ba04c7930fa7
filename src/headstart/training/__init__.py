"""Dataset + Recipe -> Classifier. Start reading at `trainer.py`."""
