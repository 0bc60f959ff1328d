"""Fresh Debian 12 trees: made by debootstrap once, then one overlay each, and commands in them by systemd-nspawn.

Where packages come from is asked of this machine's apt: its mirrors, its options, and the authorities it trusts.
"""

import os
import pathlib
import shutil
import subprocess
from typing import Sequence

RELEASE = "bookworm"

# What a tree takes over from this machine to reach the same mirrors in the same way.
TAKEN_OVER = (
    "/etc/resolv.conf /etc/hosts /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/auth.conf.d /etc/apt/sources.list "
    "/etc/apt/sources.list.d /usr/local/share/ca-certificates /etc/ssl/certs/ca-certificates.crt"
).split()
# Hooks for what is installed on this machine.
NOT_TAKEN = ("*packagekit*", "*appstream*", "*debconf*", "*postgresql*", "*.disabled*")

# --register=no, --keep-unit: also where no systemd runs.
NSPAWN = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=off"]
NSPAWN_ENV = {"SYSTEMD_NSPAWN_TMPFS_TMP": "0"}  # the tree's own /tmp, with what is in it
APT_ENV = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def run(*command: str, env: dict[str, str] | None = None, check: bool = True) -> str:
    """Output and errors together; a failure shows them."""
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(env or {})},
        timeout=1800,
        check=False,
    )
    text = result.stdout.decode(errors="replace")
    assert not check or result.returncode == 0, f"{' '.join(command)}: exit status {result.returncode}\n{text[-4000:]}"
    return text


def mirror() -> str:
    """Where this machine's apt gets the release from."""
    rows = run("apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(COMPONENT)", "Created-By: Packages")
    sites = [site for site, *rest in map(str.split, rows.splitlines()) if rest == [RELEASE, "main"]]
    return sites[0] if sites else "http://deb.debian.org/debian"


def take_over(tree: pathlib.Path) -> None:
    for name in map(pathlib.Path, TAKEN_OVER):
        target = tree / name.relative_to("/")
        if name.is_dir():
            shutil.copytree(name, target, ignore=shutil.ignore_patterns(*NOT_TAKEN), dirs_exist_ok=True)
        elif name.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, target)
    main = tree / "etc/apt/sources.list"
    if any((tree / "etc/apt/sources.list.d").iterdir()) and not pathlib.Path("/etc/apt/sources.list").exists():
        main.unlink(missing_ok=True)  # debootstrap's own: the same again


def make_base(path: pathlib.Path) -> pathlib.Path:
    """A minimal Debian 12, which is what the image debian:12-slim is made of."""
    run("debootstrap", "--variant=minbase", "--include=ca-certificates", RELEASE, str(path), mirror())
    take_over(path)
    Tree.at(path).run("apt-get", "update", "-qq")
    return path


class Tree:
    """A root file system; with a base, an overlay on it, so that each begins where the base is."""

    def __init__(self, folder: pathlib.Path, base: pathlib.Path):
        self.upper, work = folder / "upper", folder / "work"
        self.path = folder / "root"
        for made in (self.upper, work, self.path):
            made.mkdir(parents=True)
        options = f"lowerdir={base},upperdir={self.upper},workdir={work}"
        run("mount", "-t", "overlay", "tracespool-test", "-o", options, str(self.path))

    @staticmethod
    def at(path: pathlib.Path) -> "Tree":
        """One that is there and is changed itself."""
        tree = Tree.__new__(Tree)
        tree.path = path
        return tree

    def unmount(self) -> None:
        run("umount", str(self.path))

    def command(self, words: Sequence[str], options: Sequence[str], env: dict[str, str] | None) -> list[str]:
        settings = [f"--setenv={name}={value}" for name, value in {**APT_ENV, **(env or {})}.items()]
        return [*NSPAWN, "--pipe", "-D", str(self.path), *settings, *options, *words]

    def run(
        self, *words: str, options: Sequence[str] = (), env: dict[str, str] | None = None, check: bool = True
    ) -> str:
        """With this machine's network."""
        return run(*self.command(words, options, env), env=NSPAWN_ENV, check=check)

    def install(self, *packages: str, options: Sequence[str] = ()) -> str:
        return self.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, options=options)

    def files(self) -> set[str]:
        """Everything on disk but logs, caches and what apt and dpkg keep for themselves."""
        passed = "var/log var/cache var/lib/apt var/lib/dpkg var/lib/systemd tmp var/tmp run root proc sys dev".split()
        found: set[str] = set()
        for folder, folders, names in os.walk(self.path):
            inside = os.path.relpath(folder, self.path)
            folders[:] = [name for name in folders if os.path.normpath(f"{inside}/{name}") not in passed]
            found.update(os.path.normpath(f"/{inside}/{name}") for name in [*folders, *names])
        return found
