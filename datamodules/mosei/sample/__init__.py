"""A small rendered CMU-MOSEI in the raw layout of the real one."""
