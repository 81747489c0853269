"""Which conditions there are, and what they are called."""

import pytest
from omegaconf import OmegaConf

from experiments.robustness.conditions import Corruptions
from experiments.runs.folder import RunError

NODE = OmegaConf.create(
    {
        "audio": {
            "louder": {"_target_": "tests.experiments.fakes.Scaled", "strengths": [2, 10]},
            "zeros": {"_target_": "datamodules.corruption.Zeros"},
        },
        "video": {"blur": {"_target_": "datamodules.corruption.Blur", "strengths": [5]}},
    }
)


def keys(modalities: list[str], only: list[str]) -> list[str]:
    return [condition.key for condition in Corruptions(NODE).conditions(modalities, only)]


def test_all_of_a_runs_modalities() -> None:
    assert keys(["audio", "video"], []) == [
        "clean", "audio.absent", "audio.louder=2", "audio.louder=10", "audio.zeros",
        "video.absent", "video.blur=5",
    ]  # fmt: skip


def test_nothing_is_absent_from_a_network_of_one_modality() -> None:
    assert keys(["video"], []) == ["clean", "video.blur=5"]


def test_some_of_them() -> None:
    assert keys(["audio", "video"], ["video"]) == ["clean", "video.absent", "video.blur=5"]
    assert keys(["audio", "video"], ["audio.zeros", "video.blur"]) == [
        "clean", "audio.zeros", "video.blur=5",
    ]  # fmt: skip


def test_what_there_is_not() -> None:
    with pytest.raises(RunError, match=r"only=audio.hum: no such corruption; there are"):
        keys(["audio"], ["audio.hum"])


def test_settings_that_a_corruption_refuses() -> None:
    node = OmegaConf.merge(NODE, {"video": {"blur": {"strengths": [-1]}}})
    with pytest.raises(RunError, match=r"Blur.strengths=\[-1\]: expected a list of one"):
        Corruptions(node)  # type: ignore[arg-type]
