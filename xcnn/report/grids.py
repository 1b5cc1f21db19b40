"""What the page knows of each tile of a grid, and of the curves beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from xcnn.report.words import cell, number, percent, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.report.html import Pictures

POINTS = 49
"""Points of a curve on the page; all are in its file."""


def tiles(panel: Mapping[str, Any], pictures: Pictures, beside: Sequence[Mapping[str, Any]]) -> str:
    """Write what is known of each tile, as JSON.

    Parameters
    ----------
    panel : mapping
        The record of the grid.
    pictures : Pictures
        Where the numbers are.
    beside : sequence of mapping
        All panels of the result. A table of the same layer whose first column has the captions tells more of each tile.

    Returns
    -------
    str
        ``facts``: the headings of that table without the first. ``tiles``: per tile its caption, its mark, its
        statistics (least, mean, largest, share above zero; empty for pictures, whose levels say nothing) and its facts.
    """
    count = panel["count"]
    captions = [*panel["captions"], *[""] * count][:count]
    marks = [*panel["marks"], *[""] * count][:count]
    statistics = [] if panel["unit"] == "pixel" else pictures.statistics(panel)
    headings, rows = _table(panel, beside)
    told = [
        [
            plain(captions[at]),
            plain(marks[at]),
            _words(statistics[at]) if at < len(statistics) else [],
            rows[at] if at < len(rows) else [],
        ]
        for at in range(count)
    ]
    return json.dumps({"facts": headings, "tiles": told})


def _words(statistics: Sequence[float]) -> list[str]:
    *sizes, share = statistics
    return [*map(number, sizes), percent(share)]


def _table(panel: Mapping[str, Any], beside: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    captions = [str(caption) for caption in panel["captions"]]
    tables = [one for one in beside if captions and one["kind"] == "table" and one["layer"] == panel["layer"]]
    for table in tables:
        if [str(row[0]) for row in table["rows"]] == captions:
            rows = [[plain(cell(value)) for value in row[1:]] for row in table["rows"]]
            return [plain(heading) for heading in table["headings"][1:]], rows
    return [], []


def curve(panel: Mapping[str, Any], pictures: Pictures) -> str:
    """Write the numbers of each series by its name, as JSON, with no more points than can be seen."""
    return json.dumps(plain({name: _thinned(values) for name, values in pictures.series(panel).items()}))


def _thinned(values: Sequence[float]) -> list[float]:
    last = len(values) - 1
    if last < POINTS:
        return list(values)
    return [values[round(at * last / (POINTS - 1))] for at in range(POINTS)]
