"""The names of the layers that `compose` puts behind a base."""

POOLED, STATISTICS, FEATURES = "global_average_pooling2d", "statistics", "features"
DROPOUT, LOGITS = "dropout", "logits"
