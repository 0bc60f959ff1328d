"""The table: for people, as Markdown, or as JSON for programs."""

import collections
import json

from .rows import Outcome, Result


def count_line(outcomes: list[Outcome]) -> str:
    counted = collections.Counter(outcome.result for outcome in outcomes)
    return ", ".join(f"{counted[result]} {result.value}" for result in Result)


def as_markdown(outcomes: list[Outcome]) -> str:
    lines = ["| row | clause | level | result | seen |", "|---|---|---|---|---|"]
    for row, result, seen in outcomes:
        shown = result.value.upper() if result is Result.FAIL else result.value
        cells = [f"`{row.identity}`", f"{row.clause} ({row.section})", row.level, shown, " ".join(seen.split())]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, "", count_line(outcomes)])


def as_json(outcomes: list[Outcome]) -> str:
    rows = [
        {
            "id": row.identity,
            "section": row.section,
            "clause": row.clause,
            "level": row.level,
            "result": result.value,
            "seen": seen,
        }
        for row, result, seen in outcomes
    ]
    return json.dumps({"rows": rows}, ensure_ascii=False, indent=1)
