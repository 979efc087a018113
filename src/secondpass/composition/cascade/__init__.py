"""The cascade: from cheap to strong, each stage over what the last one kept."""
