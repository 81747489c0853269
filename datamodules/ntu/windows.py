"""Random windows, crops and flips of NTU RGB+D clips, as the loader draws them.

Legend: B samples, T packed frames.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from datamodules.ntu.groups import NtuVideo, NtuWindows


@dataclass(frozen=True)
class ClipAugmentation:
    """What is drawn for one clip: a window in time, a crop and a flip, the same for all its frames.

    Args:
        windows: how the windows and the flip are drawn.
        video: how the crop is drawn.
    """

    windows: NtuWindows = field(default_factory=NtuWindows)
    video: NtuVideo = field(default_factory=NtuVideo)

    def still(self) -> "ClipAugmentation":
        """Return what evaluation does: the whole clip, the centre, no flip."""
        still = NtuWindows(probability=0, flip=0)
        return ClipAugmentation(still, replace(self.video, crop_place="centre"))

    def _draw(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(2, 2) place and length of two windows, (2,) place of the crop, and 1 to flip.

        Both streams draw all of it from generators in the same state, so they agree.
        """
        shorter, length, place = generator.random((3, 2))
        length = np.where(
            shorter < self.windows.probability, 1 - (1 - self.windows.shortest) * length, 1.0
        )
        crop, flip = generator.random(2), generator.random(1) < self.windows.flip
        return np.stack([place, length], 1), crop, flip

    def draw_video(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Draw for the frames of one clip.

        Args:
            shape: (T, H, W, 3).
            generator: what is drawn depends on it alone.

        Returns:
            (7,): place of the window, 0 for the earliest and 1 for the latest, and its length, 1
            for the clip's; top, left, height and width of the crop; 1 to flip.
        """
        windows, crop, flip = self._draw(generator)
        place, length = windows[0]
        if self.windows.kind == "separate":
            place = 0.5
        frame = np.array(shape[1:3])
        size = np.round(self.video.crop * frame).astype(int)
        margin = frame - size
        random = self.video.crop_place == "random"
        corner = (crop * (margin + 1)).astype(int) if random else margin // 2
        return np.array([place, length, *corner, *size, *flip])

    def draw_skeleton(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Draw for the skeletons of one clip.

        Returns:
            (3,): place and length of the window as for the frames; 1 to flip.
        """
        windows, _, flip = self._draw(generator)
        return np.array([*windows[0 if self.windows.kind == "shared" else 1], *flip])


def lengthen(drawn: np.ndarray, lengths: np.ndarray, least: int) -> np.ndarray:
    """Lengthen windows that hold fewer than `least` of the clip's own frames, or take all of it.

    Args:
        drawn: (B, ...) that begin with place and length of a window.
        lengths: (B,) frames of each clip, or of its skeleton file, which may have none.
        least: 64 for the skeletons of the released code.
    """
    longer = drawn.copy()
    longer[:, 1] = np.maximum(drawn[:, 1], least / np.maximum(lengths, 1)).clip(max=1)
    return longer
