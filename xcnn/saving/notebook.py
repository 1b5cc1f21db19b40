"""A run as a notebook shows it: a few maps beside their classes, in one piece of HTML."""

from __future__ import annotations

import base64
import html
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from xcnn.errors import ImageError
from xcnn.io import artifacts
from xcnn.privacy import Redaction
from xcnn.render.style import Style, shrunk
from xcnn.report.words import number, percent, visible
from xcnn.saving import glimpses
from xcnn.saving.memory import pixels_of, style_of
from xcnn.saving.writer import scales_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xcnn.plugin import Result, Run
    from xcnn.values import Pixels

MOST = 12
"""Results that are shown."""
CARD = "display:inline-block;margin:0 12px 12px 0;vertical-align:top;max-width:100%"


def shown(run: Run) -> str:
    """Write the first results of a run as HTML that needs nothing else.

    Names are plain text, pictures are data: URIs; there is no script and no style sheet that could reach the notebook.
    """
    user = Redaction.of_user()  # a notebook is handed on, too
    cards = list(_cards(run, user))
    more = f"<p>and {len(run.results) - len(cards)} more results</p>" if len(run.results) > len(cards) else ""
    failed = "".join(f"<p>failed: {_text(failure.message, user)}</p>" for failure in run.failures[:MOST])
    warned = "".join(f"<p>warning: {_text(warning, user)}</p>" for warning in run.warnings)
    return f"<div><p>{_text(repr(run), user)}</p>{warned}{''.join(cards)}{more}{failed}</div>"


def _cards(run: Run, user: Redaction) -> Iterator[str]:
    style = style_of(run.about)
    few = run.results[:MOST]
    for _, group in groupby(few, key=lambda result: (id(result.image), result.epoch, result.explainer)):
        alike = list(group)
        # The classes of one image share their scale, as everywhere.
        drawer = Drawer(run, alike, style, user)
        for result in alike:
            yield drawer.card(result)


class Drawer:
    """Draws results of one explainer that share an image.

    Parameters
    ----------
    run : Run
        Where they come from.
    results : sequence of Result
        The results.
    style : Style
        How pictures look.
    user : Redaction
        Leaves the user out of texts.
    """

    def __init__(self, run: Run, results: Sequence[Result], style: Style, user: Redaction) -> None:
        self._user = user
        self._titles = {one["name"]: one["title"] for one in run.about["explainers"]}
        self._scales = scales_of(results)
        self._style = style
        self._pixels = _small(run, results[0])

    def card(self, result: Result) -> str:
        """One result: its first panel, and its class in words."""
        target = result.target
        value = (
            ""
            if target is None
            else number(target.score)
            if target.probability is None
            else percent(target.probability)
        )
        label = "" if target is None else f"<br>{_text(target.label, self._user)} {value}"
        where = Path(result.image.path).name if result.image else ""
        title = self._titles.get(result.explainer, result.explainer)
        head = f"<b>{_text(title, self._user)}</b> {_text(where, self._user)}"
        epoch = "" if result.epoch is None else f"<br>epoch {result.epoch}"
        seen = glimpses.first(result, self._pixels, self._scales, self._style)
        drawn = "" if seen is None else _picture(seen)
        return f'<div style="{CARD}">{head}{epoch}{label}<br>{drawn}</div>'


def _small(run: Run, result: Result) -> Pixels | None:
    if result.image is None:
        return None
    try:
        return shrunk(pixels_of(result.image, run.about), glimpses.EDGE, grow=True)
    except ImageError:  # the file has changed or is gone; the numbers are still worth a line
        return None


def _picture(pixels: Pixels) -> str:
    data = base64.b64encode(artifacts.encoded(pixels, ".jpg", quality=85)).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{data}" alt="" width="{pixels.shape[1]}" height="{pixels.shape[0]}">'


def _text(text: str, user: Redaction) -> str:
    return html.escape(visible(user.text(text)))
