"""Checks of single panels: what they hold and in which form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xcnn.plugin import Attribution, Curve, Labels, Table, Tiles
from xcnn.testing.finding import Broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xcnn.plugin import Panel

RANKS: dict[type, tuple[tuple[int, ...], str]] = {
    Attribution: ((2,), "(h, w)"),
    Labels: ((2,), "(h, w)"),
    Tiles: ((3, 4), "(k, h, w) or (k, h, w, 3)"),
}
MARKUP = re.compile(r"<\s*[/!?a-zA-Z]|&[a-z]+;|&#")


def check_form(panel: Any) -> None:
    """Refuse what is no panel, and a panel whose arrays or rows have another form than its kind."""
    if isinstance(panel, (Attribution, Labels, Tiles)):
        _check_array(panel)
    elif isinstance(panel, Table):
        for row in panel.rows:
            if len(row) != len(panel.headings):
                raise Broken(f"a row of table {panel.title!r} has {len(row)} cells for {len(panel.headings)} headings")
    elif isinstance(panel, Curve):
        lengths = {name: getattr(values, "shape", None) for name, values in panel.series.items()}
        if len(set(lengths.values())) != 1 or any(shape is None or len(shape) != 1 for shape in lengths.values()):
            raise Broken(f"the series of curve {panel.title!r} have shapes {lengths}; each must be (n,)")
    else:
        raise Broken(f"returned {type(panel).__name__}; a panel is an Attribution, Tiles, Labels, Table or Curve")


def _check_array(panel: Attribution | Labels | Tiles) -> None:
    what, values = type(panel).__name__, panel.values
    ranks, form = RANKS[type(panel)]
    if not hasattr(values, "dtype"):
        raise Broken(f"the values of {what} are {type(values).__name__}, no NumPy array")
    if values.ndim not in ranks or not values.size:
        raise Broken(f"the values of {what} have shape {values.shape}; it must be {form}")
    if isinstance(panel, Labels):
        if values.dtype.kind not in "iu":
            raise Broken(f"the values of Labels are {values.dtype}; categories are whole numbers")
        unnamed = sorted({int(one) for one in values.ravel()} - set(panel.names))
        if unnamed:
            raise Broken(f"Labels holds {unnamed[0]}, which has no name")
        return
    if str(values.dtype) != "float32":
        raise Broken(f"the values of {what} are {values.dtype}; they must be float32")
    if panel.sign not in {"positive", "signed"}:
        raise Broken(f"the sign of {what} is {panel.sign!r}; it must be 'positive' or 'signed'")
    if isinstance(panel, Tiles) and len(panel.captions) != len(values):
        raise Broken(f"Tiles has {len(panel.captions)} captions for {len(values)} tiles")


def check_texts(panel: Panel) -> None:
    """Refuse texts of a panel that are no plain text."""
    for name, text in _texts(panel):
        if not isinstance(text, str):
            raise Broken(f"{name} is {type(text).__name__}; it must be text")
        if MARKUP.search(text):
            raise Broken(f"{name} holds markup: {text[:60]!r}; texts are plain, the report draws them")


def _texts(panel: Panel) -> Iterator[tuple[str, Any]]:
    what = type(panel).__name__
    for field in ("layer", "title", "unit", "x", "y"):
        if hasattr(panel, field):
            yield f"{what}.{field}", getattr(panel, field)
    for field in ("notes", "captions", "marks", "headings"):
        for text in getattr(panel, field, ()):
            yield f"{what}.{field}", text
    names = panel.names.values() if isinstance(panel, Labels) else panel.series if isinstance(panel, Curve) else ()
    for text in names:
        yield f"{what}.{'names' if isinstance(panel, Labels) else 'series'}", text
    if isinstance(panel, Table):
        for row in panel.rows:
            for cell in row:
                if not isinstance(cell, (int, float)):
                    yield f"{what}.rows", cell
