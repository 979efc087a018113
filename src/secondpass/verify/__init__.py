"""Checks what was generated against the passages that it was generated from."""
