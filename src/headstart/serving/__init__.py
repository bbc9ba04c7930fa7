"""Classifier -> something that others run."""
