"""What tests/hostile/run prints; its usage says what that is."""

import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from lib import attacks, attacks_grpc, attacks_http, hostile  # pylint: disable=wrong-import-position,unused-import
from lib.clients import Load  # pylint: disable=wrong-import-position
from lib.daemon import Daemon  # pylint: disable=wrong-import-position
from lib.mongod import Mongod  # pylint: disable=wrong-import-position

SECONDS = 10.0  # for an attack: longer than receiver.read_timeout, so that the end is seen


def beside_a_crowd(daemon: Daemon, folder: pathlib.Path, exports: int) -> None:
    crowd = hostile.CrowdProcess(folder, daemon, hostile.IDLE, hostile.SLOW, hostile.HOSTILE)
    try:
        with Load(daemon.endpoint, requests_per_second=100) as load:
            print(hostile.measure(daemon, load, crowd, exports, rounds=1), flush=True)
    finally:
        crowd.kill()


def attack_by_attack(daemon: Daemon, only: str) -> None:
    print("\n| attack | known as | answer; the connection |\n|---|---|---|")
    for name in filter(lambda name: only in name, attacks.ATTACKS):
        seen = attacks.run(name, attacks.Ports(daemon.port, daemon.http_port), SECONDS)
        known = attacks.known_as(name)
        print(f"| {name} | {known} | {seen} |", flush=True)
        assert daemon.running, daemon.tail()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exports", type=int, default=2000)
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
                beside_a_crowd(daemon, folder, chosen.exports)
            attack_by_attack(daemon, chosen.only)
        finally:
            daemon.kill()
            mongod.kill()


main()
