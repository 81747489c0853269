"""One raw file format per file. Readers return plain arrays and raise `DataError`."""
