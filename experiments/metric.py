"""How a metric is written: in per cent with one digit, or in its own unit with three."""

from collections.abc import Iterable

DIGITS = {"mae": 3, "corr": 3}  # of figures that are no per cent
PAPER_DIGITS = {"accuracy": 2}  # where the paper prints more of them
LOWER_IS_BETTER = {"mae"}
SHORT = {"accuracy": "Acc.", "acc2": "Acc-2", "acc7": "Acc-7", "mae": "MAE"}  # as papers write them


def short(metric: str) -> str:
    """Return a metric's name as a paper's table has it."""
    return SHORT.get(metric, metric.capitalize().replace("_", " "))


def number(metric: str, value: float, *, sign: bool = False) -> str:
    """Write a figure of a metric."""
    return f"{value:{'+' if sign else ''}.{DIGITS.get(metric, 1)}f}"


def paper_number(metric: str, value: float) -> str:
    """Write the paper's own figure with the digits that the paper prints."""
    return f"{value:.{PAPER_DIGITS.get(metric, DIGITS.get(metric, 1))}f}"


def which_is_better(metrics: Iterable[str]) -> str:
    """Say for which metrics a lower figure is the better one; nothing if for none."""
    lower = [metric for metric in metrics if metric in LOWER_IS_BETTER]
    return f"lower is better: {', '.join(lower)}" if lower else ""
