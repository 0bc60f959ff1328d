"""A stand-in for a mongos: one real mongod that looks like a sharded cluster of two shards.

It answers `hello` as a mongos does, keeps account of what is sharded, and answers enableSharding, shardCollection,
collStats, dbStats, create and createIndexes in the form and with the codes of MongoDB's own source (6.0 and 7.0);
everything else goes to the mongod behind it, which should be a replica set.

What it cannot show, because there is one mongod and no routing: that a document goes to the shard of its key, that
`_id` is unique on each shard only, chunks that move and what is left of them, what one shard's failure does to the
others, which queries reach one shard and which reach all, and what authorization a mongos asks for.
"""

import contextlib
import enum
import socket
import struct
import threading
from typing import Any

import bson
import pymongo
import pymongo.errors

from .cutting_proxy import HEADER, OP_MSG, Cut, read_message
from .listener import Listener

OP_REPLY, OP_QUERY = 1, 2004
OP_REPLY_HEAD = struct.Struct("<iqii")  # flags, cursor, starting from, documents
# Members of a hello that a mongos does not have; topologyVersion would make the driver wait for changes.
NOT_OF_A_MONGOS = ["setName", "setVersion", "hosts", "primary", "me", "secondary", "electionId", "lastWrite"]
NOT_OF_A_MONGOS += ["topologyVersion", "compression", "isImplicitDefaultMajorityWC"]
NAMES = {9: "FailedToParse", 13: "Unauthorized", 20: "IllegalOperation", 23: "AlreadyInitialized"}
NAMES |= {72: "InvalidOptions", 82: "NoProgressMade", 133: "FailedToSatisfyReadPreference", 13388: "StaleConfig"}

Document = dict[str, Any]


class Treatment(enum.Enum):
    """Of one insert."""

    STALE_CONFIG = "nothing is stored, the command fails with 13388"
    NO_PROGRESS = "all is stored, and of the second half of the documents it says 82"
    NO_PRIMARY = "nothing is stored, every document fails with 133"


def failure(code: int, text: str) -> Document:
    return {"ok": 0.0, "errmsg": text, "code": code, "codeName": NAMES[code]}


class Message:
    """An OP_MSG: its command, and the bytes of the sections after that."""

    def __init__(self, data: bytes):
        self.length, self.number, self.answers, _ = HEADER.unpack_from(data)
        at = HEADER.size + 5
        (size,) = struct.unpack_from("<i", data, at)
        self.body = bson.decode(data[at : at + size])
        self.rest = data[at + size :]

    def sequence(self) -> list[Document]:
        """The documents of its document sequence, or none."""
        if len(self.rest) < 5 or self.rest[0] != 1:
            return []
        (size,) = struct.unpack_from("<i", self.rest, 1)
        begin = self.rest.index(b"\0", 5) + 1
        return bson.decode_all(self.rest[begin : 1 + size])


def op_msg(body: Document, answers: int, number: int = 0) -> bytes:
    payload = struct.pack("<iB", 0, 0) + bson.encode(body)
    return HEADER.pack(HEADER.size + len(payload), number, answers, OP_MSG) + payload


def op_reply(body: Document, answers: int) -> bytes:
    payload = OP_REPLY_HEAD.pack(8, 0, 0, 1) + bson.encode(body)
    return HEADER.pack(HEADER.size + len(payload), 0, answers, OP_REPLY) + payload


