from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from datamodules.formats.video import Track, frame_times, look_at, read_frames
from datamodules.packed.errors import DataError
from datamodules.ravdess.sample.recording import write_mp4
from tests.own_clips import write_clip
from tests.sample_data import REAL_DATA, needs_real_data


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Smooth frames that differ from each other, 20 of them."""
    y, x = np.mgrid[:48, :64]
    images = [np.stack([x * 3, y * 4, np.full_like(x, 10 * t)], -1) for t in range(20)]
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    write_mp4(path, np.array(images, np.uint8), 10, np.zeros(0, np.float32), 48000)
    return path


def test_against_opencv(clip: Path) -> None:
    capture, frames = cv2.VideoCapture(str(clip)), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    assert look_at(clip) == Track(20, 48, 64)
    assert len(frames) == 20
    wanted = [0, 3, 4, 19]
    found = read_frames(clip, wanted)
    assert found.shape == (4, 48, 64, 3)
    assert np.abs(found - np.stack([frames[i] for i in wanted]).astype(int)).max() <= 3


def test_the_right_frames_in_the_right_colours(clip: Path) -> None:
    found = read_frames(clip, [2, 7, 15]).astype(int)
    assert np.abs(found[..., 2].mean((1, 2)) - [20, 70, 150]).max() < 6
    assert found[0, 24, -2, 0] > found[0, 24, 2, 0] + 100


def test_truncated(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(clip.read_bytes()[:-300])
    with pytest.raises(
        DataError, match=r"a\.mp4: expected at least \d+ bytes, .* found \d+: it is cut off"
    ):
        look_at(tmp_path / "a.mp4")
    with pytest.raises(DataError, match=r"a\.mp4: expected a readable video file"):
        read_frames(tmp_path / "a.mp4", [0])


def write(path: Path, form: str, times: Sequence[int], **options: str) -> Path:
    """A video of single frames with brightness 0, 10, 20, ..., shown at these times in 1/10 s."""
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * number, np.uint8), "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def stated(path: Path) -> int:
    with av.open(str(path)) as container:
        return container.streams.video[0].frames


def test_empty_packets_are_no_frames(tmp_path: Path) -> None:
    """As `ffmpeg -s 256x256` writes NTU RGB+D's videos: the times 0, 3, 4, 5, ..."""
    path = write(tmp_path / "a.avi", "avi", [0, *range(3, 22)])
    assert (stated(path), look_at(path)) == (22, Track(20, 48, 64))
    images = read_frames(path, range(20)).mean((1, 2, 3))
    assert np.abs(images - 10 * np.arange(20)).max() < 3


@pytest.mark.parametrize(
    ("name", "form", "options"),
    [
        ("a.mkv", "matroska", {}),
        ("a.mp4", "mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("a.mp4", "mp4", {"movflags": "faststart"}),
    ],
)
def test_containers_that_state_a_number_or_none(
    tmp_path: Path, name: str, form: str, options: dict[str, str]
) -> None:
    path = write(tmp_path / name, form, range(20), **options)
    assert stated(path) == (20 if options.get("movflags") == "faststart" else 0)
    assert look_at(path).frames == 20
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    message = rf"{name}: expected at least \d+ bytes, .* found {len(whole) * 2 // 3}: it is cut off"
    with pytest.raises(DataError, match=message):
        look_at(path)


@pytest.mark.parametrize("number", [0, 7, 400])
def test_a_header_that_states_another_number(tmp_path: Path, number: int) -> None:
    path = write(tmp_path / "a.avi", "avi", range(20))
    content = bytearray(path.read_bytes())
    at = content.index(b"strh") + 8 + 32  # dwLength of the stream
    assert int.from_bytes(content[at : at + 4], "little") >= 20
    content[at : at + 4] = number.to_bytes(4, "little")
    path.write_bytes(content)
    assert look_at(path).frames == 20


def test_a_stream_copy_shows_less_than_it_holds(tmp_path: Path) -> None:
    """`ffmpeg -ss 0.5 -c copy`: the frames before are in the file, and left out by an edit list."""
    path, copy = write(tmp_path / "a.mp4", "mp4", range(20)), tmp_path / "copy.mp4"
    with av.open(str(path)) as source, av.open(str(copy), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                assert packet.pts is not None and packet.time_base is not None
                shift = int(Fraction(1, 2) / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = stream
                target.mux(packet)
    assert (stated(copy), look_at(copy).frames) == (20, 15)
    assert np.abs(read_frames(copy, [0, 14]).mean((1, 2, 3)) - [50, 190]).max() < 3


def test_beyond_the_end(clip: Path) -> None:
    with pytest.raises(DataError, match=r"expected at least 26 frames, found 20 that can be dec"):
        read_frames(clip, [3, 25])


def test_sound_alone_has_no_frames(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(DataError, match="expected a picture track, found none"):
        look_at(tmp_path / "a.mp4")


@pytest.mark.real
@needs_real_data
def test_real_clip() -> None:
    path = REAL_DATA / "ravdess_clip" / "01-01-08-02-01-01-19.mp4"
    assert look_at(path) == Track(122, 720, 1280)
    images = read_frames(path, [0, 61, 121])
    assert images.shape == (3, 720, 1280, 3)
    assert images[1, 300:420, 560:720].std() > 10


@pytest.mark.parametrize(("turned", "quarters"), [(0, 0), (90, 1), (-90, -1), (180, 2)])
def test_frames_stand_upright(tmp_path: Path, turned: int, quarters: int) -> None:
    """A bright corner lies where a player shows it: turned to the left by so many degrees."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:16, :16] = 200
    path = write_clip(tmp_path / "a.mp4", [image] * 3, [0, 0.1, 0.2], turned=turned)
    expected = np.rot90(image, quarters)
    assert look_at(path) == Track(3, *expected.shape[:2])
    found = read_frames(path, [1])[0].astype(int)
    assert found.shape == expected.shape and np.abs(found - expected).mean() < 6


def test_the_times_of_frames(tmp_path: Path) -> None:
    """Those that were written, from the first one on; frames may be stored in another order."""
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.3, 20)).round(3)
    images = np.random.default_rng(1).integers(0, 255, (20, 48, 64, 3)).astype(np.uint8)
    path = write_clip(tmp_path / "a.mp4", images, times.tolist())
    assert np.allclose(frame_times(path), times - times[0], atol=2e-3)
