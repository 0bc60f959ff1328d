"""File systems of a test's own: small, or read-only.

With the right to mount they are there for everybody. Else a process is kept in
a user and mount namespace of its own: what has to see the file system is then
started with `Mount.prefix`, and this process reaches it through /proc.
"""

import os
import pathlib
import signal
import subprocess

CAP_SYS_ADMIN = 21
BLOCK_BYTES = 4096


def may_mount() -> bool:
    status = pathlib.Path("/proc/self/status").read_text()
    (effective,) = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")]
    return bool(int(effective, 16) >> CAP_SYS_ADMIN & 1)


def run(*words: str) -> None:
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise CannotMount(f"{' '.join(words)}: {result.stderr.strip()}")


class CannotMount(Exception):
    """What a test that needs a mount is skipped with."""


class Mount:
    """A file system of `size_mib`. `path` is for processes with the prefix, `outside` for this one."""

    def __init__(self, folder: pathlib.Path, kind: str, size_mib: int, image_folder: pathlib.Path | None = None):
        self.path = folder / f"{kind}-{size_mib}"
        self.path.mkdir()
        self.kind = kind
        self.size_mib = size_mib
        self.outside = self.path
        self.prefix: list[str] = []
        self.holder: subprocess.Popen | None = None
        self.image = (image_folder or folder) / f"{self.path.name}.image"  # ext4

    def mount(self) -> "Mount":
        if may_mount():
            {"tmpfs": self.mount_tmpfs, "ext4": self.mount_ext4}[self.kind]()
        elif self.kind == "tmpfs":
            self.mount_in_namespace()
        else:
            raise CannotMount(f"{self.kind} needs the right to mount")
        return self

    def mount_tmpfs(self) -> None:
        run("mount", "-t", "tmpfs", "-o", f"size={self.size_mib}m", "tracespool-test", str(self.path))

    def mount_ext4(self) -> None:
        with self.image.open("wb") as image:
            image.truncate(self.size_mib << 20)
        run("mkfs.ext4", "-q", "-m", "0", str(self.image))
        run("mount", "-o", "loop", str(self.image), str(self.path))

    def mount_in_namespace(self) -> None:
        script = f'mount -t tmpfs -o size={self.size_mib}m none "$1" && echo mounted && exec sleep infinity'
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(self.path)]
        self.holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.holder.stdout is not None and self.holder.stderr is not None
        if self.holder.stdout.readline() != "mounted\n":
            self.holder.kill()
            raise CannotMount(f"a mount namespace: {self.holder.stderr.read().strip()}")
        self.prefix = ["nsenter", f"--target={self.holder.pid}", "--user", "--mount", "--preserve-credentials"]
        self.outside = pathlib.Path(f"/proc/{self.holder.pid}/root{self.path}")

    def remount(self, option: str) -> None:
        run(*self.prefix, "mount", "-o", f"remount,{option}", str(self.path))

    def mend(self) -> None:
        """An ext4 whose device failed, after the device works again. Nothing may be using it."""
        run("umount", str(self.path))
        # 1 is "errors corrected", which is what is wanted of it.
        subprocess.run(["e2fsck", "-f", "-y", str(self.image)], capture_output=True, timeout=60, check=False)
        run("mount", "-o", "loop", str(self.image), str(self.path))

    def unmount(self) -> None:
        """Nothing may be using it any more."""
        if self.holder is not None:
            self.holder.send_signal(signal.SIGKILL)
            self.holder.communicate()
        elif os.path.ismount(self.path):
            run("umount", str(self.path))

    @property
    def ballast(self) -> pathlib.Path:
        return self.outside / "ballast"

    def fill(self, spare_blocks: int = 0) -> None:
        """Takes what room there is but `spare_blocks`, on disk and not only in memory."""
        with self.ballast.open("ab", buffering=0) as ballast:
            for block in (1 << 20, BLOCK_BYTES):
                try:
                    while True:
                        ballast.write(bytes(block))
                except OSError:
                    os.fsync(ballast.fileno())
            if spare_blocks > 0:
                ballast.truncate(ballast.tell() - spare_blocks * BLOCK_BYTES)
                os.fsync(ballast.fileno())

    def free(self) -> None:
        self.ballast.unlink()