class Mongos:
    SHARDS = ("shard0/127.0.0.1:1", "shard1/127.0.0.1:2")  # as a mongos calls them below `raw`

    def __init__(self, port: int):
        """`port` is mongod's."""
        self.server_port = port
        self.lock = threading.Lock()
        self.sharded: dict[str, Document] = {}  # shard keys, by namespace
        self.enabled: set[str] = set()
        self.must_enable = False  # as before 6.0: a database has to be enabled first
        self.done: list[tuple[str, str]] = []  # creates, shardCollections and inserts that succeeded, with namespaces
        self.refusals: dict[str, tuple[int, str]] = {}  # by command
        self.treatments: list[Treatment] = []  # of the next inserts
        self.poison: set[str] = set()  # trace ids: a command with a document of one is refused as a whole
        self.keyless = 0  # documents for a sharded collection that have not its shard key
        self.volumes = {shard: (100 << 30, 10 << 30) for shard in self.SHARDS}  # size and what is used
        self.listener = Listener(self.serve)
        self.client = pymongo.MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=5000)

    def __enter__(self) -> "Mongos":
        self.listener.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.__exit__()
        self.client.close()

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.listener.port}/"

    def first(self, what: str, namespace: str) -> int:
        """Where in `done` this is first."""
        with self.lock:
            return self.done.index((what, namespace))

    def written(self) -> set[str]:
        with self.lock:
            return {namespace for what, namespace in self.done if what == "insert"}

    # --- connections ------------------------------------------------------------------------

    def serve(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.server_port), 10) as server, contextlib.suppress(Cut):
            server.settimeout(None)
            while True:
                data = read_message(client)
                opcode = HEADER.unpack_from(data)[3]
                assert opcode in (OP_QUERY, OP_MSG), f"opcode {opcode}"
                client.sendall(self.greet(server, data) if opcode == OP_QUERY else self.answer(server, data))

    def greet(self, server: socket.socket, data: bytes) -> bytes:
        """The first message of a connection may be a hello in the old form."""
        server.sendall(data)
        reply = read_message(server)
        body = bson.decode(reply[HEADER.size + OP_REPLY_HEAD.size :])
        return op_reply(self.as_mongos(body), HEADER.unpack_from(data)[1])

    @staticmethod
    def as_mongos(body: Document) -> Document:
        kept = {key: value for key, value in body.items() if key not in NOT_OF_A_MONGOS}
        return {**kept, "msg": "isdbgrid"}

    def answer(self, server: socket.socket, data: bytes) -> bytes:
        message = Message(data)
        name = next(iter(message.body))
        with self.lock:
            refusal = self.refusals.get(name)
        if refusal is not None:
            return op_msg(failure(*refusal), message.number)
        handle = getattr(self, f"on_{name.lower()}", None)
        if handle is None:
            server.sendall(data)
            return read_message(server)
        try:
            body = handle(message, lambda: self.ask(server, data))
        except pymongo.errors.OperationFailure as error:  # of a command of our own
            body = {"ok": 0.0, "errmsg": str(error), "code": error.code}
        return op_msg(body, message.number)

    @staticmethod
    def ask(server: socket.socket, data: bytes) -> Document:
        server.sendall(data)
        return Message(read_message(server)).body

    # --- commands ---------------------------------------------------------------------------

    @staticmethod
    def namespace(message: Message) -> str:
        return f"{message.body['$db']}.{next(iter(message.body.values()))}"

    def note(self, what: str, namespace: str) -> None:
        with self.lock:
            self.done.append((what, namespace))

    def on_hello(self, message: Message, ask: Any) -> Document:
        return self.as_mongos(ask())

    on_ismaster = on_hello

    def on_create(self, message: Message, ask: Any) -> Document:
        """A collection that is there with the same options is "ok"; in a mongod before 7.0 it is not."""
        reply = ask()
        if reply.get("code") == 48 and "viewOn" not in message.body:
            return {"ok": 1.0}
        if reply["ok"]:
            self.note("create", self.namespace(message))
        return reply

    def on_drop(self, message: Message, ask: Any) -> Document:
        reply = ask()
        with self.lock:
            self.sharded.pop(self.namespace(message), None)
        return reply if reply["ok"] or reply.get("code") != 26 else {"ok": 1.0}

    def on_createindexes(self, message: Message, ask: Any) -> Document:
        """What the shards have said is below `raw`; the code of a failure is at the top too."""
        reply = ask()
        with self.lock:
            if self.namespace(message) not in self.sharded:
                return reply
        kept = ("ok", "errmsg", "code", "codeName")
        return {"raw": {shard: reply for shard in self.SHARDS}} | {key: reply[key] for key in kept if key in reply}

    def on_collstats(self, message: Message, ask: Any) -> Document:
        reply = ask()
        with self.lock:
            return reply | {"sharded": self.namespace(message) in self.sharded} if reply["ok"] else reply

    def on_dbstats(self, message: Message, ask: Any) -> Document:
        reply = ask()
        with self.lock:
            volumes = dict(self.volumes)
        raw = {shard: reply | {"fsTotalSize": size, "fsUsedSize": used} for shard, (size, used) in volumes.items()}
        sums = {"fsTotalSize": sum(size for size, _ in volumes.values())}
        sums["fsUsedSize"] = sum(used for _, used in volumes.values())
        return {"raw": raw, **reply, **{name: float(value) for name, value in sums.items()}}

    def on_enablesharding(self, message: Message, ask: Any) -> Document:
        if message.body["$db"] != "admin":
            return failure(13, "enableSharding may only be run against the admin database.")
        with self.lock:
            self.enabled.add(message.body["enableSharding"])
        return {"ok": 1.0}

    def on_shardcollection(self, message: Message, ask: Any) -> Document:
        namespace, key = message.body["shardCollection"], message.body["key"]
        database, collection = namespace.split(".", 1)
        if message.body["$db"] != "admin":
            return failure(13, "shardCollection may only be run against the admin database.")
        with self.lock:
            if self.must_enable and database not in self.enabled:
                return failure(20, f"sharding not enabled for db {database}")
            known = self.sharded.get(namespace)
        if known is not None and known != key:
            return failure(23, f"sharding already enabled for collection {namespace}")
        if known is None and not self.has_index(database, collection, key):
            if self.client[database][collection].find_one() is not None:
                text = "Please create an index that starts with the proposed shard key before sharding the collection. "
                return failure(72, text)
            self.client[database][collection].create_index(list(key.items()))
        with self.lock:
            self.sharded[namespace] = key
        self.note("shardCollection", namespace)
        return {"collectionsharded": namespace, "ok": 1.0}

    def has_index(self, database: str, collection: str, key: Document) -> bool:
        """Whose key begins with the shard key."""
        wanted = list(key.items())
        indexes = self.client[database][collection].list_indexes()
        return any(list(index["key"].items())[: len(wanted)] == wanted for index in indexes)

    # --- inserts ----------------------------------------------------------------------------

    def on_insert(self, message: Message, ask: Any) -> Document:
        documents = message.body.get("documents") or message.sequence()
        with self.lock:
            treatment = self.treatments.pop(0) if self.treatments else None
            key = self.sharded.get(self.namespace(message), {})
            self.keyless += sum(any(field not in document for field in key) for document in documents)
        if any(document.get("traceId") in self.poison for document in documents):
            return failure(9, "what it cannot parse")
        if treatment is Treatment.STALE_CONFIG:
            return failure(13388, "timestamp mismatch detected")
        if treatment is Treatment.NO_PRIMARY:
            text = 'Could not find host matching read preference { mode: "primary" } for set shard1'
            return self.write_errors(range(len(documents)), 0, 133, text)
        reply = ask()
        self.note("insert", self.namespace(message))
        if treatment is Treatment.NO_PROGRESS:
            half = range(len(documents) // 2, len(documents))
            return self.write_errors(half, len(documents) - len(half), 82, "no progress was made executing batch")
        return reply

    @staticmethod
    def write_errors(indexes: range, count: int, code: int, text: str) -> Document:
        return {"n": count, "writeErrors": [{"index": i, "code": code, "errmsg": text} for i in indexes], "ok": 1.0}
