"""Where every verb and option of `tracespool` finds something: a small spool, beside a daemon under load or at rest."""

import contextlib
import copy
import pathlib
import shutil
import subprocess
import time
from typing import Any, Callable, Iterator

from . import ctl, documents
from .certificates import Authority, write_secret
from .clients import Client, Load
from .daemon import Daemon, config_lines
from .mongod import Mongod
from .waiting import wait_until

GOLDEN = pathlib.Path(__file__).parent.parent / "data" / "golden"
REQUESTS = GOLDEN / "requests.jsonl"
TOKEN = "kX7f-first-token-0123456789"

# The batches of the spool, in the order of the requests; nobody may store spans of ledger.
SERVICES = {1: {"order"}, 2: {"pricing"}, 3: {"order"}, 4: {"ledger"}}
SERVICES |= {5: {"order"}, 6: {"pricing"}, 7: {"order", "shipping"}, 8: {"shipping"}}
SPANS = {1: 2, 2: 2, 3: 1, 4: 2, 5: 1, 6: 1, 7: 2, 8: 1}
PARKED = ["4:0", "4:1"]
HELD = [6]
WAITING = [5, 7, 8]  # at rest; a daemon delivers them
TRACE = "a1" * 16
TRACE_SPANS = {1: {"00000000000000a0", "00000000000000a1"}, 2: {"00000000000000a2"}, 5: {"00000000000000a3"}}


class SecureLoad(Load):
    """With a client's certificate and a token; small requests, as what they bring is listed again and again."""

    TEMPLATES = ("java-0001", "python-awkward-0005", "node-sdk3-0005")

    def __init__(self, place: "Place"):
        super().__init__(place.daemon.endpoint, clients=2, requests_per_second=25)
        self.place = place

    def connect(self, client_number: int) -> Client:
        credentials = self.place.authority.for_grpc(self.place.operator)
        return Client(self.endpoint, gzip=client_number % 2 == 0, tls=credentials, token=TOKEN)


