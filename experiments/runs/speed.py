"""What makes a network faster without changing what it computes, up to rounding."""

import torch
from torch import nn

_LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


def hasten(network: nn.Module, *, channels_last: bool = False, compile: bool = False) -> None:
    """Change a network in place; its names and shapes stay.

    Args:
        network: any.
        channels_last: keep the kernels of its convolutions with the channels innermost, which the
            convolutions then hand on. For mixed precision on a GPU.
        compile: by `torch.compile`; the first batches take long.
    """
    if channels_last:
        for parameter in network.parameters():
            if parameter.ndim in _LAYOUTS:
                parameter.data = parameter.contiguous(memory_format=_LAYOUTS[parameter.ndim])
    if compile:
        network.compile()


def set_precision(matmul_precision: str = "highest", cudnn_tf32: bool = True) -> None:
    """Choose how products in single precision round on a GPU, for this process.

    Args:
        matmul_precision: of matrix products: `highest` is single precision, `high` TF32, `medium`
            bfloat16.
        cudnn_tf32: whether convolutions may use TF32, which torch allows by default.
    """
    torch.set_float32_matmul_precision(matmul_precision)
    torch.backends.cudnn.allow_tf32 = cudnn_tf32
