"""Does what a Dockerfile says without Docker: each stage in a Debian tree, instruction by instruction.

Knows the instructions that ours has, and refuses others, so that nothing is passed over in silence.
"""

import dataclasses
import json
import pathlib
import re
import shlex
import shutil
from typing import NamedTuple

from .debian import Tree

IMAGES = ("debian:12", "debian:12-slim")  # both are what debootstrap makes, but for documentation
SETTINGS = ("LABEL", "EXPOSE", "ARG")  # nothing happens when they are met


class Instruction(NamedTuple):
    word: str
    value: str


@dataclasses.dataclass
class Image:
    """What a stage has become."""

    tree: Tree
    workdir: str = "/"
    env: dict[str, str] = dataclasses.field(default_factory=dict)
    user: str = "0:0"
    volumes: list[str] = dataclasses.field(default_factory=list)
    stop_signal: str = "SIGTERM"
    healthcheck: list[str] = dataclasses.field(default_factory=list)
    entrypoint: list[str] = dataclasses.field(default_factory=list)


def instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def make_context(root: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """What .dockerignore leaves of the repository; it has to name what is taken, behind "*"."""
    lines = (root / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*" and all(rule.startswith("!") for rule in rules[1:]), "this reads lists of exceptions only"
    for rule in rules[1:]:
        copy(root / rule[1:], target / rule[1:])
    return target


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


class Build:
    """`images` has each stage by its name; the last one, which has none, is ''."""

    def __init__(self, root: pathlib.Path, folder: pathlib.Path, base: pathlib.Path):
        self.folder, self.base = folder, base
        self.context = make_context(root, folder / "context")
        self.images: dict[str, Image] = {}
        self.image: Image | None = None
        self.text = (root / "Dockerfile").read_text()

    def do_all(self) -> Image:
        for instruction in instructions(self.text):
            print(f"{instruction.word} {instruction.value[:100]}")
            self.do(instruction)
        assert self.image is not None
        return self.image

    def do(self, instruction: Instruction) -> None:
        word, value = instruction
        if word == "FROM":
            self.begin(*value.split(" AS "))
            return
        image = self.image
        assert image is not None, "no FROM"
        match word:
            case "WORKDIR":
                image.workdir = value
                (image.tree.path / value.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "COPY":
                self.copy(image, shlex.split(value))
            case "RUN":
                options = [f"--chdir={image.workdir}"]
                image.tree.run("/bin/sh", "-c", value, options=options, env=image.env)
            case "ENV":
                image.env.update(pair.split("=", 1) for pair in shlex.split(value))
            case "USER":
                image.user = value
            case "VOLUME":
                image.volumes.append(value)
            case "STOPSIGNAL":
                image.stop_signal = value
            case "HEALTHCHECK":
                image.healthcheck = json.loads(value.split(" CMD ")[1])
            case "ENTRYPOINT":
                image.entrypoint = json.loads(value)
            case _:
                assert word in SETTINGS, f"no meaning is known for {word}"

    def begin(self, name: str, stage: str = "") -> None:
        assert name in IMAGES, f"there is nothing to make {name} from"
        self.image = Image(Tree(self.folder / f"stage-{stage}", self.base))
        self.images[stage] = self.image

    def copy(self, image: Image, words: list[str]) -> None:
        origin = self.context
        if words[0].startswith("--from="):
            origin = self.images[words.pop(0).removeprefix("--from=")].tree.path
        source, target = words
        copy(origin / source.lstrip("/"), image.tree.path / image.workdir.lstrip("/") / target.lstrip("/"))

    def unmount(self) -> None:
        for image in self.images.values():
            image.tree.unmount()
