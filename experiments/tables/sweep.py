"""A sweep of `train.py -m`: a table whose rows are what the command line varies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from experiments.console import ReportedError, complain, console, explain, readable_errors
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.tables.launch import run_all
from experiments.tables.plan import Job, Plan, jobs_of, refuse_idle, run_maker
from experiments.tables.sweep_report import print_sweep

MODE = "hydra.mode"  # what `-m` stands for


@dataclass(frozen=True)
class Combination:
    """What one run of a sweep is made of.

    Args:
        row: the swept overrides without fold and seed, as a person reads them.
        overrides: all of the run's.
        varied: the keys of those that tell the rows from each other.
    """

    row: str
    overrides: Overrides
    varied: tuple[str, ...]


def sweep(arguments: Sequence[str], hydra_overrides: Sequence[str]) -> None:
    """Complete the runs of a sweep, and print one table of them.

    Args:
        arguments: overrides of `train.py`, some with several values.
        hydra_overrides: those that choose Hydra's launcher among them.

    Raises:
        ReportedError: at the end, if a run failed or was refused; the user has been told.
    """
    with readable_errors(go_on=True):
        todo = plan_sweep(combinations(arguments))
        failed = run_all(todo, Overrides(hydra_overrides).without(MODE))
        broken = print_sweep(todo, console)
    complaints = [f"{row}: {reason}" for row, reason in todo.refused.items()]
    complaints += [f"{folder.path}: {reason}" for folder, reason in failed.items()]
    complaints += broken
    for complaint in complaints:
        complain(complaint)
    if complaints:
        raise ReportedError(complaints[0])


def combinations(arguments: Sequence[str]) -> list[Combination]:
    """Return all combinations of the swept values, the last key's the fastest.

    They are those of Hydra's basic sweeper, in its order. Folds that are no numbers (NTU's `cs`
    and `cv`, UTD-MHAD's `cs`) are protocols of their own, and so have rows of their own.

    Raises:
        HydraException: for a sweep without single values, such as `lr=interval(0,1)`.
    """
    loader = GlobalHydra.instance().config_loader()  # knows the choices that a glob means
    choices: dict[str, list[str]] = {}
    swept: dict[str, bool] = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(list(arguments)):
        key = override.get_key_element()
        swept[key] = override.is_sweep_override()
        if not swept[key]:
            choices[key] = [f"{key}={override.get_value_element_as_str()}"]
        elif override.is_discrete_sweep():
            choices[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            raise HydraException(
                f"{override.input_line}: expected single values to sweep over, as in {key}=1,2"
            )
    named = [key for key in choices if swept[key] and not _is_place(choices[key])]
    every = [dict(zip(choices, texts, strict=True)) for texts in product(*choices.values())]
    return [
        Combination(_name([one[key] for key in named]), Overrides(one.values()), tuple(named))
        for one in every
    ]


def plan_sweep(every: Sequence[Combination]) -> Plan:
    """Find out which runs a sweep needs, in the order of its combinations.

    Raises:
        RunError: if none can be run; the reason is the first row's.
    """
    make_run = run_maker()
    rows: dict[str, list[Overrides]] = {}
    for one in every:
        rows.setdefault(one.row, []).append(one.overrides)
    jobs: dict[str, list[Job]] = {}
    runs: list[Run] = []
    refused: dict[str, str] = {}
    for row, overrides in rows.items():
        try:
            run = make_run(overrides[0])
            run.refuse_idle(every[0].varied)
            jobs[row] = jobs_of(run, overrides, make_run)
            runs.append(run)
        except (RunError, HydraException, OmegaConfBaseException) as error:
            refused[row] = explain(error)
    refuse_idle(runs, every[0].overrides.exactly_without(*every[0].varied))
    left = {row: iter(found) for row, found in jobs.items()}
    ordered = [next(left[one.row]) for one in every if one.row in left]
    rerun = every[0].overrides.value("rerun", False) is True
    return Plan.of(jobs, ordered, refused, rerun=rerun)


def _name(texts: Sequence[str]) -> str:
    """Name a row; spaces behind the commas, so that it wraps in a table."""
    return " ".join(texts).replace(",", ", ")


def _is_place(choices: Sequence[str]) -> bool:
    """Say whether a key's choices are repeats: seeds, or folds with a number."""
    every = [Overrides([choice]) for choice in choices]
    return "seed" in every[0] or (
        "fold" in every[0] and all(isinstance(one.value("fold"), int) for one in every)
    )
