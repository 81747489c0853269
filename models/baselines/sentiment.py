"""What the whole-network rivals of the sentiment task (Table 2) share.

Legend: B samples, T steps, C channels.
"""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import nn

from models.baselines.sequences import Steps, read_steps
from models.contracts import Batch, Criterion, Losses, Prediction

MODALITIES = ("visual", "audio", "text")


class SentimentNetwork(nn.Module):
    """A network from three sequences to one number, which meets `models.contracts.Network`.

    The batch has `visual`, `audio` and `text` as `(B, C, T)`, their `<modality>_length` `(B,)`
    (all steps count if it is absent), and for the loss `label` `(B,)`. A prediction's scores are
    `(B, 1)`.

    Args:
        features: C of each modality.

    Raises:
        ValueError: for features of other modalities.
    """

    def __init__(self, features: Mapping[str, int]) -> None:
        super().__init__()
        if set(features) != set(MODALITIES):
            raise ValueError(
                f"{type(self).__name__} is a network of visual, audio and text: expected the "
                f"features of each, found those of {', '.join(features)}"
            )
        self.features = {name: features[name] for name in MODALITIES}

    def forward(self, batch: Batch) -> Prediction:
        """Predict the label of every sample; `parts` hold what the loss needs."""
        raise NotImplementedError

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return `total`, which is trained: the mean absolute error, as most of them publish it.

        The task's criterion is left aside there.
        """
        return {"total": F.l1_loss(prediction.scores.squeeze(1), batch["label"])}

    def parts(self) -> dict[str, nn.Module]:
        """Return the network's parts by the names that reports use."""
        return dict(self.named_children())

    def read(self, batch: Batch) -> dict[str, Steps]:
        """Return the sequences of a batch.

        Raises:
            ValueError: if a modality is not `(B, C, T)` with the C that the network was built for.
        """
        for name, channels in self.features.items():
            shape = tuple(batch[name].shape)
            if len(shape) != 3 or shape[1] != channels:
                raise ValueError(
                    f"{name}: expected (B, {channels}, T), got {shape}: the features a step are "
                    f"task.branches.{name}.features"
                )
        return {name: read_steps(batch, name) for name in self.features}
