import pytest

from datamodules.formats.ravdess_name import ClipName, parse_clip_name
from datamodules.packed.errors import DataError


def test_fields_and_label() -> None:
    name = parse_clip_name("Actor_19/01-01-08-02-01-02-19.mp4")
    assert name == ClipName(1, 1, 8, 2, 1, 2, 19)
    assert name.label == 7
    assert name.id == "01-01-08-02-01-02-19"


def test_sound_alone_is_the_same_clip() -> None:
    assert parse_clip_name("03-01-05-01-02-01-12.flac").id == "01-01-05-01-02-01-12"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("clip.mp4", "seven two-digit fields"),
        ("01-01-05-01-02-01.mp4", "seven two-digit fields"),
        ("01-01-05-01-02-01-1.mp4", "seven two-digit fields"),
        ("01-01-05-01-02-01-ab.mp4", "seven two-digit fields"),
        ("01-01-09-01-02-01-12.mp4", "emotion between 01 and 08, found 09"),
        ("01-01-05-00-02-01-12.mp4", "intensity between 01 and 02, found 00"),
        ("01-01-05-01-02-01-25.mp4", "actor between 01 and 24, found 25"),
    ],
)
def test_names_outside_the_scheme(name: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as error:
        parse_clip_name(name)
    assert name in str(error.value)
