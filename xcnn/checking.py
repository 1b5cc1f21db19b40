"""What explainers must return: the checks of every panel before anything is made of it.

A panel comes from code that we don't know. What passes here can be coloured, written and shown: arrays of the right
kind and rank, and texts that are texts.
"""

from __future__ import annotations

import math
import re
import reprlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xcnn.errors import PluginError
from xcnn.plugin import Attribution, Curve, Labels, Section, Table, Tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from xcnn.plugin import Panel

FORMS: dict[type, tuple[tuple[int, ...], str, str]] = {
    Attribution: ((2,), "fiub", "a map is (h, w) numbers"),
    Labels: ((2,), "iu", "labels are (h, w) whole numbers"),
    Tiles: ((3, 4), "fiub", "tiles are (k, h, w) or (k, h, w, 3) numbers"),
}
SIGNS = ("positive", "signed")
SCALES = ("each", "shared", "standard", "picture")
NAME = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)


def rows(found: Any, expected: int, who: str) -> list[tuple[Panel, ...]]:
    """Take a list of `expected` tuples of panels, the numbers as float32; PluginError for anything else."""
    if not isinstance(found, (list, tuple)):
        raise PluginError(f"{who} returned {_kind(found)}; explain returns a list with a tuple of panels per row")
    if len(found) != expected:
        raise PluginError(f"{who} returned {len(found)} rows for {expected}")
    return [panels(row, who) for row in found]


def panels(found: Any, who: str) -> tuple[Panel, ...]:
    """Take a tuple of panels, the numbers as float32; PluginError for anything else, and for an empty one."""
    if not isinstance(found, (list, tuple)):
        raise PluginError(f"{who} returned {_kind(found)} where a tuple of panels belongs")
    if not found:
        raise PluginError(f"{who} returned no panel")
    for one in found:
        panel(one, who)
    return tuple(_single(one) for one in found)


def _single(one: Panel) -> Panel:
    """The same panel with its numbers as float32, as pictures and files have them."""
    if not isinstance(one, (Attribution, Tiles)) or one.values.dtype.name == "float32":
        return one
    import numpy as np

    with np.errstate(over="ignore"):  # what has no float32 becomes infinite, and that is told
        return replace(one, values=one.values.astype(np.float32))


def panel(found: Any, who: str) -> None:
    """Refuse a panel that breaks its contract.

    Raises
    ------
    PluginError
        Saying what the explainer returned.
    """
    form(found, who)
    sign(found, who)


def form(found: Any, who: str) -> None:
    """Refuse what is no panel, or one whose arrays and texts are of another form, with a PluginError."""
    check = CHECKS.get(type(found))
    if check is None:
        raise PluginError(f"{who} returned {_kind(found)}; a panel is an Attribution, Tiles, Labels, ...")
    _texts(who, layer=found.layer, notes=found.notes, title=found.title)
    check(found, who)


def sign(found: Panel, who: str) -> None:
    """Refuse negative values in a map that is called positive with a PluginError."""
    if isinstance(found, Attribution) and found.sign == "positive" and (found.values < 0).any():
        raise PluginError(f"{who} returned negative values in a map it calls positive")


def section(found: Any, who: str) -> Section:
    """Take a section of a report, the numbers as float32; PluginError for anything else."""
    if not isinstance(found, Section):
        raise PluginError(f"{who} returned {_kind(found)}; a section is an xcnn.plugin.Section")
    _texts(who, title=found.title, text=found.text)
    return replace(found, panels=panels(found.panels, who) if found.panels else ())


def _array(found: Attribution | Labels | Tiles, who: str) -> None:
    ranks, kinds, form = FORMS[type(found)]
    values: Any = found.values
    if getattr(values, "ndim", None) not in ranks or values.dtype.kind not in kinds:
        raise PluginError(f"{who} returned {_kind(values)}; {form}")
    if not values.size:
        raise PluginError(f"{who} returned an empty array; {form}")
    if values.ndim == max(FORMS[Tiles][0]) and values.shape[-1] != 3:  # noqa: PLR2004 (RGB)
        raise PluginError(f"{who} returned {_kind(values)}; {form}")


