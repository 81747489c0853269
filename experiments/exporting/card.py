"""What stands beside an exported file: all that is needed to feed it and to read its scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from experiments.contracts import TellsInputs
from experiments.exporting.inputs import Inputs
from experiments.prediction.load import LoadedRun

OF_THE_RUN = (
    *("task", "fusion", "modalities", "protocol", "data", "provenance"),
    *("hash", "fold", "seed", "manifest", "commit"),
)
# Of the datamodule's settings those that say where the data lie and which of them train.
OF_THE_DATA = (
    *("_target_", "root", "fold", "folds", "split", "seed", "batch_size", "evaluation_batch_size"),
    *("workers", "sample", "evaluate_on", "validation", "validation_actors"),
    *("validation_part", "validation_subjects"),
)


def describe(
    run: LoadedRun, inputs: Inputs, names: Sequence[str], path: Path, measured: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is written beside an exported file, as JSON.

    Args:
        run: that was exported.
        inputs: of its network.
        names: of the inputs that the file has.
        path: of the file.
        measured: its size, agreement and latency.
    """
    metrics, cfg = run.reopened.run.metrics, run.reopened.cfg
    settings: Any = OmegaConf.to_container(cfg.datamodule)
    data = run.reopened.data
    shapes = {name: ["batch", *shape] for name, shape in inputs.shapes.items()}
    classes = None if run.classes is None else list(run.classes)
    meaning = "the softmax over the classes gives their probabilities"
    return {
        "file": path.name,
        "run": {key: metrics.get(key) for key in OF_THE_RUN} | {"rule": run.rule},
        "inputs": {
            name: {"shape": shapes[name], "type": "float32"}
            if name in shapes
            else {"shape": ["batch"], "type": "int64", "is": "steps that are no padding"}
            for name in names
        },
        "output": {
            "scores": ["batch", int(cfg.task.outputs)],
            "meaning": "the predicted value" if classes is None else meaning,
        },
        "classes": classes,
        "preprocessing": {
            "prepare": metrics.get("preparation"),
            "loading": {key: value for key, value in settings.items() if key not in OF_THE_DATA},
            "network": dict(data.inputs) if isinstance(data, TellsInputs) else None,
        },
        "measured": dict(measured),
    }
