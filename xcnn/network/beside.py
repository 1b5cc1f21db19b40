"""The other half of a model in two files: the weights beside an architecture in JSON, and the other way round."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xcnn.errors import ModelError
from xcnn.network import foreign, hdf5

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".weights", ".model")
ROLE = re.compile(r"[-_. ]?(architecture|structure|weights?|config|model|arch|json|best|final|net|wts?)$")
MOST_FILES = 500
"""In a folder of more files than this only those of the same name are looked at."""


def weights_of(architecture: Path) -> Path:
    """Find the file with the weights of an architecture.

    Raises
    ------
    ModelError
        If there is none, or several fit equally well.
    """
    files = [path for path in _neighbours(architecture) if path.suffix in HDF5_SUFFIXES and _is_hdf5(path)]
    kinds = {path: hdf5.read(path) for path in files if _rank(architecture, path) or _few(files)}
    whole = [path for path in kinds if kinds[path].config is not None and path.stem == architecture.stem]
    if whole:
        raise ModelError(
            f"{architecture} is an architecture without weights", hint=f"open {whole[0]}, which holds the whole model"
        )
    weights = [path for path in kinds if kinds[path].config is None and kinds[path].weights_only]
    found = _best(architecture, weights, "weights")
    if found is None:
        for path in _neighbours(architecture):
            if path.suffix in HDF5_SUFFIXES and _rank(architecture, path) and not _is_hdf5(path):
                with path.open("rb") as file:
                    raise foreign.file_error(path, file.read(512))
        raise ModelError(
            f"{architecture} is an architecture without weights, and there are none beside it",
            hint=f"put the weights beside it as {architecture.stem}.weights.h5, or save the whole model in Python",
        )
    return found


def architecture_of(weights: Path) -> Path | None:
    """Find the JSON file with the architecture of weights; None when there is none with a fitting name."""
    found = [path for path in _neighbours(weights) if path.suffix == ".json" and _rank(weights, path)]
    return _best(weights, found, "architecture")


def _neighbours(path: Path) -> list[Path]:
    try:
        found = sorted(other for other in path.parent.iterdir() if other != path and other.is_file())
    except OSError:
        return []
    return found if len(found) <= MOST_FILES else [other for other in found if _rank(path, other)]


def _few(files: Sequence[Path], most: int = 20) -> bool:
    return len(files) <= most


def _is_hdf5(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return hdf5.begins_with_hdf5(file)
    except OSError:
        return False


def _rank(one: Path, other: Path) -> int:
    """How well two names fit: 2 the same stem, 1 the same but for words such as weights and model, 0 not at all."""
    if one.stem == other.stem or other.name.startswith(f"{one.stem}.weights."):
        return 2
    first, second = _bare(one.stem), _bare(other.stem)
    return 1 if first == second else 0


def _bare(stem: str) -> str:
    """A stem without the words that say which half of a model it is."""
    word = stem.lower()
    while (shorter := ROLE.sub("", word)) != word:
        word = shorter
    return word


def _best(path: Path, others: Sequence[Path], what: str) -> Path | None:
    """Return the other file that fits best, by name, else the only one there is."""
    best = max((_rank(path, other) for other in others), default=0)
    found = [other for other in others if _rank(path, other) == best]
    if len(found) > 1:
        names = ", ".join(other.name for other in found[:4])
        raise ModelError(
            f"{path} has several files beside it that could be its {what}: {names}",
            hint=f"rename the right one to {path.stem}{found[0].suffix}",
        )
    return found[0] if found else None
