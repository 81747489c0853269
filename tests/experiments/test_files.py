import errno
from pathlib import Path

import pytest

from experiments.console import explain
from experiments.files import replacing, write_text


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device", "/x/.m.json.7"),
     RuntimeError("PytorchStreamWriter failed\nstack")],
)  # fmt: skip
def test_a_full_disk_names_the_file_and_leaves_the_one_before(
    tmp_path: Path, error: Exception
) -> None:
    file = tmp_path / "metrics.json"
    write_text(file, "before")
    with pytest.raises(OSError, match="cannot be written") as found, replacing(file) as beside:
        beside.write_text("half")
        raise error
    message = explain(found.value)
    assert str(file) in message and f".{file.name}" not in message and "\n" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]
    assert file.read_text() == "before"
