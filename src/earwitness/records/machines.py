"""What a record says of the machine when several did the work: shards that were merged, or nodes of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from earwitness.records.record import Environment, MachineInfo, WorkersInfo
from earwitness.scoring.metrics.timing import Speed


def one_environment(environments: Sequence[Environment]) -> Environment:
    """Return one description of several machines: that of the first, with every kind of processor in it.

    Args:
        environments: At least one.
    """
    kinds = sorted({(each.cpu, each.cores) for each in environments})
    if len(kinds) == 1:
        return environments[0]
    cpu = " + ".join(f"{cpu} ({cores} cores)" for cpu, cores in kinds)
    return replace(environments[0], cpu=cpu, cores=max(cores for _, cores in kinds))


def one_speed(machines: Sequence[MachineInfo], of_all: Speed) -> Speed | None:
    """Return the speed of machines of one kind; ``None`` when processors, cores or devices differ."""
    kinds = {
        (machine.environment and (machine.environment.cpu, machine.environment.cores), _kind(machine.device))
        for machine in machines
    }
    return of_all if len(kinds) == 1 else None


def one_workers(workers: Sequence[WorkersInfo | None]) -> WorkersInfo | None:
    """Return the processes of several machines as one: counts add up, peaks are the highest, the start is the first."""
    found = [each for each in workers if each is not None]
    if not found:
        return None
    return replace(
        found[0],
        n_warmup=sum(each.n_warmup for each in found),
        n_started=sum(each.n_started for each in found),
        peak_rss_bytes=_most([each.peak_rss_bytes for each in found]),
        peak_device_bytes=_most([each.peak_device_bytes for each in found]),
    )


def _kind(device: str | None) -> str:
    return (device or "").partition(":")[0]


def _most(values: Sequence[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
