"""Optimizers whose settings differ from PyTorch's in name or number."""

from collections.abc import Iterable
from typing import Any

import torch


def momentum_sgd(parameters: Iterable[Any], *, lr: float, weight_decay: float) -> torch.optim.SGD:
    """Return SGD with momentum 0.9, by the two settings that Adam has too."""
    return torch.optim.SGD(parameters, lr=lr, momentum=0.9, weight_decay=weight_decay)
