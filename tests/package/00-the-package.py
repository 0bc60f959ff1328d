"""The package as a file: what Debian's checker says, what is in it, how its programs were made."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from lib.debian import run

HARDENING = "scripts/check_hardening.py"

# What must be there whatever the build makes besides: manual pages, completion.
FILES = (
    "/etc/tracespool/tracespool.conf /lib/systemd/system/tracespoold.service /usr/bin/tracespool /usr/sbin/tracespoold "
    "/usr/lib/sysusers.d/tracespool.conf /usr/share/doc/tracespool/copyright /usr/share/doc/tracespool/changelog.gz "
    "/usr/share/doc/tracespool/changelog.Debian.gz /usr/share/doc/tracespool/deploy/kubernetes.yaml "
    "/usr/share/doc/tracespool/docs/install.md"
).split()


def files_below(folder: pathlib.Path) -> set[str]:
    return {f"/{path.relative_to(folder)}" for path in folder.rglob("*") if not path.is_dir()}


def test_lintian_finds_no_error(package: pathlib.Path) -> None:
    found = run("lintian", "--allow-root", "--fail-on", "error", "--display-level", ">=warning", str(package))
    print(found)


def test_what_is_in_it(unpacked: pathlib.Path) -> None:
    found = files_below(unpacked)
    assert not set(FILES) - found
    places = ("/etc/tracespool/", "/lib/systemd/", "/usr/bin/", "/usr/sbin/", "/usr/lib/sysusers.d/", "/usr/share/")
    assert not [name for name in found if not name.startswith(places)]


def test_control(package: pathlib.Path) -> None:
    depends = run("dpkg-deb", "--field", str(package), "Depends")
    for library in ("libc6", "libmongoc-1.0-0", "liblmdb0", "libgrpc29", "libnghttp2-14", "systemd | "):
        assert library in depends
    assert run("dpkg-deb", "--info", str(package), "conffiles") == "/etc/tracespool/tracespool.conf\n"


def test_programs_are_hardened(root: pathlib.Path, unpacked: pathlib.Path) -> None:
    programs = [str(unpacked / name) for name in ("usr/bin/tracespool", "usr/sbin/tracespoold")]
    run(sys.executable, str(root / HARDENING), *programs)


def test_the_check_of_hardening_can_fail(root: pathlib.Path) -> None:
    run(sys.executable, str(root / HARDENING), "--self-test")


def copy_sources(root: pathlib.Path, target: pathlib.Path) -> None:
    """What is in the repository or would be added to it, with other times and no git."""
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), "ls-files", "--cached", "--others", "-z"]
    names = subprocess.run([*command, "--exclude-standard"], check=True, capture_output=True).stdout.decode()
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target / name)


def test_built_elsewhere_it_is_the_same(
    package: pathlib.Path, unpacked: pathlib.Path, module_folder: pathlib.Path, root: pathlib.Path
) -> None:
    elsewhere = module_folder / "a-folder-with-another-name" / "src"
    copy_sources(root, elsewhere)
    time = str(int((unpacked / "usr/share/doc/tracespool/copyright").stat().st_mtime))  # all of it has one
    usual = os.umask(0o077)  # a builder's habit is not the package's business
    try:
        again = run(str(elsewhere / "packaging/build"), env={"SOURCE_DATE_EPOCH": time}).splitlines()[-1]
    finally:
        os.umask(usual)
    assert pathlib.Path(again).read_bytes() == package.read_bytes(), f"diffoscope {package} {again} tells"


def test_another_prefix_is_looked_into_as_well(module_folder: pathlib.Path) -> None:
    """After the test above, whose tree is built already."""
    source = module_folder / "a-folder-with-another-name" / "src"
    build, stage = source / "build" / "package", module_folder / "stage"
    places = ["-DCMAKE_INSTALL_PREFIX=/opt/spool", "-DTRACESPOOL_UNIT_DIR=lib/systemd/system"]
    run("cmake", "-S", str(source), "-B", str(build), *places, "-UCMAKE_INSTALL_SYSCONFDIR")
    run("ninja", "-C", str(build))
    run("cmake", "--install", str(build), env={"DESTDIR": str(stage)})
    found = files_below(stage)
    assert not [name for name in found if not name.startswith("/opt/spool/")]
    conf = stage / "opt/spool/etc/tracespool/tracespool.conf"
    conf.write_text("# an administrator's\n")
    run("cmake", "--install", str(build), env={"DESTDIR": str(stage)})
    assert conf.read_text() == "# an administrator's\n"
    daemon = str(stage / "opt/spool/sbin/tracespoold")
    assert "/opt/spool/etc/tracespool/tracespool.conf" in run(daemon, "--help", env={"MONGOC_DISABLE_SHM": "1"})
    unit = (stage / "opt/spool/lib/systemd/system/tracespoold.service").read_text()
    assert re.search(r"^ExecStart=/opt/spool/sbin/tracespoold$", unit, re.MULTILINE)
    assert "EnvironmentFile=-/opt/spool/etc/tracespool/env" in unit
