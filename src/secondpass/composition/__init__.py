"""Rerankers that wrap other rerankers, one file each."""
