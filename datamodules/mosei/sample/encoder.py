"""A tiny BERT with seeded weights and a toy vocabulary, so that text is encoded without a download.

It stands for a pretrained encoder in form alone: nothing has been learnt, but every word keeps a
vector of its own and its neighbours colour it.
"""

import string
from pathlib import Path

import numpy as np

from datamodules.mosei.sample import sentiment

WIDTH, _LAYERS, _HEADS, _PIECES = 32, 2, 4, 64
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_SPLIT = ("un", "##believ", "##able")  # `unbelievable` is in the vocabulary as pieces alone


def write_encoder(folder: Path, seed: int) -> None:
    """Write config, weights (safetensors) and tokenizer, as `save_pretrained` does.

    Args:
        folder: to make.
        seed: decides the weights.
    """
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer
    from transformers.utils import logging

    pieces = vocabulary()
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=WIDTH,
        num_hidden_layers=_LAYERS,
        num_attention_heads=_HEADS,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=_PIECES,
    )
    model = BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.from_numpy(_weights(name, tuple(weight.shape), seed)))
    logging.disable_progress_bar()  # it is over before it can be read
    model.save_pretrained(folder)
    logging.enable_progress_bar()
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    tokenizer.model_max_length = _PIECES
    tokenizer.save_pretrained(folder)


def vocabulary() -> list[str]:
    """Every word that is said, and letters for all others."""
    words = [*sentiment.POLARITY, *sentiment.PLAIN]
    words += [sentiment.SILENCE, sentiment.TURNING, sentiment.NEGATING]
    whole = [word for word in words if word != "".join(_SPLIT).replace("##", "")]
    letters = [mark + letter for mark in ("", "##") for letter in string.ascii_lowercase]
    return [*_SPECIAL, *dict.fromkeys([*whole, *_SPLIT, *letters])]


def _weights(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Weights of one parameter; numpy's, because they must not change with a library's version."""
    if name.endswith("bias"):
        return np.zeros(shape, np.float32)
    if "LayerNorm" in name:
        return np.ones(shape, np.float32)
    # Positions and token types are held small, so that a word is known by itself above all.
    scale = 1.0 if "word_embeddings" in name else 0.2 if "embeddings" in name else 0.1
    g = np.random.default_rng((seed, *name.encode()))
    return (scale * g.standard_normal(shape)).astype(np.float32)
