"""Saving of runs that are held in memory."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import ImageError
from xcnn.io import artifacts, images
from xcnn.io.reading import Reading
from xcnn.render.style import Style
from xcnn.saving import curves
from xcnn.saving.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.plugin import Image, Run
    from xcnn.values import Pixels

COMMON_SCALE = "common_scale"
"""The option of a training whose epochs share the scales of their maps."""


def save(run: Run, out: str | Path, *, overwrite: bool, drawn: bool = True) -> Path:
    """Write a run that is held in memory; see `Run.save`. Without ``drawn``, its numbers alone, as `Writer` does."""
    style = style_of(run.about)
    titles = {explainer["name"]: explainer["title"] for explainer in run.about["explainers"]}
    common = any(row["name"] == COMMON_SCALE for row in run.about["options"])
    seen = [result.image for result in run.results if result.image is not None]
    paths = {image.path for image in seen if image.pixels is None}
    with artifacts.Draft(Path(out), overwrite=overwrite, inputs=paths) as draft:
        writer = Writer(draft, style, titles, run.about["model"]["name"], mosaic=_mosaic(run.about), drawn=drawn)
        for _, of_image in groupby(run.results, key=lambda result: id(result.image)):
            everything = list(of_image)
            image = everything[0].image
            pixels = pixels_of(image, run.about) if image else None
            for _, group in groupby(everything, key=lambda result: result.epoch):
                if pixels is None:
                    writer.add_model(list(group))
                else:
                    writer.add(pixels, list(group), scaled_with=everything if common else ())
        more = partial(curves.sections, run.about["epochs"]) if drawn and run.about.get("epochs") else None
        return writer.finish(run.about, run.failures, run.warnings, more=more)


def _mosaic(about: Mapping[str, Any]) -> tuple[int, int] | None:
    """The rows and columns of the option ``mosaic``, of the run or of an explainer."""
    rows = [*about["options"], *(row for explainer in about["explainers"] for row in explainer["options"])]
    given = next((row["value"] for row in rows if row["name"] == "mosaic" and row["value"]), None)
    return None if given is None else (int(given[0]), int(given[1]))


def style_of(about: Mapping[str, Any]) -> Style:
    """How the pictures of a run look; explainers of the model alone have no opacity."""
    options = {row["name"]: row["value"] for row in about["options"]}
    return Style(options["colormap"], options.get("alpha", Style.alpha))


def pixels_of(image: Image, about: Mapping[str, Any]) -> Pixels:
    """The pixels of an image that was explained, read again when they were dropped; ImageError when it has changed."""
    if image.pixels is not None:
        return image.pixels
    again = images.read(image.path, Reading.of({row["name"]: row["value"] for row in about["options"]}))
    if again.sha256 != image.sha256 or again.pixels is None:
        raise ImageError(f"{image.path} has changed since it was explained", hint="explain it again")
    height, width = about["model"]["input_size"]
    fitted = images.fitted(again, (height, width), about["fit"]).pixels
    assert fitted is not None  # noqa: S101 (read above)
    return fitted
