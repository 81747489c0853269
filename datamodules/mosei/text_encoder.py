"""A frozen text encoder from a folder or the hub: sentences -> word pieces -> last-layer features.

Paper 5.1 takes BERT's last layer; a sentence is cut to 50 word pieces with [CLS] and [SEP].
Weights are read as safetensors only, and no code that comes with them is run.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.packed.errors import DataError

_WEIGHTS = "*.safetensors"
_FILES = ["config.json", "tokenizer*.json", "vocab.*", "merges.txt", "special_tokens_map.json"]
_CORE, _GPU = 4e10, 1e13  # operations a second
_AT_ONCE = 1000  # sentences: what the tokenizer keeps of each takes much memory
_UNUSED = ("pooler.", "cls.", "embeddings.position_ids")  # no part of the last layer's features


class TextEncoder:
    """A pretrained encoder and its tokenizer, loaded when they are first used.

    Args:
        name: a folder written by `save_pretrained`, or a name on the hub.

    Attributes:
        fingerprint: its name and hashes of weights, configuration and tokenizer: what a packed set
            records. Folders count by their last name, not by where they lie.

    Raises:
        DataError: there is no such folder or name, or files are missing.
    """

    def __init__(self, name: str) -> None:
        given = Path(name)
        self.folder = given if given.is_dir() else _fetch(name)
        found = {path.name: path for pattern in _FILES for path in self.folder.glob(pattern)}
        weights = sorted(self.folder.glob(_WEIGHTS))
        missing = [] if "config.json" in found else ["config.json"]
        missing += [] if weights else ["weights (model.safetensors)"]
        missing += (
            [] if {"tokenizer.json", "vocab.txt", "vocab.json"} & set(found) else ["tokenizer"]
        )
        if missing:
            there = sorted(path.name for path in self.folder.iterdir())
            raise DataError(
                f"{self.folder}: expected a text encoder, found no {' and no '.join(missing)} "
                f"among {', '.join(there) or 'no files'}; save model and tokenizer there with "
                "save_pretrained, or download all of its files again"
            )
        self.fingerprint = {
            "name": given.resolve().name if given.is_dir() else name,
            "weights": _digest(weights),
            "tokenizer": _digest([found[file] for file in sorted(found)]),
        }

    @property
    def width(self) -> int:
        """Columns of the features."""
        return int(self._config.hidden_size)

    @property
    def seconds_per_piece(self) -> float:
        """A rough guess of what a word piece takes, on one core or on a GPU."""
        import torch

        operations = 24 * self._config.num_hidden_layers * self.width**2  # all but the attention's
        return operations / (_GPU if torch.cuda.is_available() else _CORE)

    def tokenize(self, sentences: Sequence[str], pieces: int) -> tuple[np.ndarray, np.ndarray]:
        """Cut sentences into word pieces.

        Args:
            sentences: N of them.
            pieces: most word pieces of a sentence, its two special ones included.

        Returns:
            (N, pieces) int32, filled up on the right with the padding piece, and (N,) lengths.
        """
        padded = np.full((len(sentences), pieces), self._tokenizer.pad_token_id, np.int32)
        lengths = np.zeros(len(sentences), np.int64)
        for start in range(0, len(sentences), _AT_ONCE):
            some = list(sentences[start : start + _AT_ONCE])
            encoded = self._tokenizer(some, truncation=True, max_length=pieces)["input_ids"]
            for row, ids in enumerate(encoded, start):
                padded[row, : len(ids)] = ids
                lengths[row] = len(ids)
        return padded, lengths

    def load(self) -> None:
        """Load the weights now; `encode` can then be called from several threads."""
        _ = self._model

    def encode(self, pieces: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Features of one batch, on the GPU where there is one.

        Args:
            pieces: (B, P) word pieces.
            lengths: (B,) how many of each row count; the others are not attended to.

        Returns:
            (B, P, width) float32, also at the pieces that do not count.
        """
        import torch

        device = self._model.device
        ids = torch.from_numpy(pieces.astype(np.int64)).to(device)  # (B, P)
        counts = torch.from_numpy(lengths).to(device)
        mask = torch.arange(ids.shape[1], device=device) < counts[:, None]  # (B, P)
        with torch.inference_mode():
            features = self._model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return features.float().cpu().numpy()

    @cached_property
    def _config(self) -> Any:
        from transformers import AutoConfig

        return self._load(AutoConfig)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        tokenizer = self._load(AutoTokenizer)
        if tokenizer.pad_token_id is None:
            raise DataError(f"{self.folder}: expected a tokenizer with a padding piece, found none")
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        import torch
        from transformers import AutoModel

        model, report = self._load(AutoModel, use_safetensors=True, output_loading_info=True)
        lacking = [name for name in report["missing_keys"] if not name.startswith(_UNUSED)]
        if lacking:
            raise DataError(
                f"{self.folder}: expected weights for the whole encoder, found none for "
                f"{len(lacking)} parts, such as {sorted(lacking)[0]}; they would be random: "
                "download the weights that belong to this config.json"
            )
        return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")

    def _load(self, kind: Any, **options: Any) -> Any:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        try:
            # A folder's own classes never run: without the word, transformers would ask.
            return kind.from_pretrained(
                self.folder, local_files_only=True, trust_remote_code=False, **options
            )
        except DataError:
            raise
        except Exception as error:  # every library below raises exceptions of its own
            raise DataError(
                f"{self.folder}: expected a text encoder that transformers can load: "
                f"{str(error).strip().splitlines()[0]}; download its files again"
            ) from error


def _fetch(name: str) -> Path:
    """The folder of a name on the hub, downloaded where it is not there yet."""
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise DataError(f"{name}: expected a folder with a text encoder, found no such folder")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[*_FILES, _WEIGHTS]))
    except Exception as error:  # the hub's client and its network libraries have many
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(
            f"text_encoder={name}: expected a folder, or a name on the hub that can be fetched, "
            f"found neither ({reason}). Where there is a network, run\n"
            f"  hf download {name} --local-dir {name.split('/')[-1]} --include '*.json' "
            f"--include 'vocab.*' --include '{_WEIGHTS}'\n"
            f"copy that folder to this machine, and give text_encoder=<that folder>"
        ) from error


def _digest(paths: Sequence[Path]) -> str:
    hashes = {}
    for path in paths:
        with path.open("rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
