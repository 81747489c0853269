"""TeX tables: read back by a small parser, which knows booktabs and how wide a page is."""

import re
import textwrap
from math import nan
from typing import Any

import pytest

from experiments.evaluation.statistics import Estimate
from experiments.tables.fill import Filled, Line
from experiments.tables.latex import escape, latex
from experiments.tables.layout import best
from experiments.tables.table import Row, Table

LONG = "averaged scores (control, Inf. ResNet50)"
RULES = ("paper_rule", "last_epoch", "val_selected")
MEANS = {
    "accuracy": [62.5, 74.86, 74.9, 70.0],
    "mae": [0.81, 0.559, 0.56, 0.6],
    "corr": [0.7, 0.74, 0.1, 0.72],
}
ERRORS = {"mae": 0.003, "corr": 0.003}

PAGE = 345  # pt, of LaTeX's article class at 10 pt
# The widths of cmr8 and cmsy8, pt; of letters a large mean. A bold digit has 0.7 more.
SIGNS = dict.fromkeys("0123456789", 4.25) | {".": 2.36, " ": 2.83, "±": 6.61, "+": 6.61, "-": 6.61}
LETTER = 4.5
RULE = re.compile(r"\\(toprule|midrule|bottomrule|cmidrule\(lr\)\{\d+-\d+\})")


def estimate(metric: str, mean: float, error: float | None = None) -> Estimate:
    return Estimate(mean, ERRORS.get(metric, 1.2) if error is None else error, 6, "folds", 6)


def filled(
    metrics: tuple[str, ...] = ("accuracy",),
    rules: tuple[str, ...] = RULES,
    data: str = "real",
    **other: Any,
) -> Filled:
    """Four rows: a rival, MSAF, one that is only quoted, and a control with a long name."""
    names = ["3D ResNeXt50 (Vis.)", "MSAF", "SGM-Net", LONG]
    paper = dict.fromkeys(metrics, 99.9) | {"parameters": 25.88}
    rows = [
        Row(n, ("fusion=x",) if n != "SGM-Net" else (), paper, "a note: 50 % of a_b", n == LONG)
        for n in names
    ]
    rows[-1] = Row(LONG, ("fusion=average",), {}, "", True)
    table = Table("4_ntu", "Table 4: C_m & 100 %", tuple(rows), (0, 1), (1,), metrics, "MSAF")
    lines = []
    for i, row in enumerate(rows):
        measured = {
            rule: {m: estimate(m, MEANS.get(m, [8e1, 85.5, 1.0, 79.1])[i]) for m in metrics}
            for rule in rules
        }
        difference = {} if row.name == "MSAF" else {r: estimate("accuracy", -12.4) for r in rules}
        figures, compared = (measured, difference) if row.overrides else ({}, {})
        lines.append(Line(row, 6, 6, figures, compared, 10, 25_940_000))
    origin: dict[str, Any] = {"data": [data], "overrides": [], "starts": []}
    origin |= {key: ["f" * 64] for key in ("manifests", "hashes", "protocols", "sources")}
    return Filled(table, rules, tuple(lines), origin | other)


def body(text: str) -> list[str]:
    """Check a `table*` as a compiler would, and return the lines of its tabular."""
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    stack: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", "\n".join(lines)):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    assert all(len(re.findall(r"(?<!\\)\{", x)) == len(re.findall(r"(?<!\\)\}", x)) for x in lines)
    start = next(i for i, line in enumerate(lines) if line.startswith(r"\begin{tabular}"))
    return lines[start : lines.index(r"\end{tabular}")]


def cells(line: str) -> list[str]:
    """Split a row at its unescaped &; a \\multicolumn counts as many cells as it spans."""
    found: list[str] = []
    for cell in re.split(r"(?<!\\)&", line.removesuffix(r"\\")):
        span = re.match(r"\s*\\multicolumn\{(\d+)\}", cell)
        found += [cell.strip(), *[""] * (int(span[1]) - 1 if span else 0)]
    return found


