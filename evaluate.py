"""Evaluate complete runs: `python evaluate.py run=<run folder>`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from experiments.console import command, console, explain, readable_errors


@hydra.main(version_base="1.3", config_path="configs", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    """Print and write what the runs' predictions say; with `against`, their difference."""
    with readable_errors():
        if OmegaConf.is_missing(cfg, "run"):
            raise ValueError("run=<run folder> is missing: which run? (--help)")
        # Imported here because torch takes seconds, and `--help` should not.
        from experiments.evaluation.finished import (
            Evaluation,
            common_folder,
            compare,
            find_runs,
        )
        from experiments.evaluation.places import incomplete_runs
        from experiments.evaluation.terminal import print_difference, print_evaluation
        from experiments.evaluation.write import write_evaluation
        from experiments.figures.predictions import draw_predictions

        if cfg.data.root is not None:
            from experiments.conversion.measure import measure_converted

            measure_converted(cfg.run, Path(str(cfg.data.root)), trust=cfg.trust)
        evaluation = Evaluation(find_runs(cfg.run), cfg.rule)
        print_evaluation(evaluation, console)
        if left_out := incomplete_runs(cfg.run):
            text = f"{len(left_out)} incomplete runs are left out, such as {left_out[0]}"
            console.print(text, markup=False)
        difference = None
        if cfg.against is not None:
            other = Evaluation(find_runs(cfg.against), evaluation.rule)
            difference = compare(evaluation, other)
            print_difference(evaluation, other, difference, console)
        if cfg.recompute:
            from experiments.evaluation.recompute import recompute

            for run in evaluation.runs:
                found = recompute(run, evaluation.rule, trust=cfg.trust)
                console.print(
                    f"fold {run.key[0]} seed {run.key[1]}: predicted again from the weights, "
                    f"largest difference of a score {found:.2g}"
                )
        out = Path(cfg.out or common_folder(evaluation.runs) / "evaluation")
        try:
            write_evaluation(evaluation, difference, out)
            draw_predictions(evaluation, out)
        except OSError as error:
            raise ValueError(f"{explain(error)}; choose another folder with out=") from error
        console.print(str(out), style="bold", markup=False)


if __name__ == "__main__":
    with command():
        main()
