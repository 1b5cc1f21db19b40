"""From results to a run folder: pictures and numbers as they come, run.json and the report at the end."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.errors import ImageError
from xcnn.io import artifacts, images
from xcnn.plugin import Attribution
from xcnn.render import colours, figure
from xcnn.render.style import Style, shrunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xcnn.io.artifacts import Draft
    from xcnn.plugin import Failure, Image, Result, Run, Target
    from xcnn.render.colours import Scale
    from xcnn.values import Pixels

REPORT = "report.html"
SOURCE_EDGE = 512
LONGEST = 60
"""Letters of a label on a picture: what follows must be seen, too."""
HEAT_EDGE = 256
TINY_EDGE = 256
NO_EVIDENCE = "no positive evidence: the map is zero everywhere"


class Writer:
    """Writes the results of one image after the other and keeps only what run.json and the report need.

    Parameters
    ----------
    draft : Draft
        The folder in the making.
    style : Style
        How pictures look.
    titles : mapping of str to str
        What each explainer is called on a picture.
    model : str
        The name of the network.
    """

    def __init__(self, draft: Draft, style: Style, titles: Mapping[str, str], model: str) -> None:
        self._draft = draft
        self._style = style
        self._titles = titles
        self._model = model
        self._records: list[dict[str, Any]] = []

    def add(self, pixels: Pixels, results: Sequence[Result]) -> None:
        """Write all results of one image; they share one scale per explainer and layer."""
        image = results[0].image
        name = self._draft.name(image.path)
        source = self._draft.write_picture(f"{name}.source.jpg", _source(pixels), quality=88)
        about = {
            "path": image.path,
            "sha256": image.sha256,
            "height": image.size[0],
            "width": image.size[1],
            "notes": list(image.notes),
            "file": source,
        }
        for explainer, group in groupby(results, key=lambda result: result.explainer):
            alike = list(group)
            scales = _scales(alike)
            parts = _parts([result.target for result in alike])
            for result, part in zip(alike, parts, strict=True):
                stem = f"{name}.{explainer}"
                panels = [self._panel(pixels, result, panel, scales, stem, part) for panel in result.panels]
                self._records.append(
                    {
                        "explainer": explainer,
                        "image": about,
                        "target": _target(result.target),
                        "predictions": [_target(target) for target in result.predictions],
                        "seconds": round(result.seconds, 4),
                        "panels": panels,
                    }
                )

    def _panel(
        self,
        pixels: Pixels,
        result: Result,
        panel: Attribution,
        scales: Mapping[str, Scale],
        stem: str,
        part: str,
    ) -> dict[str, Any]:
        layer = f".{artifacts.safe_part(panel.layer)}" if len(result.panels) > 1 else ""
        stem = self._draft.unique(stem + layer + part)
        scale = scales[panel.layer]
        empty = not panel.values.any()
        notes = [*result.target.notes, *panel.notes, *([NO_EVIDENCE] if empty and panel.sign == "positive" else [])]
        words = self._words(result, panel, "no positive evidence" if empty else "")
        drawn = figure.figure(pixels, panel, scale, self._style, words)
        files = {
            "values": self._draft.write_values(f"{stem}.npy", panel.values),
            "figure": self._draft.write_picture(f"{stem}.png", drawn),
            "overlay": self._draft.write_picture(f"{stem}.overlay.png", self._style.overlay(pixels, panel, scale)),
        }
        return {
            "layer": panel.layer,
            "height": panel.values.shape[0],
            "width": panel.values.shape[1],
            "sign": panel.sign,
            "unit": panel.unit,
            "minimum": float(panel.values.min()),
            "maximum": float(panel.values.max()),
            "scale": [scale.low, scale.high],
            "residual": panel.residual,
            "notes": notes,
            "files": files,
        }

    def _words(self, result: Result, panel: Attribution, remark: str) -> figure.Words:
        target, image = result.target, result.image
        probability = "" if target.probability is None else f"  {target.probability:.1%}"
        layer = f" at {panel.layer}" if panel.layer else ""
        return figure.Words(
            title=f"{textwrap.shorten(target.label, LONGEST, placeholder=' ...')}{probability}",
            subtitle=f"{self._titles[result.explainer]}{layer} · {self._model}",
            left=f"{Path(image.path).name}, {image.size[1]} x {image.size[0]} px",
            right=remark or f"score {figure.number(target.score)}",
            unit=panel.unit,
        )

    def finish(self, about: Mapping[str, Any], failures: Iterable[Failure], warnings: Iterable[str]) -> Path:
        """Write the report and run.json, and put the folder in its place; return the report."""
        from xcnn.report import html

        manifest = {
            **about,
            "results": self._records,
            "failures": [asdict(failure) for failure in failures],
            "warnings": list(warnings),
        }
        html.write(self._draft.folder / REPORT, manifest, _Pictures(self._draft.folder, self._style))
        # Listed, so that overwriting the folder later touches nothing else.
        files = [*self._draft.files(), artifacts.MANIFEST]
        self._draft.write_json(artifacts.MANIFEST, {**manifest, "files": files})
        return self._draft.publish() / REPORT


class _Pictures:
    """The report's pictures, read back one at a time from the folder in the making."""

    def __init__(self, folder: Path, style: Style) -> None:
        self._folder = folder
        self._style = style

    def source(self, image: Mapping[str, Any]) -> bytes:
        return Path(self._folder, image["file"]).read_bytes()

    def heat(self, panel: Mapping[str, Any]) -> bytes:
        values = np.load(self._folder / panel["files"]["values"], allow_pickle=False)
        attribution = Attribution(values, sign=panel["sign"], unit=panel["unit"])
        # In the shape of the map: the page stretches it over the picture.
        size = colours.fitted(values.shape, HEAT_EDGE, grow=True)
        return artifacts.encoded(
            self._style.heat(attribution, colours.Scale(*panel["scale"]), size), ".jpg", quality=90
        )


