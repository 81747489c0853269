"""A prediction in the terminal."""

from rich.console import Console

from experiments.evaluation.terminal import plain_table, show
from experiments.prediction.predict import Answer

MOST = 10  # classes that are listed


def print_answer(answer: Answer, console: Console) -> None:
    """Print what a run says of a clip, what it looked at, and what was missing."""
    metrics = answer.run.reopened.run.metrics
    mark = " (run trained on sample data)" if metrics["provenance"] == "sample" else ""
    title = f"{answer.name}: {answer.says}{mark}"
    found = answer.probabilities
    if found is None:
        console.print(f"\n{title}", style="bold", markup=False, highlight=False)
    else:
        table = plain_table(["class"], ["probability"])
        ranked = sorted(found.items(), key=lambda pair: -pair[1])
        for name, value in ranked[:MOST]:
            table.add_row(name, f"{value:.3f}")
        show(title, table, console)
        if len(ranked) > MOST:
            console.print(f"and {len(ranked) - MOST} classes of less probability")
    lines = [f"{name}: {source}" for name, source in answer.sample.sources.items()]
    lines += [f"{name}: missing, {why}" for name, why in answer.sample.missing.items()]
    for entry in answer.attention:
        shares = ", ".join(
            f"{name} {share:.2f} (uniform {entry['uniform'][name]:.2f})"
            for name, share in entry["shares"].items()
        )
        lines.append(f"attention, {entry['module']}: {shares}")
    for line in [*lines, *answer.notes]:
        console.print(line, markup=False, highlight=False)
