"""Devices for the engines on MLX: selection, synchronization, and peak memory.

An array of MLX is in memory that the CPU and the GPU share, and is on no device: what computes is MLX's default device,
which is set here once for the process, and read back. ``mlx.core`` is passed in, so this module imports nothing heavy
and can be tested with a stand-in where there is no such device.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from earwitness.errors import SettingsError, UnsupportedDeviceError

PRECISIONS = ("float32", "float16", "bfloat16")


def resolve(mx: Any, device: str) -> str:
    """Make a device MLX's default and return it: ``mps``, ``cuda:0`` or ``cpu``; never another one than requested.

    Args:
        mx: The module ``mlx.core``.
        device: ``auto`` (the GPU if MLX has one), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises:
        UnsupportedDeviceError: When that device is not here; what is here is named.
    """
    here = available(mx)
    wanted = {"auto": here[0], "cuda": "cuda:0"}.get(device, device)
    if wanted not in here:
        raise UnsupportedDeviceError(
            f"Device {device!r} is not available: MLX {mx.__version__} sees {', '.join(here)}."
        )
    kind, _, index = wanted.partition(":")
    mx.set_default_device(mx.cpu if kind == "cpu" else mx.Device(mx.gpu, int(index or 0)))
    return device_of(mx)


def available(mx: Any) -> list[str]:
    """Return the devices that this build of MLX sees, ``cpu`` last: Metal's as ``mps``, those of its CUDA build."""
    if mx.metal.is_available():
        return ["mps", "cpu"]
    cuda = getattr(mx, "cuda", None)  # older releases have only Metal
    n_gpus = int(mx.device_count(mx.gpu)) if cuda is not None and cuda.is_available() else 0
    return [*(f"cuda:{n}" for n in range(n_gpus)), "cpu"]


def device_of(mx: Any) -> str:
    """Return the device on which MLX computes now."""
    device = mx.default_device()
    if device.type == mx.cpu:
        return "cpu"
    return "mps" if mx.metal.is_available() else f"cuda:{device.index}"


def peak_bytes(mx: Any, device: str) -> int | None:
    """Return the most memory that MLX has held in this process; ``None`` on the CPU, where it is resident memory."""
    return None if device == "cpu" else int(mx.get_peak_memory())


def precision_of(model: Any) -> str:
    """Return the precision of a model of MLX: ``int4`` and the like if it is quantized, else that of most values."""
    from mlx.utils import tree_flatten

    bits = {layer.bits for layer in model.modules() if hasattr(layer, "bits")}
    if bits:
        return f"int{min(bits)}"
    sizes: Counter[str] = Counter()
    for _, values in tree_flatten(model.parameters()):
        sizes[str(values.dtype).removeprefix("mlx.core.")] += values.size
    return sizes.most_common(1)[0][0]


def set_precision(mx: Any, model: Any, precision: str) -> None:
    """Convert the floating-point values of a model; those of quantized layers stay quantized.

    A model comes as it is stored, and arithmetic in mixed types would convert its values at every step.

    Raises:
        SettingsError: For a precision that there is not.
    """
    if precision not in PRECISIONS:
        raise SettingsError(f"Precision {precision!r} is not available; available: {', '.join(PRECISIONS)}.")
    model.set_dtype(getattr(mx, precision))
    mx.eval(model.parameters())
