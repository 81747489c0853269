"""Readouts and the fusions that the paper compares with MSAF."""

from models.contracts import Prediction
from models.fusions.average import AverageProbabilities
from models.fusions.concat import ConcatHead
from models.fusions.embracenet import Embrace, EmbraceNet
from models.fusions.mcbp import MCBP, CompactBilinear
from models.fusions.mmtm import MMTM
from models.fusions.multiplicative import Multiplicative
from models.fusions.multiply import MultiplyProbabilities
from models.fusions.readout import (
    MeanLogits,
    Readout,
    ReadoutBuilder,
    SumLogits,
)
from models.fusions.regression_head import RegressionHead

__all__ = [
    "MCBP",
    "MMTM",
    "AverageProbabilities",
    "CompactBilinear",
    "ConcatHead",
    "Embrace",
    "EmbraceNet",
    "MeanLogits",
    "Multiplicative",
    "MultiplyProbabilities",
    "Prediction",
    "Readout",
    "ReadoutBuilder",
    "RegressionHead",
    "SumLogits",
]
