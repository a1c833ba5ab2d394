"""API keys: random, shown once, stored as hashes, compared in constant time; and their rate limits.

A key is 256 random bits, so its bare sha256 says nothing of it: there is nothing to guess that a slow hash would slow.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from earwitness.errors import UsageError
from earwitness.files.atomic import atomic_write
from earwitness.server.logs import log

PREFIX = "ew-"
_MOST_REMEMBERED = 10_000
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Key:
    """The stored part of a key."""

    name: str
    """Who has it; unique, and in logs and metrics."""
    sha256: str
    """Of the key."""
    created_at: str
    """ISO 8601, UTC."""
    rate_per_minute: float | None = None
    """Requests that it may make; ``None`` for the server's own limit."""


def read_keys(path: Path) -> tuple[Key, ...]:
    """Read a file of keys.

    Raises:
        UsageError: When it is not there or not such a file.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["keys"]
        return tuple(Key(**row) for row in rows)
    except FileNotFoundError:
        raise UsageError(f"There is no file of keys {str(path)!r}. Run: earwitness serve keys add NAME") from None
    except OSError as error:
        raise UsageError(f"Cannot read the file of keys {str(path)!r}: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(
            f"{str(path)!r} is not a file of keys as earwitness serve keys add writes it "
            f"({type(error).__name__}: {error})."
        ) from None


def add_key(path: Path, name: str, rate_per_minute: float | None = None) -> str:
    """Make a key, store its hash, and return it; it cannot be recovered later.

    Raises:
        UsageError: When the name is none or taken, or the file cannot be read.
    """
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise UsageError(f"A key has a name of 1 to {_LONGEST_NAME} characters, such as reception, not {name!r}.")
    keys = read_keys(path) if path.exists() else ()
    if any(key.name == name for key in keys):
        raise UsageError(f"There is a key {name!r} already. Remove it first: earwitness serve keys remove {name}")
    secret = PREFIX + secrets.token_urlsafe(32)
    _write(path, (*keys, Key(name, _hash(secret), datetime.now(UTC).isoformat(timespec="seconds"), rate_per_minute)))
    return secret


def remove_key(path: Path, name: str) -> None:
    """Remove a key; a running server refuses it within a second.

    Raises:
        UsageError: When there is none of that name.
    """
    keys = read_keys(path)
    left = tuple(key for key in keys if key.name != name)
    if left == keys:
        raise UsageError(f"There is no key {name!r}. There are: {', '.join(key.name for key in keys) or 'none'}.")
    _write(path, left)


class Keyring:
    """The keys of a file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        """Read them.

        Raises:
            UsageError: When the file cannot be read.
        """
        self.trouble: str | None = None
        """Why the file cannot be read now; ``None`` when it can."""
        self._path = path
        self._seen = path.stat().st_mtime_ns if path.exists() else 0
        self._keys = read_keys(path)

    def find(self, authorization: str) -> Key | None:
        """Return the key of an ``Authorization`` header, or ``None``."""
        self.look()
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        given, found = _hash(secret.strip()), None
        for key in self._keys:  # all of them, so that the time says nothing of which
            if hmac.compare_digest(key.sha256, given):
                found = key
        return found

    def __len__(self) -> int:
        """How many keys are in force."""
        return len(self._keys)

    def look(self) -> None:
        """Read the file again if it has changed; if it cannot be read, the keys of the last reading stay in force."""
        trouble = None
        try:
            seen = self._path.stat().st_mtime_ns
            if seen == self._seen and self.trouble is None:
                return
            self._keys, self._seen = read_keys(self._path), seen
        except (OSError, UsageError) as error:
            trouble = str(error)
        if trouble != self.trouble:
            event = "keys are read again" if trouble is None else "keys cannot be read; those that were read last stay"
            log(event, logging.INFO if trouble is None else logging.ERROR, file=str(self._path), reason=trouble)
        self.trouble = trouble


class Rates:
    """Rate limits: a bucket for each client, which holds a minute's requests and refills over time."""

    def __init__(self) -> None:
        """Remember nobody."""
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, who: str, per_minute: float, now_s: float | None = None) -> float:
        """Take a request out of a bucket and return 0; or return the seconds until there is one to take.

        >>> rates = Rates()
        >>> [rates.wait_s("a", 2, now_s) for now_s in (0.0, 0.0, 0.0, 30.0)]
        [0.0, 0.0, 30.0, 0.0]
        """
        now = time.monotonic() if now_s is None else now_s
        holds = max(1.0, per_minute)
        left, then = self._buckets.pop(who, (holds, now))
        left = min(holds, left + (now - then) * per_minute / 60)
        waits = 0.0 if left >= 1 else (1 - left) * 60 / per_minute
        self._buckets[who] = (left if waits else left - 1, now)
        if len(self._buckets) > _MOST_REMEMBERED:
            self._buckets.popitem(last=False)
        return waits


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _write(path: Path, keys: tuple[Key, ...]) -> None:
    text = json.dumps({"keys": [asdict(key) for key in keys]}, indent=1) + "\n"
    with atomic_write(path) as temporary:
        # Who may read the file stays as its owner has set it.
        temporary.touch(mode=0o600)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.write_text(text, encoding="utf-8")
