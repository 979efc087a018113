"""Training data: where it comes from, what is wrong with it, and how it is split, balanced and augmented."""
