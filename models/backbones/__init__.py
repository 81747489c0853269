"""Unimodal networks, one a file, each cut into named stages."""

from models.backbones.action_units import ActionUnitMLP
from models.backbones.branch import Branch, BranchBuilder, BranchOutput, BranchState
from models.backbones.mfcc_cnn import MFCCNet
from models.backbones.resnext3d import ResNeXt3D

__all__ = [
    "ActionUnitMLP",
    "Branch",
    "BranchBuilder",
    "BranchOutput",
    "BranchState",
    "MFCCNet",
    "ResNeXt3D",
]
