"""Multimodal Split Attention Fusion (Su, Hu, Li and Cao, arXiv 2012.07175): the module alone."""

from msaf.control import UniformGate
from msaf.module import MSAF
from msaf.record import record_attention

__all__ = ["MSAF", "UniformGate", "record_attention"]
