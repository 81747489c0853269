"""Raw data set -> packed data set: `python scripts/prepare.py task=ravdess raw=<folder>`."""

import os
import sys
from pathlib import Path

import hydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig, MissingMandatoryValue

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


@hydra.main(version_base="1.3", config_path="../configs", config_name="prepare")
def main(config: DictConfig) -> None:
    """Run the task's prepare function, and end with one message where it cannot go on."""
    try:
        hydra.utils.instantiate(config.prepare)
    except KeyboardInterrupt:
        sys.exit("\nstopped; the same command continues where it was")
    except (InstantiationException, MissingMandatoryValue) as error:
        if "raw" in str(error) and not config.get("raw"):
            sys.exit("raw=<folder> is missing: where does the raw data set lie? (--help)")
        cause = error.__cause__
        if not isinstance(cause, ValueError) or os.environ.get("HYDRA_FULL_ERROR"):
            raise
        sys.exit(f"error: {cause}")


if __name__ == "__main__":
    main()
