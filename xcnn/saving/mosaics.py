"""Pages of many explained images, written as they fill."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from xcnn.plugin import Attribution
from xcnn.render import figure
from xcnn.render.mosaic import Page
from xcnn.render.style import shrunk
from xcnn.saving.panels import LONGEST, key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.io.artifacts import Draft
    from xcnn.plugin import Result, Target
    from xcnn.render.colours import Scale
    from xcnn.render.style import Style
    from xcnn.saving.panels import Key
    from xcnn.values import Pixels


class Mosaics:
    """One page in the making per explainer.

    Parameters
    ----------
    draft : Draft
        The folder in the making.
    style : Style
        How pictures look.
    titles : mapping of str to str
        What each explainer is called.
    model : str
        The name of the network.
    shape : tuple of int
        Rows and columns of a page.
    """

    def __init__(
        self, draft: Draft, style: Style, titles: Mapping[str, str], model: str, shape: tuple[int, int]
    ) -> None:
        self._draft = draft
        self._style = style
        self._titles = titles
        self._model = model
        self._shape = shape
        self._pages: dict[str, Page] = {}
        self._records: list[dict[str, Any]] = []

    def add(self, pixels: Pixels, result: Result, scales: Mapping[Key, Scale]) -> None:
        """Put the first map of a result on the page of its explainer; write the page when it is full."""
        panel = next((panel for panel in result.panels if isinstance(panel, Attribution)), None)
        if panel is None:
            return
        page = self._pages.setdefault(result.explainer, Page(*self._shape))
        small = shrunk(pixels, page.tile, grow=True)
        page.add(figure.shown(small, panel, scales[key(panel)], self._style), _words(result.target))
        if page.full:
            self._write(result.explainer, page)

    def finish(self) -> list[dict[str, Any]]:
        """Write what has begun; return the records of all pages for run.json."""
        for explainer, page in self._pages.items():
            if page.count:
                self._write(explainer, page)
        return self._records

    def _write(self, explainer: str, page: Page) -> None:
        count = page.count
        drawn = page.take(self._titles[explainer], f"{self._model} · each picture on a scale of its own")
        name = self._draft.unique(f"{explainer}.mosaic")
        self._records.append(
            {
                "explainer": explainer,
                "count": count,
                "picture": list(drawn.shape[:2]),
                "file": self._draft.write_picture(f"{name}.png", drawn),
            }
        )


def _words(target: Target | None) -> str:
    """The class and its probability with two decimals, or its score where there is none."""
    if target is None:
        return ""
    label = textwrap.shorten(target.label, LONGEST, placeholder=" ...")
    value = f"{100 * target.probability:.2f}%" if target.probability is not None else figure.number(target.score)
    return f"{label} {value}"
