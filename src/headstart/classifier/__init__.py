"""Features + head -> predictions: a classifier, how it is saved and opened, and how far it can be trusted."""