def rows(text: str) -> list[list[str]]:
    """Check rules and the number of cells, and return all rows."""
    first, *lines = body(text)
    count = len(re.sub(r"@\{\}", "", re.fullmatch(r"\\begin\{tabular\}\{(.*)\}", first)[1]))  # type: ignore[index]
    rules = [line for line in lines if RULE.match(line)]
    assert rules[0] == r"\toprule" and rules[-1] == r"\bottomrule" and r"\midrule" in rules
    assert lines[0] == r"\toprule" and lines[-1] == r"\bottomrule"
    assert all(not RULE.sub("", line) for line in rules) and "hline" not in text
    for start, end in re.findall(r"cmidrule\(lr\)\{(\d+)-(\d+)\}", text):
        assert 2 <= int(start) <= int(end) <= count
    found = [line for line in lines if not RULE.match(line)]
    assert all(line.endswith(r" \\") for line in found)
    every = [cells(line) for line in found]
    assert {len(row) for row in every} == {count}
    return every


def wide(text: str) -> float:
    """The width in pt: each column's widest cell in Computer Modern at 8 pt, 6 pt between two."""

    def size(cell: str) -> float:
        if box := re.search(r"parbox\[t\]\{([\d.]+)pt\}", cell):
            name = re.search(r"raggedright (.*)\}", cell)
            assert name and max(map(len, name[1].split())) * LETTER < float(box[1])
            return float(box[1])
        bold = re.search(r"textbf\{(.*?)\}", cell)
        plain = re.sub(r"\\textbf|\\(?=[%&_])|\$\\Delta\$|[{}$]", "", cell.replace(r"$\pm$", "±"))
        assert "\\" not in plain, plain
        return sum(SIGNS.get(c, LETTER) for c in plain) + 0.7 * len(bold[1] if bold else "")

    columns = zip(*(r for r in rows(text) if not r[0].startswith(r"\multicolumn")), strict=True)
    sizes = [max(size(c) for c in column if "multicolumn" not in c) for column in columns]
    return sum(sizes) + 6 * (len(sizes) - 1)


@pytest.mark.parametrize("data", ["real", "sample"])
@pytest.mark.parametrize("rules", [(), RULES[:1], RULES[:2], RULES])
@pytest.mark.parametrize(
    "metrics", [("accuracy",), ("accuracy", "mae"), ("acc2", "f1", "mae", "acc7", "corr")]
)
def test_every_table_is_whole_and_no_wider_than_a_page(
    metrics: tuple[str, ...], rules: tuple[str, ...], data: str
) -> None:
    text = latex(filled(metrics, rules, data))
    assert wide(text) <= PAGE
    assert ("(sample data)" in text) == (data == "sample") == ("99.9" not in text)
    assert not re.search(r"(last|paper|val)_|_(epoch|rule)", "\n".join(body(text)))


def test_one_metric_stands_below_its_rules_the_headline_first() -> None:
    head, names, *found = rows(latex(filled(rules=RULES[:2])))
    assert [cell for cell in head if cell] == [
        r"\multicolumn{1}{c}{paper}",
        r"\multicolumn{2}{c}{last epoch}",
        r"\multicolumn{1}{c}{paper rule}",
        r"\multicolumn{1}{c}{params}",
    ]
    assert names == ["Model", "Acc.", "Acc.", r"$\Delta$", "Acc.", "ours"]
    assert r"\cmidrule(lr){2-2}\cmidrule(lr){3-4}\cmidrule(lr){5-5}\cmidrule(lr){6-6}" in latex(
        filled(rules=RULES[:2])
    )
    assert found[0] == [
        *("3D ResNeXt50 (Vis.)", "99.90", r"62.5 $\pm$ 1.2", r"$-$12.4 $\pm$ 1.2"),
        *(r"62.5 $\pm$ 1.2", "25.94"),
    ]
    assert found[1][1:4] == ["99.90", r"\textbf{74.9} $\pm$ 1.2", ""]
    assert found[2] == ["SGM-Net", "99.90", "", "", "", "25.94"]
    assert found[3][0] == rf"\parbox[t]{{117pt}}{{\raggedright {LONG}}}"
    lines = body(latex(filled(rules=RULES[:2])))
    assert lines.index(r"\midrule", 6) == len(lines) - 3  # above the row that is not the paper's


