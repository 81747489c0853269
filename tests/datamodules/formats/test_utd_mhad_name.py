import pytest

from datamodules.formats.utd_mhad_name import ACTIONS, RecordingName, parse_recording_name
from datamodules.packed.errors import DataError


@pytest.mark.parametrize("modality", ["skeleton", "inertial", "depth"])
def test_fields_and_label(modality: str) -> None:
    name, found = parse_recording_name(f"Skeleton/a13_s2_t4_{modality}.mat")
    assert name == RecordingName(action=13, subject=2, trial=4)
    assert (name.id, name.label, found) == ("a13_s2_t4", 12, modality)


def test_the_27_actions() -> None:
    assert len(ACTIONS) == len(set(ACTIONS)) == 27
    places = {1: "swipe left", 3: "wave", 9: "draw circle clockwise", 13: "boxing"}
    places |= {19: "knock", 22: "jog", 24: "sit to stand", 27: "squat"}
    assert all(ACTIONS[number - 1] == action for number, action in places.items())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("notes.mat", "expected a UTD-MHAD name"),
        ("a1_s1_t1.mat", "expected a UTD-MHAD name"),
        ("a1_s1_t1_color.avi", "expected a UTD-MHAD name"),
        ("a1_s1_t1_skeleton_old.mat", "expected a UTD-MHAD name"),
        ("a1_s1_t1_skeleton.backup.mat", "expected a UTD-MHAD name"),
        ("a1_s1_t\u0661_skeleton.mat", "expected a UTD-MHAD name"),  # a digit of another script
        ("a28_s1_t1_depth.mat", "action between a1 and a27, found a28"),
        ("a0_s1_t1_depth.mat", "action between a1 and a27, found a0"),
        ("a1_s9_t1_inertial.mat", "subject between s1 and s8, found s9"),
        ("a1_s8_t5_inertial.mat", "trial between t1 and t4, found t5"),
    ],
)
def test_names_outside_the_scheme(name: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as error:
        parse_recording_name(name)
    assert name in str(error.value)
