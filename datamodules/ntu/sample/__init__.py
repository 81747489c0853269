"""A small rendered NTU RGB+D in the raw layout of the real one."""
