"""What of a data set is wanted, and how parts are written."""

from typing import Any

import pytest

from experiments.fetching.errors import FetchError
from experiments.fetching.plan import names
from tests.experiments.fetching.conftest import plan

SHARED = ["Audio_Speech_Actors_01-24.zip", "FacialTracking_Actors_01-24.zip"]


def archives(**chosen: Any) -> set[str]:
    made = plan(**chosen)
    return {source.archive(part) for part in made.parts for source in made.sources}


def test_all_of_it() -> None:
    videos = {"Video_Speech_Actor_01.zip", "Video_Speech_Actor_02.zip"}
    assert archives() == {*SHARED, *videos}
    assert plan().steps == [(1,), (2,)]
    assert [source.shared for source in plan().sources] == [True, True, False]


def test_some_modalities() -> None:
    assert archives(modalities=["audio"]) == {SHARED[0]}
    assert archives(modalities="action_units") == {SHARED[1]}
    assert archives(modalities=["audio", "action_units"]) == set(SHARED)
    assert plan(modalities=["audio"]).steps == [(1, 2)]
    assert archives(modalities=["video"], only=2) == {SHARED[1], "Video_Speech_Actor_02.zip"}


def test_the_order_of_the_wish_does_not_matter() -> None:
    assert plan(only=[2, 1], modalities=["audio", "video"]) == plan(
        only=[1, 2, 2], modalities=["video", "audio"]
    )


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"only": [3]}, "expected actors from 1 to 2, as .1., found 3"),
        ({"only": [0]}, "found 0"),
        ({"only": [True]}, "found True"),
        ({"only": "two"}, "found two"),
        ({"only": []}, "found none"),
        ({"modalities": ["smell"]}, "expected some of video, audio, action_units, as .video., fo"),
        ({"modalities": [["audio"]]}, "expected some of video"),
    ],
)
def test_what_there_is_not(chosen: dict[str, Any], says: str) -> None:
    with pytest.raises(FetchError, match=says):
        plan(**chosen)


def test_which_files_are_used_and_of_whom() -> None:
    video = plan().sources[-1]
    assert plan().belongs("01-01-03-01-02-01-02.mp4", video, 2)
    for other in (
        "01-01-03-01-02-01-01.mp4",  # of actor 1
        "02-01-03-01-02-01-02.mp4",  # without sound
        "01-02-03-01-02-01-02.mp4",  # song
        "01-01-03-01-02-01-02.csv",
        "02.mp4",
    ):
        assert not plan().belongs(other, video, 2)


@pytest.mark.parametrize(
    ("parts", "written"), [([1, 2, 3, 7], "1-3, 7"), ([5], "5"), ([2, 1, 4], "1-2, 4"), ([], "")]
)
def test_names(parts: list[int], written: str) -> None:
    assert names(parts) == written
