"""Makes the lock of an engine anew: installs the newest packages that fit, tests them, writes down what they are.

    python tools/lock_engine.py pocketsphinx [--python PATH] [--pip]

The environment is made in a temporary folder and removed afterwards. Its versions and the measured size of its files go
to ``src/earwitness/engines/locks/ENGINE.txt``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from earwitness.engines.registry import get_engine
from earwitness.workers.environments import Stamp
from earwitness.workers.install import LOCKS, install, plan


def main() -> int:
    """Write the locks of the engines that are named."""
    arguments = argparse.ArgumentParser(description="Make the locks of engines anew.")
    arguments.add_argument("engine", nargs="+")
    arguments.add_argument("--python", type=Path, help="the Python to make the environment from")
    arguments.add_argument("--pip", action="store_true", help="venv and pip, although uv is here")
    given = arguments.parse_args()
    for name in given.engine:
        spec = get_engine(name).spec
        with tempfile.TemporaryDirectory(prefix="earwitness-lock-") as cache:
            os.environ["EARWITNESS_CACHE"] = cache
            todo = plan(spec, use_lock=False, uv=not given.pip, python=given.python)
            stamp = install(todo, lambda line: print(f"  {line}", file=sys.stderr))
        path = LOCKS / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(lock(name, stamp), encoding="utf-8")
        print(f"{path}: {len(stamp.packages)} packages, {stamp.size_bytes / 1e6:.0f} MB")
    return 0


def lock(name: str, stamp: Stamp) -> str:
    """Return the text of a lock; a build's own label, such as ``+cpu``, is left out: it is another one elsewhere."""
    return "\n".join(
        [
            f"# The packages of the engine {name}, found by tools/lock_engine.py.",
            f"# requirements: {', '.join(stamp.requirements)}",
            f"# python: {stamp.python}",
            f"# platform: {platform.system()} {platform.machine()}",
            f"# size_bytes: {stamp.size_bytes}",
            *(f"{package}=={version.partition('+')[0]}" for package, version in stamp.packages.items()),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
