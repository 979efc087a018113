"""Quantities: numerals, units and times of day, read and compared."""
