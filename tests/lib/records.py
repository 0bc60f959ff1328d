"""Records in the spool's file, found by the header that each of their parts begins with."""

import pathlib
import re
import struct
from typing import Iterable, Iterator

PAGE_BYTES = 4096
PAGE_HEADER_BYTES = 16  # LMDB's; a value over about 2 kB begins behind it
PART_HEADER_BYTES = 72
MAGIC = b"TSPR"


def parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Offset and seq of each part that has pages of its own. Pages that are free may still hold one."""
    for offset in range(PAGE_HEADER_BYTES, len(data), PAGE_BYTES):
        if data.startswith(MAGIC, offset):
            (seq,) = struct.unpack_from("<Q", data, offset + 8)
            yield offset, seq


def flip_small(spool: pathlib.Path, seq: int) -> None:
    """As flip, of a record that shares a page with others. In pages that are free now it may lie too."""
    path = spool / "data.mdb"
    data = path.read_bytes()
    starts = [found.start() for found in re.finditer(re.escape(MAGIC), data)]
    found = [at for at in starts if struct.unpack_from("<Q", data, at + 8) == (seq,)]
    assert found, f"record {seq} is not there"
    with path.open("r+b") as file:
        for offset in found:
            file.seek(offset + PART_HEADER_BYTES + 20)
            file.write(bytes([data[offset + PART_HEADER_BYTES + 20] ^ 0x20]))


def flip(spool: pathlib.Path, seqs: Iterable[int]) -> None:
    """Changes a byte in the payload of each of these records; a second time changes it back."""
    wanted = set(seqs)
    path = spool / "data.mdb"
    data = path.read_bytes()
    found = [(offset, seq) for offset, seq in parts(data) if seq in wanted]
    assert {seq for _, seq in found} == wanted, "not every record has pages of its own"
    with path.open("r+b") as file:
        for offset, _ in found:
            at = offset + PART_HEADER_BYTES + 100
            file.seek(at)
            file.write(bytes([data[at] ^ 0x20]))
