"""Words that are lost, before a text is encoded."""

import csv
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.corruption.raw import RawCorruption
from datamodules.mosei.prepare import prepare_mosei
from datamodules.mosei.sample.render import ENCODER
from datamodules.mosei.segment import MoseiSettings
from datamodules.packed.datamodule import PackedDataModule
from datamodules.packed.dataset import INDEX, PackedDataset, read_manifest
from datamodules.packed.errors import DataError

TABLE = "label.csv"


class DroppedWords(RawCorruption):
    """Words of a sentence that are lost, each with the same probability; one is always left.

    The packed index holds every sentence, so no raw file is needed, only the encoder. Which words
    a sentence loses depends on its segment's name alone: a stronger corruption takes further ones.

    Args:
        strengths: per cent of the words, from weak to strong.
        text_encoder: as `prepare` had it, a folder or a name on the hub; the sample's own for it.
        workers: processes of `prepare`, by default one a core.
    """

    unit = "% of the words"
    most = 100.0
    needs_raw = False
    arrays = ("text", "text_length")

    def __init__(
        self,
        *,
        strengths: Sequence[float],
        text_encoder: str = "bert-base-uncased",
        workers: int | None = None,
    ) -> None:
        super().__init__(strengths=strengths)
        self.text_encoder = text_encoder
        self.workers = workers

    def pack_copy(
        self, data: PackedDataModule, raw: Path | None, work: Path, out: Path, strength: float
    ) -> None:
        index = PackedDataset(data.root, task=data.task, protocol=data.protocol).index
        if not all(index.get("sentence", [""])):
            raise DataError(
                f"{data.root / INDEX}: expected a sentence in every row, found some without: words "
                "can be dropped where the texts are known, and a pickle holds their features alone"
            )
        write_table(work / TABLE, index, strength)
        manifest = read_manifest(data.root)
        encoder = data.sample.raw / ENCODER if data.sample else self.text_encoder
        prepare_mosei(
            work / TABLE,
            out,
            protocol=data.protocol,
            settings=MoseiSettings(**manifest["settings"]),
            text_encoder=encoder,
            workers=self.workers,
        )
        expected, found = (
            read_manifest(root)["source"].get("text_encoder") for root in (data.root, out)
        )
        if expected != found:
            shutil.rmtree(out)
            raise DataError(
                f"text_encoder={encoder}: expected the encoder that {data.root} was made with, "
                "found another; give corruptions.text.dropped_words.text_encoder=<it>"
            )

    def read(self, copy: PackedDataset, name: str) -> np.ndarray:
        if name == "text":
            return super().read(copy, name)
        return np.array(copy.index[name], dtype=np.int64)


def write_table(path: Path, index: dict[str, list[str]], strength: float) -> None:
    """Write the table of texts that `prepare` reads, with words lost.

    Args:
        path: of the table.
        index: of the packed set.
        strength: per cent of the words that are lost.
    """
    columns = (index[name] for name in ("id", "video", "sentence", "label", "split"))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["video_id", "clip_id", "text", "label", "mode"])
        for name, video, sentence, label, split in zip(*columns, strict=True):
            clip = name.removeprefix(f"{video}[").removesuffix("]")
            writer.writerow([video, clip, _without(sentence, name, strength), label, split])


def _without(sentence: str, name: str, strength: float) -> str:
    words = sentence.split()
    order = np.random.default_rng(zlib.crc32(name.encode())).random(len(words))
    kept = [word for word, draw in zip(words, order, strict=True) if draw >= strength / 100]
    return " ".join(kept or [words[int(order.argmax())]])
