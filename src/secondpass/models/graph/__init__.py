"""The fused graph, which runs a model's weights faster on a CPU, and the cache that keeps it."""
