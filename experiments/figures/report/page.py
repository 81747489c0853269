"""The page: from what was found to HTML that needs nothing beside itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from experiments.figures.report import overview
from experiments.figures.report.collect import Found, collect
from experiments.figures.report.experiment import Experiment, show
from experiments.figures.report.views import Article, Picture, picture_found, table_article
from experiments.files import write_text
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides

KEYS = ("in", "out")
ROBUSTNESS = "robustness"  # a folder of that name, or a file whose name begins with it


@dataclass(frozen=True)
class Written:
    """What became of a folder of results."""

    page: Path
    runs: int
    left_out: int


def write_report(arguments: Sequence[str]) -> Written:
    """Write the page that a command line asks for.

    Hydra has to be initialised with the folder of the configuration groups.

    Args:
        arguments: `in=<folder>` and `out=<file>`, or neither.

    Raises:
        RunError: for another key, or a folder in which there is nothing to show.
    """
    overrides = Overrides.typed(arguments, verbatim=KEYS)
    overrides.refuse_others(*KEYS)
    folder = Path(str(overrides.value("in", "results")))
    out = Path(str(overrides.value("out", folder / "report.html")))
    if out.is_dir():
        raise RunError(f"out={out}: expected a file such as {out / 'report.html'}, found a folder")
    found = collect(folder)
    write_text(out, page(found))
    return Written(out, sum(map(len, found.experiments)), len(found.left_out))


def page(found: Found) -> str:
    """Return the HTML of the page; the same input gives the same bytes."""
    known = _known_overrides(found)
    experiments = [
        show(runs, f"experiment-{k}", known.get(runs[0].metrics["hash"]))
        for k, runs in enumerate(found.experiments, 1)
    ]
    figures, robustness = _pictures(found)
    tables = _tables(found)
    articles = [*(one.article for one in experiments), *tables, *found.robustness]
    marks = [shown.sample for shown in articles] + [p.sample for p in (*figures, *robustness)]
    return _template().render(
        summary=_summary(found, experiments),
        sample=any(marks),
        run=overview.what_was_run(experiments),
        rules=overview.rules(experiments),
        errors=overview.errors(experiments),
        tables=tables,
        figures=figures,
        robustness=robustness,
        corrupted=found.robustness,
        experiments=[one.article for one in experiments],
        deviations=overview.deviations(experiments),
        provenance=overview.provenance(experiments),
        left_out=overview.left_out(found),
    )


def _template() -> Any:
    """Return the template, in which all text is escaped: names in files may be anyone's."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = _plain
    return environment.get_template("page.html.j2")


def _plain(text: str) -> str:
    """Return a sentence without the marks that it has in Markdown."""
    return " ".join(text.replace("**", "").replace("`", "").split())


def _summary(found: Found, experiments: Sequence[Experiment]) -> str:
    counts = {
        "run": sum(len(one.runs) for one in experiments),
        "experiment": len(experiments),
        "table": len(found.tables),
        "figure": len(found.pictures),
    }
    told = [f"{n} {name}{'s' * (n != 1)}" for name, n in counts.items()]
    return f"{', '.join(told)}; {len(found.left_out)} left out"


def _tables(found: Found) -> list[Article]:
    parts = [(file, part) for file, parts in found.tables.items() for part in parts]
    return [
        table_article(part, id=f"table-{k}", file=_name(found, file))
        for k, (file, part) in enumerate(parts, 1)
    ]


def _known_overrides(found: Found) -> dict[str, Overrides]:
    """Return by hash the overrides of all runs that a table has measured."""
    known: dict[str, Overrides] = {}
    for part in (part for parts in found.tables.values() for part in parts):
        for line in part.lines:
            every = (*part.table.overrides, *line.row.overrides, *part.provenance["overrides"])
            known |= {one.hash: Overrides(every) for one in line.measured}
    return known


def _pictures(found: Found) -> tuple[list[Picture], list[Picture]]:
    """Return figures, and apart from them those of robustness."""
    figures: list[Picture] = []
    robustness: list[Picture] = []
    for file in found.pictures:
        within = file.relative_to(found.folder)
        apart = ROBUSTNESS in within.parts or file.name.startswith(ROBUSTNESS)
        picture = picture_found(file, caption=_name(found, file))
        (robustness if apart else figures).append(picture)
    return figures, robustness


def _name(found: Found, file: Path) -> str:
    return file.relative_to(found.folder).as_posix()
