import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from datamodules import MOSEI
from datamodules.mosei.prepare import MoseiSettings
from datamodules.mosei.sample import sentiment
from datamodules.mosei.sample.encoder import WIDTH
from datamodules.mosei.sample.files import FOLDS
from datamodules.mosei.sample.render import ENCODER, VIDEOS, MoseiSample
from datamodules.mosei.sample.speech import sentence
from datamodules.mosei.sample.video import Stream, Video, render_video
from datamodules.packed.dataset import PackedDataset
from datamodules.packed.errors import DataError

FEW = {"train": 5, "valid": 2, "test": 3}
WIDTHS = {"Words": 1, "VisualFacet42": 35, "COVAREP": 74, "Labels": 7}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mosei") / "raw"
    small(folder.with_name("packed"), folder).render()
    return folder


@pytest.fixture(scope="module")
def packed(raw: Path) -> Path:
    root = raw.with_name("packed")
    small(root, raw).ensure()
    return root


def small(root: Path, raw: Path, **changes: Any) -> MoseiSample:
    options = {"protocol": "paper", "settings": MoseiSettings(steps=32), "videos": FEW}
    return MoseiSample(root=root, raw=raw, workers=1, **(options | changes))


def sequence(raw: Path, name: str) -> dict[str, dict[str, np.ndarray]]:
    """Video -> features and intervals of one file."""
    (path,) = raw.glob(f"CMU_MOSEI_*{name}.csd")
    with h5py.File(path) as file:
        (root,) = file
        return {v: {k: a[:] for k, a in g.items()} for v, g in file[root]["data"].items()}


def test_files_have_the_layout_of_the_real_ones(raw: Path) -> None:
    for name, width in WIDTHS.items():
        for video in sequence(raw, name).values():
            count = len(video["features"])
            assert video["features"].shape == (count, width)
            assert video["intervals"].shape == (count, 2)
            assert (video["intervals"][:, 0] < video["intervals"][:, 1]).all()
            assert video["features"].dtype == ("S32" if name == "Words" else np.float32)
    with h5py.File(raw / "CMU_MOSEI_Labels.csd") as file:
        assert list(file) == ["All Labels"]
        metadata = {k: json.loads(v[0]) for k, v in file["All Labels/metadata"].items()}
    assert metadata["root name"] == "All Labels"
    assert metadata["dimension names"][0] == "sentiment"


def test_faults_of_the_real_data(raw: Path) -> None:
    words, labels, sound = (sequence(raw, name) for name in ("Words", "Labels", "COVAREP"))
    folds = json.loads((raw / FOLDS).read_text())
    assert {fold: len(videos) for fold, videos in folds.items()} == {**FEW, "test": 4}
    folded = {video for videos in folds.values() for video in videos}
    assert len(words.keys() - folded) == len(labels.keys() - folded) == 1
    (unlabelled,) = words.keys() - labels.keys()
    assert unlabelled in folds["test"]
    assert any(video != unlabelled and video.startswith(unlabelled) for video in labels)
    numbers = np.concatenate([video["features"].ravel() for video in sound.values()])
    assert np.isneginf(numbers).any()
    assert np.isnan(numbers).any()
    assert not np.isposinf(numbers).any()
    starts = [video["intervals"][:, 0] for video in labels.values()]
    assert any((np.diff(times) < 0).any() for times in starts)
    spoken = np.concatenate([video["features"][:, 0] for video in words.values()])
    assert 0.1 < (spoken == b"sp").mean() < 0.3


def test_one_segment_has_no_face(raw: Path) -> None:
    faces, labels = sequence(raw, "VisualFacet42"), sequence(raw, "Labels")
    empty = [
        (video, start)
        for video, entry in labels.items()
        for start, end in entry["intervals"]
        if not (
            (faces[video]["intervals"][:, 0] < end) & (faces[video]["intervals"][:, 1] > start)
        ).any()
    ]
    assert len(empty) == 1
    assert any((video["features"] == 0).all(1).any() for video in faces.values())  # lost faces


