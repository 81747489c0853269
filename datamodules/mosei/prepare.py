"""CMU-MOSEI: `.csd` files, a pickle or a table of texts -> packed faces, voices and texts."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from datamodules.formats.mosei_folds import are_standard, read_folds
from datamodules.mosei.from_csd import find_csd_files, plan_csd
from datamodules.mosei.from_pickle import plan_pickle
from datamodules.mosei.from_table import plan_table
from datamodules.mosei.rows import SegmentPlan
from datamodules.mosei.segment import MoseiSettings
from datamodules.mosei.text_encoder import TextEncoder
from datamodules.mosei.text_features import TextFeatures
from datamodules.packed.dataset import INDEX, canonical_hash
from datamodules.packed.errors import DataError
from datamodules.packed.job import PrepareJob, pack
from datamodules.packed.source import fingerprint, rendered
from datamodules.packed.workers import cores

TASK = "mosei"
EXPECTED = {"train": 16322, "valid": 1871, "test": 4659}  # paper 5.1, with the released code
_FOLDS = ("*folds*.json", "*folds*.py")

Whole = Callable[[Path], Mapping[str, Path]]


def prepare_mosei(
    raw: str | Path,
    out: str | Path,
    *,
    protocol: str,
    settings: MoseiSettings,
    text_encoder: str | Path | None = None,
    folds: str | Path | None = None,
    workers: int | None = None,
) -> Path:
    """Pack whatever is there.

    Args:
        raw: a folder with the SDK's `.csd` files, a pickle of MMSA or MulT, a table of texts, or a
            folder with one of the latter two.
        out: the packed folder to make. Text features are kept in `text-cache` beside it.
        protocol: name of the protocol that the settings belong to.
        settings: what acts here.
        text_encoder: a folder, or a name on the hub. Without one, text is left out. A pickle brings
            its own text features.
        folds: which videos train and test; by default a file in `raw`, or the table's `mode`.
        workers: number of processes, by default one a core.

    Returns:
        The packed folder.

    Raises:
        DataError: nothing usable was found, or as the readers and `pack` say.
    """
    raw, out, workers = Path(raw), Path(out), workers or cores()
    plan = _plan(raw, None if folds is None else Path(folds), settings)
    root = raw if raw.is_dir() else raw.parent
    source = fingerprint(plan.files, root) | {"folds": canonical_hash(dict(plan.folds))[:16]}
    source |= rendered(root)
    whole, seconds = plan.whole, plan.seconds
    if plan.sentences and text_encoder is not None and plan.segments:
        text = _text(plan, str(text_encoder), settings, out.parent / "text-cache", workers)
        source |= {"text_encoder": text.encoder.fingerprint}
        whole, seconds = text, seconds + text.seconds_per_sample
    elif plan.sentences:
        plan.warnings.append("no text is packed, because no text_encoder was given")
    _check_counts(plan, protocol, real="rendered" not in source)
    for warning in plan.warnings:
        print(f"warning: {warning}")
    job = PrepareJob(
        task=TASK,
        protocol=protocol,
        provenance="sample" if "rendered" in source else "real",
        settings=asdict(settings),
        source=source,
        index=[segment.row() for segment in plan.segments],
        items=plan.items,
        work=plan.work,
        bytes_per_sample=sum(plan.sizes.values()),
        seconds_per_sample=seconds,
        dropped=plan.dropped,
        counts={**plan.splits(), **plan.counts},
        warnings=plan.warnings,
        libraries=("numpy", "h5py", "transformers", "tokenizers", "torch"),
        whole=whole,
    )
    if plan.segments and not plan.sizes:
        raise DataError(f"{raw}: found nothing to pack: give text_encoder=<hub name or folder>")
    return pack(job, out, workers=workers)


def _plan(raw: Path, folds: Path | None, settings: MoseiSettings) -> SegmentPlan:
    """Choose the way by what there is: `.csd` files, a pickle, a table."""
    if raw.is_dir() and any(raw.rglob("*.csd")):
        files, others = find_csd_files(raw)
        print(
            f"found in {raw}: {', '.join(f'{kind} ({path.name})' for kind, path in files.items())}"
            + (f"; not used: {', '.join(others)}" if others else "")
        )
        file = folds or find_folds(raw)
        plan = plan_csd(files, read_folds(file), settings)
        plan.files.append(file)
        return plan
    file = single_file(raw)
    print(f"found {file}")
    if file.suffix != ".csv":
        if folds is not None:
            raise DataError(f"folds={folds}: {file} has folds of its own; leave folds out")
        return plan_pickle(file, settings)
    plan = plan_table(file, None if folds is None else read_folds(folds))
    plan.files.extend([] if folds is None else [folds])
    return plan


def find_folds(raw: Path) -> Path:
    """The one file with the folds.

    Raises:
        DataError: there is none, or several.
    """
    found = sorted(path for pattern in _FOLDS for path in raw.rglob(pattern))
    if len(found) != 1:
        raise DataError(
            f"{raw}: expected one file with the folds ({' or '.join(_FOLDS)}), found "
            f"{', '.join(path.name for path in found) or 'none'}; give folds=<file>, such as the "
            "SDK's cmu_mosei_std_folds.py"
        )
    return found[0]


def single_file(raw: Path) -> Path:
    """The one pickle or table.

    Raises:
        DataError: there is none, or several.
    """
    if raw.is_file() and raw.suffix in (".csv", ".pkl", ".pickle"):
        return raw
    kinds = ("csv", "pkl", "pickle")
    found = [path for kind in kinds for path in sorted(raw.rglob(f"*.{kind}"))]
    found = [path for path in found if path.name != INDEX]  # of a set that was packed into raw
    if len(found) != 1:
        there = "no such file or folder" if not raw.exists() else "none of them"
        listed = ", ".join(str(path.relative_to(raw)) for path in found[:10]) or there
        raise DataError(
            f"{raw}: expected a folder with .csd files, or one pickle (.pkl) or table (.csv), "
            f"found {listed}; docs/data.md says what to fetch"
        )
    return found[0]


def _text(
    plan: SegmentPlan, name: str, settings: MoseiSettings, cache: Path, workers: int
) -> TextFeatures:
    """Word pieces of all sentences; they are encoded when the set is packed."""
    encoder = TextEncoder(name)
    sentences = [segment.sentence for segment in plan.segments]
    pieces, lengths = encoder.tokenize(sentences, settings.steps)
    for segment, length in zip(plan.segments, lengths.tolist(), strict=True):
        segment.lengths["text"] = length
    padding, dtype = settings.text_padding, settings.text_dtype
    text = TextFeatures(encoder, pieces, lengths, padding, dtype, cache, workers)
    plan.sizes["text"] = text.bytes_per_sample
    plan.counts["texts_of_full_length"] = int((lengths == settings.steps).sum())
    return text


def _check_counts(plan: SegmentPlan, protocol: str, *, real: bool) -> None:
    """Compare with the paper's numbers of segments where they have to come out."""
    found = plan.splits()
    comparable = set(plan.sizes) >= {"visual", "audio"} and plan.sentences and plan.work is not None
    if not (real and comparable and protocol == "released" and are_standard(plan.folds)):
        return
    if found != EXPECTED:
        plan.warnings.append(
            f"expected the paper's {_slashed(EXPECTED)} segments, found {_slashed(found)}: "
            "these come from the SDK's TimestampedWords, VisualFacet42, COVAREP and Labels of 2018 "
            "with the standard folds. 22860 in all means that segments without a face were filled "
            "in, 22856 and 22777 are those of circulating pickles, and fewer point to a file of "
            "another version or one that is not whole; every dropped segment has its reason in the "
            "manifest"
        )


def _slashed(counts: Mapping[str, Any]) -> str:
    return "/".join(str(number) for number in counts.values())
