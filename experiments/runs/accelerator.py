"""Whether this machine can train as a run is configured to.

Torch is imported where it is asked, because a complete run is skipped without it.
"""

from omegaconf import DictConfig

from experiments.runs.folder import RunError


def check_precision(trainer: DictConfig) -> None:
    """Refuse to train in less than single precision on a CPU.

    There the bfloat16 kernel of a 3D convolution gives a wrong gradient for its weights where a
    clip is two frames long (docs/deviations.md).

    Args:
        trainer: the configured trainer.

    Raises:
        RunError: says what to leave out.
    """
    import torch

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
    if trainer.accelerator not in ("gpu", "cuda"):
        return
    import torch

    if not (torch.cuda.is_available() or torch.backends.mps.is_available()):
        raise RunError(
            f"trainer.accelerator={trainer.accelerator}: torch finds no GPU on this machine; leave "
            "it out (trainer=gpu, too) to train on what there is, or type trainer=cpu"
        )
