"""Text features of all sentences in one array, made in batches and kept for the next prepare."""

import io
import json
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.mosei.text_encoder import TextEncoder
from datamodules.packed.dataset import canonical_hash, write_atomically
from datamodules.packed.errors import DataError, reading
from datamodules.packed.numbers import fits
from datamodules.packed.workers import progress

BATCH_PIECES = 2048  # word pieces of a batch: part of what the last digits of a feature depend on
_SAVE_EVERY = 5.0  # seconds: what a kill can lose


@dataclass(frozen=True)
class TextFeatures:
    """What is to be encoded, and how it is stored.

    Args:
        encoder: of the word pieces.
        pieces: (N, P) word pieces, padded on the right.
        lengths: (N,) how many of each row count.
        padding: the rows after them are `zero`, which also spares the work, or `encoded`.
        dtype: float32 or float16.
        cache: folder of finished and unfinished arrays.
        workers: threads, each with a batch of its own, so that the result does not depend on them.
    """

    encoder: TextEncoder
    pieces: np.ndarray
    lengths: np.ndarray
    padding: str
    dtype: str
    cache: Path
    workers: int = 1

    def __call__(self, folder: Path) -> dict[str, Path]:
        """Encode what is left to encode.

        Returns:
            The file of `text`, (N, P, D), in the cache, whatever `folder` is.

        Raises:
            DataError: the encoder gives features that are not finite, or that `dtype` cannot hold.
        """
        from filelock import FileLock

        target = self.cache / f"{self._key()}.npy"
        self.cache.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            if target.is_file():
                print(f"text: taken from {target}, encoded earlier")
            else:
                self._encode(target)
        return {"text": target}

    @property
    def bytes_per_sample(self) -> int:
        return self.pieces.shape[1] * self.encoder.width * np.dtype(self.dtype).itemsize

    @property
    def seconds_per_sample(self) -> float:
        """On one core, for the estimate that is printed before the work."""
        pieces = self.lengths.mean() if self.padding == "zero" else self.pieces.shape[1]
        return float(pieces) * self.encoder.seconds_per_piece

    def _key(self) -> str:
        what = [self.encoder.fingerprint, self.padding, self.dtype, BATCH_PIECES]
        return canonical_hash([*what, self.pieces.tolist()])[:16]

    def _batches(self) -> list[np.ndarray]:
        """Rows of each batch, the longest sentences first, so that the first shows the memory."""
        order = np.argsort(-self.lengths, kind="stable")
        batches, start = [], 0
        while start < len(order):
            size = max(1, BATCH_PIECES // self._width(order[start:]))
            batches.append(order[start : start + size])
            start += size
        return batches

    def _width(self, rows: np.ndarray) -> int:
        """Pieces that a batch of these rows has to have."""
        return int(self.lengths[rows[0]]) if self.padding == "zero" else self.pieces.shape[1]

    def _encode(self, target: Path) -> None:
        data, state = target.with_suffix(".partial"), target.with_suffix(".json")
        batches = self._batches()
        finished = 0
        if state.is_file():
            with reading(state, "remove it, and the text is encoded from its beginning"):
                finished = int(json.loads(state.read_text())["batches"])
        with (
            data.open("r+b" if state.is_file() else "w+b") as file,
            progress("encoding text", len(self.pieces)) as done,
        ):
            done(sum(len(rows) for rows in batches[:finished]))
            offset = self._begin(file.fileno())
            saved = time.monotonic()
            for number, (rows, encoded) in enumerate(
                self._encoded(batches[finished:]), finished + 1
            ):
                for row, features in zip(rows, encoded, strict=True):
                    os.pwrite(file.fileno(), features.tobytes(), offset + row * features.nbytes)
                done(len(rows))
                if time.monotonic() - saved > _SAVE_EVERY:
                    os.fsync(file.fileno())
                    write_atomically(state, json.dumps({"batches": number}))
                    saved = time.monotonic()
            os.fsync(file.fileno())
        data.replace(target)
        state.unlink(missing_ok=True)

    def _encoded(self, batches: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches in their order, each with its features; a few are on their way at a time.

        One thread a batch: several on one batch wait for each other at every layer, and for long
        where the machine has other work as well.
        """
        import torch

        self.encoder.load()
        workers = 1 if torch.cuda.is_available() else self.workers
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        pool = ThreadPoolExecutor(workers)
        running: deque[tuple[np.ndarray, Future[np.ndarray]]] = deque()
        try:
            for rows in batches:
                running.append((rows, pool.submit(self.features, rows)))
                if len(running) > workers:
                    first, future = running.popleft()
                    yield first, future.result()
            while running:
                first, future = running.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)

    def _begin(self, file: int) -> int:
        """Write the array's header, and zeros after it; return where the rows begin."""
        shape = (*self.pieces.shape, self.encoder.width)
        descr = np.lib.format.dtype_to_descr(np.dtype(self.dtype))
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": descr, "fortran_order": False, "shape": shape}
        )
        os.pwrite(file, header.getvalue(), 0)
        os.ftruncate(file, header.tell() + len(self.pieces) * self.bytes_per_sample)
        return header.tell()

    def features(self, rows: np.ndarray) -> np.ndarray:
        """Encode some of the rows: (B, P, D) in the stored form.

        Sentences of a batch are hardly padded while they are encoded.

        Args:
            rows: (B,) numbers, the longest sentence first.
        """
        width, lengths = self._width(rows), self.lengths[rows]
        encoded = self.encoder.encode(self.pieces[rows, :width], lengths)
        if not np.isfinite(encoded).all():
            raise DataError(
                f"{self.encoder.folder}: expected finite features, found NaN or infinity; "
                "the weights are damaged: download them again"
            )
        if not fits(encoded, self.dtype).all():
            raise DataError(
                f"{self.encoder.folder}: expected features that {self.dtype} can hold, found "
                f"{np.abs(encoded).max():g}; prepare with prepare.settings.text_dtype=float32"
            )
        stored = np.zeros((len(rows), *self.pieces.shape[1:], encoded.shape[2]), self.dtype)
        stored[:, :width] = encoded
        if self.padding == "zero":
            stored[np.arange(stored.shape[1]) >= lengths[:, None]] = 0
        return stored
