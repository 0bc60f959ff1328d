"""`tracespool`, the command."""

import json
import os
import pathlib
import subprocess
from typing import Any, Sequence

from .daemon import binary


def run(
    *arguments: str,
    config: pathlib.Path | None = None,
    prefix: Sequence[str] = (),
    stdin: str = "",
    cwd: pathlib.Path | None = None,
    **env: str,
) -> subprocess.CompletedProcess[str]:
    """Output as text; never a terminal, so no colours and 100 columns. `prefix` is what it is started by."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("MONGO_URI", "COLUMNS")}
    command = [*prefix, binary("tracespool")] + (["-c", str(config)] if config else []) + list(arguments)
    return subprocess.run(
        command,
        env={**inherited, **env},
        input=stdin,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def text(*arguments: str, config: pathlib.Path | None = None, prefix: Sequence[str] = ()) -> str:
    """Standard output of a run that must succeed."""
    result = run(*arguments, config=config, prefix=prefix)
    assert result.returncode == 0, result
    return result.stdout


def raw(*arguments: str, config: pathlib.Path) -> bytes:
    """As text, of one that prints no text."""
    command = [binary("tracespool"), "-c", str(config), *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True).stdout


def objects(
    *arguments: str, config: pathlib.Path | None = None, prefix: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The JSON objects of a run that must succeed, one a line."""
    return [json.loads(line) for line in text("--json", *arguments, config=config, prefix=prefix).splitlines()]


def status(config: pathlib.Path, prefix: Sequence[str] = ()) -> dict[str, Any]:
    (answer,) = objects("status", config=config, prefix=prefix)
    return answer


def is_backing_off(config: pathlib.Path) -> bool:
    """After an attempt that failed, not by the word of the driver's monitors alone."""
    mongodb = status(config)["mongodb"]
    return mongodb["state"] == "backing off" and mongodb["failed_attempts"] > 0
