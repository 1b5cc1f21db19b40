"""The results of a run folder that hold for another run as they are."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn import privacy
from xcnn.errors import OutputError, UsageError
from xcnn.saving.earlier import difference, options_of, values
from xcnn.saving.rebuild import NAME, manifest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Records = Sequence[Mapping[str, Any]]

FREE = {"out", "overwrite", "report_max_mb", "batch_size", "max_model_gb", "recursive", "from_file", "truth", "mosaic"}
"""Options that the numbers and pictures of a result don't depend on; what is true is told anew, mosaics are refused."""
SUFFIXES = {".jpg", ".png", ".npy", ".npz", ".csv"}
MOST_BYTES = 2**30
"""Of one file."""


class Existing:
    """What a run folder holds.

    Parameters
    ----------
    folder : Path
        The run folder; it may be damaged, or not exist.

    Attributes
    ----------
    run : dict
        Its run.json; empty where it has none that can be read.
    """

    def __init__(self, folder: Path) -> None:
        self.run: dict[str, Any] = {}
        self._folder = folder
        self._unread = ""
        try:
            self.run = manifest_of(folder)
        except UsageError as error:
            self._unread = error.message
        self._found: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = {}
        paths: dict[tuple[str, str], str] = {}
        for result in self.run.get("results", []):
            image = result["image"]
            key = (image["sha256"], Path(image["path"]).name) if image else ("", "")
            # Of two equal pictures of one name, in two folders, one is enough.
            if paths.setdefault(key, image["path"] if image else "") == (image["path"] if image else ""):
                self._found.setdefault(key, {}).setdefault(result["explainer"], []).append(result)
        self._names = {name for _, name in self._found}

    @property
    def any_size(self) -> bool:
        """Whether its model takes pictures of any size."""
        return None in self.run.get("model", {}).get("input_shape", [])

    def differs(self, about: Mapping[str, Any]) -> str:
        """Say why nothing of it holds for another run; "" when its results may.

        ``about`` is what run.json will say of that: ``options``, ``versions``, and the hash ``opened`` of its model.
        """
        if self._unread:
            return self._unread
        before, now = values(self.run["options"]), values(about["options"])
        versions = ((name, self.run["versions"].get(name), version) for name, version in about["versions"].items())
        if other := next((f"{name} was {was}, not {version}" for name, was, version in versions if was != version), ""):
            return other
        if other := difference(before, now, [name for name in {**before, **now} if name not in FREE]):
            return f"it was made with {other}"
        why = {
            "--mosaic draws every picture anew": bool(now.get("mosaic")),
            "the model, or code that it needs, has no hash that could tell it to be the same": not about["opened"],
            "the model, or what files say about it, is another": self.run["model"].get("opened") != about["opened"],
            "it was not written by a run": "hashes" not in self.run,
        }
        return next((words for words, true in why.items() if true), "")

    def differs_in(self, about: Mapping[str, Any], explainer: str) -> str:
        """Say why no result of one explainer holds; "" when they do."""
        before, now = options_of(self.run, explainer), options_of(about, explainer)
        if before is None or now is None:
            return "it was not asked for"
        return difference(before, now, {**before, **now})

    def knows(self, path: str) -> bool:
        """Whether it has a picture of that name, whatever it shows."""
        return _name(path) in self._names

    def results(self, path: str = "", sha256: str = "") -> Mapping[str, Records]:
        """The results of one picture by explainer; without a picture, those of the model alone."""
        return self._found.get((sha256, _name(path)), {})

    def read(self, name: str) -> bytes:
        """Read one file as it was written.

        Raises
        ------
        OutputError
            If it is missing, or not what it was.
        """
        path = self._folder / name
        data = None
        if NAME.fullmatch(name) and path.suffix in SUFFIXES and not path.is_symlink() and path.is_file():
            with suppress(OSError):
                data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
        if data is None or hashlib.sha256(data).hexdigest() != self.run["hashes"].get(name):
            raise OutputError(f"{path} is not what it was")
        return data


def _name(path: str) -> str:
    return Path(str(privacy.redacted(path))).name
