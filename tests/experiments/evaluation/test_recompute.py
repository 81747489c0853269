"""Predicting again from a run's weights, and everything that can be wrong with its folder."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from omegaconf import OmegaConf

from experiments.evaluation.finished import find_runs
from experiments.evaluation.recompute import recompute
from experiments.runs.compose import compose
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.runs.trust import refuse_unknown_classes
from tests.experiments.conftest import MakeRun
from tests.experiments.finished import RunsCode


@pytest.fixture
def trained(make_run: MakeRun) -> Path:
    run = make_run("fusion=none", "modalities=[audio]", "epochs=2")
    run.complete()
    return run.folder.path


def test_predicting_again_gives_the_same_scores(trained: Path) -> None:
    run = find_runs(str(trained))[0]
    assert recompute(run, "last_epoch", trust=True) < 1e-5
    assert recompute(run, "paper_rule", trust=True) < 1e-5


def test_weights_that_did_not_make_the_scores(trained: Path) -> None:
    weights = trained / "checkpoints" / "last_epoch.pt"
    state = torch.load(weights, weights_only=True)
    torch.save({k: v * 1.5 if v.is_floating_point() else v for k, v in state.items()}, weights)
    with pytest.raises(RunError, match=r"differ from those in predictions.npz"):
        recompute(find_runs(str(trained))[0], "last_epoch", trust=True)


def test_a_checkpoint_of_another_network(trained: Path, make_run: MakeRun) -> None:
    other = make_run("fusion=none", "modalities=[action_units]", "epochs=1")
    other.complete()
    shutil.copy(other.folder.weights("last_epoch"), trained / "checkpoints" / "last_epoch.pt")
    with pytest.raises(RunError, match=r"last_epoch.pt: expected the weights of the network"):
        recompute(find_runs(str(trained))[0], "last_epoch", trust=True)


def test_a_checkpoint_that_wants_to_run_code(trained: Path, tmp_path: Path) -> None:
    trap = {"branches.audio": RunsCode(tmp_path / "ran")}
    torch.save(trap, trained / "checkpoints" / "last_epoch.pt")
    with pytest.raises(RunError, match="expected a file of named tensors alone"):
        recompute(find_runs(str(trained))[0], "last_epoch", trust=True)
    assert not (tmp_path / "ran").exists()
    torch.load(trained / "checkpoints" / "last_epoch.pt", weights_only=False)
    assert (tmp_path / "ran").exists()  # the trap was a real one


def test_another_data_set_by_now(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.experiments.fakes.TinyData.manifest_hash", "1" * 64)
    with pytest.raises(RunError, match=r"another data set .* manifest 00000000, found 11111111"):
        recompute(find_runs(str(trained))[0], "last_epoch", trust=True)


def test_a_data_set_that_is_gone(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real datamodule, which says what is missing."""
    config = trained / "config.yaml"
    text = config.read_text().replace("tests.experiments.fakes.TinyData", "datamodules.RAVDESS")
    config.write_text(text)
    with pytest.raises(RunError, match=r"cannot be read any more: nowhere/manifest.json"):
        recompute(find_runs(str(trained))[0], "last_epoch")


def test_a_broken_configuration(trained: Path) -> None:
    (trained / "config.yaml").write_text("a: [")
    with pytest.raises(RunError, match=r"config.yaml: expected the run's configuration"):
        recompute(find_runs(str(trained))[0], "last_epoch", trust=True)
    (trained / "config.yaml").unlink()
    with pytest.raises(RunError, match=r"config.yaml: expected .* found no such file"):
        recompute(find_runs(str(trained))[0], "last_epoch", trust=True)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "subprocess.Popen",
        "torch.load",
        "torch.optim.sgd.torch.hub.load",
        "models.network.torch.load",
        "models.nowhere.Network",
        "models",
        "datamodules.ntu.prepare.prepare_ntu",
        "datamodules.formats.ntu_name.parse_sample_name",  # no optimizer
        "pytorch_lightning.Callback",
        "experiments.runs.folder.RunFolder",
        7,
    ],
)
def test_a_class_that_is_not_known_is_not_built(name: object) -> None:
    for config in ({"_target_": name}, {"a": {"b": [1, {"_partial_": True, "_target_": name}]}}):
        with pytest.raises(RunError, match=rf"c.yaml: expected .* found {name}, .* trust=true"):
            refuse_unknown_classes(config, Path("c.yaml"))


def test_a_class_concealed_in_a_run_folder_is_not_built(trained: Path) -> None:
    file = trained / "config.yaml"
    config = OmegaConf.load(file)
    config.datamodule._target_ = "datamodules.RAVDESS"
    config.network.readout = {"_target_": "pathlib.${concealed}", "_args_": ["anything"]}
    OmegaConf.update(config, "concealed", "Path", force_add=True)
    OmegaConf.save(config, file)
    with pytest.raises(RunError, match=r"config.yaml: expected values alone, .* trust"):
        recompute(find_runs(str(trained))[0], "last_epoch")


def test_text_that_would_become_a_class_later_is_refused(trained: Path, tmp_path: Path) -> None:
    """An escaped interpolation is text once it is resolved, and one again when it is read again."""
    np.save(tmp_path / "a.npy", np.array([RunsCode(tmp_path / "ran")]), allow_pickle=True)
    file = trained / "config.yaml"
    config = OmegaConf.to_container(OmegaConf.load(file))
    assert isinstance(config, dict)
    node = f"{{_target_: numpy.load, file: {tmp_path}/a.npy, allow_pickle: true}}"
    config["network"]["readout"] = f"\\${{oc.create:'{node}'}}"
    file.write_text(yaml.safe_dump(config))
    said = r"config.yaml: expected values alone, found .*\$\{oc.create"
    with pytest.raises(RunError, match=said):
        recompute(find_runs(str(trained))[0], "last_epoch")
    assert not (tmp_path / "ran").exists()


def test_what_the_projects_own_configurations_name_is_known(make_run: MakeRun) -> None:
    """Every task and fusion, and the logger; a class of the tests is not among them."""
    for overrides in (
        ["task=ravdess", "fusion=msaf", "logger=wandb"],
        ["task=mosei", "fusion=misa"],
        ["task=ntu", "fusion=mfas", "recipe=skeleton"],
        ["task=ntu", "fusion=none", "modalities=[video]"],  # its optimizer is a function of ours
    ):
        cfg = compose(Overrides([*overrides, "data.root=a", "data=full"]))
        plain = OmegaConf.to_container(cfg, resolve=True)
        refuse_unknown_classes(plain, Path("config.yaml"))
    with pytest.raises(RunError, match=r"found tests\.experiments\.fakes\.TinyData"):
        refuse_unknown_classes(
            {"a": [{"_target_": make_run("fusion=sum").cfg.datamodule._target_}]}, Path("a")
        )
