"""Optimizers whose settings differ from PyTorch's in name or number."""

import torch
from torch.optim.optimizer import ParamsT


def momentum_sgd(parameters: ParamsT, *, lr: float, weight_decay: float) -> torch.optim.SGD:
    """Return SGD with momentum 0.9, by the two settings that Adam has too."""
    return torch.optim.SGD(parameters, lr=lr, momentum=0.9, weight_decay=weight_decay)
