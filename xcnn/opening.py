"""From the word a user gives for a model to a `Network`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, OptionError, did_you_mean

if TYPE_CHECKING:
    from xcnn.host import Host
    from xcnn.network.preflight import ModelFile
    from xcnn.plugin import NamedModel, Network, Preprocessing

AUTO = "auto"


@dataclass(frozen=True)
class Checked:
    """A model that may be opened: everything about it that can be checked without TensorFlow has been."""

    model: Any = None
    file: ModelFile | None = None
    named: NamedModel | None = None
    preprocessing: Preprocessing | None = None

    def open(self) -> Network:
        """Load it, which imports TensorFlow and takes seconds."""
        from xcnn.network import open_network

        return open_network(self.model, file=self.file, named=self.named, preprocessing=self.preprocessing)


def check(model: Any, preprocess: str, host: Host) -> Checked:
    """Find a model by path or name and a preprocessing by name, and refuse what can't or must not be loaded.

    Raises
    ------
    ModelError, UnsafeModelError
        As `xcnn.network.preflight.inspect`.
    OptionError
        If there is no such preprocessing.
    """
    preprocessing = None if preprocess == AUTO else _preprocessing(preprocess, host)
    if not isinstance(model, (str, Path)):
        if not hasattr(model, "get_layer"):
            raise ModelError(f"{type(model).__name__} is no Keras model", hint="give a path, a name or a keras.Model")
        return Checked(model, preprocessing=preprocessing)
    from xcnn.network import preflight

    named = _named(str(model), host)
    return Checked(None, preflight.inspect(named.path() if named else Path(model)), named, preprocessing)


def _named(word: str, host: Host) -> NamedModel | None:
    builtin = host.models(extensions=False)
    if word in builtin:
        return builtin[word]
    if Path(word).exists():
        return None
    known = host.models(extensions=True)
    if word in known:
        return known[word]
    if "://" in word:
        raise ModelError(f"{word} is a URL; xcnn opens files", hint="download the model first")
    if Path(word).suffix or "/" in word:
        raise ModelError(f"there is no model file {word}", hint="check the path, or see: xcnn models")
    raise ModelError(
        f"{word!r} is neither a model file nor a known name",
        hint=did_you_mean(word, known, "list them with: xcnn models"),
    )


def _preprocessing(word: str, host: Host) -> Preprocessing:
    for extensions in (False, True):
        known = host.preprocessors(extensions=extensions)
        if word in known:
            return known[word]
    raise OptionError(
        f"there is no preprocessing {word!r}",
        hint=did_you_mean(word, [AUTO, *known], "one of " + ", ".join([AUTO, *known])),
    )
