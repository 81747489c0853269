import pytest

from datamodules.formats.ntu_name import ACTIONS, SampleName, parse_sample_name
from datamodules.packed.errors import DataError


@pytest.mark.parametrize("end", ["_rgb.avi", ".skeleton", ""])
def test_fields_and_label(end: str) -> None:
    name = parse_sample_name(f"nturgb+d/S001C002P003R002A013{end}")
    assert name == SampleName(setup=1, camera=2, subject=3, replication=2, action=13)
    assert name.label == 12
    assert name.id == "S001C002P003R002A013"


def test_the_sixty_actions() -> None:
    assert len(ACTIONS) == len(set(ACTIONS)) == 60
    places = {1: "drink", 10: "clap", 24: "kick something", 35: "nod head", 43: "fall down"}
    places |= {50: "punch", 58: "shake hands", 60: "walk apart"}
    assert all(ACTIONS[number - 1] == action for number, action in places.items())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("holiday.avi", "expected an NTU RGB\\+D name"),
        ("S001C002P003R002.skeleton", "expected an NTU RGB\\+D name"),
        ("S001C002P003R002A13.skeleton", "expected an NTU RGB\\+D name"),
        ("S001C002P003R002A013_depth.avi", "expected an NTU RGB\\+D name"),
        ("S001C002P041R002A013.skeleton", "subject between P001 and P040, found P041"),
        ("S001C002P003R002A061.skeleton", "action between A001 and A060, found A061"),
        ("S018C002P003R002A001.skeleton", "setup between S001 and S017, found S018"),
        ("S001C004P003R002A001.skeleton", "camera between C001 and C003, found C004"),
        ("S001C000P003R002A001.skeleton", "camera between C001 and C003, found C000"),
    ],
)
def test_names_outside_the_scheme(name: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as error:
        parse_sample_name(name)
    assert name in str(error.value)
