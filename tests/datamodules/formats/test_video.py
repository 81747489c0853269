from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from datamodules.formats.video import count_frames, read_frames
from datamodules.packed.errors import DataError
from datamodules.ravdess.sample.recording import write_mp4
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
    assert count_frames(clip) == len(frames) == 20
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
    with pytest.raises(DataError, match=r"a\.mp4: expected a readable video file"):
        count_frames(tmp_path / "a.mp4")
    with pytest.raises(DataError, match=r"a\.mp4: expected a readable video file"):
        read_frames(tmp_path / "a.mp4", [0])


def test_truncated_with_its_index_in_front(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    options = {"movflags": "faststart"}
    with av.open(str(clip)) as source, av.open(str(path), "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert count_frames(path) == 20
    with pytest.raises(DataError, match=r"a\.mp4: expected"):
        read_frames(path, [0, 19])


def test_sound_alone_has_no_frames(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(DataError, match="expected a picture track, found none"):
        count_frames(tmp_path / "a.mp4")


@pytest.mark.real
@needs_real_data
def test_real_clip() -> None:
    path = REAL_DATA / "ravdess_clip" / "01-01-08-02-01-01-19.mp4"
    assert count_frames(path) == 122
    images = read_frames(path, [0, 61, 121])
    assert images.shape == (3, 720, 1280, 3)
    assert images[1, 300:420, 560:720].std() > 10
