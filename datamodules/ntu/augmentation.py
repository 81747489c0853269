"""Windows, crops and flips of NTU RGB+D clips, as `windows` draws them: done on the device.

Legend: B samples, T packed frames, F frames handed on, V joints, P persons.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from datamodules.ntu.groups import Normalisation
from datamodules.packed.augmentation import crop_and_flip

_LEFT = (4, 5, 6, 7, 12, 13, 14, 15, 21, 22)  # shoulder to hand, hip to foot, tip and thumb
_RIGHT = (8, 9, 10, 11, 16, 17, 18, 19, 23, 24)
_MIRROR = dict(zip(_LEFT + _RIGHT, _RIGHT + _LEFT, strict=True))
MIRRORED = [_MIRROR.get(joint, joint) for joint in range(25)]  # the joint on the other side
_ROUNDING = 1e-6  # frames
_SPINE = 1  # the joint in the middle of the spine


def view_video(video: Tensor, drawn: np.ndarray, *, frames: int, size: int) -> Tensor:
    """Take F frames of each window, evenly, then crop, resize and flip them.

    Args:
        video: (B, T, H, W, 3) uint8.
        drawn: (B, 7) from `ClipAugmentation.draw_video`.
        frames: F. As in the released code, frames are repeated where there are fewer.
        size: height and width of the result.

    Returns:
        (B, F, size, size, 3) uint8.
    """
    total = video.shape[1]
    start, length = _window(drawn, total)
    steps = np.linspace(0, np.maximum(length - 1, 0), frames, axis=1)
    wanted = np.floor(start[:, None] + steps + _ROUNDING).astype(np.int64).clip(0, total - 1)
    rows = torch.arange(len(video), device=video.device)[:, None]
    taken = video[rows, _on_device(wanted, video)]  # (B, F, H, W, 3)
    return crop_and_flip(taken, drawn[:, None, 2:].astype(np.int64), size=(size, size))


def view_skeleton(
    skeleton: Tensor, drawn: np.ndarray, lengths: np.ndarray, *, frames: int
) -> Tensor:
    """Bring each window to F frames, linearly between frames, and mirror it where that was drawn.

    A window takes whole frames, as in the released code, whose only interpolation this is.

    Args:
        skeleton: (B, 3, T, V, P), each padded behind its own frames.
        drawn: (B, 3) from `ClipAugmentation.draw_skeleton`.
        lengths: (B,) frames of each skeleton, without the padding. One without frames is taken for
            a frame of zeros.
        frames: F.

    Returns:
        (B, 3, F, V, P).
    """
    total = np.maximum(lengths, 1)
    length = np.maximum(np.floor(drawn[:, 1] * total + _ROUNDING), 1)  # (B,)
    start = np.minimum(np.floor(drawn[:, 0] * (total - length + 1)), total - length)
    centre = ((np.arange(frames) + 0.5) * length[:, None] / frames - 0.5).clip(min=0)
    centre = start[:, None] + np.minimum(centre, length[:, None] - 1)
    place = _on_device(centre.astype(np.float32), skeleton)
    low = place.floor().long()
    part = (place - low)[:, :, None, None, None]
    by_frame = skeleton.transpose(1, 2)  # (B, T, 3, V, P)
    rows = torch.arange(len(skeleton), device=skeleton.device)[:, None]
    last = _on_device(total[:, None] - 1, skeleton)
    one, other = by_frame[rows, low], by_frame[rows, torch.minimum(low + 1, last)]
    taken = (one * (1 - part) + other * part).transpose(1, 2)
    flip = _on_device(drawn[:, -1] > 0, skeleton)[:, None, None, None, None]
    sides = _on_device(np.array([-1, 1, 1], np.float32), skeleton)[:, None, None, None]
    mirrored = taken[..., _on_device(np.array(MIRRORED), skeleton), :] * sides
    return torch.where(flip, mirrored, taken)


def _on_device(values: np.ndarray, tensor: Tensor) -> Tensor:
    """Bring a few numbers to a tensor's device; nothing waits until they are there."""
    return torch.from_numpy(values).to(tensor.device, non_blocking=True)


def _window(drawn: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """First frame and number of frames of each window, (B,) each, not rounded."""
    length = drawn[:, 1] * total
    return drawn[:, 0] * (total - length), length


def centre_on_first_spine(skeleton: Tensor) -> Tensor:
    """Put the origin of every frame in the middle of the first person's spine (released code).

    Both persons are moved alike. Where the second one is absent, and so zero, it becomes minus the
    first one's spine; where the first one is absent, nothing moves.

    Args:
        skeleton: (B, 3, F, V, P) in meters before the camera.
    """
    return skeleton - skeleton[:, :, :, _SPINE, None, 0, None]


def centre_present_on_first_spine(skeleton: Tensor) -> Tensor:
    """Do the same, but leave a person who is absent from a frame at zero."""
    present = (skeleton != 0).any(dim=3, keepdim=True).any(dim=1, keepdim=True)
    return centre_on_first_spine(skeleton) * present


NORMALISATIONS: dict[Normalisation, Callable[[Tensor], Tensor]] = {
    "first_spine": centre_on_first_spine,
    "first_spine_of_present": centre_present_on_first_spine,
    "none": lambda skeleton: skeleton,
}
