"""Maps as a few tokens, and back: hand-worked cells, and naive loops for every rank."""

import pytest
import torch

from models.fusions.tokens import TokenPort, to_map, to_tokens, token_grid
from tests.models.fusions import by_hand


@pytest.mark.parametrize(
    ("sizes", "most", "grid"),
    [
        ((), 4, []),
        ((7,), 7, [7]),
        ((7,), 6, [4]),
        ((208,), 64, [52]),
        ((50,), 64, [50]),
        ((4, 4), 64, [4, 4]),
        ((4, 14, 14), 64, [4, 4, 4]),  # 784: 4x7x14, 4x7x7, 4x4x7, 4x4x4
        ((8, 28, 28), 64, [4, 4, 4]),
        ((5, 3), 1, [1, 1]),
    ],
)
def test_the_longest_axis_is_halved(sizes: tuple[int, ...], most: int, grid: list[int]) -> None:
    assert token_grid(sizes, most) == grid


def test_by_hand() -> None:
    """Seven steps in four cells: two, two, two and one."""
    x = torch.tensor([[[1.0, 3.0, 4.0, 6.0, 0.0, 2.0, 9.0]]])
    tokens, cells, padding = to_tokens(x, 4)
    assert padding is None
    assert tokens.tolist() == [[[2.0], [5.0], [1.0], [9.0]]]
    assert cells is not None and cells.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert to_map(tokens, cells, x).tolist() == [[[2.0, 2.0, 5.0, 5.0, 1.0, 1.0, 9.0]]]


def test_padding_by_hand() -> None:
    """Five true steps of seven on the left, three on the right, none: the last cells are empty.

    One token of a sample without any true step stays visible.
    """
    x = torch.tensor([[[1.0, 3.0, 4.0, 6.0, 5.0, 2.0, 9.0]]]).expand(3, 1, 7)
    steps = torch.arange(7)
    mask = torch.stack([steps < 5, steps >= 4, steps < 0])
    tokens, cells, padding = to_tokens(x, 4, mask)
    assert tokens[..., 0].tolist() == [[2.0, 5.0, 5.0, 0.0], [0.0, 0.0, 3.5, 9.0], [0.0] * 4]
    assert cells is not None and padding is not None
    assert padding.tolist() == [
        [False, False, False, True],
        [True, True, False, False],
        [False, True, True, True],
    ]
    alone = to_tokens(x, 7, mask)
    assert torch.equal(alone.values, x.transpose(1, 2))
    assert alone.padding is not None and torch.equal(alone.padding[:2], ~mask[:2])
    maps = to_tokens(torch.ones(1, 2, 4, 2), 8, torch.tensor([[True, False, False, True]]))
    assert maps.padding is not None
    assert maps.padding.tolist() == [[False, False, True, True, True, True, False, False]]


def test_few_positions_are_tokens_of_their_own() -> None:
    x = torch.randn(2, 3, 2, 2)
    tokens, cells, _ = to_tokens(x, 4)
    assert cells is None
    assert torch.equal(tokens[:, 1], x[:, :, 0, 1])
    assert torch.equal(to_map(tokens, cells, x), x)
    flat = torch.randn(2, 3)
    assert torch.equal(to_tokens(flat, 1)[0], flat.unsqueeze(1))


@pytest.mark.parametrize("sizes", [(), (9,), (3, 5), (4, 3, 5), (2, 3, 2, 3)])
@pytest.mark.parametrize("most", [1, 4, 1000])
def test_cells_in_loops(sizes: tuple[int, ...], most: int) -> None:
    x = torch.randn(2, 3, *sizes, dtype=torch.float64)
    tokens, cells, _ = to_tokens(x, most)
    grid = token_grid(sizes, most)
    back = to_map(tokens, cells, x)
    for sample in range(2):
        expected, place_of = by_hand.tokens(x[sample].numpy(), grid)
        for token, wanted in zip(tokens[sample], expected, strict=True):
            torch.testing.assert_close(token, torch.as_tensor(wanted))
        for place, number in place_of.items():
            assert torch.equal(back[(sample, slice(None), *place)], tokens[sample, number])


def test_a_port_changes_nothing_at_first() -> None:
    port, x = TokenPort(3, width=8, most=4, returned=5), torch.randn(2, 3, 7)
    tokens, cells, _ = port(x)
    assert tokens.shape == (2, 4, 8)
    assert torch.equal(port.add(x, torch.randn(2, 4, 5), cells), x)
