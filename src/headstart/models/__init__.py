"""Pretrained bases, and the classifier that is made of one. Knows how to compute, not how to learn."""
