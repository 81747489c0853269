"""Tables of the paper: rows, the runs that they need, and their figures."""
