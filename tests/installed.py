"""Engines' own environments for the tests: made in the user's cache, where they stay for the next time."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from earwitness.engines.registry import get_engine
from earwitness.errors import EarwitnessError
from earwitness.workers.environments import place_of, python_of

_INSTALL_S = 900


def engine_python(name: str) -> Path:
    """Return the interpreter of an engine's workers; install it first, or skip the test and say why that cannot be."""
    why_not = _installed(name)
    if why_not:
        pytest.skip(f"there is no engine {name!r} here: earwitness engines install {name} says {why_not!r}")
    return python_of(get_engine(name).spec)


@cache
def _installed(name: str) -> str | None:
    try:
        if place_of(get_engine(name).spec):
            return None
    except EarwitnessError as error:
        return str(error)
    command = [sys.executable, "-m", "earwitness", "engines", "install", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        return f"installing it took longer than {_INSTALL_S} s"
    return None if done.returncode == 0 else done.stderr.strip().splitlines()[-1]
