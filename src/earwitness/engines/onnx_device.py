"""Devices for engines on ONNX Runtime, which calls them execution providers. The module is passed in, as for torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from earwitness.engines import devices
from earwitness.errors import UnsupportedDeviceError

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}


def available(ort: Any) -> list[str]:
    """Return the devices that this build of ONNX Runtime has a provider for and that are here; ``cpu`` is last.

    CoreML takes what it can of a model, and the CPU the rest.
    """
    built = set(ort.get_available_providers())
    here = devices.here()
    found = [f"cuda:{n}" for n in range(here.get("cuda", 0))] if _PROVIDERS["cuda"] in built else []
    if _PROVIDERS["mps"] in built and "mps" in here:
        found.append("mps")
    return [*found, "cpu"]


def providers(ort: Any, device: str) -> list[tuple[str, dict[str, str]]]:
    """Return the providers of a device, as sessions are given them.

    Args:
        ort: The module ``onnxruntime``.
        device: ``auto`` (the first CUDA device, else the CPU: what CoreML is good for depends on the model), ``cpu``,
            ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        UnsupportedDeviceError: When that device is not here; what is here is named.
    """
    here = available(ort)
    best = here[0] if here[0] != "mps" else "cpu"
    wanted = {"auto": best, "cuda": "cuda:0"}.get(device, device)
    if wanted not in here:
        raise UnsupportedDeviceError(
            f"Device {device!r} is not available: ONNX Runtime {ort.__version__} sees {', '.join(here)}."
        )
    kind, _, index = wanted.partition(":")
    return [(_PROVIDERS[kind], {"device_id": index} if index else {})]


def device_of(sessions: Iterable[Any]) -> str:
    """Return the device on which sessions really compute: a provider that fails gives way to the CPU's, silently."""
    first = {session.get_providers()[0]: session for session in sessions}
    kinds = {provider: kind for kind, provider in _PROVIDERS.items()}
    found = next((provider for provider in first if provider != _PROVIDERS["cpu"]), _PROVIDERS["cpu"])
    if found == _PROVIDERS["cuda"]:
        return f"cuda:{first[found].get_provider_options()[found].get('device_id', 0)}"
    return kinds.get(found, found)
