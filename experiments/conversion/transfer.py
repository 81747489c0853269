"""The tensors of a released file under the names, and in the shapes, of this project's network."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from experiments.conversion.names import names_of
from experiments.conversion.networks import Released
from experiments.conversion.read import Checkpoint
from experiments.runs.folder import RunError

SHOWN = 4  # names that an error lists


def transferred(
    checkpoint: Checkpoint, released: Released, ours: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return a file's tensors under our names.

    Args:
        checkpoint: the file.
        released: the network that it is of.
        ours: the tensors of our network, whose shapes count.

    Raises:
        RunError: if the file has a tensor too many or too few, or of another shape. Only counters
            of batch norms, which evaluation does not use, may be missing: old files lack them.
    """
    names = released.names(checkpoint, ours)
    theirs = {key: names_of(key, names) for key in ours}
    _check_names(checkpoint, released, theirs)
    return {
        key: _joined([checkpoint.tensors[n] for n in several if n in checkpoint.tensors], ours[key],
                     f"{checkpoint.file}: {several[0]}")
        for key, several in theirs.items()
    }  # fmt: skip


def _check_names(
    checkpoint: Checkpoint, released: Released, theirs: Mapping[str, Sequence[str]]
) -> None:
    expected = {name for several in theirs.values() for name in several}
    missing = expected - checkpoint.tensors.keys()
    missing = {name for name in missing if not name.endswith(".num_batches_tracked")}
    surplus = checkpoint.tensors.keys() - expected
    told = [
        f"{what} {', '.join(sorted(names)[:SHOWN])}"
        + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        for what, names in (("it lacks", missing), ("it has besides", surplus))
        if names
    ]
    if told:
        raise RunError(
            f"{checkpoint.file}: expected exactly the tensors of {released.title}; "
            f"{'; '.join(told)}: take the file that the authors released"
        )


def _joined(parts: Sequence[Tensor], like: Tensor, place: str) -> Tensor:
    """Join tensors along their first axis in the shape of ours.

    Ours may have the segments of a sequence on an axis of their own, and lacks the axes of size
    one that a 1x1x1 convolution has beyond a linear layer.
    """
    if not like.ndim:  # a counter, the same in all parts
        return parts[0] if parts else like
    if len({part.shape for part in parts}) == 1:
        found = torch.cat(list(parts))
        if like.ndim > found.ndim and len(found) % len(like) == 0:
            found = found.unflatten(0, (len(like), -1))
        elif like.ndim < found.ndim and found.shape[like.ndim :].numel() == 1:
            found = found.flatten(like.ndim - 1)
        if found.shape == like.shape:
            return found
    shapes = " and ".join(dict.fromkeys(str(tuple(part.shape)) for part in parts))
    raise RunError(
        f"{place}: expected {len(parts)} of these that make {tuple(like.shape)}, found {shapes}: "
        "the file is of a network of other sizes"
    )
