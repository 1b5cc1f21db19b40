"""Loading a model file that passed preflight."""

from __future__ import annotations

import re
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, plain_words

if TYPE_CHECKING:
    from xcnn.network.preflight import ModelFile

SUFFIXES = {"keras": (".keras",), "h5": (".h5", ".hdf5")}


def load(file: ModelFile) -> Any:
    """Load a model without its training state and without running any code from the file.

    Returns
    -------
    keras.Model

    Raises
    ------
    ModelError
        With Keras's own words, shortened.
    """
    import keras

    try:
        with warnings.catch_warnings():
            # Keras warns about missing compile information and odd optimizer state: neither matters here.
            warnings.simplefilter("ignore")
            return _by_content(file)
    except Exception as error:
        raise ModelError(
            f"Keras {keras.__version__} can't load {file.path}: {type(error).__name__}: {_cause(error)}",
            hint="open it with the Keras that saved it and save it again as .keras",
        ) from error


def _cause(error: Exception) -> str:
    """Keras's own words without the config it prints before the cause."""
    words = str(error)
    kinds = re.findall(r"deserializing class '(\w+)'", words)
    cause = plain_words(ValueError(words.rpartition("Exception encountered:")[2]))
    return f"{kinds[-1]}: {cause}" if kinds else cause


def _by_content(file: ModelFile) -> Any:
    """Load a file by what it is: Keras goes by the suffix, so one that misleads is hidden behind a link."""
    import keras

    if file.path.suffix in SUFFIXES[file.kind]:
        return keras.saving.load_model(file.path, compile=False, safe_mode=not file.trusted)
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"model{SUFFIXES[file.kind][0]}"
        link.symlink_to(file.path.resolve())
        return keras.saving.load_model(link, compile=False, safe_mode=not file.trusted)


@dataclass(frozen=True)
class Loaded:
    """A model, and what was done to its weights."""

    model: Any
    notes: tuple[str, ...] = ()


def loaded(file: Any, custom_objects: Any = None) -> Loaded:
    """Provisional."""
    import keras

    with keras.saving.custom_object_scope(custom_objects or {}):
        return Loaded(load(file))
