"""One benchmark of `scripts/benchmark.py` per file; `registry.py` names them and their options."""
