"""The search for a fusion architecture (MFAS, Perez-Rua et al. 2019) over frozen branches.

Legend: B samples, K classes, L layers of an architecture, A architectures.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.baselines.mfas import ACTIVATIONS, Choice, FusionLayers

Architecture = tuple[Choice, ...]
Clips = tuple[Mapping[str, Sequence[Tensor]], Tensor]
"""Each branch's features `(B, C)`, and the labels `(B,)`."""


class Surrogate(nn.Module):
    """Guesses an architecture's accuracy from its choices: linear, sigmoid, LSTM, linear, sigmoid.

    Args:
        units: of the first linear layer and of the LSTM.
    """

    def __init__(self, units: int = 100) -> None:
        super().__init__()
        self.embed = nn.Linear(3, units)
        self.lstm = nn.LSTM(units, units, batch_first=True)
        self.guess = nn.Linear(units, 1)
        for layer in (self.embed, self.guess):
            nn.init.uniform_(layer.weight, -0.1, 0.1)
            nn.init.constant_(layer.bias, 1.8)

    def forward(self, choices: Tensor) -> Tensor:
        """Return the accuracies `(A,)`, in [0, 1], of architectures of one depth, `(A, L, 3)`."""
        states, _ = self.lstm(self.embed(choices).sigmoid())
        return self.guess(states[:, -1]).sigmoid().squeeze(1)

    def fit(self, known: Mapping[Architecture, float], *, epochs: int) -> None:
        """Learn accuracies that are known, by their mean squared error."""
        optimiser = torch.optim.Adam(self.parameters(), lr=1e-3)
        depths = sorted({len(architecture) for architecture in known})
        for _ in range(epochs):
            for depth in depths:
                some = {a: found for a, found in known.items() if len(a) == depth}
                optimiser.zero_grad()
                F.mse_loss(self(encode(list(some))), torch.tensor([*some.values()])).backward()
                optimiser.step()


