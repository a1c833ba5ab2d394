"""Devices for the engines on torch: selection, synchronization, and peak memory.

torch is imported by the engines before anything here is called; it is passed in, so this module imports nothing heavy
and can be tested with a stand-in where there is no such device.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from earwitness.errors import UnsupportedDeviceError


def resolve(torch: Any, device: str) -> str:
    """Return the device to load on: ``cpu``, ``cuda:0``, ``mps`` or ``tpu``; never another one than requested.

    Args:
        torch: The torch module.
        device: ``auto`` (the first of CUDA, MPS and CPU that is here), ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ``tpu``.

    Raises:
        UnsupportedDeviceError: When that device is not here; what is here is named.
    """
    here = available(torch)
    if device == "auto":
        return next(name for name in here if name != "tpu")
    wanted = "cuda:0" if device == "cuda" else device
    if wanted not in here:
        why = f" {_about_tpu()}" if wanted == "tpu" else ""
        raise UnsupportedDeviceError(
            f"Device {device!r} is not available: torch {torch.__version__} sees {', '.join(here)}.{why}"
        )
    return wanted


def available(torch: Any) -> list[str]:
    """Return the devices that torch sees, the fastest kind first, ``cpu`` last; a TPU only where torch_tpu is."""
    found = [f"cuda:{n}" for n in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    tpu = getattr(torch, "tpu", None)
    if tpu is not None and tpu.is_available():
        found.append("tpu")
    return [*found, "cpu"]


def _about_tpu() -> str:
    # torch_tpu adds itself to torch when torch is imported. torch_xla ended with torch 2.9, and JAX is no torch at all.
    found = [name for name in ("torch_tpu", "torch_xla", "jax") if find_spec(name)]
    if "torch_tpu" in found:
        return "torch_tpu is installed and sees no chip."
    others = f" ({' and '.join(found)} cannot take its place here)" if found else ""
    return f"A TPU needs the package torch_tpu in this engine's environment{others}."


def device_of(module: Any) -> str:
    """Return where a torch module's parameters really are, such as ``cpu``, ``cuda:0`` or ``mps``."""
    device = next(module.parameters()).device
    return f"cuda:{device.index or 0}" if device.type == "cuda" else str(device.type)


def synchronize(torch: Any, device: str) -> None:
    """Return once the device has finished its work; at once on the CPU."""
    kind = device.partition(":")[0]
    if kind == "cuda":
        torch.cuda.synchronize(device)
    elif kind in ("mps", "tpu"):
        getattr(torch, kind).synchronize()


def peak_bytes(torch: Any, device: str) -> int | None:
    """Return the most memory of the device that torch has held in this process; ``None`` if unknown.

    On CUDA the peak of what the allocator reserved. On MPS what the driver holds now for this process: torch keeps no
    peak there, but its allocator gives nothing back while the model lives, so that after a clip it is the peak so far.
    """
    kind = device.partition(":")[0]
    if kind == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    if kind == "mps":
        return int(torch.mps.driver_allocated_memory())
    return None


def release(torch: Any, device: str) -> None:
    """Release unused memory of the device; does nothing on the CPU."""
    kind = device.partition(":")[0]
    if kind in ("cuda", "mps"):
        getattr(torch, kind).empty_cache()
