"""Rules of docs/design.md that no compiler checks: exit 0 when the sources keep them.

- A third-party library is included in one folder only.
- Nothing names a place outside the repository.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent

# Header, as it is written after #include, and the folder that may include it.
OWNERS = {
    r"xxhash\.h": "base",
    r"libconfig\.h": "conf",
    r"protobuf-c/.*": "otlp",
    r".*\.pb-c\.h": "otlp",
    r"libdeflate\.h": "otlp",
    r"zstd.*\.h": "otlp",
    r"snappy-c\.h": "otlp",
    r"yajl/.*": "otlp",
    r"lmdb\.h": "spool bench",  # bench: the loop that the spool is measured beside
    r"(mongoc|bson)/.*": "sink bench",  # bench: the loop that delivery is measured beside
    r"grpc/.*": "client receiver",
    r"nghttp2/.*": "h2 bench fuzz",
    r"microhttpd\.h": "admin http",
    r"openssl/.*": "net",
    r"systemd/.*": "daemon",
}

# In two halves, since this file is searched too.
OUTSIDE = ["../" + "shared", "/wo" + "rk/"]


def tracked_files() -> list[pathlib.Path]:
    """What is in the repository or would be added to it; also in a checkout of another user."""
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.split(b"\0")
    paths = {ROOT / name.decode() for name in names if name}
    return sorted(path for path in paths if path.is_file())


def folder_of(path: pathlib.Path) -> str:
    """src/FOLDER/file and tests/unit/FOLDER/file belong to FOLDER."""
    return path.parent.name


def misplaced_includes(path: pathlib.Path, text: str) -> list[str]:
    found = []
    for header in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.MULTILINE):
        for pattern, owner in OWNERS.items():
            if re.fullmatch(pattern, header) and folder_of(path) not in owner.split():
                found.append(f"{path.relative_to(ROOT)}: includes {header}, which only {owner} may")
    return found


def main() -> None:
    problems, sources = [], 0
    for path in tracked_files():
        text = path.read_bytes().decode(errors="replace")
        if path.suffix in (".c", ".h"):
            sources += 1
            problems += misplaced_includes(path, text)
        problems += [f"{path.relative_to(ROOT)}: mentions {words}" for words in OUTSIDE if words in text]
    assert sources > 0, "no sources were found"
    sys.exit("\n".join(problems) if problems else 0)


main()
