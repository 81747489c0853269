import numpy as np

from datamodules.sampling import EpochSampler

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
