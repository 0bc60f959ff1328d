"""What bash, zsh and fish offer for a command line, by the installed completion."""

import os
import pathlib
import pty
import re
import subprocess

from .daemon import binary

SHARE = pathlib.Path(binary("tracespool")).parent.parent / "share"

BASH = r"""
. "$SHARE"/bash-completion/completions/tracespool
while IFS= read -r line; do
    # As readline divides it: "=" is a word of its own, and what the cursor stands behind is one, too.
    IFS=' ' read -ra COMP_WORDS <<<"${line//=/ = }"
    [[ $line != *[\ =] ]] || COMP_WORDS+=("")
    [[ $line != *= ]] || unset 'COMP_WORDS[-1]'
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _tracespool
    printf '%s\n' "${COMPREPLY[@]}" END
done
"""

# Read by an interactive zsh, which completes a line each time it would wait for one.
ZSH = r"""
unset zle_bracketed_paste
PROMPT= fpath=("$SHARE"/zsh/site-functions $fpath)
autoload -Uz compinit && compinit -u -D
setopt no_auto_list no_list_beep
compadd() {
    local -a matches
    # With -O, -A or -D it is only asked what would match.
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
        builtin compadd -A matches "$@"
        print -rl -- $matches >>"$RESULT"
    fi
    builtin compadd "$@"
}
lines=("${(@f)$(<$LINES_FILE)}")
zle-line-init() {
    if (( $#lines == 0 )); then
        BUFFER=exit
    else
        BUFFER=$lines[1]
        CURSOR=$#BUFFER
        shift lines
        zle complete-word
        print END >>"$RESULT"
        BUFFER=
    fi
    zle .accept-line
}
zle -N zle-line-init
"""

FISH = r"""
set -p fish_complete_path $SHARE/fish/vendor_completions.d
while read -l line
    complete -C "$line"
    echo END
end
"""


def _answers(text: str, lines: list[str]) -> list[set[str]]:
    """Words up to each END; descriptions and marks of a folder or of a value that follows are taken off."""
    parts = text.split("END\n")
    assert len(parts) == len(lines) + 1 and not parts[-1], text
    return [{word.split("\t")[0] for word in part.splitlines() if word} for part in parts[:-1]]


def _environment(folder: pathlib.Path) -> dict[str, str]:
    return {
        # fish completes only what is there.
        "PATH": f"{pathlib.Path(binary('tracespool')).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "ZDOTDIR": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "SHARE": str(SHARE),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
    }


def _run(command: list[str], folder: pathlib.Path, cwd: pathlib.Path, lines: list[str]) -> list[set[str]]:
    result = subprocess.run(
        command,
        input="".join(f"{line}\n" for line in lines),
        env=_environment(folder),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not result.stderr, result
    return _answers(result.stdout, lines)


def bash(folder: pathlib.Path, cwd: pathlib.Path, lines: list[str]) -> list[set[str]]:
    return _run(["bash", "--norc", "-c", BASH], folder, cwd, lines)


def fish(folder: pathlib.Path, cwd: pathlib.Path, lines: list[str]) -> list[set[str]]:
    answers = _run(["fish", "--no-config", "-c", FISH], folder, cwd, lines)
    # Of "--color=a" all is completed, not the value alone; a folder has a slash.
    return [{re.sub(r"^--[a-z-]+=(?=.)", "", word).removesuffix("/") for word in answer} for answer in answers]


def zsh(folder: pathlib.Path, cwd: pathlib.Path, lines: list[str]) -> list[set[str]]:
    (folder / ".zshrc").write_text(ZSH)
    (folder / "lines").write_text("".join(f"{line}\n" for line in lines))
    result = folder / "result"
    result.write_text("")
    ours, its = pty.openpty()
    environment = _environment(folder) | {"RESULT": str(result), "LINES_FILE": str(folder / "lines")}
    # --no-globalrcs: this user's setup is no part of the test.
    with subprocess.Popen(
        ["zsh", "--no-globalrcs", "-i"],
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment,
        cwd=cwd,
        start_new_session=True,
    ) as shell:
        os.close(its)
        try:
            while os.read(ours, 4096):
                pass
        except OSError:  # its end was closed
            pass
        shell.wait(60)
    os.close(ours)
    return _answers(result.read_text(), lines)


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
