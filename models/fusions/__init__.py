"""Readouts, the fusions that the paper compares with MSAF, and newer ones that it does not."""

from models.contracts import Prediction
from models.fusions.average import AverageProbabilities
from models.fusions.bottleneck import BottleneckAttention
from models.fusions.concat import ConcatHead
from models.fusions.crossmodal import CrossmodalAttention
from models.fusions.embracenet import Embrace, EmbraceNet
from models.fusions.gmu import GatedUnits
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
from models.fusions.squeeze_excitation import SqueezeExcitation

__all__ = [
    "MCBP",
    "MMTM",
    "AverageProbabilities",
    "BottleneckAttention",
    "CompactBilinear",
    "ConcatHead",
    "CrossmodalAttention",
    "Embrace",
    "EmbraceNet",
    "GatedUnits",
    "MeanLogits",
    "Multiplicative",
    "MultiplyProbabilities",
    "Prediction",
    "Readout",
    "ReadoutBuilder",
    "RegressionHead",
    "SqueezeExcitation",
    "SumLogits",
]