class Place:
    """A daemon's folder with the batches above: delivered, parked, held, and waiting when no daemon runs."""

    def __init__(self, folder: pathlib.Path, mongod: Mongod, database: str):
        self.folder, self.mongod, self.database = folder, mongod, database
        self.authority = Authority(folder)
        self.operator = self.authority.issue("operator")
        settings = {
            **self.authority.issue("server").settings,
            "receiver.tls.client_ca_file": self.authority.ca.cert,
            "receiver.bearer_tokens_file": write_secret(folder / "tokens", TOKEN),
            "spool.reserve": False,
            "mongodb.retention": "0",
        }
        self.daemon = Daemon(folder, mongod.uri, database, settings)
        self.secure = ["--ca", str(self.authority.ca.cert), *self.own_certificate]
        self.snapshot = folder / "snapshot"  # of the spool, at rest
        self.early = folder / "early.mdb"  # the file when nothing had been refused
        self.copies = 0
        self.extra: list[str] = []  # arguments of every command
        self.load: Load | None = None
        self.until = ""  # after the last of ours was received

    @property
    def own_certificate(self) -> list[str]:
        return ["--cert", str(self.operator.cert), "--key", str(self.operator.key)]

    def requests(self, first: int, last: int) -> str:
        """A file of these."""
        path = self.folder / f"{first}-{last}.jsonl"
        path.write_text("".join(REQUESTS.read_text().splitlines(keepends=True)[first - 1 : last]))
        return str(path)

    def fill(self) -> "Place":
        """All of them in the spool of a daemon that has stopped."""
        self.daemon.start()
        self.text("send", *self.secure, self.requests(1, 3))
        self.daemon.wait_delivered()
        shutil.copy(self.daemon.spool / "data.mdb", self.early)
        self.rule({"serviceName": {"$ne": "ledger"}})
        self.text("send", *self.secure, self.requests(4, 4))
        parked = "tracespool_spool_parked_entries"
        wait_until(lambda: self.daemon.metrics()[parked] == len(PARKED), "spans to be parked")
        self.daemon.wait_delivered()
        self.daemon.stop()
        self.text("import", self.requests(5, 8))
        self.text("hold", *map(str, HELD))
        shutil.copytree(self.daemon.spool, self.snapshot)
        newest = self.objects("ls", "--all")[-1]["received_unix_ns"] + 1
        seconds, nanoseconds = divmod(newest, 10**9)
        self.until = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09}Z"
        return self

    def rule(self, validator: dict[str, Any]) -> None:
        """What MongoDB stores."""
        with self.mongod.client() as client:
            for name in documents.collections(client[self.database]):
                client[self.database].command("collMod", name, validator=validator)

    @contextlib.contextmanager
    def under_load(self) -> Iterator[None]:
        self.daemon.start()
        self.daemon.wait_delivered()
        with SecureLoad(self) as self.load:
            self.load.wait_for(20)
            yield

    def end(self) -> None:
        self.daemon.kill()
        with self.mongod.client() as client:
            client.drop_database(self.database)

    # --- what is there of the batches above ---

    @property
    def live(self) -> bool:
        return self.load is not None

    @property
    def ours(self) -> tuple[str, ...]:
        """For lists: nothing of the load's."""
        return ("--all", "--until", self.until)

    @property
    def waiting(self) -> list[int]:
        return [] if self.live else WAITING

    @property
    def delivered(self) -> list[int]:
        return [seq for seq in SERVICES if seq not in HELD + self.waiting]

    # --- the command ---

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return ctl.run(*self.extra, *arguments, config=self.daemon.config, **options)

    def text(self, *arguments: str) -> str:
        return ctl.text(*self.extra, *arguments, config=self.daemon.config)

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        return ctl.objects(*self.extra, *arguments, config=self.daemon.config)

    def object(self, *arguments: str) -> dict[str, Any]:
        (answer,) = self.objects(*arguments)
        return answer

    def seqs(self, *arguments: str) -> list[int]:
        return [batch["seq"] for batch in self.objects("ls", "--limit", "0", *arguments)]

    def variant(self, settings: dict[str, object], without: tuple[str, ...] = ()) -> str:
        """Another configuration of the same spool; without some groups of `receiver`."""
        sections = copy.deepcopy(self.daemon.sections)
        for name in without:
            del sections["receiver"][name]
        for name, value in settings.items():
            section, key = name.split(".")
            sections[section][key] = value
        path = self.folder / "variant.conf"
        path.write_text("\n".join([*config_lines(sections), ""]))
        return str(path)

    # --- what may be changed ---

    def eventually(self, condition: Callable[[], Any], what: str) -> Any:
        """Under load at some moment; at rest at once, or never."""
        return wait_until(condition, what, 30 if self.live else 0)

    def scratch(self) -> "Place":
        """This one under load, a copy at rest."""
        if self.live:
            return self
        other = copy.copy(self)
        other.copies = self.copies + 1
        self.copies += 1
        target = self.folder / f"copy-{self.copies}"
        shutil.copytree(self.snapshot, target)
        other.extra = ["--spool", str(target)]
        return other

    def spare(self, count: int = 1) -> list[int]:
        """So many held batches, of which none is one of ours under load."""

        def held() -> list[int]:
            self.run("hold", "ALL")
            return [seq for seq in self.seqs("--held") if seq not in HELD]

        return self.eventually(lambda: len(found := held()) >= count and found, "batches to hold")[:count]

    def history(self, count: int) -> list[int]:
        """So many delivered batches, of which none is one of ours under load."""

        def delivered() -> list[int]:
            since = ["--since", self.until] if self.live else []
            return self.seqs("--history", *since, "--oldest", "--limit", str(count))

        return self.eventually(lambda: len(found := delivered()) == count and found, "batches to be delivered")
