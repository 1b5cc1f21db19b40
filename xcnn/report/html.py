"""The page of a run.

Everything in a manifest is data: file names, labels and messages written by people we don't know. All of it becomes
plain text in `words.plain` before the template sees it; autoescaping and the content security policy are the second
and the third fence. Pictures are asked for at the moment they are written, one at a time.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from xcnn.report import cards, epochs, finding, pages, tints
from xcnn.report.words import FILTERS, plain, prose, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jinja2 import Template

    from xcnn.report.pages import Place

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("page", "colour", "state", "epochs", "view", "read", "compare", "tiles", "find", "keys", "start")
"""The parts of the page's script, in order; they share one scope."""

GAIN = 1.4
"""How much more a signed map covers its picture where it is strongest; as in the pictures of the folder."""

MOST_MB = 25.0
"""The largest self-contained page when nothing else is asked for."""
MEGABYTE = 1_000_000

OPACITY = 0.5
"""How opaque a map lies over its picture when the run has no option ``alpha``."""


class Pictures(Protocol):
    """Where the page gets its pictures: the bytes of JPEG, PNG or WebP files."""

    def source(self, image: Mapping[str, Any]) -> bytes:
        """The input picture, upright, long edge at most 512 pixels."""

    def heat(self, panel: Mapping[str, Any]) -> bytes:
        """The map in its own shape: gray levels, which the page colours, or the colours of categories."""

    def glance(self, panel: Mapping[str, Any]) -> Mapping[str, Any]:
        """Where a map is strongest, ``above`` and ``below`` zero, and the ``share`` of its area above half of that.

        Empty for a map of zeros.
        """

    def categories(self, panel: Mapping[str, Any]) -> Mapping[str, Any]:
        """Of a map of categories, the ``places`` of the entries of its legend, and its ``runs`` of equal cells."""

    def statistics(self, panel: Mapping[str, Any]) -> list[list[float]]:
        """Least, mean and largest value of each tile, and the share of its values above zero."""

    def series(self, panel: Mapping[str, Any]) -> Mapping[str, list[float]]:
        """The numbers of a curve by name."""

    def drawn(self, file: str) -> bytes:
        """A picture of the folder as it is drawn (a grid, a curve), long edge at most 1600 pixels."""


class _TooLargeError(Exception):
    """The page has more bytes than one file may have."""


def write(path: Path, manifest: Mapping[str, Any], pictures: Pictures, *, most_mb: float = MOST_MB) -> str:
    """Write the report of one run: one self-contained page, or above `most_mb` several beside the run's photographs.

    Memory stays flat over any number of results: a picture is asked for, written and forgotten.

    Parameters
    ----------
    path : Path
        The file to write. Further pages stand beside it and take their names from it.
    manifest : mapping
        The contents of run.json. Results of one image are neighbours.
    pictures : Pictures
        Gives the pictures of the manifest's images and panels; it is handed the manifest's own mappings and names.
    most_mb : float
        Size of the self-contained page, in millions of bytes; 0 always makes several.

    Returns
    -------
    str
        Why the report is more than one file, and how much; empty when it is not.

    Raises
    ------
    OutputError
        If the manifest's palette has a stop that is no ``#rrggbb``.
    OSError
        If a file can't be written.
    """
    if most_mb:
        try:
            _write(path, _context(manifest, pictures, None), round(most_mb * MEGABYTE))
        except _TooLargeError:
            pass
        else:
            return ""
    places = pages.split(manifest, path.name)
    for place in places:
        _write(path.with_name(place.name), _context(place.part, pictures, place), None)
    why = f"one file would be larger than {most_mb:g} MB" if most_mb else "a limit of 0 MB asks for that"
    return f"the report is a folder of {len(places)} page{'s' if len(places) > 1 else ''} and photographs: {why}"


def _write(path: Path, context: Mapping[str, Any], most: int | None) -> None:
    # `plain` leaves nothing unencodable; should it ever, one odd character must not lose the report of a long run.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(_counted(_template().generate(context), most))


def _counted(parts: Iterable[str], most: int | None) -> Iterator[str]:
    written = 0
    for part in parts:
        written += len(part.encode(errors="backslashreplace"))
        if most is not None and written > most:
            raise _TooLargeError
        yield part


