"""What the whole-network rivals of the sentiment task (Table 2) share.

Legend: B samples, T steps, C channels.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from models.baselines.sequences import Steps, read_steps
from models.fusions import Prediction

MODALITIES = ("visual", "audio", "text")


class SentimentNetwork(nn.Module):
    """A network from three sequences to one number, with the two methods of every network.

    The batch has `visual`, `audio` and `text` as `(B, C, T)`, their `<modality>_length` `(B,)`
    (all steps count if it is absent), and for the loss `label` `(B,)`. A prediction's scores are
    `(B, 1)`.

    `under_specified` marks a re-implementation from a description with gaps: no code of its
    authors was found, and its figures are not to be taken for theirs.

    Args:
        features: C of each modality.
        modalities: those of the run; these networks need all three.

    Raises:
        ValueError: for other modalities.
    """

    under_specified: ClassVar[bool] = False

    def __init__(self, features: Mapping[str, int], *, modalities: Sequence[str]) -> None:
        super().__init__()
        if set(modalities) != set(MODALITIES):
            raise ValueError(
                f"{type(self).__name__} is a network of visual, audio and text: expected "
                f"modalities=[{','.join(MODALITIES)}], found {list(modalities)}"
            )
        self.features = {name: features[name] for name in MODALITIES}

    def forward(self, batch: Mapping[str, Tensor]) -> Prediction:
        """Predict the label of every sample; `parts` hold what the loss needs."""
        raise NotImplementedError

    def loss(self, prediction: Prediction, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `total`, which is trained: the mean absolute error, if nothing else is said."""
        return {"total": F.l1_loss(prediction.scores.squeeze(1), batch["label"])}

    def parts(self) -> dict[str, nn.Module]:
        """Return the network's parts by the names that reports use."""
        return dict(self.named_children())

    def read(self, batch: Mapping[str, Tensor]) -> dict[str, Steps]:
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
