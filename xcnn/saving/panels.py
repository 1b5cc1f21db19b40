"""The files of each kind of panel, and what run.json says about them."""

from __future__ import annotations

import itertools
import math
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.plugin import Attribution, Curve, Labels, Table, Tiles
from xcnn.render import curve, figure, labels, layers, tiles
from xcnn.render.style import shrunk
from xcnn.report.trust import NO_EVIDENCE, NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.io.artifacts import Draft
    from xcnn.plugin import Image, Panel, Target
    from xcnn.render.colours import Scale
    from xcnn.render.style import Style
    from xcnn.values import Pixels

Key = tuple[str, str, str, bool]
"""What maps have in common that share a scale: layer, sign, unit, and whether they are fine."""
LONGEST = 60
"""Letters of a label on a picture: what follows must be seen, too."""
LONGEST_STEM = 190
"""Bytes of the beginning of a file name; file systems take 255 for the whole."""
LONGEST_EDGE = 4096
"""Longer side of an overlay in pixels: a photograph of 60 megapixels would make a file of 50 MB."""
MOST_LAYERS = 6
"""As many maps as stand side by side in one figure."""


def key(panel: Attribution) -> Key:
    """Tell the maps whose scale a map shares."""
    return panel.layer, panel.sign, panel.unit, panel.fine


@dataclass(frozen=True)
class Subject:
    """What a panel is about: the explainer's title, and the picture, image and target where there are any."""

    explainer: str
    pixels: Pixels | None
    image: Image | None
    target: Target | None
    epoch: int | None = None

    @property
    def file(self) -> str:
        """The name of the image."""
        return Path(self.image.path).name if self.image else ""

    @property
    def seen(self) -> str:
        """The image in words."""
        return f"{self.file}, {self.image.size[1]} x {self.image.size[0]} px" if self.image else ""

    @property
    def explained(self) -> str:
        """The class in words, with its probability; empty without one."""
        if self.target is None:
            return ""
        probability = "" if self.target.probability is None else f"  {self.target.probability:.1%}"
        return f"{textwrap.shorten(self.target.label, LONGEST, placeholder=' ...')}{probability}"