class ArchitectureSearch:
    """Grow architectures layer by layer, guided by a surrogate of their accuracy.

    At the first level of the first iteration every single layer is tried. From then on the drawn
    architectures are each continued by every layer, the surrogate guesses the accuracy of all of
    these, `samples` are drawn without replacement with a probability that goes with
    `accuracy^(1 / temperature)`, tried, and added to what the surrogate learns from. The
    temperature falls from 10 towards 0.2 as levels pass.

    Known: the space, the surrogate, the drawing, the numbers that are the defaults. Chosen by us:
    the branches' features are computed once an epoch and shared by all candidates, so all see the
    same augmentation; Adam at 1e-3 with weight decay 1e-4; the accuracy is that of the fusion's
    own logits; no architecture is tried twice, and weights are not shared.

    Args:
        iterations: how often the levels are gone through.
        levels: layers of the deepest architecture.
        samples: architectures tried at each level.
        surrogate_epochs: each time the surrogate learns.
        width: of a candidate's layers.
        dropout: of a candidate's layers.
        batch_size: of a candidate's training.
        seed: of all drawing.
    """

    def __init__(
        self,
        *,
        iterations: int = 3,
        levels: int = 4,
        samples: int = 15,
        surrogate_epochs: int = 50,
        width: int = 16,
        dropout: float = 0.5,
        batch_size: int = 20,
        seed: int = 1,
    ) -> None:
        self.iterations, self.levels, self.samples = iterations, levels, samples
        self.surrogate_epochs = surrogate_epochs
        self.width, self.dropout, self.batch_size = width, dropout, batch_size
        self.generator = torch.Generator().manual_seed(seed)
        self.seed = seed

    def __call__(
        self,
        sizes: Mapping[str, Sequence[int]],
        train: Sequence[Clips],
        validation: Clips,
        *,
        outputs: int,
        told: Callable[[int], None] = lambda tried: None,
    ) -> dict[Architecture, float]:
        """Search over features that frozen branches have computed.

        Args:
            sizes: of the features, by branch.
            train: the training clips once for each epoch of a candidate.
            validation: the clips that candidates are compared on.
            outputs: K.
            told: is called with the number of architectures tried so far.

        Returns:
            The accuracy of every architecture tried, between 0 and 1, the best first.
        """

        def accuracy(architecture: Architecture) -> float:
            return self.try_out(architecture, sizes, train, validation, outputs=outputs)

        known = self.explore(space(sizes), accuracy, told)
        return dict(sorted(known.items(), key=lambda item: -item[1]))

    def explore(
        self,
        choices: Sequence[Choice],
        accuracy: Callable[[Architecture], float],
        told: Callable[[int], None] = lambda tried: None,
    ) -> dict[Architecture, float]:
        """Search any space of layers; return every architecture tried with its accuracy."""
        torch.manual_seed(self.seed)
        surrogate, known = Surrogate(), dict[Architecture, float]()
        for iteration in range(self.iterations):
            drawn: list[Architecture] = [()]
            for level in range(self.levels):
                longer = [(*start, choice) for start in drawn for choice in choices]
                hot = temperature(iteration * self.levels + level)
                if not known:
                    known |= {one: accuracy(one) for one in longer}
                    drawn = self._draw(longer, torch.tensor([*known.values()]), hot)
                else:
                    with torch.no_grad():
                        guesses = surrogate(encode(longer))
                    drawn = self._draw(longer, guesses, hot)
                    known |= {one: accuracy(one) for one in drawn if one not in known}
                surrogate.fit(known, epochs=self.surrogate_epochs)
                told(len(known))
        return known

    def try_out(
        self,
        architecture: Architecture,
        sizes: Mapping[str, Sequence[int]],
        train: Sequence[Clips],
        validation: Clips,
        *,
        outputs: int,
    ) -> float:
        """Train one candidate, all from the same seed; return its accuracy on the validation."""
        torch.manual_seed(self.seed)
        layers = FusionLayers(
            architecture, sizes, width=self.width, norm=False, dropout=self.dropout
        )
        candidate = nn.Sequential(layers, nn.Linear(self.width, outputs)).to(validation[1].device)
        optimiser = torch.optim.Adam(candidate.parameters(), lr=1e-3, weight_decay=1e-4)
        for features, labels in train:
            for rows in torch.randperm(len(labels)).to(labels.device).split(self.batch_size):
                optimiser.zero_grad()
                F.cross_entropy(candidate(_rows(features, rows)), labels[rows]).backward()
                optimiser.step()
        candidate.eval()
        with torch.no_grad():
            hits = candidate(validation[0]).argmax(1) == validation[1]
        return float(hits.float().mean())

    def _draw(
        self, candidates: Sequence[Architecture], accuracies: Tensor, hot: float
    ) -> list[Architecture]:
        chances = accuracies.clamp(min=1e-6).double().pow(1 / hot)
        count = min(self.samples, len(candidates))
        rows = torch.multinomial(chances, count, generator=self.generator)
        return [candidates[row] for row in rows.tolist()]


def space(sizes: Mapping[str, Sequence[int]]) -> list[Choice]:
    """Return every possible layer: 32 with four features of each branch and two activations."""
    counts = range(len(sizes["skeleton"])), range(len(sizes["video"]))
    return [(skeleton, video, name) for skeleton, video, name in product(*counts, ACTIVATIONS)]


def temperature(step: int) -> float:
    """Return how evenly the architectures of a step are drawn; 10 is nearly so."""
    return (10 - 0.2) * math.exp(-((step + 1) ** 2) / 4**2) + 0.2


def encode(architectures: Sequence[Architecture]) -> Tensor:
    """Return architectures of one depth as numbers, `(A, L, 3)`."""
    names = list(ACTIVATIONS)
    return torch.tensor(
        [[(s, v, names.index(a)) for s, v, a in layers] for layers in architectures],
        dtype=torch.float32,
    )


def _rows(features: Mapping[str, Sequence[Tensor]], rows: Tensor) -> dict[str, list[Tensor]]:
    return {name: [feature[rows] for feature in of] for name, of in features.items()}
