"""The pipeline as estimators of scikit-learn: photos by path, or as arrays -> features, and predictions."""
