"""The search: its space and temperature, what it draws, and candidates that see the right thing."""

from collections import Counter
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from models.baselines import ArchitectureSearch
from models.baselines.mfas_search import (
    Architecture,
    Surrogate,
    encode,
    space,
    temperature,
)

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = {"skeleton": [4, 5, 6, 7], "video": [3, 4, 5, 6]}


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """On tensors this small, several threads on busy cores cost ten times the work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_space_has_32_layers() -> None:
    layers = space(SIZES)
    assert len(layers) == len(set(layers)) == 4 * 4 * 2
    assert {layer[2] for layer in layers} == {"relu", "sigmoid"}


def test_the_temperature_falls() -> None:
    """9.8 exp(-(k + 1)^2 / 16) + 0.2, by hand for k = 0, 3 and 11."""
    assert temperature(0) == pytest.approx(9.8 * 0.939413 + 0.2, abs=1e-4)
    assert temperature(3) == pytest.approx(9.8 * 0.367879 + 0.2, abs=1e-4)
    assert temperature(11) == pytest.approx(0.2 + 9.8 * 1.2341e-4, abs=1e-4)


def test_what_is_tried() -> None:
    """All 32 single layers, then at most `samples` longer ones that continue what was drawn."""
    tried: list[Architecture] = []
    counts: list[int] = []

    def accuracy(architecture: Architecture) -> float:
        tried.append(architecture)
        return 0.2 + 0.1 * sum(skeleton == 3 for skeleton, _, _ in architecture)

    search = ArchitectureSearch(iterations=2, levels=3, samples=5, surrogate_epochs=2)
    known = search.explore(space(SIZES), accuracy, counts.append)
    assert set(tried[:32]) == {(layer,) for layer in space(SIZES)}
    assert Counter(tried).most_common(1)[0][1] == 1
    assert known == {one: accuracy(one) for one in known}
    lengths = [len(one) for one in tried[: len(known)]]
    assert lengths[32:42] == [2] * 5 + [3] * 5
    assert 42 <= len(known) == counts[-1] <= 42 + 3 * 5
    for one in known:
        assert len(one) < 3 or one[:2] in known


def test_it_finds_what_chance_does_not() -> None:
    """Of 32^2 pairs of layers, the mean of 40 random ones is half as good as what is found."""

    def accuracy(architecture: Architecture) -> float:
        return sum((s + v) / 6 for s, v, _ in architecture) / len(architecture) * 0.8 + 0.1

    search = ArchitectureSearch(iterations=4, levels=2, samples=10, surrogate_epochs=40)
    known = search.explore(space(SIZES), accuracy)
    pairs = [value for one, value in known.items() if len(one) == 2]
    assert max(pairs) > 0.8
    late = pairs[-10:]
    assert sum(late) / len(late) > 0.6 > 0.5  # 0.5 is the mean of the whole space


def test_the_surrogate_learns_what_it_is_told() -> None:
    torch.manual_seed(0)
    surrogate = Surrogate(units=20)
    known: dict[Architecture, float] = {
        ((0, 0, "relu"),): 0.2,
        ((3, 3, "sigmoid"),): 0.8,
        ((0, 0, "relu"), (3, 3, "relu")): 0.6,
    }
    surrogate.fit(known, epochs=300)
    with torch.no_grad():
        guesses = [float(surrogate(encode([one]))) for one in known]
    assert guesses == pytest.approx(list(known.values()), abs=0.08)


def clips(count: int) -> tuple[dict[str, list[Tensor]], Tensor]:
    """Random features; only the skeleton's second carries the label."""
    labels = torch.arange(count) % 3
    features = {name: [torch.randn(count, size) for size in of] for name, of in SIZES.items()}
    features["skeleton"][1][range(count), labels] += 6
    return features, labels


def test_candidates_are_judged_by_what_they_can_see() -> None:
    torch.manual_seed(0)
    search = ArchitectureSearch(width=16, dropout=0.0, batch_size=8)
    train, validation = [clips(150)] * 10, clips(90)

    def accuracy(*layers: tuple[int, int, str]) -> float:
        return search.try_out(layers, SIZES, train, validation, outputs=3)

    blind, seeing = accuracy((0, 0, "relu")), accuracy((1, 0, "relu"))
    assert blind < 0.55 and seeing > 0.9
    assert accuracy((1, 0, "relu")) == seeing  # the same seed
    assert accuracy((0, 0, "relu"), (1, 2, "relu")) > 0.9


def test_the_best_come_first() -> None:
    torch.manual_seed(0)
    search = ArchitectureSearch(
        iterations=1, levels=2, samples=3, surrogate_epochs=2, width=4, batch_size=20
    )
    found = search(SIZES, [clips(60)], clips(30), outputs=3)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert len(found) == 32 + 3
