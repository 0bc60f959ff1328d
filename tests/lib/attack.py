"""What an attack is, how it gets into the list, and running one: bounded in time and in what it sends."""

import itertools
import re
from typing import Callable, Iterable, Iterator, NamedTuple

from .wire import Ended, Http2, Spent, Wire

SECONDS = 2.0
FRAMES_MAX = 20000  # that one flood sends
BATCH = 100  # frames that are sent at a time


class Ports(NamedTuple):
    grpc: int
    http: int


class Attack(NamedTuple):
    port: str  # a field of Ports
    wire: type[Wire]
    run: Callable[[Wire], None]


ATTACKS: dict[str, Attack] = {}


def attack(port: str, wire: type[Wire]) -> Callable:
    """Puts a function into the list, by its name with "-" for "_"."""

    def register(run: Callable[[Wire], None]) -> Callable[[Wire], None]:
        ATTACKS[run.__name__.replace("_", "-")] = Attack(port, wire, run)
        return run

    return register


on_grpc_raw = attack("grpc", Wire)
on_grpc = attack("grpc", Http2)
on_http = attack("http", Wire)


def flood(wire: Wire, frames: Iterable[bytes], count: int = FRAMES_MAX) -> None:
    """So many of the frames, as fast as they are taken."""
    frames = iter(frames)
    for _ in range(count // BATCH):
        wire.send(b"".join(itertools.islice(frames, BATCH)))


def streams() -> Iterator[int]:
    """What a client may number its streams with."""
    return itertools.count(1, 2)


def run(name: str, ports: Ports, seconds: float = SECONDS) -> str:
    """One attack, once; says what was answered and how the connection was left."""
    chosen = ATTACKS[name]
    try:
        wire = chosen.wire(getattr(ports, chosen.port), seconds)
    except (OSError, Ended, Spent) as error:
        return f"not connected: {error or type(error).__name__}"
    with wire:
        try:
            chosen.run(wire)
            wire.drain()
            end = "open"
        except Spent:
            end = "open at the end of its time"
        except Ended:
            end = "closed"
        said = wire.outcome()
        return f"{said}; {end}" if said else end


def known_as(name: str) -> str:
    """The CVE numbers that an attack names."""
    return ", ".join(re.findall(r"CVE-\d+-\d+", ATTACKS[name].run.__doc__ or ""))