def _source(pixels: Pixels) -> Pixels:
    """The picture at the size of the report; tiny ones enlarged pixel by pixel, or JPEG would blur them."""
    factor = TINY_EDGE // max(pixels.shape[:2])
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1) if factor > 1 else shrunk(pixels, SOURCE_EDGE)


def _scales(results: Sequence[Result]) -> dict[str, Scale]:
    """One scale per layer, shared by the classes of one image, so that they compare."""
    maps: dict[str, list[Attribution]] = {}
    for result in results:
        for panel in result.panels:
            maps.setdefault(panel.layer, []).append(panel)
    return {
        layer: colours.Scale.of([panel.values for panel in panels], panels[0].sign) for layer, panels in maps.items()
    }


def _parts(targets: Sequence[Target]) -> list[str]:
    """What tells the files of several classes apart."""
    return [f".{artifacts.safe_part(target.label)}" for target in targets] if len(targets) > 1 else [""]


def _target(target: Target) -> dict[str, Any]:
    return {
        "index": target.index,
        "label": target.label,
        "score": target.score,
        "probability": target.probability,
        "coefficients": [list(pair) for pair in target.coefficients],
    }


def save(run: Run, out: str | Path, *, overwrite: bool) -> Path:
    """Write a run that is held in memory; see `Run.save`."""
    options = {row["name"]: row["value"] for row in run.about["options"]}
    style = Style(options["colormap"], options["alpha"])
    titles = {explainer["name"]: explainer["title"] for explainer in run.about["explainers"]}
    paths = {result.image.path for result in run.results if result.image.pixels is None}
    with artifacts.Draft(Path(out), overwrite=overwrite, inputs=paths) as draft:
        writer = Writer(draft, style, titles, run.about["model"]["name"])
        for _, group in groupby(run.results, key=lambda result: id(result.image)):
            results = list(group)
            writer.add(_pixels(results[0].image, run.about), results)
        return writer.finish(run.about, run.failures, run.warnings)


def _pixels(image: Image, about: Mapping[str, Any]) -> Pixels:
    if image.pixels is not None:
        return image.pixels
    again = images.read(image.path)
    if again.sha256 != image.sha256 or again.pixels is None:
        raise ImageError(f"{image.path} has changed since it was explained", hint="explain it again")
    height, width = about["model"]["input_size"]
    fitted = images.fitted(again, (height, width), about["fit"]).pixels
    assert fitted is not None  # noqa: S101 (read above)
    return fitted
