"""What the picture of a prediction shows."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure

from experiments.prediction.load import load_run
from experiments.prediction.picture import _attention, _frames, _probabilities, _title
from experiments.prediction.predict import Answer, predict_files
from tests.experiments.prediction.runs import write_run
from tests.own_clips import portrait, still_clip, tone


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    place = tmp_path_factory.mktemp("picture")
    quick = {"settings": {"frames": 6, "size": 32}}
    run = write_run(place, "ravdess", preparation=quick, provenance="sample")
    clip = still_clip(place / "clip.mp4", portrait(), seconds=3.5, sound=tone())
    return predict_files(load_run(run), clip)


def test_bars_are_as_long_as_the_probabilities(answer: Answer) -> None:
    found = answer.probabilities
    assert found is not None
    axes = Figure().add_subplot()
    _probabilities(found, axes)
    widths = [bar.get_width() for bar in axes.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx(list(found.values()))
    colors = [bar.get_facecolor() for bar in axes.patches]
    assert [colors.count(color) for color in colors].index(1) == int(np.argmax(widths))


def test_of_many_classes_the_most_probable_have_bars() -> None:
    found = {f"class {i}": (i * 7 % 60) / 1770 for i in range(60)}
    axes = Figure().add_subplot()
    _probabilities(found, axes)
    widths = [bar.get_width() for bar in axes.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx([value / 1770 for value in range(59, 49, -1)])


def test_attention_beside_what_is_uniform(answer: Answer) -> None:
    axes = Figure().add_subplot()
    _attention(answer, axes)
    widths = [bar.get_width() for bar in axes.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx(
        [share for entry in answer.attention for share in entry["shares"].values()]
    )
    lines = [line.get_xdata()[0] for line in axes.lines]  # type: ignore[index]
    assert lines == pytest.approx([entry["uniform"]["video"] for entry in answer.attention])


def test_the_box_of_the_face_is_drawn(answer: Answer) -> None:
    views = answer.sample.views
    axes = list(Figure().subplots(1, len(views.frames)))
    _frames(views, axes)
    for view, place in zip(views.frames, axes, strict=True):
        (box,) = place.patches
        assert view.box is not None
        corners = (box.get_x(), box.get_y(), box.get_width(), box.get_height())
        left, top, right, bottom = view.box
        assert corners == pytest.approx((left, top, right - left, bottom - top))


def test_the_title_says_what_is_missing_and_where_the_run_comes_from(
    answer: Answer, tmp_path: Path
) -> None:
    assert _title(answer).endswith("fold 0 seed 1, trained on sample data")
    soundfile.write(tmp_path / "sound.wav", tone(), 16000)
    heard = predict_files(answer.run, tmp_path / "sound.wav")
    assert _title(heard).endswith("; without video")
