"""Where a model's files come from: names, the catalogue, packages, folders, the hub."""
