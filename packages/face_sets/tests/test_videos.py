import sys
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent / "sources"))
from made_up_videos import frame_number, turn, write_video

from face_sets import videos
from face_sets.images import ImageError
from face_sets.videos import close_video, read_frame, sample_times


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_video()


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_the_frame_at_a_time(tmp_path, suffix):
    path = write_video(tmp_path / f"a{suffix}", frames=20, rate=10)
    assert [frame_number(read_frame(path, ms)) for ms in (0, 1, 100, 101, 950, 1900)] == [0, 1, 1, 2, 10, 19]


def test_times_in_any_order_and_videos_in_turn(tmp_path):
    one = write_video(tmp_path / "one.mp4", frames=10)
    two = write_video(tmp_path / "two.mp4", frames=10, size=(96, 128))
    asked = [(one, 500), (one, 500), (one, 100), (two, 300), (one, 600), (two, 0), (two, 900)]
    assert [frame_number(read_frame(path, ms)) for path, ms in asked] == [5, 5, 1, 3, 6, 0, 9]
    assert read_frame(two, 0).shape == (128, 96, 3)


def test_growing_times_decode_a_video_once(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", frames=24)
    opened = []
    monkeypatch.setattr(videos, "_check_kind", lambda path: opened.append(path))
    for ms in range(0, 2400, 200):
        read_frame(path, ms)
    assert len(opened) == 1


def test_colours_are_rgb(tmp_path):
    path = tmp_path / "a.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (64, 64))
    for _ in range(3):
        writer.write(np.full((64, 64, 3), (20, 40, 220), np.uint8))  # blue, green, red
    writer.release()
    assert np.abs(read_frame(path, 0).mean(axis=(0, 1)) - (220, 40, 20)).max() < 8


def test_a_video_of_a_phone_is_shown_upright(tmp_path):
    path = write_video(tmp_path / "a.mp4", size=(128, 96))
    plain = read_frame(path, 0)
    turned = read_frame(turn(write_video(tmp_path / "b.mp4", size=(128, 96))), 0)
    assert turned.shape == (128, 96, 3)
    np.testing.assert_array_equal(turned, np.rot90(plain, -1))


def test_sampled_times_are_middles_and_can_all_be_read(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=20, rate=10)
    assert sample_times(path, 2, 100) == [250, 750, 1250, 1750]
    assert sample_times(path, 2, 2) == [500, 1500]
    assert sample_times(path, 0.01, 9) == [1000]
    close = sample_times(path, 10, 100)
    assert [frame_number(read_frame(path, ms)) for ms in close] == [*range(1, 20), 19][: len(close)]
    single = write_video(tmp_path / "b.mp4", frames=1)
    assert [frame_number(read_frame(single, ms)) for ms in sample_times(single, 30, 5)] == [0]


def test_an_absurd_header_is_not_believed(tmp_path):
    path = write_video(tmp_path / "a.avi", frames=20, rate=10)
    data = path.read_bytes()
    for place in (data.index(b"avih") + 8 + 16, data.index(b"strh") + 8 + 32):  # total frames, length
        data = data[:place] + (2**31 - 1).to_bytes(4, "little") + data[place + 4 :]
    path.write_bytes(data)
    assert max(sample_times(path, 2, 10**6)) <= 2000


def test_frames_beyond_8k_are_refused(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4")
    monkeypatch.setattr(videos, "MAX_FRAME_PIXELS", 1000)
    with pytest.raises(ImageError, match="more than 8K"):
        read_frame(path, 0)


def test_a_video_without_an_end_ends(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", frames=20)
    monkeypatch.setattr(videos, "MAX_FRAMES", 5)
    with pytest.raises(ImageError, match="ends before 1000 ms"):
        read_frame(path, 1000)
    assert max(sample_times(path, 10, 100)) <= 400


def refused(path, said):
    for ask in (lambda: read_frame(path, 0), lambda: sample_times(path, 1, 1)):
        with pytest.raises(ImageError, match=said) as error:
            ask()
        assert "\n" not in str(error.value)
        assert path.name not in error.value.reason


def test_what_is_no_video_is_refused(tmp_path):
    refused(tmp_path / "absent.mp4", "does not exist")
    (tmp_path / "folder.mp4").mkdir()
    refused(tmp_path / "folder.mp4", "does not exist")
    for name, data, said in [
        ("empty.mp4", b"", "is empty"),
        ("noise.mp4", np.random.default_rng(0).bytes(4000), "is not a video"),
        ("head.mp4", b"\0\0\0\x18ftypmp42" + b"\0" * 500, "holds no frame"),
        ("list.mp4", b"ffconcat version 1.0\nfile /etc/hostname\n", "is not a video"),
        ("playlist.mp4", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/x.ts\n", "is not a video"),
    ]:
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name, said)


def test_a_truncated_video(tmp_path):
    mp4 = write_video(tmp_path / "a.mp4", frames=20)
    mp4.write_bytes(mp4.read_bytes()[:-600])  # its index stands at the end
    refused(mp4, "holds no frame")
    avi = write_video(tmp_path / "a.avi", frames=20)
    avi.write_bytes(avi.read_bytes()[: avi.stat().st_size // 2])
    assert frame_number(read_frame(avi, 100)) == 1
    with pytest.raises(ImageError, match="ends before 1900 ms"):
        read_frame(avi, 1900)


def test_damage_anywhere_is_an_image_error_or_a_picture(tmp_path):
    rng = np.random.default_rng(5)
    for kind in (".mp4", ".avi"):
        whole = write_video(tmp_path / f"whole{kind}", frames=6).read_bytes()
        for trial in range(60):
            data = bytearray(whole)
            for place in rng.integers(0, len(data), 8):
                data[place] = rng.integers(256)
            path = tmp_path / f"{trial}{kind}"
            path.write_bytes(data[: rng.integers(1, len(data) + 1)] if trial % 2 else data)
            try:
                for ms in sample_times(path, 5, 4):
                    assert read_frame(path, ms).dtype == np.uint8
            except ImageError:
                continue


def test_memory_stays_flat(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=400, rate=20, size=(640, 480))
    read_frame(path, 0)
    before = psutil.Process().memory_info().rss
    for ms in range(0, 19_000, 50):
        read_frame(path, ms)
    assert psutil.Process().memory_info().rss - before < 60 * 2**20  # 400 frames would take 350 MiB
