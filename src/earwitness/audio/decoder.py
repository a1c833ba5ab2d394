"""The decoding process: only this process opens unknown files, within limits of memory and disk.

``python -m earwitness.audio.decoder`` speaks ``protocol`` on its standard input and output, and ends when its input
ends.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import queue
import signal
import stat
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from earwitness.errors import AudioError, AudioNotFoundError, AudioTooLongError

if TYPE_CHECKING:
    from earwitness.audio.bookmark import Bookmark

MOST_S = 48 * 3600.0
"""The longest audio that is decoded where nobody asks for less; its samples take 11 GB of disk at 16 kHz."""
_MOST_MEMORY_BYTES = 4 << 30
_SAMPLE_BYTES = 4
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Answer requests until standard input ends."""
    # The parent ends this process; Ctrl-C in its terminal is for the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print
    _import_libraries()
    _bound("RLIMIT_AS", _MOST_MEMORY_BYTES)
    _bound("RLIMIT_CORE", 0)
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, inbox), daemon=True).start()
    _send(replies, {"ready": True})
    while True:
        _send(replies, _answer(inbox.get()))


def _read(requests: TextIO, inbox: queue.SimpleQueue[dict[str, Any]]) -> None:
    # In a thread, so that the end of input ends the process in the midst of a file.
    for line in requests:
        inbox.put(json.loads(line))
    os._exit(0)


def _end_with_parent() -> None:
    """Have the kernel end this process with its parent, even one that is stopped or deep in a library."""
    if not sys.platform.startswith("linux") or "--tied" not in sys.argv:
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _import_libraries() -> None:
    import av
    import soundfile
    import soxr

    del av, soundfile, soxr


def _send(replies: TextIO, reply: Mapping[str, Any]) -> None:
    try:
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
    except BrokenPipeError:  # the parent is gone
        os._exit(0)


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    path = request.get("probe") or request["path"]
    try:
        require_file(path)
        return _probe(path, count=request["count"]) if "probe" in request else _decode(request)
    except AudioError as error:
        return {"refused": str(error), "kind": type(error).__name__}
    except MemoryError:
        return _refusal(f"{path!r} takes more than {_MOST_MEMORY_BYTES >> 30} GiB of memory to decode. Convert it.")
    except OSError as error:
        if error.errno == errno.EFBIG:
            return _refusal(f"{path!r} does not end where it should. Leave it out.", AudioTooLongError)
        return {"unwritten": [error.errno, error.strerror or str(error)]}
    except Exception as error:  # noqa: BLE001 - whatever a library raises is about the file
        return _refusal(f"{path!r} cannot be decoded ({type(error).__name__}: {error}). Leave it out or convert it.")


def _refusal(message: str, kind: type[AudioError] = AudioError) -> dict[str, Any]:
    return {"refused": message, "kind": kind.__name__}


def _probe(path: str, *, count: bool) -> dict[str, Any]:
    from earwitness.audio.in_process import probe

    return {"info": asdict(probe(path, count=count))}


@functools.cache
def _bookmark() -> Bookmark:
    from earwitness.audio.bookmark import Bookmark

    return Bookmark()


def _decode(request: Mapping[str, Any]) -> dict[str, Any]:
    from earwitness.audio.channels import Channels
    from earwitness.audio.excerpt import ExcerptOptions
    from earwitness.audio.in_process import decode_to
    from earwitness.audio.open import open_source
    from earwitness.audio.source import SKIPPED, AudioSource, Block

    channels = Channels()
    sources: list[AudioSource] = []
    excerpt: ExcerptOptions = {name: request[name] for name in ExcerptOptions.__annotations__}  # type: ignore[assignment]
    longest_s = min(request["longest_s"] or MOST_S, request["duration_s"] or MOST_S)
    _bound("RLIMIT_FSIZE", round((longest_s + 60) * request["rate_hz"]) * _SAMPLE_BYTES)

    def watch(block: Block, source: AudioSource) -> None:
        sources[:] = [source]
        if request["channel"] is None:  # one that was chosen is heard as it is, whatever the others hold
            channels.add(block)

    # Only spans are followed by others; whoever decodes a whole file is done with it.
    opener = _bookmark().open if request["duration_s"] is not None else open_source
    samples = decode_to(
        request["path"], Path(request["target"]), longest_s=request["longest_s"], watch=watch, opener=opener, **excerpt
    )
    skipped = any(source.skipped for source in sources)
    return {"samples": samples, "remarks": channels.remarks() + (SKIPPED,) * skipped}


def require_file(path: str) -> None:
    """Refuse anything but a regular file: reading a pipe or a device may block or never end.

    Raises:
        AudioNotFoundError: When there is no such file.
        AudioError: When it is something else, or may not be read.
    """
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        raise AudioNotFoundError.at(path) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise AudioError(f"{path!r} cannot be opened ({why}). Check the path and its permissions.") from None
    if stat.S_ISDIR(mode):
        raise AudioError(f"{path!r} is a folder, not an audio file. Name a file in it.")
    if not stat.S_ISREG(mode):
        raise AudioError(f"{path!r} is a pipe, a device or a socket, not a file. Write the audio to a file.")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path!r} cannot be read (permission denied). Change its permissions.")


def _bound(name: str, limit: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such thing
        return
    which = getattr(resource, name)
    _, most = resource.getrlimit(which)
    if most == resource.RLIM_INFINITY or limit <= most:
        resource.setrlimit(which, (limit, most))


if __name__ == "__main__":
    sys.exit(main())
