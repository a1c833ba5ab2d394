"""Who may use the labelling page: a browser on this machine that has the token.

Any site that is open in the same browser can send requests to 127.0.0.1. Four checks keep it out: ``Host`` must be an
address or a name of this server (else a site could let its own name point here), ``Origin`` must be the page's own,
``Sec-Fetch-Site`` must not name another site or another port, and the token must be there, as a cookie that browsers do
not send from elsewhere (``SameSite=Strict``).
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from earwitness.files.atomic import write_errors
from earwitness.files.loopback import is_loopback

ACCESS_KEY = "token"
"""The parameter of the address."""
ACCESS_HEADER = "x-earwitness-token"
"""The header for programs, which have no cookies."""


@dataclass(frozen=True, slots=True)
class PageDoor:
    """The rules for requests to one server."""

    token: str
    """What only the address that was printed has."""
    host: str
    """The address that the server listens on."""
    port: int
    """Its port."""

    @property
    def cookie(self) -> str:
        """The name of the cookie; browsers share cookies between the ports of a machine."""
        return f"earwitness_label_{self.port}"

    def refusal(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> str | None:
        """Return why a request is refused, a sentence; ``None`` for one that is accepted.

        Args:
            method: Such as ``POST``.
            path: Of the address.
            query: Of the address, behind the question mark.
            headers: By lower-case name.

        >>> door = PageDoor("secret", "127.0.0.1", 8377)
        >>> good = {"host": "127.0.0.1:8377", "cookie": "earwitness_label_8377=secret"}
        >>> door.refusal("GET", "/", "", good) is None
        True
        >>> door.refusal("GET", "/", "", good | {"host": "evil.example:8377"})
        "This page does not answer to the host 'evil.example:8377'. Use the address that `earwitness label` printed."
        """
        host = headers.get("host", "")
        if not self._is_own(host):
            return (
                f"This page does not answer to the host {host[:100]!r}. "
                "Use the address that `earwitness label` printed."
            )
        origin = headers.get("origin")
        if origin is None and method not in ("GET", "HEAD"):
            return "This request does not say which page it is of. Only the labelling page itself may change labels."
        if origin is not None and origin != f"http://{host}":
            return f"Pages of {origin[:100]!r} may not use the labelling page."
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            return "Another page may not use the labelling page."
        if not self._has_token(path, query, headers):
            return "The token is missing or an old one. Open the address that `earwitness label` printed."
        return None

    def _is_own(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if parts.netloc != host or "@" in host or port != self.port:
            return False
        if name in ("localhost", self.host):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # A site's own name can point to this machine; an address in numbers cannot be a site's own name.
        return address.is_loopback or not is_loopback(self.host)

    def _has_token(self, path: str, query: str, headers: Mapping[str, str]) -> bool:
        tokens = [headers.get(ACCESS_HEADER, ""), _cookies(headers.get("cookie", "")).get(self.cookie, "")]
        if path == "/":
            tokens += parse_qs(query).get(ACCESS_KEY, [])
        return any(hmac.compare_digest(one.encode(), self.token.encode()) for one in tokens)


def token_for(overlay: Path, folder: Path) -> str:
    """Return the token of an overlay: random, and the same when the server starts again, so that open pages go on.

    Args:
        overlay: The file of labels.
        folder: The user's own, where tokens are kept; readable by nobody else.

    Raises:
        FileError: When it cannot be written.
    """
    path = folder / f"{sha256(str(overlay.resolve()).encode()).hexdigest()[:32]}.token"
    with write_errors(path):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            text = path.read_text(encoding="ascii", errors="replace").strip()
            if len(text) >= 32:
                return text
            path.unlink()
            return token_for(overlay, folder)
        token = secrets.token_urlsafe(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)
    return token


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
