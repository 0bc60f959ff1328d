"""docs/collector.md says of each answer whether a Collector keeps the batch: tried with a real one.

Needs OTELCOL, the path of one; tests/collector/build makes it.
"""

import pathlib
import re

import pytest

from lib import answers

ROOT = pathlib.Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "collector.md"


@pytest.mark.parametrize("name", answers.PROTOCOLS)
def test_each_answer_is_taken_as_documented(folder, name):
    protocol = answers.PROTOCOLS[name]
    seen = answers.try_all(folder, protocol)
    assert {case.name: case.batch for case in seen} == {
        case.name: case.batch for case in answers.documented(PAGE.read_text(), protocol)
    }


def test_the_settings_shown_are_those_that_are_deployed():
    shown = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert shown
    for block in shown:
        assert block in (ROOT / "deploy" / "collector.yaml").read_text()
