"""Readouts and the fusions that the paper compares with MSAF."""

from models.fusions.readout import (
    MeanLogits,
    Prediction,
    Readout,
    ReadoutBuilder,
    SumLogits,
)

__all__ = ["MeanLogits", "Prediction", "Readout", "ReadoutBuilder", "SumLogits"]