class Panels:
    """Writes panels to the folder in the making.

    Parameters
    ----------
    draft : Draft
        The folder.
    style : Style
        How pictures look.
    model : str
        The name of the network.
    drawn : bool
        Draw the figures that a report can do without: those of maps.
    """

    def __init__(self, draft: Draft, style: Style, model: str, *, drawn: bool = True) -> None:
        self._drawn = drawn
        self._draft = draft
        self._style = style
        self._model = model

    def write(self, panel: Panel, subject: Subject, scales: Mapping[Key, Scale], stem: str) -> dict[str, Any]:
        """Write the files of one panel, their names beginning with `stem`; return its record for run.json."""
        stem = self._unique(stem)
        match panel:
            case Attribution():
                record = self._map(panel, subject, scales[key(panel)], stem)
            case Tiles():
                record = self._tiles(panel, subject, stem)
            case Labels():
                record = self._labels(panel, subject, stem)
            case Table():
                record = self._table(panel, stem)
            case Curve():
                record = self._curve(panel, subject, stem)
        notes = [*panel.notes, *record.pop("remarks", [])]
        return {"kind": record.pop("kind"), "title": panel.title, "layer": panel.layer, "notes": notes, **record}

    def side_by_side(
        self, panels: Sequence[Panel], subject: Subject, scales: Mapping[Key, Scale], stem: str
    ) -> dict[str, str]:
        """Draw the maps of several layers in one figure; nothing when there are none or too many."""
        maps = [panel for panel in panels if isinstance(panel, Attribution) and not panel.fine]
        if subject.pixels is None or not (self._drawn and 1 < len(maps) <= MOST_LAYERS):
            return {}
        named = [(panel.layer or panel.title or panel.unit, panel, scales[key(panel)]) for panel in maps]
        drawn = layers.layers(subject.pixels, named, self._style, self._words(subject))
        return {"layers": self._draft.write_picture(f"{self._unique(stem)}.png", drawn)}

    def _map(self, panel: Attribution, subject: Subject, scale: Scale, stem: str) -> dict[str, Any]:
        empty = not panel.values.any()
        nothing = NO_EVIDENCE if panel.sign == "positive" else NOTHING
        files = {"values": self._draft.write_values(f"{stem}.npy", panel.values)}
        if panel.state:
            files["state"] = self._draft.write_state(f"{stem}.state.npz", panel.state)
        if subject.pixels is not None and self._drawn:
            score = f"score {figure.number(subject.target.score)}" if subject.target else ""
            words = self._words(
                subject,
                title=panel.title,
                layer=panel.layer,
                right=nothing.partition(":")[0] if empty else score,
                unit=panel.unit,
            )
            drawn = figure.figure(subject.pixels, panel, scale, self._style, words)
            shown = figure.shown(shrunk(subject.pixels, LONGEST_EDGE), panel, scale, self._style)
            ending = "map" if panel.fine else "overlay"
            files["figure"] = self._draft.write_picture(f"{stem}.png", drawn)
            files[ending] = self._draft.write_picture(f"{stem}.{ending}.png", shown)
        return {
            "kind": "map",
            "height": panel.values.shape[0],
            "width": panel.values.shape[1],
            "sign": panel.sign,
            "unit": panel.unit,
            **_range(panel.values),
            "scale": [scale.low, scale.high],
            "clipped": scale.clipped,
            "fine": panel.fine,
            "flat": panel.flat,
            "threshold": panel.threshold,
            "residual": panel.residual,
            "remarks": [nothing] if empty else [],
            "files": files,
        }

    def _tiles(self, panel: Tiles, subject: Subject, stem: str) -> dict[str, Any]:
        words = self._words(subject, title=panel.title, layer=panel.layer, seen=True)
        drawn, shared = tiles.grid(panel, self._style, words, subject.pixels)
        return {
            "kind": "tiles",
            "count": panel.values.shape[0],
            "height": panel.values.shape[1],
            "width": panel.values.shape[2],
            "columns": tiles.columns(panel, subject.pixels),
            "place": tiles.place(panel, subject.pixels),
            "sign": panel.sign,
            "unit": panel.unit,
            **_range(panel.values),
            "scaling": panel.scale,
            "scaled": tiles.how(panel),
            "scale": [shared.low, shared.high] if shared else None,
            "captions": list(panel.captions),
            "marks": list(panel.marks),
            "picture": list(drawn.shape[:2]),
            "files": {
                "values": self._draft.write_values(f"{stem}.npy", panel.values),
                "figure": self._draft.write_picture(f"{stem}.png", drawn),
            },
        }

    def _labels(self, panel: Labels, subject: Subject, stem: str) -> dict[str, Any]:
        files = {"values": self._draft.write_values(f"{stem}.npy", panel.values.astype(np.int32))}
        if subject.pixels is not None and self._drawn:
            words = self._words(subject, title=panel.title, layer=panel.layer)
            files["figure"] = self._draft.write_picture(f"{stem}.png", labels.figure(subject.pixels, panel, words))
        return {
            "kind": "labels",
            "height": panel.values.shape[0],
            "width": panel.values.shape[1],
            "names": {str(number): labels.named(panel, int(number)) for number in np.unique(panel.values)},
            "legend": [
                {"numbers": list(entry.numbers), "name": entry.name, "colour": entry.colour, "share": entry.share}
                for entry in labels.entries(panel)
            ],
            "files": files,
        }

    def _table(self, panel: Table, stem: str) -> dict[str, Any]:
        return {
            "kind": "table",
            "headings": list(panel.headings),
            "rows": [[_cell(cell) for cell in row] for row in panel.rows],
            "files": {"table": self._draft.write_table(f"{stem}.csv", panel.headings, panel.rows)},
        }

    def _curve(self, panel: Curve, subject: Subject, stem: str) -> dict[str, Any]:
        words = self._words(subject, title=panel.title, layer=panel.layer, seen=True)
        drawn = curve.curve(panel, title=words.title, subtitle=words.subtitle)
        series: list[list[float | str]] = [[float(value) for value in values] for values in panel.series.values()]
        steps = max(map(len, series), default=0)
        rows = enumerate(itertools.zip_longest(*series, fillvalue=""))
        known = ([step, *values] for step, values in rows if step >= curve.began(panel.series))
        return {
            "kind": "curve",
            "x": panel.x,
            "y": panel.y,
            "names": list(panel.series),
            "steps": steps,
            "picture": list(drawn.shape[:2]),
            "files": {
                "table": self._draft.write_table(f"{stem}.csv", [panel.x, *panel.series], known),
                "figure": self._draft.write_picture(f"{stem}.png", drawn),
            },
        }

    def _words(
        self, subject: Subject, *, title: str = "", layer: str = "", right: str = "", unit: str = "", seen: bool = False
    ) -> figure.Words:
        """Say what a picture shows: the class first where there is one and the panel has no title of its own."""
        head = title[:1].upper() + title[1:] or subject.explained or subject.explainer
        explainer = "" if head == subject.explainer else subject.explainer
        method = f"{explainer}{f' at {layer}' if layer else ''}" if explainer else layer
        told = [method, subject.explained if title else "", subject.file if seen else "", self._model]
        told += [] if subject.epoch is None else [f"epoch {subject.epoch}"]
        return figure.Words(head, " · ".join(word for word in told if word), subject.seen, right, unit)

    def _unique(self, stem: str) -> str:
        return self._draft.unique(stem.encode()[:LONGEST_STEM].decode(errors="ignore"))


def _range(values: np.ndarray) -> dict[str, float]:
    """The least and the largest finite value."""
    finite = values[np.isfinite(values)]
    return {
        "minimum": float(finite.min()) if finite.size else 0.0,
        "maximum": float(finite.max()) if finite.size else 0.0,
    }


def _cell(cell: str | float) -> str | float | None:
    """A cell as JSON knows it: what is not finite has no number there."""
    if isinstance(cell, (int, str)):
        return cell
    return float(cell) if math.isfinite(cell) else None
