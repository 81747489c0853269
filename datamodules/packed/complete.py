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
    """Return a warning for each modality without which more than twice as many would be packed."""
    complete, lacking = sort_out(there)
    every = len(complete) + len(lacking)
    warnings = []
    for modality, samples in there.items():
        others = {name: found for name, found in there.items() if name != modality}
        without = len(sort_out(others)[0])
        if others and without > 2 * len(complete):
            warnings.append(
                f"{len(samples)} of {every} samples have a {modality} file, and the others are "
                f"dropped: {without} would be packed without it; move the {modality} files out of "
                "the raw folder if you can do without them"
            )
    return warnings
