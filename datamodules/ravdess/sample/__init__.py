"""A small rendered RAVDESS in the raw layout of the real one."""
