from __future__ import annotations

import gc

import pytest

from earwitness.files.garbage import pause_collection


def test_the_collector_goes_on_after_the_block_and_after_an_error() -> None:
    with pause_collection():
        assert not gc.isenabled()
        with pause_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="stop"), pause_collection():
        raise ValueError("stop")
    assert gc.isenabled()
