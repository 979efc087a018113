"""Models: where they come from, how texts become tokens, and the backends that run them."""
