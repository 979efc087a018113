"""The fused graph: a model's weights in a graph made for inference, and the cache that keeps it."""
