"""What a process has used, from outside: CPU, bytes written, memory. From /proc, so of processes of this user."""

import os
import pathlib
import threading

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.05


def cpu_seconds(pid: int) -> float:
    # The name in parentheses may hold spaces: fields are counted from behind it.
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_SECONDS  # utime, stime


def asked_bytes(pid: int) -> int:
    """Bytes given to write() and its kin: files, and sockets unless by send(). Not `write_bytes`, which counts whole
    folios when one page of them is written: with folios of a megabyte, 250 times too much."""
    for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines():
        name, value = line.split(": ")
        if name == "wchar":
            return int(value)
    raise AssertionError("no wchar: a kernel without task I/O accounting")


def device_bytes(folder: pathlib.Path) -> int | None:
    """What the device below the folder has written for anybody; None when the file system has no device of its own."""
    number = folder.stat().st_dev
    stat = pathlib.Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat")
    return int(stat.read_text().split()[6]) * 512 if stat.exists() else None


def folder_bytes(folder: pathlib.Path) -> int:
    """Blocks that its files take."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _kib(line: str) -> int:
    return int(line.split()[1])


def _status_kib(pid: int, *names: str) -> dict[str, int]:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: _kib(line) for line in lines if line.startswith(tuple(f"{name}:" for name in names))}


def _file_kib(pid: int, storage: pathlib.Path | None) -> int:
    """Resident pages of mapped files, those of the storage left out: the kernel takes these back when it needs them."""
    kib, counted = 0, False
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):  # a mapping's first line
            name = words[5] if len(words) > 5 else ""
            counted = name.startswith("/") and (storage is None or not name.startswith(str(storage)))
        elif counted and words[0] == "Rss:":
            kib += _kib(line)
        elif counted and words[0] == "Anonymous:":
            kib -= _kib(line)
    return kib


class Memory:
    """The most that was seen between `with` and its end, by a thread that looks every LOOK_SECONDS."""

    def __init__(self, pid: int, storage: pathlib.Path | None):
        self.pid = pid
        self.storage = storage
        self.anonymous_kib = 0
        self.file_kib = 0
        self.peak_kib = 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Memory":
        self.thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.ending.set()
        self.thread.join()
        if failure[0] is None:
            self._look()
            self.file_kib = _file_kib(self.pid, self.storage)  # once: the kernel goes over all mapped pages for it

    def _look(self) -> None:
        seen = _status_kib(self.pid, "VmHWM", "RssAnon", "RssShmem")
        self.peak_kib = max(self.peak_kib, seen["VmHWM"])
        self.anonymous_kib = max(self.anonymous_kib, seen["RssAnon"] + seen["RssShmem"])

    def _run(self) -> None:
        while not self.ending.wait(LOOK_SECONDS):
            try:
                self._look()
            except (OSError, KeyError):  # it ended, and has no memory any more: the caller finds out why
                return

    @property
    def without_map_kib(self) -> int:
        return self.anonymous_kib + self.file_kib
