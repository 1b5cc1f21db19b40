"""The cards of a page: one per result, side by side where they compare."""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING, Any

from xcnn.report.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xcnn.report.html import Pictures

WIDE = {"tiles", "table", "curve"}
"""Kinds of panels that take the whole width."""
DRAWN = {"tiles", "curve"}
"""Kinds of panels whose picture is a file of the folder."""
MOST_ROWS = 50
"""Rows of a table on the page; all are in its file."""
TYPES = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"RI": "webp"}
"""Types of pictures by their first two bytes."""


def rows(
    results: Sequence[Mapping[str, Any]], titles: Mapping[str, str], pictures: Pictures, prefix: str
) -> list[dict[str, Any]]:
    """Arrange the results of one image, or of the model: explainers below each other when each has several classes.

    Returns
    -------
    list of dict
        Rows of cards. ``title`` is the explainer's where a row belongs to one, else empty.
    """
    groups = [list(group) for _, group in itertools.groupby(results, key=lambda result: result["explainer"])]
    several = len(groups) > 1
    crossed = several and any(len(group) > 1 for group in groups)
    cards = [_card(result, titles, pictures, named=several and not crossed) for result in results]
    for number, card in enumerate(cards, start=1):
        card["id"] = f"{prefix}-{number}"
    # What takes the whole width is a row of its own.
    parts = itertools.groupby(cards, key=lambda card: (card["wide"] and card["id"], crossed and card["explainer"]))
    made = [list(part) for _, part in parts]
    return [
        {
            "id": f"{prefix}-row-{number}",
            "title": row[0]["title"] if crossed and row[0]["target"] else "",
            "cards": row,
        }
        for number, row in enumerate(made, start=1)
    ]


def fades(result: Mapping[str, Any]) -> bool:
    """Whether a result has a map whose opacity can be chosen: one that lies over a picture."""
    return result["image"] is not None and any(map(_lies_over, result["panels"]))


def _lies_over(panel: Mapping[str, Any]) -> bool:
    return panel["kind"] == "labels" or (panel["kind"] == "map" and not panel["fine"])


def _card(result: Mapping[str, Any], titles: Mapping[str, str], pictures: Pictures, *, named: bool) -> dict[str, Any]:
    """Describe one result; ``named`` when the explainer tells it from its neighbours, else the class does."""
    card: dict[str, Any] = plain({name: value for name, value in result.items() if name != "panels"})
    title = titles.get(card["explainer"], card["explainer"])
    by_class = card["target"] and not named
    return card | {
        "title": title,
        "heading": card["target"]["label"] if by_class else title,
        "subject": title if by_class else card["target"]["label"] if card["target"] else "",
        "wide": any(panel["kind"] in WIDE for panel in result["panels"]),
        "fades": fades(result),
        "panels": [_panel(panel, pictures) for panel in result["panels"]],
    }


def _panel(panel: Mapping[str, Any], pictures: Pictures) -> dict[str, Any]:
    kind = panel["kind"]
    if kind == "table":
        shown = {**panel, "rows": panel["rows"][:MOST_ROWS]}
        return dict(plain(shown)) | {"over": False, "more": max(len(panel["rows"]) - MOST_ROWS, 0)}
    told = dict(plain(panel)) | {"over": _lies_over(panel)}
    if kind in DRAWN:
        return told | {"drawn": later(pictures.drawn, panel["files"]["figure"])}
    return told | {"heat": later(pictures.heat, panel)}


def mosaics(
    records: Sequence[Mapping[str, Any]], titles: Mapping[str, str], pictures: Pictures
) -> Iterator[dict[str, Any]]:
    """Describe the pages of many images."""
    for record in records:
        told = dict(plain(record))
        title = titles.get(told["explainer"], told["explainer"])
        yield told | {"title": title, "drawn": later(pictures.drawn, record["file"])}


def later(picture: Callable[[Any], bytes], of: Any) -> Callable[[], str]:
    """A function that the template calls where the picture belongs."""

    def uri() -> str:
        data = picture(of)
        return f"data:image/{TYPES[data[:2]]};base64," + base64.b64encode(data).decode("ascii")

    return uri
