"""An exported file beside the network that it was made of: what it computes, and how fast."""

import statistics
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.exporting.inputs import Inputs
from experiments.runs.folder import RunError

TOLERANCE = 1e-4
SIZES = (1, 2, 5)  # of the batches that are compared; the network was traced with another
ROUNDS, MOST_SECONDS = 30, 3.0  # of a measurement, which ends with whichever is there first


class OnnxRuntime:
    """A file as onnxruntime computes it, on the CPU with as many threads as torch has."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors alone
        providers = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        self.inputs = [value.name for value in self.session.get_inputs()]

    @staticmethod
    def installed() -> bool:
        return find_spec("onnxruntime") is not None

    def scores(self, batch: Mapping[str, Tensor]) -> np.ndarray:
        """Return the scores `(B, K)` of a batch."""
        fed = {name: batch[name].numpy() for name in self.inputs}
        found: np.ndarray = self.session.run(["scores"], fed)[0]
        return found


def torch_scores(network: nn.Module, batch: Mapping[str, Tensor]) -> np.ndarray:
    """Return a network's own scores `(B, K)`."""
    with torch.no_grad():
        scores: Tensor = network(batch).scores
    return scores.numpy()


def largest_difference(network: nn.Module, runtime: OnnxRuntime, inputs: Inputs) -> float:
    """Return by how much scores differ at most, over batches of several sizes.

    It is measured in the largest score of the batch where that is above 1.

    Raises:
        RunError: if it is more than `TOLERANCE`; such a file is of no use.
    """
    most = 0.0
    for size in SIZES:
        batch = inputs.draw(size)
        wanted, found = torch_scores(network, batch), runtime.scores(batch)
        if wanted.shape != found.shape:
            raise RunError(f"expected scores {wanted.shape} of onnxruntime, found {found.shape}")
        most = max(most, float(np.abs(wanted - found).max() / max(1.0, np.abs(wanted).max())))
    if not most <= TOLERANCE:  # NaN is no agreement either
        raise RunError(
            f"expected the scores of the network to {TOLERANCE:g} in onnxruntime, found a "
            f"difference of {most:.1e}: nothing was written; other versions of onnxscript and "
            "onnxruntime may do better (requirements.txt has those that were tried)"
        )
    return most


def milliseconds(call: Callable[[], Any]) -> float:
    """Return the median time of a call, after one that does not count."""
    call()
    taken: list[float] = []
    while len(taken) < ROUNDS and sum(taken) < MOST_SECONDS:
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return 1000 * statistics.median(taken)


def latencies(network: nn.Module, runtime: OnnxRuntime | None, inputs: Inputs) -> dict[str, float]:
    """Return the milliseconds that a batch of one sample takes torch, and onnxruntime if given.

    One after the other on the CPU of this machine, with one number of threads.
    """
    batch = inputs.draw(1)
    found = {"torch": milliseconds(lambda: torch_scores(network, batch))}
    if runtime is not None:
        found["onnxruntime"] = milliseconds(lambda: runtime.scores(batch))
    return found
