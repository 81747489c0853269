"""UTD-MHAD: its datamodule, its folds, its preparation, its rendered sample."""
