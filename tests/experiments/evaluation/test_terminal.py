"""How the terminal, and titles of figures, name the runs that they show."""

import pytest

from experiments.evaluation.statistics import RunKey
from experiments.evaluation.terminal import listed_places


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([(0, 1)], "fold 0, seed 1"),
        ([(f, s) for f in (2, 0, 1) for s in (1, 2)], "folds 0, 1, 2, seeds 1, 2"),
        ([(f, s) for f in range(6) for s in (1, 2, 3)], "folds 0 to 5, seeds 1, 2, 3"),
        ([(f, 7) for f in (0, 1, 2, 4)], "folds 0, 1, 2, 4, seed 7"),
        ([(f, 1) for f in ("cv", 0, 1, 2, 3)], "folds 0, 1, 2, 3, cv, seed 1"),
    ],
)
def test_folds_and_seeds_are_listed_and_many_in_a_row_as_a_range(
    keys: list[RunKey], said: str
) -> None:
    assert listed_places(keys) == said
