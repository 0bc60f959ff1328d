"""What tests/hostile/run prints; its usage says what that is."""

import argparse
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from lib import attacks, hostile  # pylint: disable=wrong-import-position
from lib.clients import Load  # pylint: disable=wrong-import-position
from lib.daemon import Daemon  # pylint: disable=wrong-import-position
from lib.mongod import Mongod  # pylint: disable=wrong-import-position

SECONDS = 10.0  # for an attack: longer than receiver.read_timeout, so that the end is seen


def beside_a_crowd(daemon: Daemon, folder: pathlib.Path, exports: int, rounds: int) -> None:
    """In turn alone and beside it, since disks have good and bad minutes; the crowd leaves in between."""
    times = []
    for _ in range(rounds):
        crowd = hostile.CrowdProcess(folder, daemon, hostile.IDLE, hostile.SLOW, hostile.HOSTILE)
        try:
            with Load(daemon.endpoint, requests_per_second=100) as load:
                seen = hostile.measure(daemon, load, crowd, exports, rounds=1)
        finally:
            crowd.kill()
        print(seen, flush=True)
        times.append(seen.beside.p99 / seen.alone.p99)
    print(f"p99 beside the crowd: {statistics.median(times):.1f} times that alone (the median of {rounds})")


def attack_by_attack(daemon: Daemon, only: str) -> None:
    """CPU: the daemon's, which is what an attack costs the others."""
    print("\n| attack | known as | answer; the connection | CPU |\n|---|---|---|---|")
    for name in filter(lambda name: only in name, attacks.ATTACKS):
        before = hostile.cpu_seconds(daemon)
        seen = attacks.run(name, attacks.Ports(daemon.port, daemon.http_port), SECONDS)
        assert daemon.running, daemon.tail()
        cpu = hostile.cpu_seconds(daemon) - before
        print(f"| {name} | {attacks.known_as(name)} | {seen} | {cpu:.2f} s |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exports", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tracespool-hostile-") as name:
        folder = pathlib.Path(name)
        mongod = Mongod(folder).start()
        daemon = Daemon(folder, mongod.uri, "hostile", hostile.SETTINGS)
        daemon.prefix = ["prlimit", f"--nofile={hostile.DESCRIPTORS}"]
        try:
            daemon.start()
            if not chosen.only:
                beside_a_crowd(daemon, folder, chosen.exports, chosen.rounds)
            attack_by_attack(daemon, chosen.only)
        finally:
            daemon.kill()
            mongod.kill()


main()
