"""A run opened again: its own network, in evaluation mode, on its own batches."""

import numpy as np
import torch

from experiments.evaluation.finished import find_runs
from experiments.evaluation.reopen import reopen
from tests.experiments.conftest import MakeRun


def test_the_network_scores_the_test_split_as_the_run_did(make_run: MakeRun) -> None:
    made = make_run("fusion=msaf", "modalities=[audio,action_units]", "init=scratch", "epochs=2")
    made.complete()
    run = find_runs(str(made.folder.path))[0]
    found = reopen(run, "last_epoch", trust=True)
    assert not found.network.training
    with torch.no_grad():
        every = [(batch["id"], found.network(batch).scores) for batch in found.batches("test")]
    ids = torch.cat([ids for ids, _ in every]).tolist()
    scores = torch.cat([scores for _, scores in every]).numpy()
    stored = run.predictions("last_epoch")
    by_id = dict(zip(stored.ids.tolist(), stored.scores, strict=True))
    names = [found.data.ids[row] for row in ids]
    assert sorted(names) == sorted(by_id)
    assert np.allclose(scores, [by_id[name] for name in names], atol=1e-5)
