"""Small rendered data sets in the raw layout of the real ones."""
