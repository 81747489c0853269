"""Missing and corrupted modalities at test time; nothing trains on them."""

from datamodules.corruption.features import DroppedFeatures, FeatureNoise
from datamodules.corruption.frames import Blur, Occlusion
from datamodules.corruption.joints import JointJitter, MissingJoints
from datamodules.corruption.missing import TrainingMean, Zeros

__all__ = [
    "Blur",
    "DroppedFeatures",
    "FeatureNoise",
    "JointJitter",
    "MissingJoints",
    "Occlusion",
    "TrainingMean",
    "Zeros",
]
