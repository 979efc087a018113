"""Training: settings, losses, and runs that can be stopped and gone on with."""
