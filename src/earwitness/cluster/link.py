"""Starts Ray on this machine or joins a cluster: on loopback unless told, and with a token by default."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from earwitness.errors import UsageError
from earwitness.records.environment import usable_cores

ON = "ray"
_STORE_BYTES = 100 * 2**20
"""Of Ray's object store. Texts pass through it at most, never audio."""
_CONNECT_S = 10.0
_START = (
    "Start it with: ray get-auth-token --generate, then RAY_AUTH_MODE=token ray start --head. This machine has to be "
    "one of its nodes, with the same token."
)
_WITHOUT = "Ray is not installed. Type: pip install 'earwitness[cluster]' (240 MB on disk)"


def address_of(on: str) -> str | None:
    """Return the address of a cluster to join; ``None`` to start one here.

    Args:
        on: ``ray``, or ``ray://HOST:PORT``; for ``ray``, the variable RAY_ADDRESS says where, if it is set.

    >>> address_of("ray://10.0.0.1:6379")
    '10.0.0.1:6379'

    Raises:
        UsageError: For anything else.
    """
    if on == ON:
        return os.environ.get("RAY_ADDRESS") or None
    scheme, separator, place = on.partition("://")
    host, _, port = place.rpartition(":")
    if scheme != ON or not separator or not host or not port.isdigit():
        raise UsageError(f"{on!r} is no cluster. Write ray, or ray://HOST:PORT with the port of the head, often 6379.")
    return place


@contextmanager
def ray_session(on: str) -> Iterator[Any]:
    """Connect to a cluster, and yield the module ``ray``; at the end, leave it, or end the one that was started here.

    Args:
        on: As for ``address_of``.

    Raises:
        UsageError: When Ray is not installed, the cluster cannot be reached, or it refuses this machine's token.
    """
    address = address_of(on)
    if address is not None:
        _require_open(address)
    # Ray reads these when it is imported. Without a token, everybody who reaches a port of Ray can run code.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address is None:
        # With this, Ray takes 127.0.0.1 for the address of this machine, as it does on other systems.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
    except ImportError:
        raise UsageError(_WITHOUT) from None
    was_there = ray.is_initialized()
    if not was_there:
        with _own_handlers():
            _connect(ray, address)
    try:
        yield ray
    finally:
        if not was_there:
            ray.shutdown()


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Keep what this program does on SIGTERM; Ray would end it before its record is written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _require_open(address: str) -> None:
    """Refuse an address where nobody listens, for which Ray would wait for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, ValueError) as error:
        raise UsageError(f"There is no Ray at {address} ({error}). {_START}") from None


def _connect(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=usable_cores(),
                include_dashboard=False,
                object_store_memory=_STORE_BYTES,
                **quiet,
            )
        else:
            ray.init(address=address, **quiet)
    except Exception as error:
        where = address or "this machine"
        first = str(error).strip().partition("\n")[0]
        raise UsageError(f"Ray on {where} cannot be used ({type(error).__name__}: {first}). {_START}") from error
