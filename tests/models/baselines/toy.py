"""Small settings of every whole network, and batches of padded sequences."""

from typing import Any

import torch
from torch import Tensor

from models.baselines import DCCA, ICCN, LMF, MFM, MISA, TFN
from models.baselines.sentiment import SentimentNetwork

FEATURES = {"visual": 5, "audio": 6, "text": 7}
HIDDEN = {"visual": 8, "audio": 7, "text": 9}
CODES = {"visual": 4, "audio": 3, "text": 5, "shared": 6}
SETTINGS: dict[type[SentimentNetwork], dict[str, Any]] = {
    TFN: {"hidden": HIDDEN, "text_outputs": 4, "fusion_hidden": 12, "dropout": 0.1},
    LMF: {"hidden": HIDDEN, "text_outputs": 4, "rank": 3, "dropout": 0.1},
    MFM: {
        "memory_fusion": {
            "hidden": HIDDEN,
            "memory": 4,
            "attention": (12, 0.1),
            "proposal": (11, 0.1),
            "keep": (10, 0.1),
            "take": (9, 0.1),
        },
        "codes": CODES,
        "factors": {"visual": 8, "audio": 9, "text": 10, "shared": 11},
        "dropout": {"visual": 0.1, "audio": 0.1, "text": 0.1, "shared": 0.1, "label": 0.1},
        "reconstruction": {"visual": 0.2, "audio": 0.3, "text": 0.4},
        "prior": 0.5,
    },
    MISA: {
        "codes": 8,
        "heads": 2,
        "feedforward": 12,
        "transformer_dropout": 0.1,
        "dropout": 0.1,
        "similarity": 0.7,
        "difference": 0.3,
        "reconstruction": 0.9,
    },
    DCCA: {"hidden": [8], "dimensions": 3},
    ICCN: {"hidden": 4, "filters": [2, 3], "dimensions": 3},
}


def build(kind: type[SentimentNetwork], **changed: Any) -> Any:
    torch.manual_seed(0)
    return kind(**{"features": FEATURES} | SETTINGS[kind] | changed)


def batch(samples: int = 12, steps: int = 9, seed: int = 1) -> dict[str, Tensor]:
    """Return sequences of 1 to T real steps, zeros in front of visual and audio, noise behind text.

    The label is the mean of the first text feature plus that of the first audio feature; both have
    a part in common, which correlated views can find.
    """
    generator = torch.Generator().manual_seed(seed)
    data: dict[str, Tensor] = {"label": torch.zeros(samples), "id": torch.arange(samples)}
    common = 1.5 * torch.randn(samples, 1, generator=generator)
    for name, channels in FEATURES.items():
        length = torch.randint(1, steps + 1, (samples,), generator=generator)
        x = torch.randn(samples, steps, channels, generator=generator)
        x[:, :, 0] += common
        for row, size in zip(x, length.tolist(), strict=True):
            if name != "text":
                row[: steps - size] = 0
        data[f"{name}_length"] = length
        data[name] = x.transpose(1, 2)
    for name in ("text", "audio"):
        for i, real in enumerate(pieces(data, name)):
            data["label"][i] += real[:, 0].mean()
    return data


def pieces(data: dict[str, Tensor], name: str) -> list[Tensor]:
    """Return the real steps `(steps, C)` of every sample."""
    found = []
    for x, length in zip(data[name], data[f"{name}_length"].tolist(), strict=True):
        found.append((x[:, :length] if name == "text" else x[:, x.shape[1] - length :]).T)
    return found
