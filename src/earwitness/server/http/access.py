"""Access to the server: accepted hosts, allowed web pages, and the client that a trusted proxy reports.

A page of any site can send requests to a server on the reader's own machine. Two rules keep it out. Origin must be the
server's own (RFC 6454: scheme, host and port, with default ports and without case) or one that was named. And Host must
be a name of this server: else a site could let its own name point to 127.0.0.1, and Origin and Host would be equal.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from earwitness.errors import UsageError
from earwitness.server.api_errors import ApiError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_PORTS = {"http": 80, "https": 443}
_STRANGE = re.compile(r"[^A-Za-z0-9._~:\[\]-]")
_NAME = re.compile(r"\*|(\*\.)?[A-Za-z0-9_~-][A-Za-z0-9._~-]*")


@dataclass(frozen=True, slots=True)
class Caller:
    """The client of a request, and the host that it names."""

    address: str
    """Of the client; of the proxy before it where no trusted one names the client."""
    host: str
    """``Host``, or what a trusted proxy says that it was; empty when there is none."""
    scheme: str | None
    """What a trusted proxy says that the client used; ``None`` when no trusted proxy says so."""


@dataclass(frozen=True, slots=True)
class Door:
    """The access rules of one server."""

    hosts: tuple[str, ...] = ("*",)
    """Names that it answers to, in lower case; ``*.example.org`` for all below, ``*`` for any."""
    loopback: bool = False
    """Whether only this machine can reach it: then an address is a host only if it is a loopback address."""
    origins: tuple[str, ...] = ()
    """Of other pages that may ask, as ``canonical_origin`` writes them."""
    proxies: tuple[Network, ...] = ()
    """Whose ``X-Forwarded-*`` headers are believed."""

    def caller(self, peer: str, headers: Mapping[str, str]) -> Caller:
        """Return the client of a request.

        Args:
            peer: Address at the other end of the connection.
            headers: By lower-case name; values of one name joined by commas.

        >>> door = Door(proxies=networks(["10.0.0.0/8"]))
        >>> headers = {"host": "inner", "x-forwarded-for": "1.1.1.1, 2.2.2.2, 10.0.0.7", "x-forwarded-host": "a.org"}
        >>> door.caller("10.0.0.8", headers)
        Caller(address='2.2.2.2', host='a.org', scheme=None)
        >>> door.caller("9.9.9.9", headers)
        Caller(address='9.9.9.9', host='inner', scheme=None)
        """
        host = headers.get("host", "")
        if not self.trusts(peer):
            return Caller(peer, host, None)
        address = peer
        # What comes before the first address that is not a proxy of ours is the client's own claim.
        for named in reversed(headers.get("x-forwarded-for", "").split(",")):
            found = _bare(named)
            if found is None or not self.trusts(address):
                break
            address = found
        scheme = _last(headers, "x-forwarded-proto").lower()
        return Caller(address, _last(headers, "x-forwarded-host") or host, scheme if scheme in _PORTS else None)

    def trusts(self, address: str) -> bool:
        """Return whether an address is that of a trusted proxy."""
        found = _ip(address)
        return found is not None and any(found in network for network in self.proxies)

    def require(self, caller: Caller, origin: str | None) -> None:
        """Refuse a request for another host, or from a web page that is not allowed.

        Args:
            caller: Who asks.
            origin: Of the page; ``None`` where no page asks.

        Raises:
            Refused: With 421 or 403.
        """
        if caller.host and not self._answers_to(caller.host):
            raise ApiError(
                421,
                f"This server does not accept the host {caller.host[:200]!r}. Its operator can add it with "
                "--allowed-host.",
                code="host",
            )
        if origin is not None and not self._lets(origin, caller):
            raise ApiError(
                403,
                f"Pages of {origin[:200]!r} may not use this server. Its operator can allow them with --cors.",
                code="origin",
            )

    def _answers_to(self, host: str) -> bool:
        try:
            name = _authority(host, "http")[0]
        except ValueError:
            return False
        address = _ip(name)
        if address is not None and (address.is_loopback or not self.loopback):
            return True
        if name == "localhost" or name.endswith(".localhost"):
            return True
        return any(
            one in ("*", name) or (one.startswith("*.") and name.endswith(one.removeprefix("*"))) for one in self.hosts
        )

    def _lets(self, origin: str, caller: Caller) -> bool:
        try:
            asking = canonical_origin(origin)
            # Without a proxy that says so, nobody knows whether there is TLS before the server: the page's own scheme
            # says which port a Host without one means.
            own = f"{caller.scheme or urlsplit(asking).scheme}://{caller.host}"
            return asking in self.origins or (bool(caller.host) and asking == canonical_origin(own))
        except ValueError:
            return False


def canonical_origin(text: str) -> str:
    """Return an origin in the form in which browsers send it.

    >>> [canonical_origin(text) for text in ("HTTPS://App.Example.org:443/", "http://[::1]:8000", "http://a:443")]
    ['https://app.example.org', 'http://[::1]:8000', 'http://a:443']

    Raises:
        ValueError: For anything else than scheme, host and perhaps a port.
    """
    parts = urlsplit(text)
    if (
        parts.scheme not in _PORTS
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise ValueError(f"{text!r} is not an origin such as https://example.org.")
    host, port = _authority(parts.netloc, parts.scheme)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port == _PORTS[parts.scheme] else f":{port}")


def door_of(
    host: str, allowed_hosts: Sequence[str], origins: Sequence[str], proxies: Sequence[str], *, loopback: bool
) -> Door:
    """Return the rules for a server, from its options.

    Args:
        host: Address that it binds.
        allowed_hosts: Names that it answers to; without any, on a loopback address its own names, elsewhere any.
        origins: Of other pages that may ask.
        proxies: Addresses or networks whose ``X-Forwarded-*`` headers are believed.
        loopback: Whether ``host`` can be reached from this machine alone.

    Raises:
        UsageError: For what is no host, no origin, or no address.
    """
    for one in allowed_hosts:
        if not _NAME.fullmatch(one) and _ip(one.strip("[]")) is None:
            raise UsageError(f"{one!r} is not a host name. Write one such as asr.example.org, without a port.")
    names = tuple(one.lower().strip("[]").rstrip(".") for one in allowed_hosts)
    try:
        pages = tuple(canonical_origin(one) for one in origins)
    except ValueError as error:
        raise UsageError(f"--cors: {error}") from None
    # A name that was bound is a name of this server, too.
    own = (host.lower(),) if names or loopback else ("*",)
    return Door((*own, *names), loopback, pages, networks(proxies))


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return addresses and networks such as ``127.0.0.1``, ``10.0.0.0/8`` or ``fd00::/8``.

    Raises:
        UsageError: For anything else.
    """
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
    except ValueError:
        raise UsageError(
            f"--trusted-proxy takes addresses or networks such as 10.0.0.0/8, not {', '.join(map(repr, texts))}."
        ) from None


def _authority(text: str, scheme: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.netloc != text or _STRANGE.search(text):
        raise ValueError(f"{text!r} is not a host.")
    return parts.hostname.rstrip("."), parts.port or _PORTS[scheme]


def _bare(text: str) -> str | None:
    """An address without its port; ``None`` if it is invalid."""
    text = text.strip()
    if _ip(text) is None:
        try:
            text = _authority(text, "http")[0]
        except ValueError:
            return None
    return text if _ip(text) is not None else None


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _last(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").rpartition(",")[2].strip()
