"""Text encoding with an encoder of BERT-base's size and random weights: nothing is downloaded."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers import BertConfig, BertModel

from scripts.benchmarks.gpu_plan import Measurement, SkippedError
from scripts.benchmarks.gpu_report import Row
from scripts.benchmarks.gpu_timing import PRECISIONS, Bench, float32_products

PIECES = 50  # word pieces of a sentence, at most (paper 5.1)
BATCH, TINY_BATCH = 40, 4  # sentences; 40 of 50 pieces are one batch of `prepare.py`
TINY = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "vocab_size": 1000,
}


def plan(bench: Bench) -> Iterator[Measurement]:
    """One measurement a precision."""
    for precision in PRECISIONS:
        yield Measurement("text", {"precision": precision}, measuring(precision, bench))


def measuring(precision: str, bench: Bench) -> Callable[[], Row]:
    """What measures sentences a second, all of them as long as can be."""

    def measure() -> Row:
        if precision == "tf32" and not bench.cuda:
            raise SkippedError("a CPU has no TF32")
        bench.forget_peak()
        torch.manual_seed(0)
        sizes: dict[str, Any] = TINY if bench.tiny else {}  # by default BERT-base's
        config = BertConfig(**sizes)
        with bench.device:
            model = BertModel(config, add_pooling_layer=False).eval()
        batch = TINY_BATCH if bench.tiny else BATCH
        pieces = torch.randint(config.vocab_size, (batch, PIECES), device=bench.device)
        mask = torch.ones_like(pieces)

        def encode() -> None:
            with torch.inference_mode(), bench.autocast(precision):
                model(input_ids=pieces, attention_mask=mask)

        with float32_products(precision):
            seconds = bench.median(encode)
        row: Row = {"batch": batch, "pieces": PIECES}
        rates = {"sentences_per_second": batch / seconds, "ms_per_batch": 1000 * seconds}
        return row | rates | bench.peak()

    return measure
