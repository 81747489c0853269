"""What a command line of `scripts/figures.py` asks for, and what it may not say."""

from pathlib import Path

import pytest

from experiments.figures.wish import Wish
from experiments.runs.folder import RunError


def test_what_a_command_line_asks_for(tmp_path: Path) -> None:
    assert Wish.of(["figure=5"]) == Wish("5", {}, Path("results/figures"))
    wish = Wish.of(["figure=5", f"out={tmp_path}", "fusions=[gmu,msaf]"])
    assert wish == Wish("5", {"fusions": ("gmu", "msaf")}, tmp_path)
    wish = Wish.of(["figure=6", "run=results/*/msaf", "rule=paper_rule", "trust=true"])
    assert wish.asked == {"run": ["results/*/msaf"], "rule": "paper_rule", "trust": True}
    assert Wish.of(["figure=curves", "run=[a,b]"]).asked == {"run": ["a", "b"]}
    assert Wish.of(["figure=curves", "run=a,b (1)"]).asked == {"run": ["a,b (1)"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["figure=4"], "^figure=4: choose one of 5, 6, 7, segments, samples, replacement, curves$"),
        (["out=here"], r"^figure=\.\.\.: choose one of 5"),
        (["figure=5", "run=a"], "^run: no such key of figure=5; there are figure, fusions, out$"),
        (
            ["figure=curves", "run=a", "trust=true"],
            "^trust: no such key of figure=curves; there are figure, run, rule, out$",
        ),
        (["figure=5", "fusions=msaf"], "^fusions=msaf: expected a list such as"),
        (["figure=7"], r"^run=\.\.\. is missing: figure=7 is of what\?"),
        (["figure=7", "run=[]"], r"^run=\[\]: expected a folder, a pattern"),
        (["figure=7", "run=[3]"], r"^run=\[3\]: expected a folder, a pattern"),
        (["figure=7", "run=a", "rule=3"], "^rule=3: expected a reporting rule"),
        (["figure=7", "run=a", "trust=maybe"], "^trust=maybe: choose true or false$"),
    ],
)
def test_mistakes_are_named(arguments: list[str], said: str) -> None:
    with pytest.raises(RunError, match=said):
        Wish.of(arguments)
