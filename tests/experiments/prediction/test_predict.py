"""Predictions for clips of one's own."""

import json
from collections.abc import Iterator
from pathlib import Path

import hydra
import numpy as np
import pytest
import soundfile
import torch
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from datamodules.formats.ravdess_name import EMOTIONS
from experiments.conversion.convert import convert as convert_file
from experiments.evaluation.finished import FinishedRun
from experiments.prediction.command import Asked
from experiments.prediction.load import load_run
from experiments.prediction.predict import predict_files
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from tests.experiments.conftest import CONFIGS
from tests.experiments.conversion.old_parts import OldMFCCNet
from tests.experiments.prediction.runs import SMALL, write_run
from tests.own_clips import portrait, still_clip, tone
from tests.sample_data import session_folder, tiny_ravdess

QUICK = {"settings": {"frames": 6, "size": 32}}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "clip.mp4"
    return still_clip(path, portrait(), seconds=3.5, sound=tone())


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs"), "ravdess", preparation=QUICK)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunFolder, Path]]:
    """A run on rendered clips, and their raw folder."""
    raw, packed = tiny_ravdess(session_folder(tmp_path_factory))
    results = tmp_path_factory.mktemp("results")
    every = Overrides(
        [
            *("task=ravdess", "data=full", f"data.root={packed}", f"results={results}"),
            *("datamodule.folds=[[1,2],[3,4]]", "init=scratch", "epochs=1", "progress=false"),
            *SMALL["ravdess"],
        ]
    )
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        run = Run(every, Console(quiet=True))
        run.complete()
    yield run.folder, raw


def test_a_clip_of_the_data_set_gets_the_score_that_it_was_evaluated_with(
    trained: tuple[RunFolder, Path],
) -> None:
    folder, raw = trained
    stored = FinishedRun(folder, folder.metrics()).predictions("last_epoch")
    run = load_run(folder.path)
    assert run.assumes == ""
    for row in range(0, len(stored.ids), 13):
        video = next(raw.rglob(f"{stored.ids[row]}.mp4"))
        answer = predict_files(run, video, video.with_suffix(".csv"))
        assert not answer.sample.missing
        assert np.allclose(answer.scores, stored.scores[row], atol=1e-5)


def test_what_train_records_of_the_data(trained: tuple[RunFolder, Path]) -> None:
    """What `load_run` relies on where the data set is gone."""
    metrics = trained[0].metrics()
    assert metrics["preparation"]["settings"]["frames"] == 4
    assert metrics["preparation"]["settings"]["face_source"] == "frame"
    assert metrics["shapes"] == {"video": [3, 4, 24, 24], "audio": [13, 212]}


def test_scores_probabilities_and_attention(untrained: Path, clip: Path) -> None:
    answer = predict_files(load_run(untrained), clip)
    found = answer.probabilities
    assert found is not None and next(iter(found)) == "neutral" and len(found) == 8
    expected = np.exp(answer.scores) / np.exp(answer.scores).sum()
    assert np.allclose(list(found.values()), expected, atol=1e-6)
    assert answer.says == list(found)[int(answer.scores.argmax())]
    assert [entry["module"] for entry in answer.attention] == ["middle", "late"]
    for entry in answer.attention:
        assert sum(entry["shares"].values()) == pytest.approx(1)
        assert sum(entry["uniform"].values()) == pytest.approx(1)


def test_a_missing_modality_is_absent_as_robustness_has_it(
    untrained: Path, clip: Path, tmp_path: Path
) -> None:
    """Its logits are zero: what is left is the logits of the other branch, fed with zeros."""
    sound = tmp_path / "sound.wav"
    soundfile.write(sound, tone(), 16000)
    run = load_run(untrained)
    answer = predict_files(run, sound)
    run.network.absent = frozenset({"video"})  # type: ignore[assignment]
    parts = run.network(run.preprocess(answer.sample.batch)).parts
    assert not parts["video"].any()
    assert np.allclose(answer.scores, parts["audio"][0].detach().numpy(), atol=1e-6)
    run.network.absent = frozenset()  # type: ignore[assignment]
    assert answer.as_json()["missing"] == {"video": "no video was given"}
    assert not np.allclose(predict_files(run, clip).scores, answer.scores)


