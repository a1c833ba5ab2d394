"""Decoders that die as soon as they start."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import pytest

from earwitness.audio import fence


@contextlib.contextmanager
def every_decoder_dies() -> Iterator[Callable[[], None]]:
    """End every decoder of this process, and each new one by SIGKILL at its start.

    New decoders start as usual after the block, or once what it gives is called.
    """
    fence.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            fence, "COMMAND", (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        )
        yield patch.undo
