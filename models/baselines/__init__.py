"""Rivals that are whole networks of their own, in place of branches that are fused."""

from models.baselines.centralnet import CentralNet
from models.baselines.dcca import DCCA
from models.baselines.iccn import ICCN
from models.baselines.lmf import LMF
from models.baselines.mfas import MFAS
from models.baselines.mfm import MFM
from models.baselines.misa import MISA
from models.baselines.tfn import TFN

__all__ = ["DCCA", "ICCN", "LMF", "MFAS", "MFM", "MISA", "TFN", "CentralNet"]
