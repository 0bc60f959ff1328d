"""A real mongod in a folder of its own."""

import os
import pathlib
import signal
import shutil
from typing import Any, Sequence

import pymongo
import pymongo.errors

from .ports import free_port
from .process import Process
from .waiting import wait_until


def mongod_path() -> str:
    return os.environ["TRACESPOOL_TEST_MONGOD"]


class Mongod(Process):
    """Single-node replica set, or standalone. The port and the data stay the same over restarts."""

    def __init__(self, folder: pathlib.Path, replica_set: bool = True, arguments: Sequence[str] = ()):
        """`arguments` are added to mongod's own."""
        super().__init__("mongod", folder / "mongod.log")
        self.arguments = list(arguments)
        self.data = folder / "mongod"
        self.data.mkdir()
        self.port = free_port()
        self.replica_set = replica_set
        self.initiated = False
        self.prefix: list[str] = []  # what it is started by: nsenter

    @property
    def uri(self) -> str:
        options = "?replicaSet=rs0" if self.replica_set else ""
        return f"mongodb://127.0.0.1:{self.port}/{options}"

    def client(self, **options: Any) -> pymongo.MongoClient:
        times = {"serverSelectionTimeoutMS": 2000, "socketTimeoutMS": 60000}
        return pymongo.MongoClient("127.0.0.1", self.port, directConnection=True, **times, **options)

    def start(self) -> "Mongod":
        self.launch()
        with self.client() as client:
            wait_until(lambda: self.answers(client), "mongod to answer", 60)
            if self.replica_set:
                self.become_primary(client)
        return self

    def launch(self) -> None:
        """Starts without waiting."""
        command = [mongod_path(), "--dbpath", str(self.data), "--port", str(self.port), "--bind_ip", "127.0.0.1"]
        command += ["--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false"]
        command += ["--nounixsocket"]  # a file in /tmp, which kill -9 would leave there
        if self.replica_set:
            command += ["--replSet", "rs0", "--oplogSize", "200"]
        self.spawn([*self.prefix, *command, *self.arguments])

    def answers(self, client: pymongo.MongoClient) -> bool:
        assert self.running, f"mongod ended: {self.tail()}"
        try:
            return bool(client.admin.command("ping")["ok"])
        except pymongo.errors.PyMongoError:
            return False

    def become_primary(self, client: pymongo.MongoClient) -> None:
        if not self.initiated:
            members = [{"_id": 0, "host": f"127.0.0.1:{self.port}"}]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
            self.initiated = True
        wait_until(lambda: client.admin.command("hello")["isWritablePrimary"], "mongod to become primary", 60)

    def tail(self, lines: int = 30) -> str:
        """Without what it says in passing: warnings and worse."""
        told = [line for line in self.output().splitlines() if '"s":"I"' not in line and '"s":"D' not in line]
        return "\n".join(told[-lines:])

    def wipe(self) -> None:
        """For a mongod that is stopped: it will know nothing."""
        shutil.rmtree(self.data)
        self.data.mkdir()
        self.initiated = False

    def pause(self) -> None:
        """Connections stay open and nothing answers: what a stalled machine looks like."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def stop(self) -> None:
        assert self.terminate(60) == 0
