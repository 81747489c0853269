import pytest
from lightning_utilities.core.rank_zero import rank_zero_only

from experiments.runs.ranks import RANKS, leads


def test_before_lightning_is_there_the_environment_says_who_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(rank_zero_only, "rank", raising=False)
    for name in RANKS:
        monkeypatch.delenv(name, raising=False)
    assert leads()
    monkeypatch.setenv("SLURM_PROCID", "1")
    assert not leads()
    monkeypatch.setenv("LOCAL_RANK", "0")  # Slurm's number may be there without Slurm in charge
    assert leads()


def test_lightning_knows_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process of a second machine."""
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setattr(rank_zero_only, "rank", 4, raising=False)
    assert not leads()
