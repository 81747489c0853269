"""A text or features of one's own -> a sample as CMU-MOSEI is packed.

Legend: n rows of a file, C columns, T steps.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import torch

from datamodules.formats.text import read_text
from datamodules.mosei.alignment import pad_left
from datamodules.mosei.rows import COLUMNS, MODALITIES
from datamodules.mosei.segment import MoseiSettings
from datamodules.mosei.text_encoder import TextEncoder
from datamodules.mosei.text_features import TextFeatures
from datamodules.own.files import Group, OwnFiles, batch_of, plural
from datamodules.own.kinds import kind_of, with_article
from datamodules.own.sample import OwnSample
from datamodules.packed.batch import Batch
from datamodules.packed.errors import DataError
from datamodules.packed.numbers import fits


class OwnMosei(OwnFiles):
    """Texts, and features of faces and voices, of one's own.

    Args:
        settings: of prepare.
        widths: columns of each modality.
        encoder: the fingerprint of the text encoder that the network knows; `None` where it is not
            recorded.
        default_encoder: the one that is taken where none is given.
        modalities: of the network.
        without: those that are left out.
        options: `text`: the text itself, in place of a file. `text_encoder`: a folder, or a name on
            the hub.
    """

    task = "mosei"
    takes = "a text (.txt or text=...), or features (.npy, one row a step) of " + " or ".join(
        f"{columns} columns ({name})" for name, columns in COLUMNS.items()
    )
    options = ("text", "text_encoder")

    def __init__(
        self,
        settings: MoseiSettings,
        *,
        widths: Mapping[str, int],
        encoder: Mapping[str, str] | None,
        default_encoder: str | None,
        modalities: Sequence[str],
        without: Sequence[str],
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(modalities, without, options)
        self.settings = settings
        self.widths = dict(widths)
        self.encoder = encoder
        self.name = options.get("text_encoder", default_encoder)
        self.text = None if options.get("text") is None else str(options["text"])

    def groups(self, files: Sequence[Path]) -> list[Group]:
        groups = super().groups(files)
        if self.text is None:
            return groups
        if len(groups) > 1 or any("text" in group.files for group in groups):
            raise DataError("text=...: expected no file of a text, and one sample, beside it")
        return groups or [Group("text")]

    def role(self, path: Path) -> str:
        kind = kind_of(path)
        if kind == "text":
            return "text"
        if kind != "array":
            raise self.refuse(path, with_article(kind))
        columns = _read(path).shape[1]
        kinds = {**COLUMNS, **self.widths}
        found = [name for name in MODALITIES if kinds.get(name) == columns]
        if not found:
            wanted = ", ".join(f"{count} ({name})" for name, count in kinds.items())
            raise DataError(f"{path}: expected {wanted} columns, found {columns}")
        return found[0] if found[0] != "text" else "text_features"

    def read(self, group: Group) -> OwnSample:
        files = {name: str(path) for name, path in group.files.items()}
        text = files.get("text", files.get("text_features"))
        if self.text is not None:
            text = f"text={shorten(self.text, 60, placeholder=' ...')}"
        sample = self.sort(
            {name: files.get(name) for name in COLUMNS} | {"text": text},
            dict.fromkeys(COLUMNS, "no features were given") | {"text": "no text was given"},
        )
        steps = self.settings.steps
        arrays: dict[str, np.ndarray] = {}
        lengths = dict.fromkeys(self.modalities, 1)
        for name in sample.sources:
            if name == "text" and "text_features" not in group.files:
                arrays[name], lengths[name] = self._encode(group, sample)
            else:
                path = group.files["text_features" if name == "text" else name]
                rows = self._rows(path, sample)
                lengths[name] = min(len(rows), steps)
                arrays[name] = pad_left(rows, steps) if name != "text" else _pad_right(rows, steps)
        sample.batch = self._batch(arrays, lengths)
        return sample

    def _batch(self, arrays: Mapping[str, np.ndarray], lengths: Mapping[str, int]) -> Batch:
        shapes = {name: (self.settings.steps, self.widths[name]) for name in self.modalities}
        counts = {f"{name}_length": torch.tensor([lengths[name]]) for name in self.modalities}
        return batch_of(arrays, shapes) | counts

    def _rows(self, path: Path, sample: OwnSample) -> np.ndarray:
        """Return finite features (n, C), and say what becomes of the others."""
        rows = _read(path)
        finite = fits(rows, np.float32)
        if not finite.all():
            count = plural(int((~finite).sum()), "value")
            sample.notes.append(f"{path.name}: {count} not finite, taken as zero")
        if len(rows) > self.settings.steps:
            sample.notes.append(f"{path.name}: {self.settings.steps} of {len(rows)} rows are used")
        if self.settings.alignment == "word":
            sample.notes.append(f"{path.name}: its rows are taken for one word each")
        return np.where(finite, rows, 0).astype(np.float32)

    def _encode(self, group: Group, sample: OwnSample) -> tuple[np.ndarray, int]:
        """Return a text's features (T, C), as the packed ones were made, and how many count."""
        text = self.text if self.text is not None else read_text(group.files["text"])
        sentence = " ".join(text.split())
        if not sentence:
            raise DataError(f"{group.files.get('text', 'text=')}: expected words, found none")
        sample.views.text = sentence
        settings, encoder = self.settings, self._known_encoder(sample)
        pieces, lengths = encoder.tokenize([sentence], settings.steps)
        if lengths[0] == settings.steps:
            sample.notes.append(f"the text is cut to {settings.steps} word pieces")
        padding, dtype = settings.text_padding, settings.text_dtype
        features = TextFeatures(encoder, pieces, lengths, padding, dtype, Path())
        return features.features(np.array([0]))[0], int(lengths[0])

    def _known_encoder(self, sample: OwnSample) -> TextEncoder:
        """Return the encoder, if it is the one that the network was trained with."""
        if self.name is None:
            raise DataError(
                "text_encoder=<a folder, or a name on the hub> is missing: the run does not record "
                "which encoder made its features"
            )
        try:
            encoder = TextEncoder(str(self.name))
        except DataError as error:
            told = f"{error}; text_encoder=<folder> says where the run's encoder lies"
            raise DataError(told) from error
        if self.encoder is None:
            sample.notes.append(f"the run does not record its text encoder: {self.name} is assumed")
        elif any(encoder.fingerprint[key] != self.encoder[key] for key in ("weights", "tokenizer")):
            raise DataError(
                f"text_encoder={self.name}: expected the encoder that the run was trained with, "
                f"{self.encoder['name']} (weights {self.encoder['weights'][:8]}), found another "
                f"(weights {encoder.fingerprint['weights'][:8]}); give its folder"
            )
        if encoder.width != self.widths["text"]:
            raise DataError(
                f"text_encoder={self.name}: expected features of {self.widths['text']} columns, "
                f"found {encoder.width}: it is not the run's encoder"
            )
        return encoder


def _read(path: Path) -> np.ndarray:
    """Read features, (n, C) with at least one row."""
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: expected an array of numbers (.npy): {error}") from error
    if rows.ndim != 2 or not len(rows) or not np.issubdtype(rows.dtype, np.number):
        raise DataError(
            f"{path}: expected numbers of two dimensions, one row a step, found {rows.dtype} "
            f"{list(rows.shape)}"
        )
    return rows


def _pad_right(rows: np.ndarray, steps: int) -> np.ndarray:
    padded = np.zeros((steps, rows.shape[1]), np.float32)
    padded[: len(rows)] = rows[:steps]
    return padded
