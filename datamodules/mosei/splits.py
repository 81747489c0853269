"""Which segments of a packed CMU-MOSEI train, choose an epoch and are reported: by whole videos."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datamodules.packed.errors import DataError

PACKED_SPLITS = ("train", "valid", "test")
_HELD_OUT = 0  # seed of the share of the train videos: the same videos in every run
_SHARE = "datamodule.validation=0.1"
_ADVICE = {
    "train": "prepare the train videos, or hold out a smaller share of them",
    "test": f"without labels of the test videos, datamodule.evaluate_on=valid {_SHARE} reports the "
    "valid videos and selects on a tenth of the train videos",
    "validation": f"{_SHARE} selects on a tenth of the train videos instead",
}


def check_parts(evaluate_on: str, validation: object) -> None:
    """Refuse a choice of parts that makes no sense, or that selects on what is reported.

    Raises:
        DataError: says what was expected.
    """
    if evaluate_on not in ("test", "valid"):
        raise DataError(f"evaluate_on: expected test or valid, found {evaluate_on}")
    if isinstance(validation, float):
        if not 0 < validation < 1:
            raise DataError(f"validation: expected a share between 0 and 1, found {validation}")
    elif validation != "valid":
        raise DataError(f"validation: expected valid or a share such as 0.1, found {validation}")
    elif evaluate_on == "valid":
        raise DataError(
            "evaluate_on=valid: expected another part than the one that an epoch is chosen on, "
            f"found validation=valid; {_SHARE} holds out a tenth of the train videos"
        )


def divide(
    root: Path, splits: np.ndarray, videos: np.ndarray, *, evaluate_on: str, validation: str | float
) -> dict[str, np.ndarray]:
    """Divide the segments of a packed set.

    Args:
        root: the packed folder, for messages.
        splits: (N,) packed split of each segment.
        videos: (N,) its video.
        evaluate_on: the packed split that is reported.
        validation: the packed split `valid`, or a share of the train videos.

    Returns:
        Rows of `train`, `test` (what is reported) and `validation`.

    Raises:
        DataError: a part is empty, or a video is in two of them.
    """
    train = splits == "train"
    if isinstance(validation, str):
        chosen = splits == validation
    else:
        chosen = train & np.isin(videos, _held_out(videos[train], validation))
    parts = {"train": train & ~chosen, "test": splits == evaluate_on, "validation": chosen}
    sizes = ", ".join(f"{np.count_nonzero(splits == name)} of {name}" for name in PACKED_SPLITS)
    for name, mask in parts.items():
        if not mask.any():
            raise DataError(
                f"{root}: expected segments for the {name} part, found {sizes}; {_ADVICE[name]}"
            )
    _refuse_shared(root, {name: set(videos[mask].tolist()) for name, mask in parts.items()})
    return {name: np.flatnonzero(mask) for name, mask in parts.items()}


def _held_out(videos: np.ndarray, share: float) -> np.ndarray:
    names = np.unique(videos)  # sorted: the order of the index must not matter
    count = max(1, round(share * len(names)))
    return np.random.default_rng(_HELD_OUT).permutation(names)[:count]


def _refuse_shared(root: Path, videos: Mapping[str, set[str]]) -> None:
    names = list(videos)
    for position, one in enumerate(names):
        for other in names[position + 1 :]:
            shared = sorted(videos[one] & videos[other])
            if shared:
                raise DataError(
                    f"{root}: expected every video in one part, found {len(shared)} in both {one} "
                    f"and {other} ({', '.join(shared[:3])}); prepare again with folds that have "
                    "no video in common"
                )
