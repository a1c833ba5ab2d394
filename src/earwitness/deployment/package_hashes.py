"""The sha256 of the files that pip would install, so that an image gets those files and no others."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from earwitness.errors import UsageError

_TIMEOUT_S = 900


def hashes_of(packages: Mapping[str, str], python: str) -> dict[str, str]:
    """Return the sha256 of the wheel of each package, from the index that pip uses on this machine.

    pip chooses the wheels for this platform, and installs nothing.

    Args:
        packages: Versions by name.
        python: ``major.minor`` of the Python that the wheels are for.

    Raises:
        UsageError: When pip cannot find a wheel of a package, or this machine does not run Linux, as the image does.
    """
    if sys.platform != "linux":
        raise UsageError(
            "The image runs Linux, but pip on this machine finds wheels for another system. Add --no-hashes."
        )
    with tempfile.TemporaryDirectory() as folder:
        pins, report = Path(folder) / "pins.txt", Path(folder) / "report.json"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in packages.items()), encoding="utf-8")
        command = [
            sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet",
            "--disable-pip-version-check", "--only-binary=:all:", "--python-version", python,
            # pip takes a Python version with a target alone; a dry run writes nothing to it.
            "--target", str(Path(folder) / "target"), "--report", str(report), "--requirement", str(pins),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise UsageError(f"pip did not find the hashes in {_TIMEOUT_S} s. Add --no-hashes.") from None
        if done.returncode != 0:
            raise UsageError(f"pip cannot find the hashes of the packages: {_error(done.stderr)}. Add --no-hashes.")
        found = _read(report)
    missing = [name for name in packages if name not in found]
    if missing:
        raise UsageError(f"pip gives no hash for {', '.join(missing)}. Add --no-hashes.")
    return {name: found[name] for name in packages}


def _read(report: Path) -> dict[str, str]:
    from packaging.utils import canonicalize_name

    found = {}
    for row in json.loads(report.read_text(encoding="utf-8"))["install"]:
        sha256 = row["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if sha256:
            found[str(canonicalize_name(row["metadata"]["name"]))] = str(sha256)
    return found


def _error(stderr: str) -> str:
    lines = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    return (lines or stderr.splitlines() or ["it failed"])[-1].strip().rstrip(".")
