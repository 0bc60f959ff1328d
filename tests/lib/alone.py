"""A mongod and a daemon in a folder of their own, for programs that pytest does not run."""

import contextlib
import pathlib
import shutil
import tempfile
from typing import Iterator

from .daemon import Daemon
from .mongod import Mongod


@contextlib.contextmanager
def alone(name: str, settings: dict[str, object], parent: str | None = None) -> Iterator[tuple[Mongod, Daemon]]:
    """Both started; killed in the end, and the folder, which is the configuration's, removed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tracespool-{name}-", dir=parent))
    mongod = Mongod(folder)
    daemon = Daemon(folder, mongod.uri, "tracing", settings)
    try:
        mongod.start()
        daemon.start()
        yield mongod, daemon
    finally:
        daemon.kill()
        mongod.kill()
        shutil.rmtree(folder)
