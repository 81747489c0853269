"""CMU-MOSEI from pickles that others have aligned: as they are, but for length and padding."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.formats.mosei_folds import SPLITS, join_folds
from datamodules.formats.mosei_pickle import PickledSplit, not_finite, padding, read_mosei_pickle
from datamodules.mosei.alignment import pad_left
from datamodules.mosei.rows import MODALITIES, Segment, SegmentPlan, clip_labels, short
from datamodules.mosei.segment import MoseiSettings
from datamodules.packed.dataset import file_hash
from datamodules.packed.errors import DataError
from datamodules.packed.numbers import fits

_KNOWN = {
    "45eccfb748a87c80ecab9bfac29582e7b1466bf6605ff29d3b338a75120bf791": "aligned_50.pkl of MMSA",
    "ad8b23d50557045e7d47959ce6c5b955d8d983f2979c7d9b7b9226f6dd6fec1f": "unaligned_50.pkl of MMSA",
}


def plan_pickle(path: Path, settings: MoseiSettings) -> SegmentPlan:
    """Take the segments of a pickle, all of which has to fit into memory.

    Args:
        path: the pickle.
        settings: `alignment` has to be what the pickle is: `word` where its three sequences have
            the same length, and otherwise `label`.

    Raises:
        DataError: as `read_mosei_pickle` says, or it is aligned in the other way.
    """
    print(f"loading {path}: {path.stat().st_size / 1e9:.1f} GB, all of it into memory")
    known = _KNOWN.get(file_hash(path))
    splits = read_mosei_pickle(path)
    _check_alignment(path, splits["train"], settings)
    pairs = [(video, name) for name in SPLITS for video in splits[name].videos]
    plan = SegmentPlan(files=[path], folds=join_folds(pairs, str(path)), sentences=False)
    plan.warnings.append(
        f"{path.name} is {f'the file {known}' if known else 'none of the known files of MMSA'}, "
        "by its sha256; aligned and encoded by others, and taken as it is"
    )
    lengths = {name: {modality: np.zeros(0) for modality in MODALITIES} for name in SPLITS}
    sides = {}
    for modality in MODALITIES:
        sides[modality] = _measure(modality, splits, lengths)
        arrays = [splits[name].arrays[modality] for name in SPLITS]
        dtype = _dtype(modality, settings)
        plan.counts[f"{modality}_values_not_finite"] = sum(not_finite(a, dtype) for a in arrays)
        plan.sizes[modality] = settings.steps * arrays[0].shape[2] * np.dtype(dtype).itemsize
        plan.warnings.append(f"{modality}: padded on the {sides[modality]} in {path.name}")
    for name in SPLITS:
        _add(plan, splits[name], name, lengths[name], settings, f"{path}, {name}")
    plan.whole = PickledArrays(splits, lengths, sides, settings)
    return plan


def _add(
    plan: SegmentPlan,
    split: PickledSplit,
    name: str,
    lengths: Mapping[str, np.ndarray],
    settings: MoseiSettings,
    where: str,
) -> None:
    labels, clipped = clip_labels(split.labels, where, split.ids)
    plan.counts["labels_clipped"] += clipped
    for row, (segment, video) in enumerate(zip(split.ids, split.videos, strict=True)):
        steps = {key: min(int(values[row]), settings.steps) for key, values in lengths.items()}
        plan.items.append(segment)
        plan.segments.append(
            Segment(
                id=segment,
                video=video,
                split=name,
                label=short(labels[row, 0]),
                interval=split.intervals[row],
                sentence=" ".join(split.sentences[row].split()),
                lengths=steps,
            )
        )


def _check_alignment(path: Path, split: PickledSplit, settings: MoseiSettings) -> None:
    found = {modality: array.shape[1] for modality, array in split.arrays.items()}
    alignment = "word" if len(set(found.values())) == 1 else "label"
    if alignment != settings.alignment:
        protocol = "paper" if alignment == "word" else "released"
        raise DataError(
            f"{path}: expected alignment={settings.alignment}, found sequences of "
            f"{', '.join(f'{n} ({modality})' for modality, n in found.items())} steps, which is "
            f"alignment={alignment}: prepare with protocol={protocol}"
        )


def _measure(
    modality: str,
    splits: Mapping[str, PickledSplit],
    lengths: Mapping[str, dict[str, np.ndarray]],
) -> str:
    """Find the padded side, `left` or `right`, and note how many steps of each sample are left.

    The files do not say it, and it differs among them, so the side with more rows of zeros counts.
    A sample of zeros throughout keeps one step.
    """
    rows = {name: padding(splits[name].arrays[modality]) for name in SPLITS}
    before = sum(int(rows[name][0].sum()) for name in SPLITS)
    after = sum(int(rows[name][1].sum()) for name in SPLITS)
    side = "left" if before > after else "right"
    for name in SPLITS:
        given = splits[name].text_lengths if modality == "text" else None
        steps = splits[name].arrays[modality].shape[1]
        found = steps - rows[name][0 if side == "left" else 1]
        lengths[name][modality] = np.maximum(found if given is None else given, 1)
    return side


@dataclass(frozen=True)
class PickledArrays:
    """The arrays of a pickle in the packed form.

    Args:
        splits: the samples.
        lengths: split -> modality -> (N,) steps that are not padding.
        sides: modality -> the padded side in the pickle.
        settings: of prepare.
    """

    splits: Mapping[str, PickledSplit]
    lengths: Mapping[str, Mapping[str, np.ndarray]]
    sides: Mapping[str, str]
    settings: MoseiSettings

    def __call__(self, folder: Path) -> dict[str, Path]:
        """Write one array a modality into a folder."""
        number = sum(len(self.splits[name].ids) for name in SPLITS)
        files = {modality: folder / f"whole.{modality}.npy" for modality in MODALITIES}
        for modality, path in files.items():
            columns = self.splits["train"].arrays[modality].shape[2]
            dtype = np.dtype(_dtype(modality, self.settings))
            header = {
                "descr": np.lib.format.dtype_to_descr(dtype),
                "fortran_order": False,
                "shape": (number, self.settings.steps, columns),
            }
            with path.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                for row in self._rows(modality, dtype):
                    file.write(row.astype(dtype).tobytes())
        return files

    def _rows(self, modality: str, dtype: np.dtype[Any]) -> Iterator[np.ndarray]:
        """(steps, d) each: face and voice padded on the left, text on the right."""
        steps = self.settings.steps
        for name in SPLITS:
            for array, length in zip(
                self.splits[name].arrays[modality], self.lengths[name][modality], strict=True
            ):
                array = np.where(fits(array, dtype), array, 0)  # (T, d)
                first = len(array) - int(length) if self.sides[modality] == "left" else 0
                kept = array[first : first + int(length)]
                if modality != "text":
                    yield pad_left(kept, steps)
                    continue
                row = np.zeros((steps, array.shape[1]), np.float32)
                if self.settings.text_padding == "encoded":
                    kept = array[first:]
                row[: len(kept)] = kept[:steps]
                yield row


def _dtype(modality: str, settings: MoseiSettings) -> str:
    return settings.text_dtype if modality == "text" else "float32"