def test_labels_are_means_of_three_ratings(raw: Path) -> None:
    labels = np.concatenate([video["features"] for video in sequence(raw, "Labels").values()])
    assert np.abs(labels * 3 - np.rint(labels * 3)).max() < 1e-5
    assert np.abs(labels[:, 0]).max() <= 3
    assert labels[:, 1:].min() >= 0
    assert labels[:, 1:].max() <= 3


def test_same_seed_same_bytes(raw: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    small(tmp_path, again).render()
    small(tmp_path, other, seed=2).render()
    files = sorted(path.relative_to(raw) for path in raw.rglob("*") if path.is_file())
    assert Path(ENCODER, "model.safetensors") in files
    for file in files:
        assert (again / file).read_bytes() == (raw / file).read_bytes(), file
    for file in ("CMU_MOSEI_Labels.csd", f"{ENCODER}/model.safetensors"):
        assert (other / file).read_bytes() != (raw / file).read_bytes()


def test_encoder_loads_and_tells_words_apart(raw: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(raw / ENCODER)
    text = "the movie was Unbelievable sp but qi"
    pieces = ["the", "movie", "was", "un", "##believ", "##able", "sp", "but", "q", "##i"]
    assert tokenizer.tokenize(text) == pieces
    words = [*sentiment.POLARITY, *sentiment.PLAIN, sentiment.SILENCE]
    tokens = tokenizer(words, padding=True, return_tensors="pt")
    assert not (tokens["input_ids"] == tokenizer.unk_token_id).any()
    model = AutoModel.from_pretrained(raw / ENCODER, add_pooling_layer=False).eval()
    with torch.inference_mode():
        vectors = model(**tokens).last_hidden_state[:, 1]
    assert vectors.shape == (len(words), WIDTH)
    assert torch.pdist(vectors).min() > 1


def test_words_mean_their_part() -> None:
    def heard(part: float) -> float:
        """Mean strength of what is said, with a `not` and a `but` understood."""
        g = np.random.default_rng(0)
        means = []
        for _ in range(200):
            said = sentence(part, g)
            if sentiment.TURNING in said:
                said = said[said.index(sentiment.TURNING) + 1 :]
            signs = [-1 if word == sentiment.NEGATING else 1 for word in ["", *said]]
            pairs = zip(signs, said, strict=False)
            means.append(sum(sign * sentiment.POLARITY.get(word, 0) for sign, word in pairs))
        return float(np.mean(means))

    assert heard(0.8) > 4
    assert abs(heard(0.0)) < 0.4
    assert heard(-0.8) < -4


def test_an_existing_rendering_is_kept(raw: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in raw.rglob("*")}
    small(raw.with_name("packed"), raw).render()
    assert {path: path.stat().st_mtime_ns for path in raw.rglob("*")} == before


def test_foreign_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(DataError, match="expected no folder or a rendered one"):
        small(tmp_path, tmp_path).render()
    assert (tmp_path / "thesis.tex").exists()


def test_prepared_like_the_real_data(raw: Path, packed: Path) -> None:
    labels, words = sequence(raw, "Labels"), sequence(raw, "Words")
    folds = json.loads((raw / FOLDS).read_text())
    data = PackedDataset(packed, task="mosei", protocol="paper")
    assert data.manifest["provenance"] == "sample"
    split = {video: fold for fold, videos in folds.items() for video in videos}
    expected = [
        f"{video}[{i}]"
        for video in labels
        if video in split
        for i in range(len(labels[video]["features"]))
    ]
    (unseen,) = set(expected) - set(data.index["id"])
    assert "no visual" in data.manifest["dropped"][unseen]
    assert {i.split("[")[0] for i in data.manifest["dropped"]} - split.keys()  # in no fold
    assert data.manifest["counts"]["audio_values_not_finite"] > 0
    for name, width in {"visual": 35, "audio": 74, "text": WIDTH}.items():
        array = data.array(name)
        assert array.shape == (len(expected) - 1, 32, width)
        assert np.isfinite(array).all()
    for row, identity in enumerate(data.index["id"]):
        video, number = identity.rstrip("]").split("[")
        entry = labels[video]
        label, (start, end) = entry["features"][int(number), 0], entry["intervals"][int(number)]
        assert float(data.index["label"][row]) == pytest.approx(label, abs=1e-5)
        times, spoken = words[video]["intervals"].mean(1), words[video]["features"][:, 0]
        count = np.count_nonzero((times > start) & (times < end) & (spoken != b"sp"))
        assert (
            int(data.index["visual_length"][row]) == int(data.index["audio_length"][row]) == count
        )
        assert data.index["split"][row] == split[video]


def test_datamodule_makes_and_loads_the_sample(raw: Path, packed: Path) -> None:
    sample = {"raw": raw, "settings": MoseiSettings(steps=32), "videos": FEW}
    module = MOSEI(
        packed, modalities=["visual", "text"], batch_size=4, seed=1, protocol="paper", sample=sample
    )
    module.prepare_data()
    module.setup()
    assert module.shapes == {"visual": (35, 32), "text": (WIDTH, 32)}
    assert len(next(iter(module.train_dataloader()))["label"]) == 4


def test_another_sample_in_the_packed_folder(raw: Path, packed: Path) -> None:
    with pytest.raises(DataError, match=r"rendered\.seed: 1 there, 5 wanted.*the next run renders"):
        small(packed, raw, seed=5).ensure()
    with pytest.raises(DataError, match=r"settings\.steps: 32 there, 50 wanted"):
        small(packed, raw, settings=MoseiSettings()).ensure()
    with pytest.raises(DataError, match="protocol: 'paper' there, 'released' wanted"):
        small(packed, raw, protocol="released").ensure()


def test_complete_sample_is_only_looked_at(packed: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"  # the raw files are not needed any more
    small(packed, gone).ensure()
    assert not gone.exists()


def means(videos: list[Video]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The mean of each modality over every segment, words counted by kind, and the sentiment."""
    kinds = sorted({word for video in videos for word in video.words.features[:, 0]})
    rows: dict[str, list[Any]] = {"text": [], "visual": [], "audio": []}
    labels: list[float] = []
    for video in videos:
        for (start, end), label in zip(
            video.labels.intervals, video.labels.features[:, 0], strict=True
        ):

            def inside(stream: Stream, start: float = start, end: float = end) -> np.ndarray:
                kept = (stream.intervals[:, 0] < end) & (stream.intervals[:, 1] > start)
                return stream.features[kept]

            words = inside(video.words)[:, 0]
            rows["text"].append([(words == kind).mean() for kind in kinds])
            rows["visual"].append(inside(video.visual).mean(0))
            sound = inside(video.audio)
            rows["audio"].append(np.where(np.isfinite(sound), sound, 0).mean(0))
            labels.append(label)
    return {name: np.array(values, np.float64) for name, values in rows.items()}, np.array(labels)


def test_modalities_know_more_together_than_alone() -> None:
    """The probes of `sentiment.py`: no fusion module, and none may ever stand here."""
    learn, test = VIDEOS["train"] + VIDEOS["valid"], VIDEOS["test"]
    videos = [render_video(number, 1) for number in range(1, 1 + learn + test)]
    known, sentiments = means(videos[:learn])
    unseen, truth = means(videos[learn:])
    chosen = truth != 0

    def accuracy(names: list[str]) -> float:
        known_x = np.hstack([known[name] for name in names])
        spread = known_x.std(0) + 1e-9
        probe = Ridge(30).fit(known_x / spread, sentiments)
        predicted = probe.predict(np.hstack([unseen[name] for name in names]) / spread)
        return float(((predicted > 0) == (truth > 0))[chosen].mean())

    chance = max((truth > 0)[chosen].mean(), (truth < 0)[chosen].mean())
    alone = {name: accuracy([name]) for name in known}
    assert chance < 0.62
    assert all(chance + 0.07 < value < 0.80 for value in alone.values()), alone
    assert accuracy(list(known)) > max(0.82, max(alone.values()) + 0.06)
