"""What a map shows, in words for those who don't see it, and the cells of a map of categories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from xcnn.report.words import percent, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.report.html import Pictures

MOST_NAMES = 4
"""Categories that are told with their places."""
MOST_RUNS = 10_000
"""A map of more is none of regions; it would make the page larger than its picture does."""
WHOLE, MOST = 0.9995, 0.75
"""From these shares on, a category is everywhere, or nearly."""


def of_values(panel: Mapping[str, Any], pictures: Pictures, *, of_class: bool) -> str:
    """Say where a map is strongest; for and against the class, where it is of one and has both signs."""
    glance = pictures.glance(panel)
    if not glance:
        return "the map is zero everywhere"
    area = f"{_whole(glance['share'])} of the area above half"
    if panel["sign"] == "positive":
        return f"strongest {glance['above']}, {area}"
    sides = ("for it", "against it") if of_class else ("above zero", "below zero")
    places = zip(sides, (glance["above"], glance["below"]), strict=True)
    return "; ".join([*(f"strongest {side}: {at}" if at else f"nothing {side}" for side, at in places), area])


def of_categories(panel: Mapping[str, Any], pictures: Pictures) -> dict[str, Any]:
    """Say what a map of categories shows, and list its cells.

    Returns
    -------
    dict
        ``seen``, in words; ``cells``, row by row: how many cells a category has until the next one begins, and its
        place in ``names``. Both are empty when there are too many.
    """
    told = pictures.categories(panel)
    runs = told["runs"] if len(told["runs"]) <= MOST_RUNS else []
    order = {number: at for at, number in enumerate(dict.fromkeys(number for _, number in runs))}
    names = [panel["names"].get(str(number), str(number)) for number in order]
    return {
        "seen": _categories(panel, told["places"]),
        "cells": " ".join(f"{count} {order[number]}" for count, number in runs),
        "known": json.dumps(plain(names)),
    }


def _categories(panel: Mapping[str, Any], places: list[str]) -> str:
    rows = list(zip(panel["legend"], places, strict=True))
    told = [f"{plain(entry['name'])} {_where(entry['share'], place)}" for entry, place in rows[:MOST_NAMES]]
    return "; ".join([*told, *([f"and {len(rows) - MOST_NAMES} more"] if len(rows) > MOST_NAMES else [])])


def _where(share: float, place: str) -> str:
    if share >= WHOLE:
        return "everywhere"
    where = "nearly everywhere" if share >= MOST else f"mostly {place}" if place else ""
    return f"on {percent(share)}{where and f', {where}'}"


def _whole(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "less than 1%"  # noqa: PLR2004 (what would be rounded to none)
