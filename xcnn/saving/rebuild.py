"""Reports made again of run folders, by whomever they were written: no model, no TensorFlow.

A folder may come from a stranger. Its run.json is checked against the schema, names may not leave the folder, and every
picture and array is decoded and written anew.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from xcnn.errors import ImageError, UsageError
from xcnn.io import artifacts, images, places
from xcnn.render.style import Style
from xcnn.report import html
from xcnn.saving import merging, schema
from xcnn.saving.pictures import Pictures
from xcnn.saving.writer import REPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.io.artifacts import Draft

MOST_BYTES = 256 * 2**20
"""Of a run.json: more is none of ours."""
QUALITY = 88
"""Of pictures that were explained, as when they were written first."""
NAME = re.compile(r"[\w-][\w.-]*")
"""What the names of our files look like."""
PAGE = re.compile(r"report(-\d+)?\.html")
"""The pages of a report."""
OF_A_RUN = {"hashes", "reused"}
"""What only a run says: its pictures are no copies."""
HINT = "name a folder that xcnn wrote"


def join_reports(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    overwrite: bool = False,
    report_max_mb: float = html.MOST_MB,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Write the report of one run again, or one report of several of one model: nothing is computed anew.

    Parameters
    ----------
    runs : sequence of path
        Folders that `Run.save` or a command wrote, or their run.json or report.html.
    out : path
        The folder to make.
    overwrite : bool
        Replace a folder that xcnn wrote earlier.
    report_max_mb : float
        Above this size the report is several pages beside its photographs.
    say : callable, optional
        Is told when it is.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    UsageError
        If a folder holds no run, or one that is damaged or leads out of it, or the runs are of different models.
    OutputError
        If `out` exists or can't be written.
    """
    folders: dict[Path, Path] = {}
    for folder in map(_folder, runs):
        folders.setdefault(folder.resolve(), folder)
    found = list(folders.values())
    if not found:
        raise UsageError("no run folder was given", hint=HINT)
    if say and len(found) < len(runs):
        say(f"of {len(runs)} run folders, {len(found)} are different: each is in the report once")
    with artifacts.Draft(Path(out), overwrite=overwrite, inputs=map(str, found)) as draft:
        taken: set[str] = set()
        sources: dict[tuple[str, int, int], str] = {}
        manifest = merging.merged(
            [_copied(manifest_of(folder), Copier(folder, draft, taken, sources)) for folder in found]
        )
        style = Style(manifest["palette"]["name"], _opacity(manifest))
        with draft.writing():
            words = html.write(draft.folder / REPORT, manifest, Pictures(draft.folder, style), most_mb=report_max_mb)
        if words and say:
            say(words)
        told = {key: value for key, value in manifest.items() if key not in OF_A_RUN}
        draft.write_json(places.MANIFEST, {**told, "files": [*draft.files(), places.MANIFEST]})
        return draft.publish() / REPORT


def _opacity(manifest: Mapping[str, Any]) -> float:
    value = next((row["value"] for row in manifest["options"] if row["name"] == "alpha"), html.OPACITY)
    if not isinstance(value, (int, float)):
        raise UsageError(f"the option alpha of the run is {value!r}; it must be a number", hint=HINT)
    return float(value)


def _folder(run: str | Path) -> Path:
    path = Path(run)
    return path.parent if path.name == places.MANIFEST or PAGE.fullmatch(path.name) else path


def manifest_of(folder: Path) -> dict[str, Any]:
    """Read the run.json of a folder and check it against the schema.

    Raises
    ------
    UsageError
        If there is none, or it is none.
    """
    path = folder / places.MANIFEST
    try:
        if not path.is_file():
            raise UsageError(f"{folder} holds no {places.MANIFEST}", hint=HINT)
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is larger than {MOST_BYTES // 2**20} MB", hint=HINT)
        found = json.loads(path.read_text("ascii"), parse_constant=_no_number)
        wrong = schema.problem(found)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} can't be read: {error}", hint=HINT) from error
    version = found.get("schema_version") if isinstance(found, dict) else None
    if isinstance(version, int) and version != schema.version():
        raise UsageError(
            f"{path} has schema version {version}; this xcnn reads {schema.version()}", hint="explain again"
        )
    if wrong := wrong or _inconsistent(found):
        raise UsageError(f"{path} is no {places.MANIFEST} of xcnn: {wrong}", hint=HINT)
    return dict(found)


