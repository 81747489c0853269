"""Finished runs: figures, statistics and class reports."""