def test_a_run_of_one_modality_takes_what_it_knows(clip: Path, tmp_path: Path) -> None:
    place = write_run(tmp_path, "ravdess", "fusion=none", "modalities=[audio]", preparation=QUICK)
    answer = predict_files(load_run(place), clip)
    assert (list(answer.sample.sources), answer.modules) == (["audio"], ())
    with pytest.raises(ValueError, match=r"without=\[audio\]: .* and one left"):
        predict_files(load_run(place), clip, without=["audio"])


def test_a_network_that_needs_everything(tmp_path: Path) -> None:
    np.save(tmp_path / "face.npy", np.zeros((4, 35), np.float32))
    place = write_run(tmp_path, "mosei", "fusion=tfn", preparation={"settings": {"steps": 8}})
    with pytest.raises(RunError, match=r"fusion=tfn is a network that needs all .* audio, text"):
        predict_files(load_run(place), tmp_path / "face.npy")


def test_an_older_run_says_what_is_assumed(clip: Path, tmp_path: Path) -> None:
    place = write_run(tmp_path, "ravdess", preparation=None)
    run = load_run(place)
    assert "does not record how its data were prepared" in run.assumes
    sample = run.read(clip, without=["video"])
    assert sample.batch["video"].shape == (1, 30, 224, 224, 3)  # prepare's defaults
    assert run.shapes == {"video": (3, 30, 224, 224), "audio": (13, 212)}


@pytest.mark.parametrize("classes", [8, 6])
def test_a_converted_run_predicts_as_any_other(classes: int, clip: Path, tmp_path: Path) -> None:
    """Of a released file, whose data set is nowhere; six classes have numbers for names."""
    old = OldMFCCNet(classes)
    torch.save(old.state_dict(), tmp_path / "fold_1_mfccNet_best.pth")
    places = [f"in={tmp_path / 'fold_1_mfccNet_best.pth'}", f"out={tmp_path / 'run'}"]
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        place = convert_file(Overrides(places)).folder.path
    run = load_run(place)
    answer = predict_files(run, clip)
    with torch.no_grad():
        expected = old.eval()(run.preprocess(answer.sample.batch)["audio"])
    assert np.allclose(answer.scores, expected[0].numpy(), atol=1e-4)
    names = tuple(EMOTIONS) if classes == 8 else tuple("012345")
    assert tuple(answer.probabilities or ()) == run.classes == names


def test_a_preparation_of_a_later_version(clip: Path, tmp_path: Path) -> None:
    later = {"settings": {"frames": 6, "sharpness": 3}}
    place = write_run(tmp_path, "ravdess", preparation=later)
    with pytest.raises(RunError, match=r"preparation: expected the settings .* found sharpness"):
        load_run(place).read(clip)


def test_files_of_several_clips_are_read_one_at_a_time(untrained: Path, clip: Path) -> None:
    run = load_run(untrained)
    with pytest.raises(ValueError, match="expected the files of one clip, found none"):
        run.read()
    with pytest.raises(ValueError, match="no such file"):
        run.read("nothing.mp4")


def asked(*words: str) -> int:
    return Asked.of(words).answer(Console(quiet=True))


