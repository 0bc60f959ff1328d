"""Adds up what ctest and pytest have written as JUnit XML: the closing line of ./test.

    count_tests.py [--any] unit=FILE scenarios=FILE crash=FILE checks=PASSED/FAILED

Cases of cmocka are counted, not executables; an executable that ends without
cmocka's summary (a crash, a time limit) is one failure. So is a check that is
no test, as the format of the sources. Exit 0 only when nothing failed and every
file holds a test; with --any, when one of them does.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple


class Count(NamedTuple):
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":  # type: ignore[override]
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def of_cmocka(case: ElementTree.Element) -> Count:
    """One executable under ctest."""
    output = case.findtext("system-out") or ""

    def summed(word: str) -> int:
        return sum(map(int, re.findall(rf"^\[  {word}\s*\] (\d+) test\(s\)", output, re.MULTILINE)))

    passed, failed, skipped = summed("PASSED"), summed("FAILED"), summed("SKIPPED")
    if case.get("status") == "run":
        return Count(max(passed, 1), failed, skipped)
    return Count(passed, max(failed, 1), skipped)


def of_pytest(case: ElementTree.Element) -> Count:
    if case.find("failure") is not None or case.find("error") is not None:
        return Count(failed=1)
    if case.find("skipped") is not None:
        return Count(skipped=1)
    return Count(passed=1)


def of_file(kind: str, path: str) -> Count:
    # A file that is missing is a run that did not come to its end.
    cases = ElementTree.parse(path).iter("testcase") if pathlib.Path(path).is_file() else iter(())
    return sum(map(of_cmocka if kind == "unit" else of_pytest, cases), Count())


def main() -> None:
    arguments = sys.argv[1:]
    any_will_do = arguments[:1] == ["--any"]
    total = Count()
    empty = []
    for argument in arguments[any_will_do:]:
        kind, path = argument.split("=", 1)
        counted = Count(*map(int, path.split("/"))) if kind == "checks" else of_file(kind, path)
        total += counted
        if counted.passed + counted.failed == 0:
            empty.append(path)
    if empty and not any_will_do:
        print(f"no test ran in {', '.join(empty)}")
    print(total)
    complete = total.passed > 0 if any_will_do else not empty
    sys.exit(0 if complete and total.failed == 0 else 1)


main()
