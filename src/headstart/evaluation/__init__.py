"""Classifier + Dataset -> numbers, pictures and a page that say how far it can be trusted."""