@functools.cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The page carries run.json for programs; whatever is no JSON is text, as everywhere here.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "default": str}
    environment.filters.update({function.__name__: function for function in FILTERS})
    return environment.get_template("report.html.j2")


def _context(manifest: Mapping[str, Any], pictures: Pictures, place: Place | None) -> dict[str, Any]:
    opacity = _opacity(manifest)
    tints.checked(manifest["palette"])
    style = _settings(manifest["palette"], opacity) + (TEMPLATES / "report.css").read_text(encoding="utf-8")
    script = _script(manifest["palette"])
    results, failures = manifest["results"], manifest["failures"]
    lazy = {"results", "failures", "explainers", "mosaics", "sections"}
    told: dict[str, Any] = plain({name: value for name, value in manifest.items() if name not in lazy})
    explainers = [
        {**plain(one), "summary": sentence(one["summary"]), "about": prose(one["about"])}
        for one in manifest["explainers"]
    ]
    titles = {one["name"]: one["title"] for one in explainers}
    mosaics, sections = manifest.get("mosaics", []), manifest.get("sections", [])
    of_images = [result for result in results if result["image"] is not None]
    panels = [panel for one in (*results, *sections) for panel in one["panels"]]
    of_model = [result for result in results if result["image"] is None]
    return told | {
        "explainers": explainers,
        "titles": titles,
        "warnings": [sentence(warning) for warning in manifest["warnings"]],
        "failures": ({**plain(one), "message": prose(one["message"]), "hint": prose(one["hint"])} for one in failures),
        "epochs": epochs.told(manifest),
        "model_blocks": epochs.blocks(of_model, titles, pictures, "model"),
        "images": _images(of_images, titles, pictures, place),
        "tints": tints.tints(manifest["palette"], panels),
        "mosaics": cards.mosaics(mosaics, titles, pictures),
        "sections": [cards.section(one, pictures) for one in sections],
        "counts": place.counts if place else pages.counted(manifest),
        "mosaics_here": len(mosaics),
        "place": place,
        "manifest": manifest,
        "opacity": f"{100 * opacity:.0f}",
        "style": style,
        "style_hash": _sha256(style),
        "script": script,
        "script_hash": _sha256(script),
    }


def _images(
    results: list[Mapping[str, Any]],
    titles: Mapping[str, str],
    pictures: Pictures,
    place: Place | None,
) -> Iterator[dict[str, Any]]:
    keys = place.keys if place else pages.keys(results)
    neighbours = itertools.groupby(results, key=lambda result: result["image"]["file"])
    for count, (_, group) in enumerate(neighbours, start=1):
        own = list(group)
        image = own[0]["image"]
        yield {
            **plain(image),
            "id": f"image-{count}",
            "key": keys[image["file"]],
            "fit": cards.fitted(image),
            "found": finding.found(epochs.last(own)),
            "source": cards.later(pictures.source, image),
            "blocks": epochs.blocks(own, titles, pictures, f"image-{count}"),
        }


def _script(palette: Mapping[str, list[str]]) -> str:
    """The script of the page; it knows the palettes that can be chosen, that of the run among them."""
    known = {
        name: [f"#{stops[at : at + 6]}" for at in range(0, len(stops), 6)] for name, stops in tints.PALETTES.items()
    }
    run = {"positive": palette["stops"], "signed": palette["signed_stops"]}
    parts = [Path(TEMPLATES, "scripts", f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    head = f'"use strict";\n(() => {{\nconst PALETTES = {json.dumps(known)};\nconst RUN = {json.dumps(run)};\n'
    return head + "\n".join(parts) + "})();\n"


def _opacity(manifest: Mapping[str, Any]) -> float:
    given = next((option["value"] for option in manifest["options"] if option["name"] == "alpha"), OPACITY)
    return min(max(float(given), 0.0), 1.0)


def _settings(palette: Mapping[str, list[str]], opacity: float) -> str:
    """What differs between runs and can only be said in the style sheet, which the policy admits by its hash."""
    positive, signed = ", ".join(palette["stops"]), ", ".join(palette["signed_stops"])
    return f":root {{ --opacity: {opacity:.2f}; --gain: {GAIN}; --palette: {positive}; --signed: {signed}; }}\n"


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
