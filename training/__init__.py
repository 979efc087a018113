"""Training: for now, that of the embedded verifier model."""
