"""Rerankers: one file for each."""
