"""A small rendered UTD-MHAD in the raw layout of the real one."""
