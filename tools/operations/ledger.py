"""Every request that was sent, what its client saw, and what the log of a server says of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HUNG_UP = "hung up"
TEXT = "text"
OTHER_TEXT = "another text"
NO_ANSWER = "no answer"
_CLIENT_CLOSED = 499


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client saw of one request."""

    request_id: str
    """As it was sent, so that the log can be searched for it."""
    status: int | None
    """Of the answer; ``None`` without one."""
    end: str
    """``TEXT``, ``OTHER_TEXT``, ``HUNG_UP``, ``NO_ANSWER``, or the code of the error in the answer."""
    detail: str = ""
    """What else there is to say, for one that was lost."""


@dataclass(frozen=True, slots=True)
class Account:
    """All requests, by their end, and those that do not add up."""

    sent: int
    """Requests."""
    ends: Mapping[str, int]
    """How many ended in which way; the sum is ``sent``."""
    lost: Sequence[str]
    """Requests without an answer of a server whose client waited for one, and why."""
    wrong: Sequence[str]
    """Requests that were answered with another text than a quiet server gives."""
    unlogged: Sequence[str]
    """Ids of which no log has a line."""
    repeated: Sequence[str]
    """Ids of which the logs have several lines."""
    untrue: Sequence[str]
    """Requests of which the log tells another status than the client saw."""

    @property
    def adds_up(self) -> bool:
        """Whether every request has one end, and the client and the log agree on it."""
        return not (self.lost or self.wrong or self.unlogged or self.repeated or self.untrue)


@dataclass(slots=True)
class Ledger:
    """Outcomes, as they come from the threads of the clients."""

    outcomes: list[Outcome] = field(default_factory=list)
    """In the order in which they ended."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: Outcome) -> Outcome:
        """Write one down, and return it."""
        with self._lock:
            self.outcomes.append(outcome)
        return outcome

    def ends(self, since: int = 0) -> Counter[str]:
        """Count the ends of all outcomes from a position on.

        >>> ledger = Ledger()
        >>> _ = ledger.add(Outcome("a", 200, TEXT)), ledger.add(Outcome("b", 429, "queue_full"))
        >>> sorted(ledger.ends()), sorted(ledger.ends(since=1))
        (['queue_full', 'text'], ['queue_full'])
        """
        with self._lock:
            return Counter(outcome.end for outcome in self.outcomes[since:])


def account(outcomes: Sequence[Outcome], log: Iterable[Mapping[str, Any]]) -> Account:
    """Hold what clients saw against the lines that servers wrote.

    A client that hangs up does not know what its request came to: 499, or an answer that was on its way. Whoever gets
    an answer knows, and the log has to say the same.

    Args:
        outcomes: Of all requests.
        log: Lines of all servers; those without one of the ids are passed over.
    """
    statuses: dict[str, list[int]] = {outcome.request_id: [] for outcome in outcomes}
    for row in log:
        if row.get("event") == "request" and row.get("request_id") in statuses:
            statuses[row["request_id"]].append(row["status"])

    def lines(outcome: Outcome) -> list[int]:
        return statuses[outcome.request_id]

    reached = [outcome for outcome in outcomes if outcome.end != NO_ANSWER]
    answered = [outcome for outcome in reached if outcome.end != HUNG_UP and len(lines(outcome)) == 1]
    return Account(
        sent=len(outcomes),
        ends=dict(Counter(outcome.end for outcome in outcomes).most_common()),
        lost=[f"{one.request_id}: {one.detail or one.status}" for one in outcomes if one.end == NO_ANSWER],
        wrong=[f"{one.request_id}: {one.detail}" for one in outcomes if one.end == OTHER_TEXT],
        unlogged=[one.request_id for one in reached if not lines(one)],
        repeated=[one.request_id for one in outcomes if len(lines(one)) > 1],
        untrue=[
            f"{one.request_id}: {one.status} to the client, {lines(one)[0]} in the log"
            for one in answered
            if lines(one)[0] != one.status
        ],
    )
