"""Unimodal networks, one a file, each cut into named stages."""

from models.backbones.action_units import ActionUnitMLP
from models.backbones.branch import Branch, BranchBuilder, BranchOutput, BranchState
from models.backbones.hcn import HCN
from models.backbones.i3d import I3D
from models.backbones.inertial_cnn import InertialCNN
from models.backbones.inflated_resnet import InflatedResNet
from models.backbones.lstm import LSTMBranch
from models.backbones.mfcc_cnn import MFCCNet
from models.backbones.resnext3d import ResNeXt3D

__all__ = [
    "HCN",
    "I3D",
    "ActionUnitMLP",
    "Branch",
    "BranchBuilder",
    "BranchOutput",
    "BranchState",
    "InertialCNN",
    "InflatedResNet",
    "LSTMBranch",
    "MFCCNet",
    "ResNeXt3D",
]
