"""Starts the process of a worker in the Python of its engine."""

from __future__ import annotations

import subprocess

from earwitness.engines.registry import get_engine
from earwitness.workers.environments import python_of, variables_for


def spawn(engine: str, threads: int | None) -> subprocess.Popen[str]:
    """Start ``workers.child`` with pipes on every stream.

    Args:
        engine: Name of the engine.
        threads: What libraries with OpenMP may use; ``None`` leaves it to them.

    Raises:
        EngineNotInstalledError: When neither this Python nor an environment of its own has the engine.
    """
    spec = get_engine(engine).spec
    python = python_of(spec)
    # Weights are on disk by now: a library that reaches for a hub would measure the network.
    environment = variables_for(python) | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    environment |= spec.variables
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    # A session of its own: Ctrl-C reaches the parent alone, and the parent ends the whole group.
    return subprocess.Popen(
        [str(python), "-m", "earwitness.workers.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        start_new_session=True,
    )
