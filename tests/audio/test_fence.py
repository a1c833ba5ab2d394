"""Decoders are real processes here, and are really killed, stopped and left without a parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from tests.audio.decoders import every_decoder_dies

from earwitness.audio import decode, decode_file, decode_to, fence, probe
from earwitness.audio.in_process import decode as decode_here
from earwitness.audio.protocol import COMMAND
from earwitness.errors import AudioError, AudioNotFoundError, AudioTooLongError, DecoderError

HOLDS = ("protocol.py",)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no POSIX signals here: run it on Linux")
Wav = Callable[..., Path]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    fence.close()
    yield
    fence.close()


def until(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_comes_through_the_fence_is_what_is_decoded_here(write_wav: Wav) -> None:
    path = write_wav("a.wav", 3.0, 44_100, 2)
    for span in ({}, {"start_s": 0.5, "duration_s": 1.25}, {"channel": 1}, {"rate_hz": 8000}):
        assert np.array_equal(decode(path, **span).samples, decode_here(path, **span).samples)
    assert probe(path).sample_rate_hz == 44_100
    assert len(fence.idle()) == 1, "one process has done all of it"


def test_errors_keep_their_kind_and_their_words(tmp_path: Path, write_wav: Wav) -> None:
    path = write_wav("a.wav", 3.0)
    with pytest.raises(AudioNotFoundError, match=r"There is no audio file '.*gone.wav'"):
        decode(tmp_path / "gone.wav")
    with pytest.raises(AudioTooLongError, match="longer than the limit of 1 s"):
        decode_to(path, tmp_path / "a.f32", longest_s=1.0)
    with pytest.raises(AudioError, match="no channel 7; it has 1"):
        decode(path, channel=7)
    with pytest.raises(FileNotFoundError, match="No such file"):
        decode_to(path, tmp_path / "nowhere" / "a.f32")
    assert len(fence.idle()) == 1, "a refusal ends no process"


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "gone.wav")
    for name, words in {
        "pipe.wav": "is a pipe, a device or a socket",
        "folder.wav": "is a folder",
        "loop.wav": "cannot be opened",
        "dangling.wav": "There is no audio file",
        "x" * 300 + ".wav": "cannot be opened",
        "nul\0.wav": "cannot be opened",
        "/dev/zero": "is a pipe, a device or a socket",
    }.items():
        for ask in (probe, decode):
            with pytest.raises(AudioError, match=words):
                ask(tmp_path / name)


def test_a_file_whose_decoder_was_killed_is_decoded_by_another(write_wav: Wav) -> None:
    path = write_wav("a.wav")
    decode(path)
    (first,) = fence.idle()
    os.kill(first, signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
    killer.start()
    assert decode(path).duration_s == 1.0
    killer.join()
    assert fence.idle() != [first]


def test_a_file_at_which_a_fresh_decoder_dies_fails_and_the_next_file_gets_another(write_wav: Wav) -> None:
    path = write_wav("a.wav")
    with (
        every_decoder_dies(),
        pytest.raises(DecoderError, match=r"'.*a.wav' crashed the decoder: the process was ended by SIGKILL") as caught,
    ):
        decode(path)
    assert caught.value.kind == "crash"
    assert decode(path).duration_s == 1.0


def test_a_decoder_that_died_between_two_files_is_nobodys_fault(write_wav: Wav) -> None:
    path = write_wav("a.wav")
    decode(path)
    (first,) = fence.idle()
    os.kill(first, signal.SIGKILL)
    until(lambda: is_gone(first))
    assert decode(path).duration_s == 1.0


def test_a_decoder_that_hangs_is_ended_and_told(
    tmp_path: Path, write_wav: Wav, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_wav("a.wav")
    decode(path)
    (first,) = fence.idle()
    monkeypatch.setattr(fence, "PATIENCE_S", 0.5)
    os.mkfifo(tmp_path / "nobody reads")
    with pytest.raises(
        DecoderError, match=r"'.*a.wav' made the decoder hang: it produced no sound for 0.5 s"
    ) as caught:
        decode_file(path, tmp_path / "nobody reads")
    assert caught.value.kind == "timeout"
    assert is_gone(first)
    monkeypatch.undo()
    assert decode(path).duration_s == 1.0


def test_a_decoder_is_not_ended_while_sound_comes(
    tmp_path: Path, write_wav: Wav, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = write_wav("a.wav"), tmp_path / "a.f32"
    decode(path)
    (first,) = fence.idle()
    target.write_bytes(b"")
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(fence, "PATIENCE_S", 1.0)

    def grow() -> None:
        for _ in range(6):
            with target.open("ab") as file:
                file.write(b"1234")
            time.sleep(0.5)
        os.kill(first, signal.SIGCONT)

    growing = threading.Thread(target=grow)
    growing.start()
    assert decode_to(path, target) == 16_000
    growing.join()
    assert fence.idle() == [first]


def test_an_interrupted_file_takes_its_decoder_with_it(write_wav: Wav) -> None:
    path = write_wav("a.wav")
    decode(path)
    (first,) = fence.idle()
    os.kill(first, signal.SIGSTOP)
    interrupt = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        decode(path)
    interrupt.join()
    assert is_gone(first)
    assert fence.idle() == []


PARENT = """
import sys, threading
from earwitness.audio import decode, fence
def work():
    decode(sys.argv[1])
    print(fence._idle[0].process.pid, flush=True)
    decode(sys.argv[1])
    while True:
        threading.Event().wait(1)
if sys.argv[2] == "main":
    work()
else:
    threading.Thread(target=work).start()
"""


@pytest.mark.slow
@pytest.mark.parametrize("thread", ["main", "other"])
def test_no_decoder_outlives_a_parent_that_is_killed(write_wav: Wav, thread: str) -> None:
    command = [sys.executable, "-c", PARENT, str(write_wav("a.wav")), thread]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    decoder = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: is_gone(decoder))


@pytest.mark.slow
@pytest.mark.skipif(
    not sys.platform.startswith("linux"),
    reason="there is no kernel here that ends the children of a process: run it on Linux",
)
def test_even_a_decoder_that_is_stopped_ends_with_its_parent(write_wav: Wav) -> None:
    command = [sys.executable, "-c", PARENT, str(write_wav("a.wav")), "main"]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    decoder = int(parent.stdout.readline())
    os.kill(decoder, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: is_gone(decoder))


@pytest.mark.slow
def test_a_parent_that_ends_leaves_no_decoder_and_no_warning(write_wav: Wav) -> None:
    code = (
        "import sys; from earwitness.audio import decode, fence; decode(sys.argv[1]); print(fence._idle[0].process.pid)"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(write_wav("a.wav"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert is_gone(int(done.stdout))


def test_many_threads_decode_at_once_and_each_gets_its_own_file(write_wav: Wav) -> None:
    paths = [write_wav(f"{n}.wav", n / 4) for n in range(1, 5)]
    lengths: dict[int, list[float]] = {}

    def work(n: int) -> None:
        lengths[n] = [decode(paths[n]).duration_s for _ in range(10)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lengths == {n: [(n + 1) / 4] * 10 for n in range(4)}
    assert len(fence.idle()) <= 4


def test_a_decoder_ends_with_its_input_and_imports_nothing_from_the_folder_at_hand(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('imported from a stranger')")
    done = subprocess.run(COMMAND, cwd=tmp_path, input=b"", capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout in (b"", b'{"ready": true}\n'), "it may end before it is ready"
