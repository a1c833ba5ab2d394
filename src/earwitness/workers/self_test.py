"""The child's answer to ``python -m earwitness.workers.child --self-test ENGINE``: does it work in this Python?"""

from __future__ import annotations

import platform
import sys
from importlib import import_module
from importlib.metadata import distributions
from typing import Any

from earwitness.engines import mlx_device, onnx_device, torch_device
from earwitness.engines.base import EngineSpec
from earwitness.engines.registry import get_engine, package_versions


def self_test(name: str) -> dict[str, Any]:
    """Import every module that an engine needs, and report the result; a failed import is part of it."""
    spec = get_engine(name).spec
    failed = None
    for module in spec.imports:
        try:
            import_module(module)
        except Exception as error:  # noqa: BLE001 - whatever a package does when imported is the answer
            failed = f"{type(error).__name__}: {error}"
            break
    return {
        "event": "self-test",
        "engine": name,
        "failed": failed,
        "python": platform.python_version(),
        "prefix": sys.prefix,
        "packages": package_versions(spec),
        "distributions": _everything_installed(),
        "devices": [] if failed else visible_devices(spec),
    }


def visible_devices(spec: EngineSpec) -> list[str]:
    """Return the devices of this machine that the engine's packages see and that the engine does not rule out.

    Asked of the package that the engine computes on, which is imported by now: torch, MLX, ONNX Runtime or CTranslate2.
    An engine on none of them is taken to see the CPU.
    """
    seen = ["cpu"]
    if "torch" in sys.modules:
        seen = torch_device.available(sys.modules["torch"])
    elif "mlx.core" in sys.modules:
        seen = mlx_device.available(sys.modules["mlx.core"])
    elif "onnx_asr" in sys.modules:
        seen = onnx_device.available(sys.modules["onnxruntime"])
    elif "ctranslate2" in sys.modules:
        seen = [*(f"cuda:{n}" for n in range(sys.modules["ctranslate2"].get_cuda_device_count())), "cpu"]
    usable = {kind for kind, support in spec.devices.items() if support.level != "unsupported"}
    return [device for device in seen if device.partition(":")[0] in usable]


def _everything_installed() -> dict[str, str]:
    found = {dist.metadata["Name"]: dist.version for dist in distributions()}
    return {name: found[name] for name in sorted(found, key=str.lower) if name and name != "earwitness"}
