"""Images on disk -> arrays and labels. Knows no model and never imports Keras."""
