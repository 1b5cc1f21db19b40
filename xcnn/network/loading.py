"""Loading a model file that passed preflight."""

from __future__ import annotations

import copy
import re
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, plain_words
from xcnn.network import archives, entries, inputs, old_numbers, weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.network.preflight import ModelFile


@dataclass(frozen=True)
class Loaded:
    """A model, and what was done to its weights."""

    model: Any
    notes: tuple[str, ...] = ()


def loaded(file: ModelFile, custom_objects: Mapping[str, Any] | None = None) -> Loaded:
    """Load a model and tell what was done to its weights.

    Code in the file runs only if the user vouched for it (`ModelFile.trusted`).

    Parameters
    ----------
    file : ModelFile
        What preflight let pass.
    custom_objects : mapping, optional
        Classes and functions that Keras does not have, by name.

    Raises
    ------
    ModelError
        With Keras's own words, shortened; or if weights are missing, left over or of other shapes.
    """
    import keras

    known = {**old_numbers.objects(), **(custom_objects or {})}
    try:
        with warnings.catch_warnings():
            # Keras warns about missing compile information and odd optimizer state: neither matters here.
            warnings.simplefilter("ignore")
            if file.kind == "keras" and not file.changed:
                model = _as_it_is(file, known)
                return Loaded(model, archives.correct(model, file.config, file.weights))
            return _rewritten(file, known)
    except ModelError:
        raise
    except Exception as error:
        if (other := _takes_no_picture(file)) is not None:
            raise other from error
        raise ModelError(
            f"Keras {keras.__version__} can't load {file.path}: {type(error).__name__}: {_cause(error)}",
            hint="open it with the Keras that saved it and save it again as .keras",
        ) from error


def _as_it_is(file: ModelFile, known: Mapping[str, Any]) -> Any:
    """Load a .keras file as Keras does, which goes by the suffix: one that misleads is hidden behind a link."""
    import keras

    settings = {"custom_objects": dict(known), "compile": False, "safe_mode": not file.trusted}
    if file.path.suffix == ".keras":
        return keras.saving.load_model(file.path, **settings)
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "model.keras"
        link.symlink_to(file.path.resolve())
        return keras.saving.load_model(link, **settings)


def _rewritten(file: ModelFile, known: Mapping[str, Any]) -> Loaded:
    """Build the model from the config in hand and give it the weights of the file."""
    import h5py
    import keras

    # Keras takes the config apart while it reads it.
    config = copy.deepcopy(file.config)
    safe_mode = not file.trusted
    model = keras.saving.deserialize_keras_object(config, custom_objects=dict(known), safe_mode=safe_mode)
    if not isinstance(model, keras.Model):
        raise ModelError(f"{file.path} holds a {type(model).__name__} and no model")
    if file.kind == "keras":
        archives.assign(model, file.config, file.weights)
        return Loaded(model)
    with h5py.File(file.weights, "r") as stored:
        if not archives.is_tree(stored):
            return Loaded(model, weights.assign(model, stored, name=file.weights.name))
    archives.assign(model, file.config, file.weights)
    return Loaded(model)


def _takes_no_picture(file: ModelFile) -> ModelError | None:
    """Why a model that Keras can't load would not be explained either, if its inputs say so."""
    found = list(entries.entries(file.config))
    shapes: list[Any] = [entry.config.get("batch_shape") for entry in found if entry.kind == "InputLayer"]
    if not shapes or any(not isinstance(shape, list) or len(shape) == 4 for shape in shapes):  # noqa: PLR2004
        return None
    sequences = any(entry.kind in inputs.RECURRENT | {"Conv1D", "Embedding"} for entry in found)
    return inputs.no_picture(file.path.name, tuple(shapes[0][1:]), sequences=sequences)


def _cause(error: Exception) -> str:
    """Keras's own words without the config it prints before the cause."""
    words = str(error)
    kinds = re.findall(r"deserializing class '(\w+)'", words)
    cause = plain_words(ValueError(words.rpartition("Exception encountered:")[2]))
    return f"{kinds[-1]}: {cause}" if kinds else cause
