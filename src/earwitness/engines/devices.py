"""Finds the devices of this machine before any engine is loaded or imported.

Conventions: a *kind* is ``cpu``, ``cuda``, ``mps`` or ``tpu``; a *device* is a kind with an index where there may be
several, such as ``cuda:1``. What is told here is what the machine has; whether an engine can use it is the engine's to
say (``EngineSpec.devices``), and on which device the parameters really were is read from the loaded model.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from earwitness.engines.base import EngineSpec
from earwitness.errors import UnsupportedDeviceError, UsageError

KINDS = ("cpu", "cuda", "mps", "tpu")
ANYWHERE: Mapping[str, int] = {"cpu": 1, "cuda": 64, "mps": 1, "tpu": 1}
"""A machine that has everything: what is planned here may run on another one."""
_CUDA_DRIVERS = ("libcuda.so.1", "nvcuda.dll")


@cache
def here() -> Mapping[str, int]:
    """Return how many devices of each kind this machine has; missing kinds are left out."""
    counts = {"cpu": 1, "cuda": _cuda_count(), "mps": int(_has_apple_gpu()), "tpu": int(_has_tpu())}
    return {kind: count for kind, count in counts.items() if count}


def split(device: str) -> tuple[str, int | None]:
    """Return kind and index of a device.

    >>> split("cuda:1"), split("mps")
    (('cuda', 1), ('mps', None))

    Raises:
        UsageError: For what is not a device.
    """
    kind, colon, index = device.partition(":")
    fits = kind in (*KINDS, "auto") and (not colon or (kind == "cuda" and index.isdigit()))
    if not fits:
        raise UsageError(f"There is no device {device!r}. There are: auto, cpu, cuda, cuda:N, mps, tpu.")
    return kind, int(index) if colon else None


def require_device(spec: EngineSpec, device: str, machine: Mapping[str, int] | None = None) -> None:
    """Refuse, before anything is loaded, a device that the engine does not run on or that this machine does not have.

    Args:
        spec: The engine.
        device: As asked for; ``auto`` always passes, since it takes what is here.
        machine: Kinds and how many there are of each; ``None`` for this machine's.

    >>> from earwitness.engines.fake import engine
    >>> require_device(engine.spec, "auto")
    >>> require_device(engine.spec, "tpu", {"cpu": 1})
    Traceback (most recent call last):
    ...
    earwitness.errors.UnsupportedDeviceError: Engine 'fake' does not run on 'tpu': it has no use for one. It can run ...

    Raises:
        UnsupportedDeviceError: With the reason, and with the devices that the engine can use here.
        UsageError: For what is not a device.
    """
    machine = here() if machine is None else machine
    kind, index = split(device)
    if kind == "auto":
        return
    usable = ", ".join(usable_kinds(spec, machine))
    advice = f"It can run here on: {usable}." if usable else "Leave the device at 'auto'."
    support = spec.devices.get(kind)
    if support is None or support.level == "unsupported":
        reason = f": {support.reason}" if support else ""
        raise UnsupportedDeviceError(f"Engine {spec.name!r} does not run on {device!r}{reason}. {advice}")
    if machine.get(kind, 0) <= (index or 0):
        has = f"it has {machine[kind]} of that kind, counted from 0" if kind in machine else "it has none"
        raise UnsupportedDeviceError(
            f"This machine has no device {device!r} ({has}). Engine {spec.name!r} can run here on: {usable}."
        )


def usable_kinds(spec: EngineSpec, machine: Mapping[str, int]) -> list[str]:
    """Return the kinds of device that the machine has and the engine runs on."""
    return [kind for kind, support in spec.devices.items() if support.level != "unsupported" and kind in machine]


def _cuda_count() -> int:
    # The driver itself is asked, as an engine would: its files without a card, or a card without it, count as none.
    for name in _CUDA_DRIVERS:
        try:
            driver = ctypes.CDLL(name)
        except OSError:
            continue
        count = ctypes.c_int(0)
        if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0:
            return count.value
    return 0


def _has_apple_gpu() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def _has_tpu() -> bool:
    # A TPU VM shows its chips as /dev/accel*, or passes them through VFIO and names itself in the environment.
    return any(Path("/dev").glob("accel[0-9]*")) or bool({"TPU_NAME", "TPU_WORKER_ID"} & os.environ.keys())
