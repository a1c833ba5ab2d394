"""An address that others can reach is never taken for this machine's own."""

from __future__ import annotations

import pytest

from earwitness.files.loopback import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_only_this_machine_reaches_its_own_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "10.0.0.1", "example.org"])
def test_others_reach_every_other_address(host: str) -> None:
    assert not is_loopback(host)
