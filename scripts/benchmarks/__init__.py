"""One subcommand of `scripts/benchmark.py` per file: `add_arguments(parser)`, `run(arguments)`."""
