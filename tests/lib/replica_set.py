"""Three real mongods on this machine, as one replica set that elects within seconds.

Members, daemons and clients know a member by the address of a relay in front of it, so that the network between
them can be cut. What this process asks of a single member goes to the member itself.
"""

import contextlib
import pathlib
import socket
from typing import Iterator

import pymongo
import pymongo.errors

from .mongod import Mongod
from .relay import Relay, has_socket, inode_of_peer
from .waiting import wait_until

MEMBERS = 3
OUTSIDE = "outside"  # who is no member

# How soon a silent primary is replaced; far less than MongoDB's 10 s, so that a test sees several elections.
ELECTION_TIMEOUT_MS = 2000
HEARTBEAT_MS = 500


class ReplicaSet:
    """Members keep their ports and data over restarts. What is asked of the set is asked of its members one by one."""

    def __init__(self, folder: pathlib.Path):
        self.members = [self.make_member(folder / f"member-{number}") for number in range(MEMBERS)]
        self.relays = [Relay(member.port, self.find_client) for member in self.members]

    @staticmethod
    def make_member(folder: pathlib.Path) -> Mongod:
        folder.mkdir()
        # Without a quiesce period SIGTERM ends a member as soon as it has stepped down.
        return Mongod(folder, arguments=["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"])

    def find_client(self, connection: socket.socket) -> str:
        """The number of the member that has the other end, or OUTSIDE."""
        inode = inode_of_peer(connection)
        for number, member in enumerate(self.members):
            child = member.child
            if inode is not None and child is not None and has_socket(child.pid, inode):
                return str(number)
        return OUTSIDE

    @property
    def hosts(self) -> str:
        return ",".join(f"127.0.0.1:{relay.port}" for relay in self.relays)

    @property
    def uri(self) -> str:
        """An outage of a member must not take as long as the default timeouts, which suit real networks."""
        return f"mongodb://{self.hosts}/?replicaSet=rs0&socketTimeoutMS=4000&serverSelectionTimeoutMS=1000"

    def client(self) -> pymongo.MongoClient:
        """Reads what a majority has."""
        return pymongo.MongoClient(f"mongodb://{self.hosts}/?replicaSet=rs0&readConcernLevel=majority")

    def start(self) -> "ReplicaSet":
        for relay in self.relays:
            relay.start()
        for member in self.members:
            member.launch()
        for member in self.members:
            with member.client() as client:
                wait_until(lambda: member.answers(client), "a member to answer", 60)
        with self.members[0].client() as client:
            client.admin.command("replSetInitiate", self.configuration())
        self.make_whole()
        return self

    def configuration(self) -> dict:
        return {
            "_id": "rs0",
            "members": [
                {"_id": number, "host": f"127.0.0.1:{relay.port}"} for number, relay in enumerate(self.relays)
            ],
            "settings": {"electionTimeoutMillis": ELECTION_TIMEOUT_MS, "heartbeatIntervalMillis": HEARTBEAT_MS},
        }

    def state(self, member: Mongod) -> str:
        """PRIMARY, SECONDARY, ..., as the member says of itself; "" when it does not answer."""
        if not member.running:
            return ""
        try:
            with pymongo.MongoClient(
                "127.0.0.1", member.port, directConnection=True, serverSelectionTimeoutMS=500, socketTimeoutMS=500
            ) as client:
                members = client.admin.command("replSetGetStatus")["members"]
        except pymongo.errors.PyMongoError:
            return ""
        return next(entry["stateStr"] for entry in members if entry.get("self"))

    def find_primary(self) -> Mongod | None:
        """None while there is none, or more than one believes to be it."""
        primaries = [member for member in self.members if self.state(member) == "PRIMARY"]
        return primaries[0] if len(primaries) == 1 else None

    def primary(self) -> Mongod:
        primary = wait_until(self.find_primary, "the set to have a primary", 60)
        assert primary is not None
        return primary

    def secondaries(self) -> list[Mongod]:
        primary = self.primary()
        return [member for member in self.members if member is not primary]

    def step_down(self) -> None:
        """The primary gives up; it stands for no election for the next seconds."""
        with self.primary().client() as client:
            client.admin.command({"replSetStepDown": 3, "secondaryCatchUpPeriodSecs": 1, "force": True})

    @contextlib.contextmanager
    def cut_off(self, member: Mongod, *, outside: bool = False) -> Iterator[None]:
        """The network between the member and the others is cut, and with `outside` that to everybody else, too."""
        cut = self.members.index(member)
        others = {str(number) for number in range(MEMBERS) if number != cut}
        try:
            for number, relay in enumerate(self.relays):
                if number == cut:
                    relay.cut(others | {OUTSIDE} if outside else others)
                else:
                    relay.cut({str(cut)})
            yield
        finally:
            for relay in self.relays:
                relay.mend()

    def make_whole(self) -> None:
        """All members run, one is primary, the others follow it."""
        for member in self.members:
            if member.running:
                member.resume()
            else:
                member.launch()
        wait_until(self.is_whole, "the set to have a primary and two secondaries", 60)

    def is_whole(self) -> bool:
        return sorted(map(self.state, self.members)) == ["PRIMARY"] + ["SECONDARY"] * (MEMBERS - 1)

    def kill(self) -> None:
        for member in self.members:
            member.kill()
        for relay in self.relays:
            relay.stop()
