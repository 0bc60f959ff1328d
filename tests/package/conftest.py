"""The packages under test, and the tree that all others are laid over."""

import os
import pathlib
import shutil
import tempfile
from typing import Iterator

import pytest

from lib.debian import make_base, run

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def root() -> pathlib.Path:
    return ROOT


@pytest.fixture(scope="session")
def packages() -> pathlib.Path:
    """The folder that tests/package/run has had them built in."""
    return ROOT / "build" / "package"


def the_one(folder: pathlib.Path, pattern: str) -> pathlib.Path:
    (found,) = folder.glob(pattern)
    return found


@pytest.fixture(scope="session")
def package(packages: pathlib.Path) -> pathlib.Path:
    return the_one(packages, "tracespool_*-1_*.deb")


@pytest.fixture(scope="session")
def newer_package(packages: pathlib.Path) -> pathlib.Path:
    return the_one(packages, "tracespool_*-2_*.deb")


@pytest.fixture(scope="module")
def module_folder() -> Iterator[pathlib.Path]:
    """Not in /tmp, which may be memory: a tree takes a gigabyte."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tracespool-package-", dir="/var/tmp"))
    yield folder
    if not os.environ.get("TRACESPOOL_TEST_KEEP"):
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def base() -> Iterator[pathlib.Path]:
    if kept := os.environ.get("TRACESPOOL_TEST_TREE"):
        yield pathlib.Path(kept)
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tracespool-debian-", dir="/var/tmp"))
    try:
        made = make_base(folder)
    except AssertionError as failure:
        if "not permitted" in str(failure):  # a container without the rights that trees of its own take
            pytest.skip(f"no Debian tree can be made here: {failure}")
        raise
    yield made
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def unpacked(package: pathlib.Path, module_folder: pathlib.Path) -> pathlib.Path:
    run("dpkg-deb", "--extract", str(package), str(module_folder / "unpacked"))
    return module_folder / "unpacked"
