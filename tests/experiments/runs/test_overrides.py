"""Overrides as a value: keys, values and selections, by Hydra's own grammar."""

import pytest
from hydra.errors import OverrideParseException

from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides

EVERY = Overrides(
    [
        "task=ntu",
        "+training.optimizer.foreach=false",
        "~logger",
        "++a.b=[1,x]",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
        "fusion.settings={block_dropout: 0.2}",
        "fusions=3",
        "out='a b'",
    ]
)


def test_keys_are_what_overrides_act_on() -> None:
    assert EVERY.keys == [
        "task", "training.optimizer.foreach", "logger", "a.b", "hydra/launcher",
        "hydra.launcher.n_jobs", "fusion.settings", "fusions", "out",
    ]  # fmt: skip
    assert "a.b" in EVERY and "a" not in EVERY and "+a.b" not in EVERY
    assert len(EVERY) == 9 and str(EVERY.only("task", "a")) == "task=ntu ++a.b=[1,x]"


def test_values_are_plain_and_the_last_one_counts() -> None:
    assert EVERY.value("a.b") == [1, "x"]
    assert EVERY.value("training.optimizer.foreach") is False
    assert EVERY.value("fusion.settings") == {"block_dropout": 0.2}
    assert EVERY.value("out") == "a b"
    assert EVERY.value("epochs") is None and EVERY.value("epochs", 7) == 7
    assert Overrides(["seed=1", "seed=2"]).value("seed") == 2
    assert Overrides(["table=01"]).value("table") == "01"  # a number would lose its zero


@pytest.mark.parametrize("text", ["fold=range(0,6)", "fold=0,1", "fold=choice(1,2)", "~fold"])
def test_several_values_and_none_are_refused_where_one_is_asked_for(text: str) -> None:
    with pytest.raises(RunError, match=r"expected one value; sweeps are for train\.py -m"):
        Overrides([text]).value("fold")


def test_a_selection_takes_what_lies_below_and_nothing_that_only_begins_alike() -> None:
    assert list(EVERY.only("fusion")) == ["fusion.settings={block_dropout: 0.2}"]
    assert list(EVERY.only("hydra")) == ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    assert EVERY.without("fusion", "hydra", "a", "training").keys == [
        "task", "logger", "fusions", "out",
    ]  # fmt: skip


def test_setting_replaces_what_stood_there() -> None:
    found = Overrides(["fold=0", "epochs=2", "fold=3"]).setting(fold="cs", seed=4)
    assert list(found) == ["epochs=2", "fold=cs", "seed=4"]


def test_equal_overrides_are_one_key_of_a_dictionary() -> None:
    assert {Overrides(["a=1"]): "x"}[Overrides(["a=1"])] == "x"
    assert Overrides(["a=1", "b=2"]) != Overrides(["b=2", "a=1"])


@pytest.mark.parametrize("text", ["seeds=[1", "no value"])
def test_what_the_grammar_does_not_know_is_refused_at_once(text: str) -> None:
    with pytest.raises(OverrideParseException):
        Overrides([text])


@pytest.mark.parametrize(
    "value",
    [
        "i don't like it, really",
        'say "no"',
        "end\\",
        'a\\"b',
        "a\\b",
        "null",
        "3",
        "runs (old)/a b=c",
        "${x}",
        "a*",
        "",
    ],
)
def test_a_path_or_a_sentence_is_taken_as_it_stands(value: str) -> None:
    assert Overrides.typed([f"text={value}", "n=3"], verbatim=["text"]).value("text") == value


def test_a_list_and_a_quoted_value_are_read_by_the_grammar() -> None:
    found = Overrides.typed(["run=[a,b]", 'out="a b"', "n=3"], verbatim=["run", "out"])
    assert [found.value(key) for key in ("run", "out", "n")] == [["a", "b"], "a b", 3]


def test_a_path_without_its_key() -> None:
    with pytest.raises(RunError, match=r"^a/b: expected a key before it, such as run=a/b"):
        Overrides.typed(["a/b"], verbatim=["run", "out"])


def test_flags_and_keys_that_there_are_not() -> None:
    found = Overrides(["trust=true", "outt=a", "raw=b"])
    assert found.flag("trust") and not found.flag("rerun")
    with pytest.raises(RunError, match=r"^raw=b: choose true or false"):
        found.flag("raw")
    with pytest.raises(
        RunError, match=r"^outt: no such key of x, did you mean out\? there are out"
    ):
        found.refuse_others("out", "trust", "raw", of=" of x")
