"""What makes a network faster without changing what it computes, up to rounding."""

import torch
from omegaconf import DictConfig
from torch import nn

from experiments.runs.folder import RunError

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


def check_precision(trainer: DictConfig) -> None:
    """Refuse to train in less than single precision on a CPU.

    There the bfloat16 kernel of a 3D convolution gives a wrong gradient for its weights where a
    clip is two frames long (docs/deviations.md).

    Args:
        trainer: the configured trainer.

    Raises:
        RunError: says what to leave out.
    """
    on_cpu = trainer.accelerator == "cpu" or not torch.accelerator.is_available()
    if on_cpu and "16" in str(trainer.precision):
        raise RunError(
            f"trainer.precision={trainer.precision} needs a GPU: on a CPU some gradients of 3D "
            "convolutions come out wrong in 16 bits (docs/deviations.md); leave it out"
        )


def check_accelerator(trainer: DictConfig) -> None:
    """Refuse to train on a GPU where there is none, in fewer words than Lightning's.

    Args:
        trainer: the configured trainer.

    Raises:
        RunError: says what to type instead.
    """
    wanted = trainer.accelerator in ("gpu", "cuda")
    if wanted and not (torch.cuda.is_available() or torch.backends.mps.is_available()):
        raise RunError(
            f"trainer.accelerator={trainer.accelerator}: torch finds no GPU on this machine; leave "
            "it out (trainer=gpu, too) to train on what there is, or type trainer=cpu"
        )
