"""A network written as ONNX, for batches of any size."""

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.runs.folder import RunError

NEEDED = ("onnx", "onnxscript")  # by torch's exporter
TRACED = 3  # samples: a network that is traced with 0 or 1 keeps that size


class Scores(nn.Module):
    """A network that gives its scores `(B, K)` alone, without the prediction's other parts."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        scores: Tensor = self.network(batch).scores
        return scores


def check_packages() -> None:
    """Refuse to export without the packages that torch needs for it.

    Raises:
        RunError: says how to install them.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise RunError(
            f"format=onnx needs {' and '.join(missing)}, which is not installed: "
            "pip install -r requirements.txt"
        )


def write_onnx(network: nn.Module, batch: Mapping[str, Tensor], path: Path) -> list[str]:
    """Write a network in evaluation mode, its weights inside, with an output `scores`.

    Args:
        network: on the CPU; left as it is.
        batch: of `TRACED` samples, whose names become those of the inputs. An input on which the
            scores do not depend is left out.
        path: the file.

    Returns:
        The names of the inputs that the file has.

    Raises:
        RunError: if torch cannot express the network in ONNX.
    """
    sizes = ({name: {0: "batch"} for name in batch},)
    free = ({name: {0: torch.export.Dim("batch")} for name in batch},)
    traced = Scores(_with_biases(network)).eval()
    try:
        with torch.no_grad(), _quiet():
            exported = torch.export.export(traced, (dict(batch),), dynamic_shapes=free)
            program = torch.onnx.export(
                exported,
                dynamic_shapes=sizes,
                input_names=list(batch),
                output_names=["scores"],
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # what the exporter raises has no class in common
        raise RunError(_explain(error)) from error
    assert program is not None  # there is none where a TorchScript file is written alone
    inputs = program.model.graph.inputs
    for value in [value for value in inputs if not value.uses()]:
        inputs.remove(value)
    program.save(path, external_data=False)
    return [str(value.name) for value in inputs]


def _with_biases(network: nn.Module) -> nn.Module:
    """Return a copy whose 3D convolutions all have a bias, of zeros where they had none.

    The exporter would make one up, of the wrong shape (microsoft/onnxscript issue 2931).
    """
    copied = copy.deepcopy(network)
    for module in copied.modules():
        if isinstance(module, nn.Conv3d) and module.bias is None:
            module.bias = nn.Parameter(module.weight.new_zeros(module.out_channels))
    return copied


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter says of its own versions and passes."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _explain(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = lines[0] if lines else type(error).__name__
    if "Constraints violated" in str(error):
        reason = (
            "its forward fixes the size of the batch; read it as x.shape[0], and not by len(x) or "
            "int(...)"
        )
    return f"expected a network that torch can export as ONNX, found one that it cannot: {reason}"