def _inconsistent(manifest: Mapping[str, Any]) -> str:
    """Say what the schema can't: names that nothing has, and tables whose rows differ in length."""
    named = {one["name"] for one in manifest["explainers"]}
    for one in (*manifest["results"], *manifest["mosaics"]):
        if one["explainer"] not in named:
            return f"a result is of {one['explainer']!r}, which is none of its explainers"
    for panel in (panel for one in (*manifest["results"], *manifest.get("sections", [])) for panel in one["panels"]):
        if panel["kind"] == "table" and any(len(row) != len(panel["headings"]) for row in panel["rows"]):
            return f"the rows of the table {panel['title']!r} differ in length"
    return ""


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _copied(manifest: Mapping[str, Any], copier: Copier) -> dict[str, Any]:
    """Write the files of a run anew, under names that are free; return its run.json with these."""
    results = []
    for result in manifest["results"]:
        image = result["image"] and {**result["image"], "file": copier.source(result["image"])}
        panels = [_panel(panel, copier) for panel in result["panels"]]
        files = {what: copier.picture(name) for what, name in result["files"].items()}
        results.append({**result, "image": image, "panels": panels, "files": files})
    mosaics = [{**one, "file": copier.picture(one["file"])} for one in manifest["mosaics"]]
    sections = [
        {**one, "panels": [_panel(panel, copier) for panel in one["panels"]]} for one in manifest.get("sections", [])
    ]
    return {**manifest, "results": results, "mosaics": mosaics, "sections": sections}


def _panel(panel: Mapping[str, Any], copier: Copier) -> dict[str, Any]:
    files = {}
    for what, name in panel["files"].items():
        if what == "values":
            files[what] = copier.values(name, panel)
        elif what == "table":
            files[what] = copier.table(name)
        elif what != "state":  # a report is no run to go on from
            files[what] = copier.picture(name)
    return {**panel, "files": files}


class Copier:
    """Copies files of a run folder by decoding them and writing what they hold.

    Parameters
    ----------
    folder : Path
        The run folder.
    draft : Draft
        The folder in the making.
    taken : set of str
        Names of files that are there, case folded; grows.
    sources : dict of picture to str
        The files of the pictures that are there; grows.
    """

    def __init__(self, folder: Path, draft: Draft, taken: set[str], sources: dict[merging.Picture, str]) -> None:
        self._sources = sources
        self._taken = taken
        self._folder = folder
        self._draft = draft
        self._done: dict[str, str] = {}

    def source(self, image: Mapping[str, Any]) -> str:
        """Copy the picture that was explained, once for all runs."""
        which = merging.picture(image)
        if which not in self._sources:
            self._sources[which] = self.picture(image["file"])
        return self._sources[which]

    def picture(self, name: str) -> str:
        """Copy a picture."""
        if name not in self._done:
            suffix = Path(name).suffix.lower()
            path = self._path(name, {".jpg", ".png"})
            try:
                pixels = images.read(str(path)).pixels
            except ImageError as error:
                raise ImageError(error.message, hint=HINT) from error
            assert pixels is not None  # noqa: S101 (just read)
            self._done[name] = self._draft.write_picture(self._free(name, suffix), pixels, quality=QUALITY)
        return self._done[name]

    def values(self, name: str, panel: Mapping[str, Any]) -> str:
        """Copy an array of the shape that its panel tells."""
        if name not in self._done:
            found: Any = images.numbers(str(self._path(name, {".npy"})))
            shape: tuple[int, ...] = (panel["height"], panel["width"])
            shape = (panel["count"], *shape) if panel["kind"] == "tiles" else shape
            if found.shape[: len(shape)] != shape or found.ndim - len(shape) > (panel["kind"] == "tiles"):
                told = "x".join(map(str, shape))
                raise UsageError(f"{self._folder / name} has shape {found.shape}, not {told}", hint=HINT)
            found = found.astype(np.int32) if panel["kind"] == "labels" else found
            self._done[name] = self._draft.write_values(self._free(name, ".npy"), found)
        return self._done[name]

    def table(self, name: str) -> str:
        """Copy a table, cell by cell."""
        if name not in self._done:
            path = self._path(name, {".csv"})
            try:
                with path.open(encoding="utf-8", newline="") as file:
                    rows = [[_cell(cell) for cell in row] for row in csv.reader(file)]
            except (OSError, ValueError, csv.Error) as error:
                raise UsageError(f"{path} can't be read: {error}", hint=HINT) from error
            headings = [str(cell) for cell in rows[0]] if rows else []
            self._done[name] = self._draft.write_table(self._free(name, ".csv"), headings, rows[1:])
        return self._done[name]

    def _path(self, name: str, suffixes: set[str]) -> Path:
        """The path of a file of the folder, which leads nowhere else."""
        path = self._folder / name
        if not NAME.fullmatch(name) or path.suffix.lower() not in suffixes or path.is_symlink():
            raise ImageError(f"{path} can't be a file of a run", hint=HINT)
        return path

    def _free(self, name: str, suffix: str) -> str:
        stem, number = Path(name).stem, 1
        free = stem + suffix
        while free.casefold() in self._taken:
            number += 1
            free = f"{stem}-{number}{suffix}"
        self._taken.add(free.casefold())
        return free


def _cell(cell: str) -> str | float:
    """A cell as it was: a number stays one, so that its sign is not taken for a formula."""
    try:
        return int(cell) if cell.lstrip("-").isdigit() else float(cell)
    except ValueError:
        return cell
