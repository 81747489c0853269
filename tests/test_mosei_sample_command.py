import json
from pathlib import Path

import pytest

from tests.commands import run


@pytest.mark.slow
def test_msaf_on_the_mosei_sample_is_above_every_modality(tmp_path: Path) -> None:
    """From nothing to four networks: render, prepare, train at the sizes of the sample."""
    places = [f"datamodule.root={tmp_path}/packed", f"task.sample.raw={tmp_path}/raw"]
    places.append(f"results={tmp_path}/r")
    words = ["task=mosei", *places, "progress=false"]
    for choice in (["fusion=msaf"], ["-m", "fusion=none", "modalities=[visual],[audio],[text]"]):
        code, _, err = run("train.py", *choice, *words)
        assert (code, err) == (0, "")
    found = {}
    for path in tmp_path.rglob("metrics.json"):
        metrics = json.loads(path.read_text())
        assert metrics["provenance"] == "sample"
        found["+".join(metrics["modalities"])] = metrics["reported"]["val_selected"]["test"]
    fused = found.pop("visual+audio+text")
    assert set(found) == {"visual", "audio", "text"}
    assert fused["acc2"] > max(metrics["acc2"] for metrics in found.values()) + 5
    assert fused["mae"] < min(metrics["mae"] for metrics in found.values()) - 0.1
