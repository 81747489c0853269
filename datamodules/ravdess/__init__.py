"""RAVDESS: its datamodule, its preparation, its rendered sample."""
