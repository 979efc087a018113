"""What rankings are worth: data to measure on, and metrics."""