def _attribution(found: Attribution, who: str) -> None:
    _array(found, who)
    _texts(who, unit=found.unit)
    _one_of(found.sign, SIGNS, "sign", who)
    if not (found.residual is None or isinstance(found.residual, (int, float))):
        raise PluginError(f"{who} returned {_kind(found.residual)} as a residual; it is a number")
    _state(found.state, who)


def _labels(found: Labels, who: str) -> None:
    _array(found, who)
    _texts(who, names=tuple(found.names.values()))


def _tiles(found: Tiles, who: str) -> None:
    _array(found, who)
    _texts(who, unit=found.unit, captions=found.captions, marks=found.marks)
    _one_of(found.sign, SIGNS, "sign", who)
    _one_of(found.scale, SCALES, "scale", who)
    if len(found.captions) != len(found.values):
        raise PluginError(f"{who} returned {len(found.captions)} captions for {len(found.values)} tiles")
    if found.marks and len(found.marks) != len(found.values):
        raise PluginError(f"{who} returned {len(found.marks)} marks for {len(found.values)} tiles")


def _curve(found: Curve, who: str) -> None:
    _texts(who, x=found.x, y=found.y, names=tuple(found.series))
    for name, values in found.series.items():
        if getattr(values, "ndim", None) != 1 or values.dtype.kind not in "fiub":
            raise PluginError(f"{who} returned {_kind(values)} as the series {name!r}; it is (n,) numbers")


def _table(found: Table, who: str) -> None:
    _texts(who, headings=found.headings)
    for row in found.rows:
        if len(row) != len(found.headings):
            raise PluginError(f"{who} returned a table with {len(row)} cells under {len(found.headings)} headings")
        for cell in row:
            if not isinstance(cell, (str, int, float)):
                raise PluginError(f"{who} returned a table with {_kind(cell)} in a cell; a cell is text or a number")


def _texts(who: str, **fields: str | Iterable[str]) -> None:
    """Refuse what is neither text nor a tuple of texts, by the name of its field."""
    plural = {"notes", "captions", "marks", "headings", "names"}
    for name, value in fields.items():
        given: Any = value if name in plural else (value,)
        if not isinstance(given, (tuple, list)):
            raise PluginError(f"{who} returned {_kind(given)} as {name}; it is a tuple of texts")
        for one in given:
            if not isinstance(one, str):
                raise PluginError(f"{who} returned {_kind(one)} as {name}; it is text")


def _one_of(value: Any, known: tuple[str, ...], name: str, who: str) -> None:
    if value not in known:
        raise PluginError(f"{who} returned the {name} {reprlib.repr(value)}; it is one of {', '.join(known)}")


def _state(state: Mapping[str, Any], who: str) -> None:
    """Refuse a state that could not be read again; its names become names in a file."""
    for name, values in state.items():
        kind = getattr(getattr(values, "dtype", None), "kind", "")
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            raise PluginError(f"{who} returned a state named {reprlib.repr(name)}; a name is letters, digits and _")
        if kind not in set("fiub") or not math.isfinite(values.sum(dtype="float64")):
            raise PluginError(f"{who} returned a state {name!r} that is no array of finite numbers")


def _kind(value: Any) -> str:
    """What a value is, in a word or two; never what it says of itself."""
    shape = getattr(value, "shape", None)
    sizes = f" of shape {shape}" if isinstance(shape, tuple) else ""
    return f"{type(value).__name__}{sizes}"


CHECKS: dict[type, Callable[[Any, str], None]] = {
    Attribution: _attribution,
    Labels: _labels,
    Tiles: _tiles,
    Table: _table,
    Curve: _curve,
}
