"""How many nodes one fleet server carries: polls by the node's own code, from this machine."""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from wedau.ota import creating, fleet, on_host
from wedau.ota.creating import Plan
from wedau.ota.fleet_client import FleetClient

_FEED = "stable"
_IDENTITY = {"board": "SIM", "arch": "xtensawin", "feed": _FEED}


@dataclass
class Figures:
    """What was measured, on this machine, server and nodes together.

    Attributes:
        nodes: that polled.
        polls: in the measured rounds.
        polls_per_s: of them.
        p50_ms, p99_ms: time of a poll, as a node sees it, connection included.
        errors: polls that failed.
        at_once: how many were under way at a time.
    """

    nodes: int
    polls: int
    polls_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    at_once: int


def measure(nodes: int = 1000, rounds: int = 1, at_once: int = 20) -> Figures:
    """Let nodes register, then poll in rounds, each as soon as there is a free place.

    Raises:
        OtaError: goosebit is not installed, or does not start.
    """
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        releases = Path(folder) / "releases"
        creating.create(releases, Plan(passphrase=None), datetime.now(UTC))
        where = fleet.prepare(releases, 60)
        with fleet.serve(where, "127.0.0.1", 0, ["SIM"]) as server:
            client = FleetClient(server.url, *fleet.credentials(releases))
            ids = [f"node-{n}" for n in range(nodes)]
            token = client.register_all(ids, _FEED)
            carriers = [_carrier(server.url, id, token) for id in ids]
            asyncio.run(_round(carriers, at_once))
            began = time.perf_counter()
            found = [asyncio.run(_round(carriers, at_once)) for _ in range(rounds)]
            passed_s = time.perf_counter() - began
    times = [each for one in found for each in one if each is not None]
    p50, p99 = np.percentile(times, [50, 99]) if times else (0.0, 0.0)
    polls = nodes * rounds
    return Figures(
        nodes,
        polls,
        round(polls / passed_s, 1),
        round(float(p50) * 1000, 1),
        round(float(p99) * 1000, 1),
        polls - len(times),
        at_once,
    )


def _carrier(url: str, id: str, token: str) -> Any:
    """Return a node's side of the exchange."""
    settings = {"url": url, "tenant": fleet.TENANT, "id": id, "token": token}
    return on_host.load("ddi").Ddi(settings)


async def _round(carriers: list[Any], at_once: int) -> list[float | None]:
    """Let each poll once; return how long it took, None where it failed."""
    free = asyncio.Semaphore(at_once)
    failure = on_host.load("errors").OtaError

    async def poll(carrier: Any) -> float | None:
        async with free:
            began = time.perf_counter()
            try:
                await carrier.begin(_IDENTITY)
            except failure:
                return None
            return time.perf_counter() - began

    return await asyncio.gather(*(poll(each) for each in carriers))
