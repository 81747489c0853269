"""The GPUs of this machine, dealt out over processes that train at the same time."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

CHOSEN = "CUDA_VISIBLE_DEVICES"
SHARED = "MSAF_JOB_DEVICES"  # the GPUs that the processes started from here share, by number

_held: list[FileLock] = []


@contextmanager
def sharing_devices() -> Iterator[None]:
    """Let the processes that are started meanwhile share the GPUs of this one, if it has several.

    Each of them has to call `take_device`.
    """
    devices = visible_devices()
    if len(devices) > 1:
        os.environ[SHARED] = ",".join(devices)
    try:
        yield
    finally:
        os.environ.pop(SHARED, None)


def take_device() -> None:
    """Give this process one GPU of those that it shares, for as long as it lives.

    Only the first call does anything, and only where there is something to share. It has to come
    before CUDA starts, which reads once what it may use.
    """
    devices = os.environ.pop(SHARED, "")
    if devices:
        os.environ[CHOSEN] = hold_device(devices.split(","), lock_folder())


def hold_device(devices: Sequence[str], folder: Path) -> str:
    """Return the device that the fewest processes hold, the first among equals, and hold it.

    A lock says so, which the system releases when a process ends, however it ends. So processes
    that come in the place of others take what those have left, which no numbering of jobs gives.

    Args:
        devices: by number or name.
        folder: of the locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for turn in count():
        for device in devices:
            lock = FileLock(folder / f"{device}.{turn}")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            _held.append(lock)
            return device
    raise AssertionError("there is always another turn")


def lock_folder() -> Path:
    """Return where the locks are: on this machine, for all commands of this user."""
    return Path(tempfile.gettempdir()) / f"msaf-devices-{os.getuid()}"


def visible_devices() -> list[str]:
    """Return the GPUs that this process may use."""
    chosen = os.environ.get(CHOSEN)
    if chosen is not None:
        return [device.strip() for device in chosen.split(",") if device.strip()]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