def test_several_metrics_stand_in_panels_by_rule() -> None:
    metrics = ("acc2", "f1", "mae", "acc7", "corr")
    found = rows(latex(filled(metrics, data="sample")))
    titles = [row[0] for row in found if row[0].startswith(r"\multicolumn")]
    assert [re.sub(r".*emph\{(.*)\}\}", r"\1", title) for title in titles] == [
        "val selected", "paper rule", "last epoch"
    ]  # fmt: skip
    assert found[0] == ["Model", "Acc-2", "F1", "MAE", "Acc-7", "Corr"]
    assert len(found) == 1 + 3 * (1 + 3)  # the quoted row has nothing to show
    with_papers = rows(latex(filled(metrics)))
    assert r"\emph{the paper's figures}" in with_papers[1][0]
    assert with_papers[2][1:] == ["99.9", "99.9", "99.900", "99.9", "99.900"]


@pytest.mark.parametrize(
    ("metric", "means", "expected"),
    [
        ("accuracy", [70.0, 74.86, 74.9], {1, 2}),  # both print 74.9
        ("accuracy", [70.0, None, 70.1], {2}),
        ("mae", [0.81, 0.559, 0.56], {1}),
        ("mae", [0.5601, 0.559, 0.5594], {1, 2}),
        ("accuracy", [70.0, None, None], set()),  # nothing to compare with
        ("accuracy", [None], set()),
        ("mae", [nan, 0.56, 0.559], {2}),  # a network that diverged
        ("mae", [nan, 0.56, nan], set()),
    ],
)
def test_the_best_are_ours_alone_and_by_the_metric(
    metric: str, means: list[float | None], expected: set[int]
) -> None:
    found = [None if mean is None else estimate(metric, mean) for mean in means]
    assert best(metric, found) == expected


def test_a_quoted_figure_is_never_bold() -> None:
    bold = re.findall(r"\\textbf\{(.*?)\}", latex(filled(("accuracy", "mae"), RULES[:1])))
    assert bold == ["74.9", "0.559"]  # the paper's 99.9 are larger


def test_text_means_nothing_to_tex() -> None:
    assert escape("a_b & 50 % #1 {x} $2 ~ ^ \\") == (
        r"a\_b \& 50 \% \#1 \{x\} \$2 \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )
    assert escape("a < b > c | 3 ± 1, β λ †") == (
        r"a $<$ b $>$ c $|$ 3 $\pm$ 1, $\beta$ $\lambda$ $\dagger$"
    )
    assert r"\caption{Table 4: C\_m \& 100 \%. " in latex(filled())


def test_comments_say_what_it_stands_on_and_what_has_no_room() -> None:
    text = latex(filled())
    comments = [line for line in text.splitlines() if line.startswith("%")]
    joined = " ".join(line[2:] for line in comments)
    assert "run hashes " + "f" * 64 in joined and "MSAF: a note: 50 % of a_b" in joined
    assert "No room" not in joined
    many = filled(("acc2", "f1", "mae", "acc7", "corr"))
    lines = many.lines * 4  # twelve rows and the paper's
    text = latex(Filled(many.table, many.rules, lines, many.provenance))
    found = " ".join(textwrap.dedent(text).replace("% ", "").splitlines())
    assert "No room on a page for paper_rule, last_epoch" in found
    assert "val selected" in found and "last epoch" not in found


def test_rows_that_lack_runs_and_single_runs_are_told() -> None:
    table = filled(rules=RULES[1:2])
    one = Estimate(70.0, nan, 1, "seeds", 1)
    line = Line(table.table.rows[0], 1, 6, {"last_epoch": {"accuracy": one}}, {}, None, None)
    text = latex(Filled(table.table, table.rules, (line, *table.lines[1:]), table.provenance))
    assert "3D ResNeXt50 (Vis.) & 99.90 & 70.0 & " in text
    caption = next(x for x in text.splitlines() if x.startswith(r"\caption"))
    assert "Runs so far: 3D ResNeXt50 (Vis.) (1 of 6)." in caption
    assert "A single run has no error." in caption
