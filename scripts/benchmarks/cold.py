"""Files that the system has to read from the disk again."""

import os
from contextlib import suppress
from pathlib import Path

PROBES = 16  # places of the file that are asked whether they lie in memory


def forget(path: Path) -> bool:
    """Let the system forget a file that lies on the disk; false where it keeps it in memory."""
    if not hasattr(os, "posix_fadvise"):  # on macOS and Windows
        return False
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return not in_memory(file.fileno(), path.stat().st_size)


def in_memory(descriptor: int, size: int) -> bool:
    """Whether most of a file can be read without the disk; false where the system cannot say."""
    found = 0
    for place in range(0, size, max(size // PROBES, 1)):
        # Raised where the page is not there, or where the file system cannot answer.
        with suppress(OSError):
            found += os.preadv(descriptor, [bytearray(1)], place, os.RWF_NOWAIT) > 0
    return found > PROBES // 2
