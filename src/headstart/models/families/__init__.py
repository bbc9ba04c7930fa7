"""Architectures that Keras does not have, as functions like those of keras.applications: one module a family."""
