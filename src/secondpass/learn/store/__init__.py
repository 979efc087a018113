"""Versions of models in a folder, and the gate that a new one has to pass."""
