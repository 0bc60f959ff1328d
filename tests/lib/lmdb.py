"""What no command does to a spool: through liblmdb itself, in a process of its own, as its locks belong to a process.

    python -m lib.lmdb readers SPOOL COUNT     holds read transactions until its standard input ends
    python -m lib.lmdb looking SPOOL           prints which processes are in a read transaction
    python -m lib.lmdb format SPOOL NUMBER     writes the format's number
"""

import ctypes
import pathlib
import struct
import subprocess
import sys

READ_ONLY = 0x20000
NO_TLS = 0x200000
READERS_FULL = -30790
TESTS = pathlib.Path(__file__).parent.parent


class Value(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]

    @classmethod
    def of(cls, data: bytes) -> "Value":
        return cls(len(data), ctypes.cast(ctypes.create_string_buffer(data, len(data)), ctypes.c_void_p))


class Environment:
    def __init__(self, spool: str, flags: int):
        self.library = ctypes.CDLL("liblmdb.so.0")
        self.library.mdb_strerror.restype = ctypes.c_char_p
        self.env = ctypes.c_void_p()
        self.must(self.library.mdb_env_create(ctypes.byref(self.env)))
        self.must(self.library.mdb_env_set_maxdbs(self.env, 8))
        self.must(self.library.mdb_env_open(self.env, spool.encode(), flags | NO_TLS, 0o600))

    def must(self, code: int) -> None:
        if code != 0:
            raise OSError(self.library.mdb_strerror(code).decode())

    def begin(self, flags: int) -> tuple[int, ctypes.c_void_p]:
        txn = ctypes.c_void_p()
        return self.library.mdb_txn_begin(self.env, None, flags, ctypes.byref(txn)), txn

    def hold_readers(self, count: int) -> int:
        """Up to `count`; how many there were slots for."""
        for held in range(count):
            code, _ = self.begin(READ_ONLY)
            if code == READERS_FULL:
                return held
            self.must(code)
        return count

    def looking(self) -> set[int]:
        """The processes that are in a read transaction now."""
        lines: list[str] = []
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)

        def take(line: bytes, _: object) -> int:
            lines.append(line.decode())
            return 0

        self.library.mdb_reader_list(self.env, callback(take), None)
        rows = [line.split() for line in "".join(lines).splitlines()]
        return {int(row[0]) for row in rows if len(row) == 3 and row[0].isdigit() and row[2] != "-"}

    def write_format(self, number: int) -> None:
        code, txn = self.begin(0)
        self.must(code)
        state = ctypes.c_uint()
        self.must(self.library.mdb_dbi_open(txn, b"state", 0, ctypes.byref(state)))
        key, value = Value.of(b"format"), Value.of(struct.pack("<II", number, number ^ 0xFFFFFFFF))
        self.must(self.library.mdb_put(txn, state, ctypes.byref(key), ctypes.byref(value), 0))
        self.must(self.library.mdb_txn_commit(txn))


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "lib.lmdb", *words]


class Readers:
    """A process that holds read transactions on a spool."""

    def __init__(self, spool: pathlib.Path, count: int):
        self.child = subprocess.Popen(
            command("readers", str(spool), str(count)),
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdout is not None
        self.held = int(self.child.stdout.readline())

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *_: object) -> None:
        """In order; nothing happens when it was killed."""
        self.child.communicate()

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()


def looking(spool: pathlib.Path) -> set[int]:
    """The processes that are in a read transaction on the spool."""
    answer = subprocess.run(
        command("looking", str(spool)), cwd=TESTS, check=True, timeout=30, capture_output=True, text=True
    )
    return {int(word) for word in answer.stdout.split()}


def write_format(spool: pathlib.Path, number: int) -> None:
    subprocess.run(command("format", str(spool), str(number)), cwd=TESTS, check=True, timeout=30)


def main(what: str, spool: str, number: str = "0") -> None:
    if what == "readers":
        environment = Environment(spool, READ_ONLY)
        print(environment.hold_readers(int(number)), flush=True)
        sys.stdin.read()
    elif what == "looking":
        print(*Environment(spool, READ_ONLY).looking())
    else:
        Environment(spool, 0).write_format(int(number))


if __name__ == "__main__":
    main(*sys.argv[1:])
