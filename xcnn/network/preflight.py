"""What a model file is and whether it may be loaded: read from its bytes and its config, without TensorFlow."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from xcnn.errors import ModelError, UnsafeModelError
from xcnn.network import upgrade
from xcnn.network.digest import Digest
from xcnn.network.keras_layers import CONTAINERS, SAFE, UNSAFE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

MAX_CONFIG_BYTES = 64 * 2**20
EXPORT = "save the whole model in Python: model.save('model.keras')"


@dataclass(frozen=True)
class ModelFile:
    """A model file that may be loaded."""

    path: Path
    kind: Literal["keras", "h5"]
    config: dict[str, Any] = field(repr=False)
    """What was checked, and what is to be loaded: the model's config in the words of today's Keras."""
    notes: tuple[str, ...]
    """What was changed in the config, for the user."""
    changed: bool
    """Whether the config differs from the one in the file."""
    weights: Path
    """The file that holds the weights: `path`, or the one beside an architecture in JSON."""
    trusted: bool
    """Whether the user vouched for this very file, so that its code may run."""
    digest: Digest = field(repr=False, compare=False)

    @property
    def sha256(self) -> str:
        """The hash of the file at `path`, which a thread has been computing since `inspect`."""
        return self.digest.value()


def inspect(
    path: Path, *, trusted: str = "", known: Collection[str] = (), most_gigabytes: float = 8, hashed: bool = True
) -> ModelFile:
    """Find out what a file is and refuse what can't or must not be loaded.

    Parameters
    ----------
    path : Path
        The file.
    trusted : str
        ``sha256:`` and the hash of a file whose code may run.
    known : collection of str
        Names of classes and functions that the user supplies.
    most_gigabytes : float
        The most memory that the parameters may take.
    hashed : bool
        Begin to compute the hash now, beside what follows; otherwise when it is asked for.

    Raises
    ------
    ModelError
        If the file is missing, no model, damaged, without architecture, or needs classes that Keras doesn't have.
    UnsafeModelError
        If a layer could run code or read files, or the file would take too much memory.
    OptionError
        If `trusted` is no hash, or that of another file.
    """
    kind, config = _read(path)
    digest = Digest(path)
    if hashed:
        digest.start()
    # The model is loaded without its loss, metrics and optimizer, so they may be of any class.
    config = {key: value for key, value in config.items() if key != "compile_config"}
    _refuse_unsafe(path.name, config)
    new = upgrade.upgraded(config)
    _refuse_unsafe(path.name, new.config)
    _refuse_unknown(path.name, new.config)
    return ModelFile(path, kind, new.config, new.notes, new.changed, path, False, digest)


def _read(path: Path) -> tuple[Literal["keras", "h5"], dict[str, Any]]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ModelError(f"can't open the model {path}: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        raise ModelError(f"{path} is a folder; xcnn opens .keras, .h5 and .hdf5 files", hint=EXPORT)
    if not stat.S_ISREG(mode):
        raise ModelError(f"{path} is no regular file")
    try:
        with path.open("rb") as file:
            magic = file.read(8)
    except OSError as error:
        raise ModelError(f"can't read the model {path}: {error.strerror}") from error
    if magic.startswith(b"PK"):
        return "keras", _zip_config(path)
    if magic == b"\x89HDF\r\n\x1a\n":
        return "h5", _h5_config(path)
    if not magic:
        raise ModelError(f"{path} is empty")
    raise ModelError(f"{path} is neither a .keras nor an HDF5 file", hint=EXPORT)


def _zip_config(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo("config.json")
            if entry.file_size > MAX_CONFIG_BYTES:
                raise UnsafeModelError(f"{path.name} has a config of {entry.file_size / 2**20:.0f} MB")
            return _parsed(path, archive.read(entry))
    except KeyError as error:
        raise ModelError(f"{path} is a zip file but no Keras model: it has no config.json", hint=EXPORT) from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError) as error:
        # RuntimeError: encrypted; its subclass NotImplementedError: a compression that Python does not have.
        raise ModelError(f"{path} is damaged or truncated: {error}", hint="copy or download it again") from error


def _h5_config(path: Path) -> dict[str, Any]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            config = file.attrs.get("model_config")
            weights_only = any(key in file.attrs for key in ("layer_names", "backend")) or any(
                key in file for key in ("layers", "_layer_checkpoint_dependencies", "vars")
            )
    except (OSError, RuntimeError, KeyError) as error:
        raise ModelError(f"{path} is damaged or truncated: {error}", hint="copy or download it again") from error
    if config is None:
        what = "weights without an architecture" if weights_only else "no Keras model"
        raise ModelError(f"{path} holds {what}", hint=EXPORT)
    if not isinstance(config, (str, bytes)):
        raise ModelError(f"{path} has an unreadable config: it is no text")
    if len(config) > MAX_CONFIG_BYTES:
        raise UnsafeModelError(f"{path.name} has a config of {len(config) / 2**20:.0f} MB")
    return _parsed(path, config)


def _parsed(path: Path, text: str | bytes) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} has an unreadable config: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} has no model in its config")
    return config


def _entries(config: Any) -> Iterator[dict[str, Any]]:
    """Every serialized object in a config, outermost first, with an explicit stack against deep nesting."""
    stack = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                yield value
            stack.extend(reversed(value.values()))
        elif isinstance(value, list):
            stack.extend(reversed(value))


def _name(entry: dict[str, Any]) -> str:
    inner = entry.get("config")
    return str(entry.get("name") or (inner.get("name") if isinstance(inner, dict) else "") or entry["class_name"])


def _refuse_unsafe(file: str, config: dict[str, Any]) -> None:
    found = [(_name(entry), entry["class_name"]) for entry in _entries(config) if entry["class_name"] in UNSAFE]
    if found:
        named = [f"{name!r} ({kind})" for name, kind in found if kind != "__lambda__"] or ["a lambda function"]
        layers = _listed(named)
        raise UnsafeModelError(
            f"{file} was not loaded: layer {layers} {UNSAFE[found[0][1]]}",
            hint="rebuild the model with Keras layers instead, such as Rescaling, and save it again",
        )


def _refuse_unknown(file: str, config: dict[str, Any]) -> None:
    unknown = list(dict.fromkeys(entry["class_name"] for entry in _entries(config) if _is_foreign(entry)))
    if unknown:
        many = len(unknown) > 1
        raise ModelError(
            f"{file} needs {'classes' if many else 'a class'} that Keras doesn't have: {_listed(unknown)}",
            hint="build or load the model in Python, where the class is known, and call xcnn.explain(model, images)",
        )


def _is_foreign(entry: dict[str, Any]) -> bool:
    if not isinstance(entry.get("config"), dict) or entry["class_name"].startswith("__"):
        return False
    if "module" in entry:  # Keras 3 names where each object comes from; None is the user's own
        module = entry["module"]
        return module is None or not (module in {"keras", "builtins"} or str(module).startswith("keras."))
    if "layers" in entry["config"]:
        return entry["class_name"] not in CONTAINERS
    # A legacy config has layers, initializers and the like alike; only layers have a name of their own.
    return "name" in entry["config"] and entry["class_name"] not in SAFE | CONTAINERS


def _listed(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
