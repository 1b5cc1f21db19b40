"""What an earlier run left that a later one can go on from."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.errors import OptionError
from xcnn.saving.rebuild import NAME, manifest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xcnn.plugin import Target

SAME = ("preprocess", "fit", "input_size", "input", "output", "on", "at", "seed")
"""Options of a run that its numbers depend on, beside the model, the pictures and the explainer's own."""
MOST_BYTES = 2**30
"""Of the arrays of one state."""
HINT = "leave --resume out to start anew"


class Earlier:
    """The states that one explainer left in a run folder.

    Parameters
    ----------
    folder : str
        The run folder.
    explainer : str
        The command.
    about : mapping
        What run.json says about the run that goes on: its options and its explainers with theirs.
    extends : iterable of str
        The explainer's own options that may differ.

    Raises
    ------
    UsageError
        If the folder holds no run.
    OptionError
        If that run was of another explainer, or had other options.
    """

    def __init__(self, folder: str, explainer: str, about: Mapping[str, Any], *, extends: Iterable[str]) -> None:
        self._folder = Path(folder)
        earlier = manifest_of(self._folder)
        before, now = options_of(earlier, explainer), options_of(about, explainer)
        if before is None or now is None:
            raise OptionError(f"{folder} holds nothing of {explainer}", hint=HINT)
        extended = set(extends)
        other = difference(before, now, [name for name in now if name not in extended])
        if other := other or difference(values(earlier["options"]), values(about["options"]), SAME):
            raise OptionError(f"{folder} was made with {other}", hint=HINT)
        self._model = earlier["model"]
        self._files = {
            _key(result["image"], result["target"]): file
            for result in reversed(earlier["results"])
            if result["explainer"] == explainer and result["image"]
            for panel in reversed(result["panels"])
            if (file := panel["files"].get("state"))
        }

    def check_model(self, sha256: str) -> None:
        """Refuse to go on with another model, or one that has no file, with an OptionError."""
        if not sha256:
            raise OptionError("a model from memory can't be told to be that of an earlier run", hint="give its file")
        if sha256 != self._model["sha256"]:
            raise OptionError(f"{self._folder} is a run of another model: {self._model['name']}", hint=HINT)

    def state(self, sha256: str, target: Target | None) -> Mapping[str, np.ndarray]:
        """Read what was left of one picture and target; nothing where that run had no such.

        Raises
        ------
        OptionError
            If the file is damaged, or none of ours.
        """
        told = None if target is None else {"coefficients": [list(pair) for pair in target.coefficients]}
        name = self._files.get(_key({"sha256": sha256}, told))
        return {} if name is None else self._read(name)

    def _read(self, name: str) -> dict[str, np.ndarray]:
        path = self._folder / name
        if NAME.fullmatch(name) and not os.path.lexists(path):
            raise OptionError(f"{path} is missing", hint=HINT)
        if not NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
            raise OptionError(f"{path} can't be a file of a run", hint=HINT)
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
            arrays: dict[str, np.ndarray] = {}
            if size <= MOST_BYTES:
                with np.load(path, allow_pickle=False) as found:
                    arrays = dict(found)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise OptionError(f"{path} can't be read: {error}", hint=HINT) from error
        if size > MOST_BYTES:
            raise OptionError(f"{path} holds more than {MOST_BYTES // 2**20} MB", hint=HINT)
        if any(values.dtype.kind not in "fiub" or not np.isfinite(values).all() for values in arrays.values()):
            raise OptionError(f"{path} holds no finite numbers", hint=HINT)
        return arrays


def options_of(about: Mapping[str, Any], explainer: str) -> dict[str, Any] | None:
    """The options of one explainer of a run; None when it was not among them."""
    return next((values(one["options"]) for one in about["explainers"] if one["name"] == explainer), None)


def values(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The options in rows of run.json, by name."""
    return {row["name"]: row["value"] for row in rows}


def difference(before: Mapping[str, Any], now: Mapping[str, Any], names: Iterable[str]) -> str:
    """Say which of some options was another; "" when none was."""
    for name in names:
        if before.get(name) != now.get(name):
            return f"--{name.replace('_', '-')} {_told(before.get(name))}, not {_told(now.get(name))}"
    return ""


def _key(image: Mapping[str, Any], target: Mapping[str, Any] | None) -> tuple[str, str]:
    return image["sha256"], json.dumps(target and target["coefficients"])


def _told(value: Any) -> str:
    return "unset" if value is None else json.dumps(value) if isinstance(value, (list, bool)) else str(value)
