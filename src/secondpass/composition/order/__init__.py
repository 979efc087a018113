"""The order for a reader of the prompt: diverse, recent, boosted, within a budget, the best at both ends."""