def test_what_is_written(untrained: Path, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert asked(f"run={untrained}", f"out={out}", str(clip)) == 0
    assert {file.name for file in out.iterdir()} == {"clip.json", "clip.png"}
    written = json.loads((out / "clip.json").read_text())
    answer = predict_files(load_run(untrained), clip)
    assert written["scores"] == pytest.approx(answer.scores.tolist(), abs=1e-5)
    assert written["prediction"] == answer.says
    assert written["files"] == {"video": str(clip)}
    assert written["run"]["hash"] == "0a1b2c3d"
    assert (out / "clip.png").read_bytes()[:4] == b"\x89PNG"


def test_runs_do_not_overwrite_each_others_predictions(untrained: Path) -> None:
    run = load_run(untrained)
    assert run.label == f"ravdess-msaf-0a1b2c3d-fold0-seed1-{run.rule}"


def test_files_of_ones_own_are_not_overwritten(untrained: Path, clip: Path, tmp_path: Path) -> None:
    """An earlier prediction of the same clip by the same run is; nothing else of that name."""
    words = (f"run={untrained}", f"out={tmp_path / 'out'}", str(clip))
    assert asked(*words) == 0 and asked(*words) == 0
    with pytest.raises(RunError, match=r"clip\.json: expected nothing there, or this clip by this"):
        asked(*words, "without=[audio]")
    for name in ("clip.json", "clip.png"):
        other = tmp_path / name.replace("clip.", "") / name
        other.parent.mkdir()
        other.write_text("mine")
        with pytest.raises(RunError, match="expected nothing there, or this clip by this run"):
            asked(words[0], f"out={other.parent}", str(clip))
        assert other.read_text() == "mine" and list(other.parent.iterdir()) == [other]


def test_a_file_of_another_kind_does_not_take_the_others_along(
    untrained: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (("picture.jpg", b"\xff\xd8\xff"), ("empty.mp4", b"")):
        (tmp_path / name).write_bytes(content)
        out = tmp_path / f"out of {name} (1), really"
        words = [f"run={untrained}", f"out={out}", str(clip), str(tmp_path / name)]
        assert asked(*words) == 1
        assert f"{name}: expected a" in " ".join(capsys.readouterr().err.split())
        assert {file.name for file in out.iterdir()} == {"clip.json", "clip.png"}


def test_one_bad_clip_does_not_take_the_others_along(
    untrained: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3)).astype(np.uint8)
    bad = still_clip(tmp_path / "noise.mp4", noise, sound=tone())
    assert asked(f"run={untrained}", f"out={tmp_path / 'out'}", str(bad), str(clip)) == 1
    assert "noise.mp4: expected a face" in " ".join(capsys.readouterr().err.split())
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"clip.json", "clip.png"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clip.mp4"], r"^run=<run folder> is missing: of which run"),
        (["run=[a,b]", "clip.mp4"], r"^run=<run folder> is no folder"),
        (["run=nowhere", "clip.mp4"], r"^nowhere: no such folder"),
        (["run=a", "clip=b"], "^clip: no such key; there are run, rule, out, trust, without, face"),
        (["run=a", "with=[x]"], r"^with: no such key, did you mean without\? there are run, rule"),
        (["run=", "clip.mp4"], r"^run=<run folder> is missing"),
        (
            ["run=a", f"text={'i liked it, really; i don' + chr(39) + 't lie. ' * 20}"],
            "^a: no such f",
        ),
        (["run=a", "trust=maybe"], "^trust=maybe: choose true or false$"),
    ],
)
def test_mistakes_are_named(words: list[str], said: str) -> None:
    with pytest.raises(RunError, match=said):
        asked(*words)


def test_a_run_in_place_of_a_clip_is_recognised(untrained: Path) -> None:
    with pytest.raises(RunError, match=rf"found a run: run={untrained}$"):
        asked(str(untrained), "clip.mp4")
    with pytest.raises(
        RunError, match=r"metrics\.json: expected the folder of a run, found a file"
    ):
        asked(f"run={untrained}/metrics.json", "clip.mp4")


def test_which_clip(untrained: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="which clip"):
        asked(f"run={untrained}")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="expected a folder, found the file"):
        asked(f"run={untrained}", f"out={tmp_path / 'file'}", "clip.mp4")
