"""What the page is told of tiles and curves."""

from __future__ import annotations

import json

import pytest

from xcnn.report import grids

GRID = {"kind": "tiles", "layer": "conv", "unit": "pixel", "count": 3, "captions": ["4", "7", "9"], "marks": ["", "", "dead"]}  # fmt: skip
TABLE = {
    "kind": "table", "layer": "conv", "headings": ["channel", "activation at start", "at end", "state"],
    "rows": [["4", 0.125, 2.5, "alive"], ["7", 0.0, 1.0, "alive"], ["9", 0.0, None, "dead"]],
}  # fmt: skip


class Pictures:
    def statistics(self, panel):
        return [[-1.0, 0.5, 2.0, 0.9996]] * panel["count"]

    def series(self, panel):
        return {name: [float(at) for at in range(panel["steps"])] for name in panel["names"]}


def told(panel, *beside):
    return json.loads(grids.tiles(panel, Pictures(), [panel, *beside]))


def test_a_table_with_a_row_per_tile_tells_what_each_reached():
    found = told(GRID, TABLE)

    assert found["facts"] == ["activation at start", "at end", "state"]
    assert [(caption, mark, facts) for caption, mark, _, facts in found["tiles"]] == [
        ("4", "", ["0.12", "2.50", "alive"]), ("7", "", ["0", "1.00", "alive"]), ("9", "dead", ["0", "–", "dead"]),
    ]  # fmt: skip


@pytest.mark.parametrize("changed", [{"layer": "other"}, {"rows": TABLE["rows"][:2]}, {"rows": TABLE["rows"][::-1]}])
def test_a_table_of_something_else_tells_nothing_of_the_tiles(changed):
    found = told(GRID, TABLE | changed)

    assert found["facts"] == []
    assert all(facts == [] for *_, facts in found["tiles"])


def test_tiles_have_statistics_in_their_unit_and_pictures_have_none():
    assert told(GRID | {"unit": "activation"})["tiles"][0][2] == ["-1.00", "0.50", "2.00", ">99.9%"]
    assert told(GRID)["tiles"][0][2] == []


@pytest.mark.parametrize("steps", [1, 2, 49, 50, 128, 5000])
def test_a_curve_has_its_ends_and_no_more_points_than_can_be_seen(steps):
    (values,) = json.loads(grids.curve({"names": ["4"], "steps": steps}, Pictures())).values()

    assert len(values) == min(steps, grids.POINTS)
    assert (values[0], values[-1]) == (0, steps - 1)
    assert values == sorted(set(values))
