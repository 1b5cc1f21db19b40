"""Checks of single panels: what they hold and in which form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xcnn import checking
from xcnn.plugin import Attribution, Curve, Labels, Table, Tiles
from xcnn.testing.finding import Broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xcnn.plugin import Panel

MARKUP = re.compile(r"<\s*[/!?a-zA-Z]|&[a-z]+;|&#")


def check_form(panel: Any, who: str) -> None:
    """Refuse what no run accepts with a PluginError; and numbers of another type, categories without a name."""
    checking.form(panel, who)
    if isinstance(panel, (Attribution, Tiles)) and str(panel.values.dtype) != "float32":
        raise Broken(f"{who} returned {panel.values.dtype} in {type(panel).__name__}; it must be float32")
    if isinstance(panel, Labels):
        unnamed = sorted({int(one) for one in panel.values.ravel()} - set(panel.names))
        if unnamed:
            raise Broken(f"{who} returned Labels with the number {unnamed[0]}, which has no name")


def check_texts(panel: Panel) -> None:
    """Refuse texts of a panel that hold markup."""
    for text in _texts(panel):
        if MARKUP.search(text):
            raise Broken(f"a text of {type(panel).__name__} holds markup: {text[:60]!r}; texts are plain")


def _texts(panel: Panel) -> Iterator[str]:
    for field in ("layer", "title", "unit", "x", "y"):
        yield getattr(panel, field, "")
    for field in ("notes", "captions", "marks", "headings"):
        yield from getattr(panel, field, ())
    if isinstance(panel, Labels):
        yield from panel.names.values()
    if isinstance(panel, Curve):
        yield from panel.series
    if isinstance(panel, Table):
        yield from (cell for row in panel.rows for cell in row if isinstance(cell, str))
