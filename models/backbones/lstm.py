"""LSTMs over sequences, the branches of the sentiment task (paper 4.2).

Legend: B samples, C features or channels, H hidden units, T steps.
"""

from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from models.backbones.branch import Branch

Padding = Literal["left", "right"]


class ChannelsFirstLSTM(nn.LSTM):
    """One unidirectional LSTM layer from `(B, C, T)` to `(B, H, T)`; the transpose lives inside."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__(channels, hidden, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 3 or x.shape[1] != self.input_size:
            raise ValueError(
                f"expected sequences (B, {self.input_size}, T), got {tuple(x.shape)}: the number "
                "of features a step is `features` of the branch"
            )
        layer: Any = super()  # its overloads confuse type checkers
        states, _ = layer.forward(x.transpose(1, 2))  # (B, T, H)
        return states.transpose(1, 2)


class LSTMBranch(Branch):
    """Two LSTM layers in sequence, `lstm1` and `lstm2`; the summary is the last step of the second.

    The paper's sizes are 35, 74 and 768 features and 32, 64 and 128 hidden units for vision, sound
    and text; with one linear output they hold 17,313, 69,185 and 592,001 parameters. Every step of
    the sequence runs, padding as well, as in the released code: what is padded on the right ends
    in a step of padding.

    Args:
        outputs: outputs of the head, or `None` for no head.
        features: C, of each step of the input.
        hidden: H, of both layers.
        padding: the side on which shorter sequences are padded; only `valid_steps` asks.

    Raises:
        ValueError: for sizes below one or a side that there is not; in use, for an input with
            another number of features.
    """

    def __init__(
        self, *, outputs: int | None, features: int, hidden: int, padding: Padding = "left"
    ) -> None:
        if min(features, hidden) < 1:
            raise ValueError(f"expected features and hidden of 1 or more, got {features}, {hidden}")
        if padding not in get_args(Padding):
            raise ValueError(f"padding is one of {get_args(Padding)}, got {padding!r}")
        stages = {
            "lstm1": ChannelsFirstLSTM(features, hidden),
            "lstm2": ChannelsFirstLSTM(hidden, hidden),
        }
        channels = {stage: [hidden] for stage in stages}
        super().__init__(stages, channels=channels, feature_size=hidden, outputs=outputs)
        self.padding = padding

    def valid_steps(self, x: Tensor, length: Tensor | None) -> Tensor | None:
        if length is None:
            return None
        steps = torch.arange(x.shape[2], device=x.device)
        if self.padding == "left":
            steps = steps.flip(0)
        return steps < length.unsqueeze(1)  # (B, T)

    def summarise(self, values: list[Tensor]) -> Tensor:
        return values[0][:, :, -1]  # (B, H, T) -> (B, H)
