import json
from pathlib import Path

import pytest

from datamodules.formats.mosei_folds import are_standard, read_folds
from datamodules.packed.errors import DataError
from tests.sample_data import REAL_DATA, needs_real_data


def written(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("names", [("train", "valid", "test"), ("train", "dev", "test")])
def test_json(tmp_path: Path, names: tuple[str, str, str]) -> None:
    lists = dict(zip(names, (["a", "b"], ["c"], ["d"]), strict=True))
    folds = read_folds(written(tmp_path / "folds.json", lists))
    assert folds == {"a": "train", "b": "train", "c": "valid", "d": "test"}
    assert not are_standard(folds)


def test_python_is_parsed_and_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = (
        f"open({str(ran)!r}, 'w')\nstandard_train_fold=['a', 'b']\nstandard_valid_fold=['c']\n"
        "standard_test_fold=['d']\n"
    )
    path = written(tmp_path / "cmu_mosei_std_folds.py", code)
    assert read_folds(path) == {"a": "train", "b": "train", "c": "valid", "d": "test"}
    assert not ran.exists()
    written(path, code.replace("['d']", "list(open('/etc/hostname'))"))
    with pytest.raises(DataError, match="line 4: expected a list of video ids, written out"):
        read_folds(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "folds.json",
            {"train": ["a", "b"], "valid": ["b"], "test": ["a"]},
            "found 2 in two, such as b in train and valid",
        ),
        ("folds.json", {"train": ["a"], "valid": "b", "test": []}, "list of video ids as valid"),
        ("folds.json", {"train": ["a"]}, "for train, valid and test, found train"),
        (
            "folds.json",
            {"train": ["a"], "val": ["b"]},
            r"for train, valid and test, found train, valid; .* write \[\] for one without videos",
        ),
        (
            "folds.json",
            {"train": ["a"], "dev": ["b"], "val": ["c"], "test": ["d"]},
            "expected one entry for valid, found dev and val; keep one of them",
        ),
        ("folds.json", '{"train": ["a"], "train": ["b"]}', "found train and train"),
        (
            "folds.py",
            "train = ['a']\nstandard_valid_fold = ['b']\ndev = ['c']\ntest = []",
            "expected one entry for valid, found standard_valid_fold and dev",
        ),
        ("folds.py", "train = ['a']\nvalid = ['b']", "valid and test, found train, valid;"),
        ("folds.json", {"a": "train"}, "for train, valid and test, found none"),
        ("folds.json", ["a"], "found list"),
        ("folds.json", "{", "expected folds in JSON"),
        ("folds.py", "train = [", "expected Python that assigns the folds"),
    ],
)
def test_unusable_folds(tmp_path: Path, name: str, content: object, message: str) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(DataError, match=message) as raised:
        read_folds(path)
    assert str(path) in str(raised.value)


def test_a_split_without_videos(tmp_path: Path) -> None:
    lists: dict[str, list[str]] = {"train": ["a"], "valid": ["b"], "test": []}
    folds = read_folds(written(tmp_path / "folds.json", lists))
    assert folds == {"a": "train", "b": "valid"}


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a file with the folds, found no such file"):
        read_folds(tmp_path / "folds.json")


@pytest.mark.real
@needs_real_data
def test_the_standard_folds_are_recognised() -> None:
    folds = read_folds(REAL_DATA / "mosei" / "standard_folds.json")
    assert len(folds) == 2249 + 300 + 678
    assert are_standard(folds)
    assert not are_standard(dict.fromkeys(folds, "train"))
