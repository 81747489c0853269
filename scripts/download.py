"""Raw data by a command: `python scripts/download.py task=ravdess out=<folder>`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
HELP = """Fetch a data set, or look at what lies there of one that cannot be fetched.

  python scripts/download.py task=ravdess out=<folder>
  python scripts/download.py task=ravdess out=<folder> prepare=<packed folder>
  python scripts/download.py task=ravdess out=<folder> modalities=[audio]
  python scripts/download.py task=ravdess out=<folder> only=[1,2]
  python scripts/download.py task=mosei out=<folder>
  python scripts/download.py task=ntu out=<folder>
  python scripts/download.py task=ntu weights=inflated_resnet50

  out         the raw folder; archives that you have already may lie in it
  weights     ImageNet weights of a network, through torchvision; into torch's cache, or into out=

  of task=ravdess
  prepare     a packed folder: each actor is packed as soon as it is there, and its raw files are
              deleted, so that the disk never holds them all. With it, all that scripts/prepare.py
              takes: protocol, workers, action_units, prepare.settings.<...>
  modalities  some of video, audio, action_units, whose archives are fetched; all if not given
  only        numbers of actors; all if not given
  server      the address that records are read from
  retries     further attempts without a byte before it is given up; 6

  Every archive is held against the size and the checksum of its public record. Interrupted in
  whatever way, the same command continues. Of mosei and ntu it says what to ask for and where, and
  which files are complete, missing or unreadable. docs/download.md says more.
"""


def main(arguments: list[str]) -> int:
    """Fetch, or look; return the exit status."""
    import hydra

    from experiments.console import console
    from experiments.fetching.command import download, read

    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return download(read(arguments), CONFIGS, console)


if __name__ == "__main__":
    run_script(main, help=lambda: HELP, after_interrupt="the same command continues where it was")
