"""Which samples of a raw folder have a file of every modality that is packed."""

from collections.abc import Collection, Mapping
from typing import TypeVar

Name = TypeVar("Name")


def sort_out(there: Mapping[str, Collection[Name]]) -> tuple[set[Name], dict[Name, str]]:
    """Sort samples by whether they have all modalities.

    Args:
        there: modality -> the samples that have a file of it.

    Returns:
        Those that have all, and of the others which files they lack.
    """
    every = {name for samples in there.values() for name in samples}
    lacks = {
        name: ", ".join(f"no {modality} file" for modality in there if name not in there[modality])
        for name in every
    }
    return {name for name in every if not lacks[name]}, {n: why for n, why in lacks.items() if why}


def warn_of_few(there: Mapping[str, Collection[Name]]) -> list[str]:
    """Return a warning if one modality alone would pack more than twice as many samples."""
    complete, lacking = sort_out(there)
    if max(map(len, there.values()), default=0) <= 2 * len(complete):
        return []
    counts = ", ".join(f"{len(samples)} have {modality}" for modality, samples in there.items())
    return [
        f"{len(complete)} of {len(complete) + len(lacking)} samples have all modalities, and the "
        f"others are dropped: {counts}; move the files of a modality that you can do without out "
        "of the raw folder"
    ]
