"""usage: OTELCOL=PATH python tests/collector/answers.py [--markdown]: what a Collector does with each answer.

With --markdown, the tables of docs/collector.md.  Needs the packages of tests/requirements.txt.
"""

import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from lib import answers  # pylint: disable=wrong-import-position


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true")
    markdown = parser.parse_args().markdown
    for protocol in answers.PROTOCOLS.values():
        with tempfile.TemporaryDirectory(prefix="tracespool-answers-") as folder:
            seen = answers.try_all(pathlib.Path(folder), protocol)
        print(f"### {protocol.title}\n\n{answers.markdown(seen)}" if markdown else "\n".join(map(str, seen)))


main()
