"""What kind of file a user gives, by its content where the name does not say it."""

from pathlib import Path
from typing import Literal

from datamodules.formats.whole import check_whole
from datamodules.packed.errors import DataError

Kind = Literal["video", "silent video", "sound", "image", "table", "text", "skeleton", "array"]

_BY_NAME: dict[str, Kind] = {
    ".csv": "table", ".txt": "text", ".skeleton": "skeleton", ".npy": "array"
}  # fmt: skip


def kind_of(path: Path) -> Kind:
    """Return what a file is.

    Raises:
        DataError: there is no such file, it is a folder, empty, cut off, or of no known kind.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise DataError(f"{path}: expected a file, found {found}")
    if not path.stat().st_size:
        raise DataError(f"{path}: expected a file with content, found an empty one")
    if path.suffix.lower() in _BY_NAME:
        return _BY_NAME[path.suffix.lower()]
    check_whole(path)
    return _of_media(path)


def with_article(kind: Kind) -> str:
    """Return a kind as a sentence has it: a table, an image."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _of_media(path: Path) -> Kind:
    import av
    from av.stream import Disposition

    try:
        with av.open(str(path)) as container:
            covers = Disposition.attached_pic  # of an album; no video
            video = [s for s in container.streams.video if not s.disposition & covers]
            sound = bool(container.streams.audio)
            form = container.format.name
    except (av.FFmpegError, OSError) as error:
        raise DataError(
            f"{path}: expected a video, a sound or a table, found a file that cannot be read as "
            f"one ({error.strerror})"
        ) from error
    if form == "tty":  # what FFmpeg takes any text for
        return "text"
    if form.endswith("_pipe") or form == "image2":
        return "image"
    if video:
        return "video" if sound else "silent video"
    if sound:
        return "sound"
    raise DataError(f"{path}: expected a video or a sound, found neither in it")
