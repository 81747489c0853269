"""What a run says of a clip of one's own: `python scripts/predict.py run=<run folder> clip.mp4`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments.script import run_script

HELP = """Let a finished run predict clips of one's own.

  python scripts/predict.py run=<run folder> clip.mp4
  python scripts/predict.py run=<run folder> one.mp4 two.mp4 sound.wav
  python scripts/predict.py run=<run folder> clip.mp4 face=<OpenFace's csv of the clip>

  run       the folder of one run; its data set need not be there
  files     what belongs to one clip has one name, up to its first dot; files that are each of
            another kind are one clip, whatever they are called
  out       the folder of JSON and pictures; one under results/predictions if not given
  rule      the reporting rule whose weights predict; the run's headline if not given
  without   modalities that are left out, such as [audio]
  trust     true: build whatever classes the run's config.yaml names

  of task=ravdess: videos with or without sound, sounds, csvs of OpenFace or of action units
  face      a csv of OpenFace's landmarks, a YuNet model (.onnx), or whole: the frames show a face
            alone; OpenCV's own detector if not given

  of task=mosei: texts (.txt), and features (.npy, one row a step)
  text      the text itself, in place of a file, as in text="i liked this movie"
  text_encoder   a folder, or a name on the hub: the encoder that the run was trained with

  of task=ntu: videos, and Kinect skeletons (.skeleton)

A modality of the run that no file has is absent, and it is said: its features are zero.
"""


def main(arguments: list[str]) -> int:
    """Predict, print, write; return the exit status."""
    # Imported here because torch takes seconds, and `--help` should not.
    from experiments.console import console
    from experiments.prediction.command import Asked

    return min(Asked.of(arguments).answer(console), 1)


if __name__ == "__main__":
    run_script(main, help=lambda: HELP)
