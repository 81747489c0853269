"""One modality of some recordings replaced by another recording's: docs/utd_mhad_replacement.md.

Legend: N recordings.
"""

from collections.abc import Sequence

import numpy as np

from datamodules.formats.utd_mhad_name import MODALITIES
from datamodules.utd_mhad.groups import UtdMhadReplaced

NOTHING = -1


def draw_replacements(
    ids: Sequence[str], labels: np.ndarray, subjects: np.ndarray, settings: UtdMhadReplaced
) -> tuple[np.ndarray, np.ndarray]:
    """Draw which modality of which recording is replaced, and by which recording's.

    Another recording is one of the same subject and of another action: so nothing crosses from one
    part of a fold into another, and what is replaced always speaks of a wrong class. One of the
    three modalities is replaced, each as likely, whether or not a run uses it: so a network of one
    modality sees the very recordings of that modality that a network of all sees.

    Whether and which modality depends on a recording's name and the seed alone. The other recording
    is drawn from those of the subject that are packed: without one of them it can be another.

    Args:
        ids: (N,) names as they are packed.
        labels: (N,) class.
        subjects: (N,).
        settings: the share and the seed.

    Returns:
        (N,) place of the replaced modality among `MODALITIES`, -1 for none; (N,) row of the other
        recording, its own where nothing is replaced.
    """
    numbers = np.stack([_numbers(name, settings.seed) for name in ids])  # (N, 3)
    which = np.full(len(labels), NOTHING)
    donor = np.arange(len(labels))
    for row in np.flatnonzero(numbers[:, 0] < settings.share):
        others = np.flatnonzero((subjects == subjects[row]) & (labels != labels[row]))
        if len(others):
            which[row] = int(numbers[row, 1] * len(MODALITIES))
            donor[row] = others[int(numbers[row, 2] * len(others))]
    return which, donor


def _numbers(name: str, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, *name.encode()]).random(3)


def told(ids: Sequence[str], which: np.ndarray, donor: np.ndarray) -> list[str]:
    """Name recordings with what was replaced, as in `a1_s1_t1:depth=a2_s1_t3`.

    So predictions and figures say it too.

    Args:
        ids: (N,) names as they are packed.
        which: (N,) as `draw_replacements` says.
        donor: (N,) likewise.
    """
    return [
        name if place == NOTHING else f"{name}:{MODALITIES[place]}={ids[other]}"
        for name, place, other in zip(ids, which.tolist(), donor.tolist(), strict=True)
    ]
