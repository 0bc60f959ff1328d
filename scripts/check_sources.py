"""Rules of docs/design.md that no compiler checks: exit 0 when the sources keep them.

- A third-party library is included in one folder only.
- Nothing names a place outside the repository.
- docs/logs.md has every event of the log with its levels, and nothing else; what
  names an event elsewhere names one that there is.
- A link of a document into the repository leads to a file and a heading that are there.
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
    r"curl/.*": "tracing",
    r"systemd/.*": "daemon",
}

LOG_REFERENCE = ROOT / "docs/logs.md"

# The part that an operator knows, and what it does or is.
EVENT_MODULES = "admin|client|daemon|flush|mongodb|net|receiver|spool|tracing"
EVENT_NAME = rf"(?:{EVENT_MODULES})\.[a-z]+(?:_[a-z]+)*"
LOG_LEVELS = ["debug", "info", "warn", "error"]

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


def logged_events(path: pathlib.Path, text: str, events: dict[str, set[str]]) -> list[str]:
    """Adds the events of a source, with their levels.  A name has to be a literal, or it could not be found here."""
    found = []
    for call, name in re.findall(r'\blog_(debug|info|warn|error|write)\(\s*(?:"([^"]*)")?', text):
        if call == "write" or not re.fullmatch(EVENT_NAME, name):
            found.append(f"{path.relative_to(ROOT)}: log_{call}({name!r}): not an event's name, or no literal")
        events.setdefault(name, set()).add(call)
    return found


def read_reference() -> tuple[dict[str, str], list[str]]:
    """The levels that each event is said to have, below the headings that are modules, and what is no such row."""
    rows: dict[str, str] = {}
    found, module = [], ""
    for line in LOG_REFERENCE.read_text().splitlines():
        if heading := re.match(r"#+ (?:`([a-z]+)`$)?", line):
            module = heading[1] or ""
        if not module or not line.startswith("| `"):
            continue
        row = re.fullmatch(r"\| `([^`]+)` \| ([a-z, ]+) \| [^|]+ \| [^|]+ \|", line)
        if row is None or not row[1].startswith(f"{module}.") or row[1] in rows:
            found.append(f"docs/logs.md: below `{module}`, no row of an event of its, or one more: {line}")
        else:
            rows[row[1]] = row[2]
    return rows, found


def reference_problems(events: dict[str, set[str]]) -> list[str]:
    rows, found = read_reference()
    for name in sorted(events.keys() | rows.keys()):
        levels = ", ".join(level for level in LOG_LEVELS if level in events.get(name, ()))
        if name not in rows:
            found.append(f"docs/logs.md: has no row for {name}, {levels}")
        elif not levels:
            found.append(f"docs/logs.md: {name} is in no source")
        elif levels != rows[name]:
            found.append(f"docs/logs.md: {name} is {levels}, not {rows[name]}")
    return found


def named_events(path: pathlib.Path, text: str, events: dict[str, set[str]]) -> list[str]:
    """What searches, tests and lines that are shown say of events: event=NAME, in logfmt, JSON, jq or a pattern."""
    found = []
    pattern = rf'(?:level"?[=:]"?([a-z]+)"?[ ,]"?)?\bevent"? ?(?:==?|:) ?"?({EVENT_MODULES})\\?\.([a-z_]+)'
    for level, module, rest in re.findall(pattern, text):
        name = f"{module}.{rest}"
        if name not in events or (level and level not in events[name]):
            found.append(f"{path.relative_to(ROOT)}: {name} is no event, or not at level {level or 'any'}")
    return found


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings, and those that are written."""
    headings = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings} | set(
        re.findall(r'<a id="([^"]+)"', text)
    )


def broken_links(path: pathlib.Path, text: str) -> list[str]:
    found = []
    for name, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            found.append(f"{path.relative_to(ROOT)}: a link to {name}#{anchor}, which is not there")
    return found


def main() -> None:
    texts = {path: path.read_bytes().decode(errors="replace") for path in tracked_files()}
    sources = {path: text for path, text in texts.items() if path.suffix in (".c", ".h")}
    assert sources, "no sources were found"
    events: dict[str, set[str]] = {}
    problems = []
    for path, text in sources.items():
        problems += misplaced_includes(path, text)
        if path.is_relative_to(ROOT / "src") and path.stem != "log":
            problems += logged_events(path, text, events)
    assert events, "no events were found"
    problems += reference_problems(events)
    for path, text in texts.items():
        problems += named_events(path, text, events)
        problems += broken_links(path, text) if path.suffix == ".md" else []
        problems += [f"{path.relative_to(ROOT)}: mentions {words}" for words in OUTSIDE if words in text]
    sys.exit("\n".join(problems) if problems else 0)


main()
