import numpy as np
import pytest

from datamodules.packed import sampling
from datamodules.packed.errors import DataError
from datamodules.packed.sampling import EpochSampler

ROWS = np.array([3, 5, 8, 9, 12])


def order(sampler: EpochSampler, epoch: int) -> list[tuple[int, int]]:
    sampler.set_epoch(epoch)
    return list(sampler)


def test_every_row_once_with_its_epoch() -> None:
    pairs = order(EpochSampler(ROWS, seed=1, shuffle=True), 4)
    assert sorted(row for row, _ in pairs) == ROWS.tolist()
    assert {epoch for _, epoch in pairs} == {4}


def test_order_is_a_function_of_seed_and_epoch() -> None:
    rows = np.arange(100)
    running = EpochSampler(rows, seed=1, shuffle=True)
    first, second = order(running, 0), order(running, 1)
    assert order(EpochSampler(rows, seed=1, shuffle=True), 1) == second
    assert [row for row, _ in first] != [row for row, _ in second]
    assert order(EpochSampler(rows, seed=2, shuffle=True), 0) != first


def test_without_shuffling_the_order_stays() -> None:
    sampler = EpochSampler(ROWS, seed=1, shuffle=False)
    assert [row for row, _ in order(sampler, 7)] == ROWS.tolist()
    assert len(sampler) == 5


def shares(monkeypatch: pytest.MonkeyPatch, *, processes: int, shuffle: bool) -> list[list[int]]:
    """The rows of each of several processes, which are only pretended."""
    monkeypatch.setattr(sampling.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(sampling.dist, "get_world_size", lambda: processes)
    found = []
    for rank in range(processes):
        monkeypatch.setattr(sampling.dist, "get_rank", lambda rank=rank: rank)
        sampler = EpochSampler(ROWS, seed=1, shuffle=shuffle)
        found.append([row for row, _ in order(sampler, 3)])
        assert len(sampler) == len(found[-1])
    return found


def test_processes_that_evaluate_together_take_every_row_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert shares(monkeypatch, processes=2, shuffle=False) == [[3, 8, 12], [5, 9]]


def test_processes_that_train_together_take_the_same_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = shares(monkeypatch, processes=2, shuffle=True)
    whole = np.random.default_rng((1, 3)).permutation(ROWS).tolist()
    assert parts == [whole[0:4:2], whole[1:4:2]]


def test_more_processes_than_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="6 processes cannot share 5 samples"):
        shares(monkeypatch, processes=6, shuffle=False)
