"""One modality of some recordings replaced by another recording's: docs/utd_mhad_replacement.md.

Legend: N recordings.
"""

import numpy as np

from datamodules.formats.utd_mhad_name import MODALITIES
from datamodules.utd_mhad.groups import UtdMhadReplaced


def draw_replacements(
    labels: np.ndarray,
    subjects: np.ndarray,
    settings: UtdMhadReplaced,
    modalities: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Draw which modality of which recording is replaced, and by which recording's.

    Another recording is one of the same subject and of another action: so nothing crosses from one
    part of a fold into another, and what is replaced always speaks of a wrong class. A recording is
    drawn by numbers of its own, and of `modalities` that are given in any order one is replaced.

    Args:
        labels: (N,) class.
        subjects: (N,).
        settings: the share and the seed.
        modalities: those in use; one at most is replaced, each as likely.

    Returns:
        (N,) place of the replaced modality among `modalities`, -1 for none; (N,) row of the other
        recording, its own where nothing is replaced.
    """
    generator = np.random.default_rng(settings.seed)
    numbers = generator.random((len(labels), 3))
    which = np.full(len(labels), -1)
    donor = np.arange(len(labels))
    ordered = [name for name in MODALITIES if name in modalities]
    for row in np.flatnonzero(numbers[:, 0] < settings.share):
        others = np.flatnonzero((subjects == subjects[row]) & (labels != labels[row]))
        if len(others):
            chosen = ordered[int(numbers[row, 1] * len(ordered))]
            which[row] = modalities.index(chosen)
            donor[row] = others[int(numbers[row, 2] * len(others))]
    return which, donor
