"""The writer of a run folder: results as they come, run.json and the report at the end."""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from xcnn.io import artifacts, places
from xcnn.plugin import Attribution
from xcnn.privacy import Redaction
from xcnn.render.colours import Scale
from xcnn.render.style import shrunk
from xcnn.report import trust
from xcnn.saving import records
from xcnn.saving.mosaics import Mosaics
from xcnn.saving.panels import Panels, Subject, key
from xcnn.saving.pictures import Pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from xcnn.io.artifacts import Draft
    from xcnn.plugin import Failure, Panel, Result, Section
    from xcnn.render.style import Style
    from xcnn.saving.panels import Key
    from xcnn.values import Class, Pixels

    More = Callable[
        [Mapping[str, Any], Callable[[str], np.ndarray]], tuple[Sequence[tuple[str, Section]], Sequence[str]]
    ]

REPORT = "report.html"
SOURCE_EDGE = 512
TINY_EDGE = 256
LONGEST_PART = 40
"""Letters of a panel's title in a file name."""


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
    mosaic : tuple of int, optional
        Rows and columns of pages that show the first map of many images.
    drawn : bool
        Draw figures of maps and write the report; without, `xcnn report` makes it of the numbers.
    """

    def __init__(
        self,
        draft: Draft,
        style: Style,
        titles: Mapping[str, str],
        model: str,
        *,
        mosaic: tuple[int, int] | None = None,
        drawn: bool = True,
    ) -> None:
        self._drawn = drawn
        self._draft = draft
        self._style = style
        self._titles = titles
        self._model = model
        self._panels = Panels(draft, style, model, drawn=drawn)
        self._mosaics = Mosaics(draft, style, titles, model, mosaic) if mosaic else None
        self._of_model: list[dict[str, Any]] = []
        self._of_images: list[dict[str, Any]] = []
        self._kept: dict[str, dict[str, Any]] = {}

    def add(self, pixels: Pixels, results: Sequence[Result], *, scaled_with: Sequence[Result] = ()) -> None:
        """Write all results of one image; they share one scale per explainer and kind of map, with others if given."""
        image = results[0].image
        assert image is not None  # noqa: S101 (add_model takes the others)
        about = self._kept.get(image.path)
        if about is None:
            name = self._draft.name(image.path)
            about = records.image(image, self._draft.write_picture(f"{name}.source.jpg", _source(pixels), quality=88))
            if results[0].epoch is not None:  # it comes again
                self._kept[image.path] = about
        name = records.first_part(about["file"])
        self._of_images += self._written(results, name, pixels=pixels, image=about, scaled_with=scaled_with)

    def add_model(self, results: Sequence[Result]) -> None:
        """Write results about the model itself, which have no image."""
        name = artifacts.safe_part(self._model)
        name = self._draft.unique(name) if results[0].epoch is None else name
        self._of_model += self._written(results, name)

    def keep(
        self, path: str, results: Sequence[Mapping[str, Any]], read: Callable[[str], bytes], truth: Class | None
    ) -> None:
        """Take over the results of one explainer from an earlier run, all of them or none.

        Parameters
        ----------
        path : str
            The image; "" for results about the model itself.
        results : sequence of mapping
            What run.json says about each.
        read : callable
            Gives the bytes of a file by name, or raises an OutputError.
        truth : Class, optional
            What the image shows.
        """
        files = {name: read(name) for result in results for name in records.files(result)}
        about = self._kept.get(path)
        if path and about is None:
            image = results[0]["image"]
            source, name = read(image["file"]), self._draft.name(path)
            about = {**image, "path": path, "file": self._draft.write_bytes(f"{name}.source.jpg", source)}
            self._kept[path] = about
        name = records.first_part(about["file"]) if about else self._draft.unique(artifacts.safe_part(self._model))
        names = {file: f"{name}{file[len(records.first_part(file)) :]}" for file in files}
        for file, data in files.items():
            self._draft.write_bytes(names[file], data)
        for result in results:
            true = {} if truth is None else records.true_class(truth, result["predictions"][0]["index"])
            (self._of_images if about else self._of_model).append({**records.moved(result, names, about), **true})

    def _in_order(self, pictures: Sequence[str]) -> list[dict[str, Any]]:
        """All results: those that were kept came first, whatever their picture."""
        explainers, paths = list(self._titles), {path: place for place, path in enumerate(pictures)}

        def place(result: dict[str, Any]) -> tuple[int, int]:
            return paths[result["image"]["path"]] if result["image"] else 0, explainers.index(result["explainer"])

        return [*sorted(self._of_model, key=place), *sorted(self._of_images, key=place)]

    def _written(
        self,
        results: Sequence[Result],
        name: str,
        *,
        pixels: Pixels | None = None,
        image: dict[str, Any] | None = None,
        scaled_with: Sequence[Result] = (),
    ) -> list[dict[str, Any]]:
        """Write results that share an image, or have none; return what run.json says about each."""
        told = []
        for explainer, group in groupby(results, key=lambda result: result.explainer):
            alike = list(group)
            scales = scales_of([one for one in scaled_with if one.explainer == explainer] or alike)
            for result, part in zip(alike, _parts(alike), strict=True):
                subject = Subject(self._titles[explainer], pixels, result.image, result.target, result.epoch)
                stem = f"{name}.{explainer}"
                stems = [stem + middle + part for middle in _middles(result.panels, named=pixels is None)]
                pairs = zip(result.panels, stems, strict=True)
                panels = [self._panels.write(panel, subject, scales, one) for panel, one in pairs]
                records.note(panels, result.target)
                told.append(
                    {
                        "explainer": explainer,
                        "image": image,
                        "target": records.target(result.target) if result.target else None,
                        "predictions": [records.target(target) for target in result.predictions],
                        **records.truth(result),
                        **records.epoch(result),
                        "seconds": round(result.seconds, 4),
                        "together": result.together,
                        "panels": panels,
                        "files": self._panels.side_by_side(result.panels, subject, scales, f"{stem}.layers{part}"),
                    }
                )
            if self._mosaics and pixels is not None:
                self._mosaics.add(pixels, alike[0], scales)
        return told

    def finish(
        self,
        about: Mapping[str, Any],
        failures: Iterable[Failure],
        warnings: Iterable[str],
        *,
        more: More | None = None,
        say: Callable[[str], None] | None = None,
        partial: bool = False,
        order: Sequence[str] | None = None,
    ) -> Path:
        """Write the report and run.json, and put the folder in its place; return where the report is.

        ``more`` gives the sections that plugins add, each with who it is from, and what to say of those that failed.
        ``say`` is told when the report is more than one file. When the run is ``partial``, the files of a picture that
        was not finished are removed. ``order`` tells the paths of the pictures where some results were kept.
        """
        from xcnn.report import html

        results = [*self._of_model, *self._of_images] if order is None else self._in_order(order)
        user = Redaction.of_user()
        manifest: dict[str, Any] = user.value(
            {
                **about,
                "results": [{**result, **trust.examined(result, about)} for result in results],
                "mosaics": self._mosaics.finish() if self._mosaics else [],
                "sections": [],
                "failures": [records.failure(failure) for failure in failures],
                "warnings": list(warnings),
            }
        )
        if partial:
            told_of = set(records.texts(manifest))
            for name in self._draft.files():
                if name not in told_of:
                    (self._draft.folder / name).unlink()
        if more:
            sections, failed = more(manifest, self._draft.values)
            told = {"sections": [self._section(*one) for one in sections], "warnings": manifest["warnings"] + failed}
            manifest |= user.value(told)
        most = next((row["value"] for row in about["options"] if row["name"] == "report_max_mb"), html.MOST_MB)
        pictures = Pictures(self._draft.folder, self._style)
        words = ""
        with self._draft.writing():
            if self._drawn:
                words = html.write(self._draft.folder / REPORT, manifest, pictures, most_mb=most)
        if words and say:
            say(words)
        # Listed, so that overwriting the folder later touches nothing else.
        files = [*self._draft.files(), places.MANIFEST]
        hashes = self._draft.hashes()
        self._draft.write_json(places.MANIFEST, {**manifest, "files": files, "hashes": hashes})
        return self._draft.publish() / REPORT

    def _section(self, who: str, section: Section) -> dict[str, Any]:
        """Write the files of a section; return its record for run.json."""
        subject = Subject(section.title, None, None, None)
        name = f"section.{artifacts.safe_part(section.title)[:LONGEST_PART].lower()}"
        scales = {key(one): Scale.shared([one]) for one in section.panels if isinstance(one, Attribution)}
        stems = [name + middle for middle in _middles(section.panels, named=True)]
        panels = [
            self._panels.write(panel, subject, scales, stem) for panel, stem in zip(section.panels, stems, strict=True)
        ]
        return {"title": section.title, "plugin": who, "text": section.text, "panels": panels}


def _source(pixels: Pixels) -> Pixels:
    """The picture at the size of the report; tiny ones enlarged pixel by pixel, or JPEG would blur them."""
    factor = TINY_EDGE // max(pixels.shape[:2])
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1) if factor > 1 else shrunk(pixels, SOURCE_EDGE)


def scales_of(results: Sequence[Result]) -> dict[Key, Scale]:
    """One scale per kind of map, shared by the classes of one image, so that they compare."""
    maps: dict[Key, list[Attribution]] = {}
    for panel in chain.from_iterable(result.panels for result in results):
        if isinstance(panel, Attribution):
            maps.setdefault(key(panel), []).append(panel)
    return {kind: Scale.shared(panels) for kind, panels in maps.items()}


def _middles(panels: Sequence[Panel], *, named: bool) -> list[str]:
    """What tells the files of the panels of one result apart: the layer, and what else a layer has.

    ``named`` when the layer is told even if it is the only one: of a model, there is more to see than one layer.
    """
    several = named or len({panel.layer for panel in panels}) > 1
    seen: set[str] = set()
    middles = []
    for panel in panels:
        layer = f".{artifacts.safe_part(panel.layer)}" if several and panel.layer else ""
        title = panel.title or ("" if isinstance(panel, Attribution) else type(panel).__name__)
        more = f".{artifacts.safe_part(title)[:LONGEST_PART].lower()}" if title and panel.layer in seen else ""
        seen.add(panel.layer)
        middles.append(layer + more)
    return middles


def _parts(results: Sequence[Result]) -> list[str]:
    """What tells the files of several classes apart, and of several epochs."""
    several = len(results) > 1
    return [
        (f".{artifacts.safe_part(result.target.label)}" if several and result.target else "")
        + ("" if result.epoch is None else f".epoch-{result.epoch:03}")
        for result in results
    ]
