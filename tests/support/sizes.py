"""Sizes of images that keep the tests fast."""

SMALL = 64  # pixels: a sixth of the work of the tutorial's 160
