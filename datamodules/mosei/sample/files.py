"""The files of a rendered CMU-MOSEI: computational sequences (.csd), folds, and ids of videos."""

import json
import string
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datamodules.mosei.sample.video import Stream, Video

FOLDS = "folds.json"
# file, root group and attribute of `Video`; names as the real files have them
_SEQUENCES = {
    "CMU_MOSEI_TimestampedWords.csd": ("words", "words"),
    "CMU_MOSEI_VisualFacet42.csd": ("FACET 4.2", "visual"),
    "CMU_MOSEI_COVAREP.csd": ("COVAREP", "audio"),
    "CMU_MOSEI_Labels.csd": ("All Labels", "labels"),
}
_DIMENSIONS = {"labels": ["sentiment", "happy", "sad", "anger", "surprise", "disgust", "fear"]}
# Some real ids are numbers of which one begins like another: who drops the one must keep the other.
_NUMBERS = ("2552", "25524")


def video_ids(count: int, seed: int) -> list[str]:
    """Different ids in the manner of the real ones: two numbers, then eleven characters each."""
    g = np.random.default_rng(seed)
    letters = list(string.ascii_letters + string.digits + "-_")
    ids = dict.fromkeys(_NUMBERS)
    while len(ids) < count:
        ids["".join(g.choice(letters, 11))] = None
    return list(ids)[:count]


def write_sequences(folder: Path, videos: Mapping[str, Video], unlabelled: set[str]) -> None:
    """Write the four .csd files.

    Args:
        folder: where they go.
        videos: by id.
        unlabelled: ids that the file of labels lacks.
    """
    for file, (root, part) in _SEQUENCES.items():
        streams = {
            video: getattr(streams, part)
            for video, streams in videos.items()
            if part != "labels" or video not in unlabelled
        }
        write_csd(folder / file, root, streams, _DIMENSIONS.get(part, []))


def write_csd(path: Path, root: str, streams: Mapping[str, Stream], names: list[str]) -> None:
    """Write one computational sequence in the SDK's layout.

    Args:
        path: the file.
        root: name of the group that holds everything.
        streams: by video id.
        names: of the dimensions.
    """
    import h5py

    metadata = {
        "root name": root,
        "computational sequence description": "rendered sample",
        "computational sequence version": "1.0",
        "dataset name": "CMU-MOSEI sample",
        "dimension names": names,
    }
    # Without times the same content makes the same bytes.
    with h5py.File(path, "w", track_times=False) as file:
        for field, value in metadata.items():
            where = f"{root}/metadata/{field}"
            file.create_dataset(where, data=[json.dumps(value)], dtype=h5py.string_dtype())
        for video, stream in streams.items():
            for name, array in (("features", stream.features), ("intervals", stream.intervals)):
                file.create_dataset(f"{root}/data/{video}/{name}", data=array, track_times=False)


def write_folds(folder: Path, folds: Mapping[str, list[str]]) -> None:
    """Write which videos train, validate and test."""
    (folder / FOLDS).write_text(json.dumps(dict(folds), indent=1) + "\n")
