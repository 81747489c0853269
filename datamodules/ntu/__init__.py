"""NTU RGB+D: its datamodule, its splits, its preparation, its rendered sample."""
