"""A backend of Ray actors: one for each node and model, pinned to its node.

Audio goes with the calls, in pieces of 90 kB, and only where a node does not have it; nothing large passes through
Ray's object store. Ray restarts and retries nothing by itself: what dies is an event here.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from earwitness.cluster.actor import ActorAnswer, ModelActor
from earwitness.cluster.audio_cache import CHUNK_BYTES
from earwitness.cluster.backend import ActorEvent
from earwitness.cluster.nodes import NodeInfo, describe, slots
from earwitness.errors import AudioError, EarwitnessError
from earwitness.files.remote import is_address
from earwitness.runs.pool import PoolResult, PoolSpec
from earwitness.runs.transcribe import audio_failure
from earwitness.types import Clip, Hypothesis

_DESCRIBE_S = 120.0
_CLOSE_S = 6.0


@dataclass(slots=True)
class ClipCall:
    """A call of an actor, and the clip that it is about."""

    actor: str
    clip: Clip
    step: Literal["have", "take", "transcribe"]
    offset: int = 0
    last: bool = False


@dataclass(slots=True)
class RayActor:
    """An actor."""

    handle: Any
    node: NodeInfo
    known: set[str] = field(default_factory=set)
    """Hashes of audio that is there."""


class RayBackend:
    """The nodes of a cluster that Ray keeps.

    Args:
        ray: The module, connected.
    """

    def __init__(self, ray: Any) -> None:
        """Start no actor yet."""
        self.ray = ray
        self._numbers = itertools.count(1)
        self._infos: dict[str, NodeInfo] = {}
        self.problems: dict[str, str] = {}
        """Nodes that cannot be used at all, by address, with the reason."""
        self.start_s = 0.0
        """Seconds until a process on a node answered for the first time: what an actor takes to start, too."""
        self._bad: set[str] = set()
        self._actors: dict[str, RayActor] = {}
        self._calls: dict[Any, ClipCall] = {}
        self._events: deque[ActorEvent] = deque()
        self._closing: list[Any] = []

    def nodes(self) -> Sequence[NodeInfo]:
        """Return the nodes that are alive, each described once by itself."""
        alive = [node for node in self.ray.nodes() if node["Alive"]]
        new = [node for node in alive if node["NodeID"] not in self._infos and node["NodeID"] not in self._bad]
        asked: dict[Any, Any] = {}
        began_s = time.monotonic()
        for node in new:
            name = f"node {len(self._infos) + len(self._bad) + len(asked) + 1}"
            task = self.ray.remote(describe).options(num_cpus=0, max_retries=0, scheduling_strategy=self._on(node))
            asked[task.remote(node["NodeID"], name, node["NodeManagerAddress"])] = node
        for reference, node in asked.items():
            try:
                self._infos[node["NodeID"]] = self.ray.get(reference, timeout=_DESCRIBE_S)
            except Exception as error:  # noqa: BLE001 - whatever a node lacks, the others go on
                self._bad.add(node["NodeID"])
                last = str(error).strip().splitlines() or [type(error).__name__]
                self.problems[node["NodeManagerAddress"]] = f"Earwitness does not start there: {last[-1]}"
        if new:
            self.start_s = time.monotonic() - began_s
        return [self._infos[node["NodeID"]] for node in alive if node["NodeID"] in self._infos]

    def start(self, node: NodeInfo, spec: PoolSpec, *, whole_node: bool) -> str:
        """Start an actor on a node."""
        name = f"{spec.model.id} on {node.name} #{next(self._numbers)}"
        resources: dict[str, float] = next(
            (each["Resources"] for each in self.ray.nodes() if each["NodeID"] == node.id), {}
        )
        has_gpu = resources.get("GPU", 0) >= 1 and spec.device.partition(":")[0] in ("auto", "cuda")
        handle = self.ray.remote(concurrency_groups={"audio": 1})(ModelActor).options(
            num_cpus=resources.get("CPU", 0) / slots(node, spec, whole_node=True) if whole_node else 0,
            num_gpus=int(has_gpu),
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=self._on({"NodeID": node.id}),
        )
        self._actors[name] = RayActor(handle.remote(spec), node)
        return name

    def give(self, actor: str, clip: Clip) -> None:
        """Have a clip transcribed; its audio is sent before, if it is not there."""
        if is_address(clip.audio_path):
            self._call(ClipCall(actor, clip, "transcribe"))
        elif not clip.audio_sha256:
            self._events.append(ActorEvent(actor, "result", PoolResult(_without_audio(clip))))
        elif clip.audio_sha256 in self._actors[actor].known:
            self._call(ClipCall(actor, clip, "transcribe"))
        else:
            self._call(ClipCall(actor, clip, "have"))

    def wait(self, timeout_s: float) -> Sequence[ActorEvent]:
        """Return what happened since."""
        if not self._calls and not self._events:
            time.sleep(timeout_s)
        if self._calls:
            calls = list(self._calls)
            ready, left = self.ray.wait(calls, num_returns=1, timeout=0 if self._events else timeout_s)
            if ready and left:
                ready += self.ray.wait(left, num_returns=len(left), timeout=0)[0]
            for reference in ready:
                call = self._calls.pop(reference)
                if call.actor in self._actors:
                    self._answer(call, reference)
        events = list(self._events)
        self._events.clear()
        return events

    def stop(self, actor: str, *, kindly: bool) -> None:
        """End an actor and its worker."""
        found = self._actors.pop(actor, None)
        self._calls = {reference: call for reference, call in self._calls.items() if call.actor != actor}
        if found is None:
            return
        if kindly:
            self._closing.append(found.handle.close.remote())
        else:
            self.ray.kill(found.handle, no_restart=True)

    def close(self) -> None:
        """Wait a moment for actors that are ending."""
        if self._closing:
            self.ray.wait(self._closing, num_returns=len(self._closing), timeout=_CLOSE_S)
        self._closing.clear()

    def _on(self, node: Any) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)

    def _call(self, call: ClipCall) -> None:
        handle, clip = self._actors[call.actor].handle, call.clip
        beside = {"concurrency_group": "audio"}
        if call.step == "transcribe":
            reference = handle.transcribe.remote(clip, shown_path(clip))
        elif call.step == "have":
            reference = handle.have.options(**beside).remote(shown_path(clip), clip.audio_sha256)
        else:
            with Path(clip.audio_path).open("rb") as file:
                file.seek(call.offset)
                chunk = file.read(CHUNK_BYTES)
                call.last = len(chunk) < CHUNK_BYTES
            reference = handle.take.options(**beside).remote(
                shown_path(clip), clip.audio_sha256, call.offset, chunk, last=call.last
            )
        self._calls[reference] = call

    def _answer(self, call: ClipCall, reference: Any) -> None:
        try:
            answer = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            # What an actor refuses in a sentence, such as to write to a full disk, is no fault of the clip.
            cause = getattr(error, "cause", None)
            is_unable = isinstance(cause, EarwitnessError)
            self._events.append(
                ActorEvent(call.actor, "unable", reason=str(cause)) if is_unable else _lost(call.actor, error)
            )
            return
        actor = self._actors[call.actor]
        if call.step == "transcribe":
            self._transcribed(call, answer)
        elif (call.step == "have" and answer) or (call.step == "take" and call.last and answer):
            actor.known.add(call.clip.audio_sha256)
            self._call(ClipCall(call.actor, call.clip, "transcribe"))
        elif call.step == "take" and call.last:
            reason = f"{call.clip.audio_path!r} has changed since the data was read"
            self._events.append(ActorEvent(call.actor, "unable", reason=reason))
        else:
            self._send(call)

    def _send(self, call: ClipCall) -> None:
        """Send the next piece of a file."""
        offset = call.offset + CHUNK_BYTES if call.step == "take" else 0
        try:
            self._call(ClipCall(call.actor, call.clip, "take", offset))
        except OSError as error:
            gone = AudioError(f"{call.clip.audio_path!r} cannot be read: {error.strerror or error}.")
            hypothesis = Hypothesis(call.clip.id, None, audio_failure(gone, call.clip), audio_s=call.clip.duration_s)
            self._events.append(ActorEvent(call.actor, "result", PoolResult(hypothesis)))

    def _transcribed(self, call: ClipCall, answer: ActorAnswer) -> None:
        if answer.kind == "no audio":
            self._actors[call.actor].known.discard(call.clip.audio_sha256)
            self._send(ClipCall(call.actor, call.clip, "have"))
            return
        self._events.append(ActorEvent(call.actor, answer.kind, answer.result, answer.reason, answer.report))


def shown_path(clip: Clip) -> str:
    """Return where a node looks for the audio first: where the driver has it, which a shared disk shows."""
    return clip.audio_path


def _without_audio(clip: Clip) -> Hypothesis:
    """Return the failure of a file that could not be read when the data was; the same as on one machine."""
    import tempfile

    from earwitness.runs.pool import NO_DATASET
    from earwitness.runs.transcribe import decode

    error: Exception = AudioError(f"{clip.audio_path!r} has changed since the data was read. Start a new run.")
    with tempfile.TemporaryDirectory(prefix="earwitness-node-") as folder:
        try:
            decode(clip, NO_DATASET, Path(folder) / "clip.f32")
        except Exception as found:  # noqa: BLE001 - as in a run on one machine
            error = found
    return Hypothesis(clip.id, None, audio_failure(error, clip), audio_s=clip.duration_s)


def _lost(actor: str, error: Exception) -> ActorEvent:
    """Return the event of an actor that is gone, or that Ray cannot reach."""
    first = str(error).strip().partition("\n")[0]
    what = type(error).__name__
    if what == "OutOfMemoryError" or "memory" in first.lower():
        return ActorEvent(actor, "lost", reason=f"killed for memory ({first})")
    return ActorEvent(actor, "lost", reason=f"{what}: {first}")
