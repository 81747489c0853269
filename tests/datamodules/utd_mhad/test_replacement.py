import numpy as np
import pytest

from datamodules.utd_mhad.groups import UtdMhadReplaced
from datamodules.utd_mhad.replacement import draw_replacements, told

SUBJECTS = np.repeat(np.arange(1, 9), 108)
LABELS = np.tile(np.repeat(np.arange(27), 4), 8)
IDS = [f"a{LABELS[i] + 1}_s{SUBJECTS[i]}_t{i % 4 + 1}" for i in range(864)]


def draw(share: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    return draw_replacements(IDS, LABELS, SUBJECTS, UtdMhadReplaced(share, seed))


def test_nothing_is_replaced_by_default() -> None:
    which, donor = draw_replacements(IDS, LABELS, SUBJECTS, UtdMhadReplaced())
    assert (which == -1).all()
    assert np.array_equal(donor, np.arange(864))


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_the_share_each_modality_as_likely(share: float) -> None:
    which, _ = draw(share)
    error = 3 * np.sqrt(share / 3 * (1 - share / 3) / 864)
    for place in range(3):
        assert (which == place).mean() == pytest.approx(share / 3, abs=error)
    if share == 1:
        assert (which >= 0).all()


def test_another_recording_is_of_the_same_subject_and_another_action() -> None:
    which, donor = draw(0.5)
    replaced = which >= 0
    assert np.array_equal(SUBJECTS[donor], SUBJECTS)
    assert (LABELS[donor] != LABELS)[replaced].all()
    assert np.array_equal(donor[~replaced], np.flatnonzero(~replaced))


def test_the_draw_is_fixed_by_its_seed_alone() -> None:
    one, again, other = draw(0.3), draw(0.3), draw(0.3, seed=2)
    assert np.array_equal(one[0], again[0]) and np.array_equal(one[1], again[1])
    assert not np.array_equal(one[0], other[0])


def test_a_dropped_recording_changes_for_no_other_whether_and_what_is_replaced() -> None:
    kept = np.arange(864) != 17
    names = [name for name, there in zip(IDS, kept, strict=True) if there]
    settings = UtdMhadReplaced(0.3, 1)
    which, _ = draw_replacements(names, LABELS[kept], SUBJECTS[kept], settings)
    assert np.array_equal(which, draw(0.3)[0][kept])


def test_a_larger_share_replaces_what_a_smaller_one_does_and_more() -> None:
    few, many = draw(0.2)[0], draw(0.4)[0]
    assert np.array_equal(many[few >= 0], few[few >= 0])


def test_names_say_what_was_replaced() -> None:
    names = told(["a1_s1_t1", "a2_s1_t1", "a3_s1_t1"], np.array([-1, 2, 0]), np.array([0, 2, 0]))
    assert names == ["a1_s1_t1", "a2_s1_t1:depth=a3_s1_t1", "a3_s1_t1:skeleton=a1_s1_t1"]


def test_a_subject_with_one_action_keeps_its_own() -> None:
    subjects, labels = np.array([1, 1, 2]), np.array([3, 3, 1])
    which, donor = draw_replacements(["a", "b", "c"], labels, subjects, UtdMhadReplaced(1.0))
    assert which.tolist() == [-1, -1, -1] and donor.tolist() == [0, 1, 2]
