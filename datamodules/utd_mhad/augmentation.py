"""Windows, turns, scales, noise and crops of UTD-MHAD, as `draws` has them: done on the device.

Legend: B samples, C channels, T padded steps, S steps handed on, V joints; `*` is any other axis.
"""

import numpy as np
import torch
from torch import Tensor

from datamodules.formats.utd_mhad import CHANNELS, SPINE
from datamodules.utd_mhad.draws import DEPTH_UNIT, INERTIAL_UNITS
from datamodules.utd_mhad.groups import UtdMhadDepth, UtdMhadInertial, UtdMhadSkeleton


def resample(values: Tensor, lengths: np.ndarray, drawn: np.ndarray, steps: int) -> Tensor:
    """Bring the window of each recording to S steps, linearly; the first and last are its ends.

    Args:
        values: (B, C, T, *), each padded behind its own steps.
        lengths: (B,) steps of each, without the padding.
        drawn: (B, ...) that begin with place and length of the window.
        steps: S, at least 2.

    Returns:
        (B, C, S, *).
    """
    last = lengths[:, None] - 1  # (B, 1)
    moments = last * (
        drawn[:, :1] * (1 - drawn[:, 1:2]) + drawn[:, 1:2] * np.linspace(0, 1, steps)
    )  # (B, S)
    low = np.floor(moments).astype(np.int64).clip(0, last)
    part = _on_device((moments - low).astype(np.float32), values)
    high = _on_device(np.minimum(low + 1, last), values)
    by_step = values.transpose(1, 2)  # (B, T, C, *)
    rows = torch.arange(len(values), device=values.device)[:, None]
    part = part.view(*part.shape, *[1] * (values.ndim - 2))
    one, other = by_step[rows, _on_device(low, values)], by_step[rows, high]
    return (one + (other - one) * part).transpose(1, 2)


def view_skeleton(
    skeleton: Tensor, lengths: np.ndarray, drawn: np.ndarray, settings: UtdMhadSkeleton
) -> Tensor:
    """Take the window, put the spine at the origin, turn and scale.

    Args:
        skeleton: (B, 3, T, 20, 1) in meters before the camera.
        lengths: (B,) frames of each.
        drawn: (B, 4) from `RecordingAugmentation.draw_skeleton`.
        settings: how many frames, and what the origin is.

    Returns:
        (B, 3, S, 20, 1).
    """
    taken = resample(skeleton, lengths, drawn, settings.frames)
    origin = taken[:, :, :, SPINE, None]  # (B, 3, S, 1, 1)
    centered = taken - (origin if settings.centre == "frame" else origin[:, :, :1])
    size, turn = drawn[:, 3], drawn[:, 2]
    cos, sin, none = size * np.cos(turn), size * np.sin(turn), np.zeros_like(turn)
    turns = np.stack([cos, none, sin, none, size, none, -sin, none, cos], 1).reshape(-1, 3, 3)
    return torch.einsum("bij,bjtvp->bitvp", _on_device(turns.astype(np.float32), taken), centered)


def view_inertial(
    inertial: Tensor, lengths: np.ndarray, drawn: np.ndarray, settings: UtdMhadInertial
) -> Tensor:
    """Take the window, scale to g and hundreds of degrees a second, add the noise.

    Args:
        inertial: (B, 6, T) in g and degrees a second.
        lengths: (B,) samples of each.
        drawn: (B, 3 + 6 S) from `RecordingAugmentation.draw_inertial`.
        settings: how many steps.

    Returns:
        (B, 6, S).
    """
    taken = resample(inertial, lengths, drawn, settings.steps)
    units = np.array(INERTIAL_UNITS)[:, None] / drawn[:, 2, None, None]  # (B, 6, 1)
    noise = drawn[:, 3:].reshape(len(drawn), CHANNELS, settings.steps)
    return taken / _on_device(units.astype(np.float32), taken) + _on_device(
        noise.astype(np.float32), taken
    )


def view_depth(depth: Tensor, drawn: np.ndarray, settings: UtdMhadDepth) -> Tensor:
    """Take frames of the window and crop them; say of each pixel what is there, how far, how moved.

    Args:
        depth: (B, T, height, width) int16 in millimeters, 0 where there is no body.
        drawn: (B, 4) from `RecordingAugmentation.draw_depth`.
        settings: how many frames, and the size of the crop.

    Returns:
        (B, 3, S, size, size): 1 where there is a body; how far it is beyond the mean of the
        recording's body, in 300 mm; and how much more the next frame says than this one.
    """
    last = depth.shape[1] - 1
    moments = last * (
        drawn[:, :1] * (1 - drawn[:, 1:2]) + drawn[:, 1:2] * np.linspace(0, 1, settings.frames)
    )  # (B, S)
    wanted = np.round(moments).astype(np.int64)
    rows = torch.arange(len(depth), device=depth.device)[:, None]
    taken = depth[rows, _on_device(wanted, depth)]
    crops = [
        clip[:, top : top + settings.size, left : left + settings.size]
        for clip, (top, left) in zip(taken, drawn[:, 2:].astype(int).tolist(), strict=True)
    ]
    millimeters = torch.stack(crops).float()  # (B, S, size, size)
    body = (millimeters > 0).float()
    amount = body.sum((1, 2, 3), keepdim=True).clamp(min=1)
    mean = millimeters.sum((1, 2, 3), keepdim=True) / amount
    beyond = (millimeters - mean) / DEPTH_UNIT * body
    moved = torch.cat([beyond[:, 1:], beyond[:, -1:]], 1) - beyond
    # Channels last, as the CPU's convolutions like it.
    return torch.stack([body, beyond, moved], -1).movedim(-1, 1)


def _on_device(values: np.ndarray, tensor: Tensor) -> Tensor:
    """Bring a few numbers to a tensor's device; nothing waits until they are there."""
    return torch.from_numpy(values).to(tensor.device, non_blocking=True)
