"""The cards of a page: one per result, side by side where they compare."""

from __future__ import annotations

import base64
import itertools
import struct
from typing import TYPE_CHECKING, Any

from xcnn.report import grids, seen, tints, trust
from xcnn.report.words import plain, prose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xcnn.report.html import Pictures

WIDE = {"tiles", "table", "curve"}
"""Kinds of panels that take the whole width."""
DRAWN = {"tiles", "curve"}
"""Kinds of panels whose picture is a file of the folder."""
MOST_ROWS = 50
"""Rows of a table on the page; all are in its file."""
WIDEST, TALLEST = 352, 416
"""How large a picture stands on the page, in pixels."""
SQUARES = 4
"""From this factor on, the pixels of a fine map are shown as squares."""
TYPES = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"RI": "webp"}
"""Types of pictures by their first two bytes."""


def arranged(
    results: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
    pictures: Pictures,
    prefix: str,
) -> list[dict[str, Any]]:
    """Arrange the results of one image, or of the model: explainers below each other when each has several classes.

    Returns
    -------
    list of dict
        Rows of cards. ``title`` is the explainer's at the first row of one that has several, else empty; ``level`` is
        the heading of the cards.
    """
    groups = [list(group) for _, group in itertools.groupby(results, key=lambda result: result["explainer"])]
    several = len(groups) > 1
    crossed = several and any(len(group) > 1 for group in groups)
    cards = [_card(result, titles, pictures, named=several and not crossed) for result in results]
    for count, (card, result) in enumerate(zip(cards, results, strict=True), start=1):
        card["id"] = f"{prefix}-{count}"
        own, of_run, nothing = trust.told(result)
        noted = list(dict.fromkeys(plain([*_notes(card["panels"]), *own])))
        card["doubts"] = [note for note in noted if not trust.harmless(note)]
        card["covered"] = [note for note in noted if trust.harmless(note)]
        card["of_run"] = plain(of_run) if any(panel["kind"] != "table" for panel in card["panels"]) else []
        card["nothing"] = "" if card["doubts"] else nothing
    # What takes the whole width is a row of its own.
    parts = itertools.groupby(cards, key=lambda card: (card["wide"] and card["id"], crossed and card["explainer"]))
    made = [list(part) for _, part in parts]
    rows = []
    before = ""
    for count, row in enumerate(made, start=1):
        explainer = row[0]["explainer"] if crossed and row[0]["target"] else ""
        title = row[0]["title"] if explainer and explainer != before else ""
        level = "h5" if explainer else "h4"
        rows.append({"id": f"{prefix}-row-{count}", "title": title, "level": level, "cards": row})
        before = explainer
    return rows


def _notes(panels: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is noted of the maps of a card; the layer is told where another one has no such note."""
    maps = [panel for panel in panels if panel["kind"] == "map"]
    return [
        note if all(note in other["notes"] for other in maps) or not panel["layer"] else f"{panel['layer']}: {note}"
        for panel in maps
        for note in panel["notes"]
    ]


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
        "shared": _shared(card.get("together", 1)),
        "wide": any(panel["kind"] in WIDE for panel in result["panels"]),
        "panels": [_panel(one, pictures, result["panels"], of_class=bool(card["target"])) for one in result["panels"]],
    }


def _shared(together: int) -> str:
    """Say of a time that it is no measurement of its own."""
    return f", the mean of {together} computed at once" if together > 1 else ""


def section(given: Mapping[str, Any], pictures: Pictures) -> dict[str, Any]:
    """Describe what a plugin adds to the report: a heading, paragraphs and panels."""
    told: dict[str, Any] = plain({name: value for name, value in given.items() if name != "panels"})
    panels = [_panel(one, pictures, given["panels"], of_class=False) for one in given["panels"]]
    return told | {"paragraphs": prose(given["text"]), "target": None, "panels": panels}


def _panel(
    panel: Mapping[str, Any], pictures: Pictures, beside: Sequence[Mapping[str, Any]], *, of_class: bool
) -> dict[str, Any]:
    kind = panel["kind"]
    if kind == "table":
        shown = {**panel, "rows": panel["rows"][:MOST_ROWS]}
        return dict(plain(shown)) | {"over": False, "more": max(len(panel["rows"]) - MOST_ROWS, 0)}
    told = dict(plain(panel)) | {"over": _lies_over(panel)}
    if kind in DRAWN:
        numbers = grids.tiles(panel, pictures, beside) if kind == "tiles" else grids.curve(panel, pictures)
        return told | {"drawn": later(pictures.drawn, panel["files"]["figure"]), "numbers": numbers}
    told |= {"heat": lambda: _shown(pictures.heat(panel), panel), "fit": fitted(panel)}
    if kind == "labels":
        return told | {"squares": True} | seen.of_categories(panel, pictures)
    return told | _of_map(panel) | {"seen": seen.of_values(panel, pictures, of_class=of_class)}


def _of_map(panel: Mapping[str, Any]) -> dict[str, Any]:
    """What the page must know to colour a map and to read its values."""
    signed = panel["sign"] == "signed"
    cut = tints.cut_of(panel)
    return {
        "tint": tints.name_of(panel["sign"], cut, over=not panel["fine"]),
        "cut": cut,
        "step": panel["scale"][1] / (127 if signed else 255),
        "squares": bool(panel.get("flat"))
        or (panel["fine"] and SQUARES * max(panel["height"], panel["width"]) <= WIDEST),
    }


def fitted(of: Mapping[str, Any]) -> tuple[int, int]:
    """The width and height at which an image or a map stands on the page."""
    factor = min(WIDEST / of["width"], TALLEST / of["height"])
    return max(1, round(factor * of["width"])), max(1, round(factor * of["height"]))


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
    return lambda: _uri(picture(of))


def _uri(data: bytes) -> str:
    return f"data:image/{TYPES[data[:2]]};base64," + base64.b64encode(data).decode("ascii")


def _shown(data: bytes, panel: Mapping[str, Any]) -> dict[str, str]:
    """The picture of a map, and its size in words where it has fewer pixels than the map."""
    # A map of values is a PNG, whose header has its width and its height.
    sized = data[12:16] == b"IHDR"
    width, height = struct.unpack(">II", data[16:24]) if sized else (panel["width"], panel["height"])
    fewer = width < panel["width"] or height < panel["height"]
    return {"uri": _uri(data), "fewer": f"{width} \N{MULTIPLICATION SIGN} {height}" if fewer else ""}
