"""A network, compiled: uint8 batches -> float32 arrays. Nothing outside of this package knows which engine runs."""
