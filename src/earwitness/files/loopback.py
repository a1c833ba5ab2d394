"""Which addresses only this machine can reach; the server and the labelling page both ask."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address to listen on.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "192.168.0.7")]
    [True, True, True, False, False, False]
    """
    return host.startswith("127.") or host in ("::1", "localhost")
