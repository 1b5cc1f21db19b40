"""The file ``model.xcnn.toml`` beside a model: what a user has found out about it, kept for the next run."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tomllib
from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from xcnn.errors import OptionError, OutputError, did_you_mean, plain_words
from xcnn.network import labels as label_files
from xcnn.network.sidecar_values import READERS, custom, toml

if TYPE_CHECKING:
    from pathlib import Path

    from xcnn.network.sidecar_values import Fit
    from xcnn.plugin import Preprocessing

__all__ = ["Sidecar", "class_names", "custom", "place", "read", "write", "written"]

SUFFIX = ".xcnn.toml"
MAX_BYTES = 4 * 2**20
HEAD = "# What xcnn knows about the model beside this file.\n"


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What the file says; None and () where it says nothing.

    ``preprocessing`` is the name of one, or numbers; ``labels`` are names, or the name of a file beside the model, or
    "imagenet"; ``input_size`` is height and width.
    """

    preprocessing: str | Preprocessing | None = None
    labels: tuple[str, ...] | str | None = None
    layer: str | None = None
    input_size: tuple[int, int] | None = None
    output: str | None = None
    fit: Fit | None = None
    notes: tuple[str, ...] = ()


KEYS = tuple(field.name for field in fields(Sidecar))


def place(model: Path) -> Path:
    """Where the sidecar of a model lies.

    Examples
    --------
    >>> place(PurePath("nets/cats.v2.h5")).name
    'cats.v2.xcnn.toml'
    """
    return model.with_name(model.stem + SUFFIX)


def read(model: Path) -> Sidecar | None:
    """Read the sidecar of a model; None when there is none.

    Raises
    ------
    OptionError
        If it can't be read, is no TOML, or has an unknown key or an impossible value.
    """
    path = place(model)
    if not os.path.lexists(path):
        return None
    data = _parsed(path)
    for key in data:
        if key not in KEYS:
            hint = did_you_mean(key, KEYS, "one of " + ", ".join(KEYS))
            raise OptionError(f"{path} has an unknown key {key[:80]!r}", hint=hint)
    said = {key: READERS[key](path, key, value) for key, value in data.items()}
    if isinstance(said.get("labels"), str):
        _check_inside(path, said["labels"], model)
    return Sidecar(**said)


def class_names(sidecar: Sidecar, model: Path) -> tuple[str, ...] | None:
    """The labels that a sidecar gives, read from their file where it names one.

    Raises
    ------
    OptionError
        If that file is missing, lies elsewhere or is no label file.
    """
    if sidecar.labels is None or isinstance(sidecar.labels, tuple):
        return sidecar.labels
    if sidecar.labels == label_files.IMAGENET:
        return label_files.imagenet()
    _check_inside(place(model), sidecar.labels, model)
    return label_files.read(model.with_name(sidecar.labels))


def write(model: Path, sidecar: Sidecar, *, overwrite: bool = False) -> Path:
    """Write the sidecar of a model, whole or not at all.

    Raises
    ------
    OutputError
        If there is one already, or the folder can't be written.
    OptionError
        If a value could not be read back.
    """
    path = place(model)
    text = written(sidecar)
    for key, value in tomllib.loads(text).items():  # what `read` would refuse is not written
        READERS[key](path, key, value)
    if isinstance(sidecar.labels, str):
        _check_inside(path, sidecar.labels, model)
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{path} already exists", hint="change it by hand, or add --overwrite")
    draft = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        try:
            with draft.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.replace(draft, path)  # noqa: PTH105 (Path.replace hides that it overwrites)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"can't write {path}: {error.strerror or error}") from error
    return path


def written(sidecar: Sidecar) -> str:
    r"""The TOML of a sidecar.

    Raises
    ------
    OptionError
        If a text holds lone surrogates, which no TOML can.

    Examples
    --------
    >>> print(written(Sidecar(preprocessing="tf", labels=("cat", 'a "dog"'))).partition("\n")[2], end="")
    preprocessing = "tf"
    labels = ["cat", "a \"dog\""]
    """
    values = {key: getattr(sidecar, key) for key in KEYS}
    lines = [f"{key} = {toml(value)}\n" for key, value in values.items() if value is not None and value != ()]
    return HEAD + "".join(lines)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
            raise OptionError(f"{path} is no file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise OptionError(f"can't read {path}: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise OptionError(f"{path} is larger than {MAX_BYTES // 2**20} MB")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise OptionError(f"{path} is not UTF-8 text", hint="save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # ValueError: also numbers of thousands of digits
        raise OptionError(f"{path} is no TOML: {plain_words(error, 120)}") from error


def _check_inside(path: Path, name: str, model: Path) -> None:
    """Refuse a label file that is not beside the model."""
    if name == label_files.IMAGENET:
        return
    bare = PurePath(name).name == name and not set(name) & set("/\\:\0") and name not in {".", ".."}
    beside = model.with_name(name) if bare else None
    if beside is None or (os.path.lexists(beside) and not label_files.belongs(beside, model)):
        raise OptionError(
            f"{path} names labels outside the folder of the model: {name[:80]!r}",
            hint="put the file beside the model and give its name alone",
        )
    if not os.path.lexists(beside):
        raise OptionError(f"{path} names labels that are missing: {name[:80]!r}", hint="put the file beside the model")
