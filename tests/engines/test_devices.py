"""Devices: refused before anything is loaded, with the reason; the machine's own are counted, not believed."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from earwitness.engines import torch_device
from earwitness.engines.base import DeviceSupport, EngineSpec
from earwitness.engines.devices import here, require_device, split
from earwitness.engines.faster_whisper import metal_support
from earwitness.engines.registry import get_engine
from earwitness.errors import UnsupportedDeviceError, UsageError

HOLDS = ("torch_device.py",)

SPEC = EngineSpec(
    "x", "", (), (),
    {
        "cpu": DeviceSupport("supported"),
        "cuda": DeviceSupport("supported"),
        "mps": DeviceSupport("experimental", "nobody tried"),
        "tpu": DeviceSupport("unsupported", "it has no TPU backend"),
    },
)  # fmt: skip


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_a_device_that_engine_and_machine_have_is_let_through(device: str) -> None:
    require_device(SPEC, device, {"cpu": 1, "cuda": 2, "mps": 1})


@pytest.mark.parametrize(
    ("device", "machine", "sentence"),
    [
        ("tpu", {"cpu": 1, "tpu": 1}, "does not run on 'tpu': it has no TPU backend. It can run here on: cpu."),
        ("cuda", {"cpu": 1}, "no device 'cuda' (it has none). Engine 'x' can run here on: cpu."),
        ("cuda:2", {"cpu": 1, "cuda": 2}, "no device 'cuda:2' (it has 2 of that kind, counted from 0)"),
        ("mps", {"cpu": 1, "cuda": 1}, "no device 'mps' (it has none). Engine 'x' can run here on: cpu, cuda."),
    ],
)
def test_a_device_that_cannot_be_is_refused_with_what_can(device: str, machine: dict[str, int], sentence: str) -> None:
    with pytest.raises(UnsupportedDeviceError) as caught:
        require_device(SPEC, device, machine)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:1", "mps:0", ""])
def test_what_is_not_a_device_is_a_usage_error(device: str) -> None:
    with pytest.raises(UsageError, match="There is no device"):
        split(device)


def test_mps_is_refused_where_ctranslate2_would_really_run_on_the_cpu() -> None:
    with pytest.raises(UnsupportedDeviceError, match=r"has no Metal backend; it would be the CPU"):
        require_device(get_engine("faster-whisper").spec, "mps", {"cpu": 1, "mps": 1})


def test_an_engine_that_chooses_its_own_device_says_so() -> None:
    with pytest.raises(UnsupportedDeviceError, match=r"the server's device.*Leave the device at 'auto'\."):
        require_device(get_engine("openai-api").spec, "cuda")
    require_device(get_engine("openai-api").spec, "auto")


@pytest.mark.parametrize(
    ("found", "level"),
    [("4.9.0", "experimental"), ("4.10.1", "experimental"), ("4.8.5", "unsupported"), (None, "unsupported")],
)
def test_ctranslate2_with_a_metal_backend_is_experimental_on_mps(found: str | None, level: str) -> None:
    assert metal_support(found).level == level


@pytest.fixture
def counted() -> Iterator[Callable[[], Mapping[str, int]]]:
    """Counts the devices of a machine that has changed meanwhile."""

    def count() -> Mapping[str, int]:
        here.cache_clear()
        return here()

    yield count
    here.cache_clear()


def test_the_driver_is_asked_how_many_cards_there_are(
    monkeypatch: pytest.MonkeyPatch, counted: Callable[[], Mapping[str, int]]
) -> None:
    class Driver:
        def __init__(self, starts: int) -> None:
            self._starts = starts

        def cuInit(self, _: int) -> int:  # noqa: N802 - the driver's own name
            return self._starts

        def cuDeviceGetCount(self, found: Any) -> int:  # noqa: N802
            found._obj.value = 3
            return 0

    monkeypatch.setattr("ctypes.CDLL", lambda _: Driver(0))
    assert counted()["cuda"] == 3
    monkeypatch.setattr("ctypes.CDLL", lambda _: Driver(100))  # CUDA_ERROR_NO_DEVICE
    assert "cuda" not in counted()


@pytest.mark.parametrize(("system", "machine", "there"), [("Darwin", "arm64", True), ("Darwin", "x86_64", False)])
def test_only_apples_own_chips_have_mps(
    monkeypatch: pytest.MonkeyPatch,
    counted: Callable[[], Mapping[str, int]],
    system: str,
    machine: str,
    there: bool,
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert ("mps" in counted()) is there


def torch_with(cuda: int = 0, mps: bool = False) -> Any:
    """A stand-in for torch on another machine; calls are kept in ``torch.calls``."""
    calls: list[str] = []
    return types.SimpleNamespace(
        __version__="2.99",
        calls=calls,
        cuda=types.SimpleNamespace(
            is_available=lambda: cuda > 0,
            device_count=lambda: cuda,
            synchronize=lambda device: calls.append(f"cuda {device}"),
            max_memory_reserved=lambda device: 5_000_000,
        ),
        mps=types.SimpleNamespace(synchronize=lambda: calls.append("mps"), driver_allocated_memory=lambda: 7_000_000),
        backends=types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps)),
    )


@pytest.mark.parametrize(
    ("torch", "asked", "used"),
    [
        (torch_with(), "auto", "cpu"),
        (torch_with(cuda=2), "auto", "cuda:0"),
        (torch_with(mps=True), "auto", "mps"),
        (torch_with(cuda=2), "cuda:1", "cuda:1"),
        (torch_with(cuda=1), "cpu", "cpu"),
    ],
)
def test_torch_loads_where_it_was_asked_to(torch: Any, asked: str, used: str) -> None:
    assert torch_device.resolve(torch, asked) == used


@pytest.mark.parametrize(
    ("torch", "asked"), [(torch_with(), "cuda"), (torch_with(cuda=1), "mps"), (torch_with(), "tpu")]
)
def test_torch_never_falls_back_to_another_device(torch: Any, asked: str) -> None:
    with pytest.raises(UnsupportedDeviceError, match=f"Device {asked!r} is not available: torch 2.99 sees .*cpu"):
        torch_device.resolve(torch, asked)


@pytest.mark.parametrize(
    ("installed", "sentence"),
    [
        ((), "A TPU needs the package torch_tpu in this engine's environment."),
        (("torch_xla", "jax"), "(torch_xla and jax cannot take its place here)"),
        (("torch_tpu",), "torch_tpu is installed and sees no chip."),
    ],
)
def test_a_tpu_that_is_not_seen_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.setattr(torch_device, "find_spec", lambda name: name in installed or None)
    with pytest.raises(UnsupportedDeviceError, match=re.escape(sentence)):
        torch_device.resolve(torch_with(), "tpu")


def test_a_tpu_that_torch_sees_is_taken_when_asked_for_and_never_by_itself() -> None:
    torch = torch_with()
    torch.tpu = types.SimpleNamespace(is_available=lambda: True, synchronize=lambda: torch.calls.append("tpu"))
    assert (torch_device.resolve(torch, "tpu"), torch_device.resolve(torch, "auto")) == ("tpu", "cpu")
    torch_device.synchronize(torch, "tpu")
    assert torch.calls == ["tpu"]


def test_the_clock_waits_for_the_device_and_memory_is_the_devices() -> None:
    torch = torch_with(cuda=1, mps=True)
    for device in ("cpu", "cuda:0", "mps"):
        torch_device.synchronize(torch, device)
    assert torch.calls == ["cuda cuda:0", "mps"]
    assert [torch_device.peak_bytes(torch, d) for d in ("cpu", "cuda:0", "mps")] == [None, 5_000_000, 7_000_000]
