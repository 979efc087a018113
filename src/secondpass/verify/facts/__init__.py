"""Numbers, dates, names and negation: read by rules, and compared between a claim and its evidence."""
