"""Finished runs as files for other programs."""
