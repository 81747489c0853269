"""CMU-MOSEI: its datamodule, its splits, its preparation, its rendered sample."""
