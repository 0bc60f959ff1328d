"""What the compiler and the linker were to put into programs: exit 0 when each has all of it.

    check_hardening.py PROGRAM...
    check_hardening.py --self-test      programs made without one protection each have to be found out

Read with readelf and objdump. What is looked for is set in cmake/CompilerFlags.cmake, in optimised builds.
"""

import pathlib
import platform
import re
import subprocess
import sys
import tempfile

IS_AMD64 = platform.machine() == "x86_64"
ENDBR64 = "endbr64"


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def segment_flags(segments: str, name: str) -> list[str]:
    """The flags of each segment of this type: R, W and E, without spaces."""
    rows = re.findall(rf"^\s+{name}\s+(?:0x\w+\s+){{5}}([RWE ]+?)\s+(?:0x\w+)$", segments, re.MULTILINE)
    return [row.replace(" ", "") for row in rows]


def first_instruction_of_main(program: str, header: str) -> str:
    """_start hands main's address to __libc_start_main in rdi; there is no symbol in a stripped program."""
    match = re.search(r"Entry point address:\s+(0x\w+)", header)
    assert match, "no entry point"
    start = int(match[1], 16)
    code = output("objdump", "-d", f"--start-address={start}", f"--stop-address={start + 64}", program)
    match = re.search(r"lea\s.*%rdi\s+# ([0-9a-f]+)", code) or re.search(r"mov\s+\$0x([0-9a-f]+),%rdi", code)
    assert match, f"no address of main in {code}"
    main = int(match[1], 16)
    code = output("objdump", "-d", f"--start-address={main}", f"--stop-address={main + 8}", program)
    return re.findall(r"^\s+[0-9a-f]+:\t(?:[0-9a-f]{2} )+\s*(\w+)", code, re.MULTILINE)[0]


def look_at(program: str) -> dict[str, bool]:
    """Each protection, and whether the program has it."""
    header, segments = output("readelf", "-hW", program), output("readelf", "-lW", program)
    dynamic, symbols = output("readelf", "-dW", program), output("readelf", "--dyn-syms", "-W", program)
    imports = set(re.findall(r"UND (\w+)@", symbols))
    fortified = {name for name in imports if re.fullmatch(r"__\w+_chk", name)}
    loaded = segment_flags(segments, "LOAD")
    found = {
        "PIE": re.search(r"Type:\s+DYN", header) and re.search(r"FLAGS_1.*\bPIE\b", dynamic),
        "RELRO": segment_flags(segments, "GNU_RELRO"),
        "BIND_NOW": re.search(r"\(FLAGS\).*BIND_NOW|FLAGS_1.*\bNOW\b", dynamic),
        "stack that is not executable": segment_flags(segments, "GNU_STACK") == ["RW"],
        "no segment to write and execute": not any("W" in flags and "E" in flags for flags in loaded),
        "stack protector": "__stack_chk_fail" in imports,
        "_FORTIFY_SOURCE": fortified,
        "no RPATH": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
        "no TEXTREL": "TEXTREL" not in dynamic,
    }
    assert len(loaded) >= 2, f"readelf prints segments in another way: {segments}"
    if IS_AMD64:
        found["shadow stack"] = re.search(r"x86 feature:.*SHSTK", output("readelf", "-nW", program))
        found["indirect branch tracking"] = first_instruction_of_main(program, header) == ENDBR64
    return {name: bool(value) for name, value in found.items()}


# --- the self-test: this check has to be able to fail --------------------------

SOURCE = r"""
#include <stdio.h>
#include <string.h>

#ifdef WRITABLE_CODE
__asm__(".pushsection .both, \"awx\"; .byte 0; .popsection");
#endif
#ifdef ADDRESS_IN_CODE
__asm__(".pushsection .text; .quad puts; .popsection");
#endif

int main(int argc, char **argv)
{
    char text[64];

    (void)argc;
    strcpy(text, argv[0]);
    puts(text);
    return 0;
}
"""

GOOD = [
    *"-O2 -fPIE -pie -fstack-protector-strong -D_FORTIFY_SOURCE=2".split(),
    *"-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack".split(),
    *("-fcf-protection=full -Wl,-z,shstk".split() if IS_AMD64 else []),
]
WITHOUT_SHSTK = "no -z shstk"  # the linker has no option that takes it away

# What takes a protection away, when it stands behind the others; and what has then to be missed.
WITHOUT = {
    "-fno-pie -no-pie": "PIE",
    "-Wl,-z,norelro": "RELRO",
    "-Wl,-z,lazy": "BIND_NOW",
    "-Wl,-z,execstack": "stack that is not executable",
    "-DWRITABLE_CODE": "no segment to write and execute",
    "-fno-stack-protector": "stack protector",
    "-U_FORTIFY_SOURCE": "_FORTIFY_SOURCE",
    "-Wl,-rpath,/tmp": "no RPATH",
    "-DADDRESS_IN_CODE -Wl,-z,notext": "no TEXTREL",
    **({"-fcf-protection=none": "indirect branch tracking", WITHOUT_SHSTK: "shadow stack"} if IS_AMD64 else {}),
}


def build(folder: pathlib.Path, arguments: list[str]) -> str:
    source, program = folder / "program.c", folder / "program"
    source.write_text(SOURCE)
    subprocess.run(["cc", str(source), "-o", str(program), *arguments], check=True, capture_output=True)
    return str(program)


def with_all_but(arguments: str) -> list[str]:
    if arguments == WITHOUT_SHSTK:
        return [argument for argument in GOOD if "shstk" not in argument]
    return [*GOOD, *arguments.split()]


def self_test() -> list[str]:
    problems = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        good = look_at(build(folder, GOOD))
        if lacks := [protection for protection, found in good.items() if not found]:
            problems.append(f"a program with everything is said to lack {', '.join(lacks)}")
        if untried := set(good) - set(WITHOUT.values()):
            problems.append(f"no program without {', '.join(untried)} is tried")
        for arguments, protection in WITHOUT.items():
            if look_at(build(folder, with_all_but(arguments)))[protection]:
                problems.append(f"a program with {arguments} is said to have: {protection}")
    return problems


def main() -> None:
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit(__doc__)
    if arguments == ["--self-test"]:
        problems = self_test()
    else:
        problems = [
            f"{program}: lacks {name}" for program in arguments for name, found in look_at(program).items() if not found
        ]
    sys.exit("\n".join(problems) if problems else 0)


main()
