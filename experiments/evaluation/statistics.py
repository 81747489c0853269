"""Means over runs and paired differences, with standard errors that say what they cover.

A run is keyed by `(fold, seed)`. Folds are different test data (and training data); seeds repeat
the same data. Six folds with three seeds are not 18 independent figures: a hard fold is hard under
every seed, and dividing by sqrt(18) would promise more than was measured. So by default

- with several folds, the seeds within each fold are averaged, and the standard error is taken over
  the folds: it covers new speakers and what is left of the seeds after averaging;
- with one fold, it is taken over the seeds: it covers new seeds on the same test data, no more;
- with one run there is none, and it is NaN.

Training sets of different folds overlap, so even the error over folds is rather too small than too
large (Bengio and Grandvalet, 2004). `over="runs"` takes every run as independent, as papers often
do; name it when you show it.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

Fold = int | str
RunKey = tuple[Fold, int]  # fold, seed
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error.

    Args:
        mean: of the units, in the unit of the values.
        error: standard error of the mean, s / sqrt(n) with s over n - 1; NaN for one unit.
        units: how many figures the error is taken over, n.
        unit: what they are: `folds`, `seeds`, `runs` or `samples`.
        runs: how many figures came in.
    """

    mean: float
    error: float
    units: int
    unit: str
    runs: int

    def covers(self) -> str:
        """Say in words what the error is taken over."""
        if self.units < 2:
            return "one run, no error" if self.runs == 1 else f"{self.runs} runs, no error"
        averaged = self.unit == "folds" and self.runs > self.units
        return f"{self.units} {self.unit}" + (", seeds averaged within each" if averaged else "")


def mean_and_error(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the mean of `(n,)` values and its standard error, NaN if there is only one.

    Raises:
        ValueError: if there are none.
    """
    x = np.asarray(values, dtype=np.float64)
    if not x.size:
        raise ValueError("a mean needs at least one value, found none")
    error = x.std(ddof=1) / math.sqrt(x.size) if x.size > 1 else math.nan
    return float(x.mean()), float(error)


def estimate(
    values: Mapping[RunKey, float], *, over: Literal["default", "runs"] = "default"
) -> Estimate:
    """Return the mean over runs with its standard error.

    Folds weigh the same, whatever their number of seeds.

    Args:
        values: one figure a run, by (fold, seed).
        over: what the error is taken over; the module's docstring says which is the default.

    Raises:
        ValueError: if there are no values, or a fold is a protocol (NTU's `cs` and `cv`,
            UTD-MHAD's `cs`), which has figures of its own and no mean with other folds.
    """
    by_fold: dict[Fold, list[float]] = {}
    for (fold, _), value in values.items():
        by_fold.setdefault(fold, []).append(value)
    protocols = [fold for fold in by_fold if isinstance(fold, str)]
    if protocols and len(by_fold) > 1:
        own = [f"run='<folder>/fold{fold}'" for fold in protocols]
        own += ["run='<folder>/fold?'"] if len(by_fold) > len(protocols) else []
        raise ValueError(
            f"the folds {', '.join(map(str, by_fold))} have no mean, for "
            f"{', '.join(protocols)} tests other samples by another protocol: take "
            f"{' or '.join(own)}"
        )
    if over == "runs":
        units, unit = list(values.values()), "runs"
    elif len(by_fold) > 1:
        units, unit = [float(np.mean(seeds)) for seeds in by_fold.values()], "folds"
    else:
        units, unit = list(values.values()), "seeds"
    return Estimate(*mean_and_error(units), units=len(units), unit=unit, runs=len(values))


def paired_difference(
    values: Mapping[RunKey, float],
    against: Mapping[RunKey, float],
    *,
    over: Literal["default", "runs"] = "default",
) -> Estimate:
    """Return the mean of `values - against`, run by run, and the standard error of the difference.

    What the two share, such as a hard fold or a lucky seed, cancels. The error is taken over the
    same units as in `estimate`.

    Raises:
        ValueError: if a (fold, seed) is in one set only; the message names it.
    """
    return estimate(differences(values, against, "fold {0[0]} seed {0[1]}".format), over=over)


def paired_samples(values: Mapping[str, float], against: Mapping[str, float]) -> Estimate:
    """Return the mean difference over test samples, and its standard error over the samples.

    It covers other test samples of the same kind, but neither another training nor other speakers:
    clips of one speaker are alike, so it is rather too small.

    Args:
        values: a figure for each sample's id, such as how often it is classified right.
        against: the other set's.

    Raises:
        ValueError: if a sample is in one set only.
    """
    found = list(differences(values, against, "sample {}".format).values())
    return Estimate(*mean_and_error(found), units=len(found), unit="samples", runs=len(found))


def differences(
    values: Mapping[Key, float], against: Mapping[Key, float], name: Callable[[Key], str]
) -> dict[Key, float]:
    """Return `values - against` by key.

    Raises:
        ValueError: if a key is in one of them only.
    """
    for missing, where in (
        (against.keys() - values.keys(), "first"),
        (values.keys() - against.keys(), "second"),
    ):
        if missing:
            names = sorted(name(key) for key in missing)
            shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if names[6:] else "")
            raise ValueError(
                f"a paired difference needs the same on both sides; the {where} set lacks "
                f"{shown}: train what is missing, or leave out its partners"
            )
    return {key: values[key] - against[key] for key in values}
