"""A new plugin as files: a distribution with one method, its tests and its README, made from data/plugin."""

from __future__ import annotations

import importlib.util
import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from xcnn._version import __version__
from xcnn.errors import OptionError, OutputError, UsageError, did_you_mean
from xcnn.plugin import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATES = Path(__file__).parent / "data" / "plugin"
LONGEST = 30
"""Letters of a name: longer ones would break lines of the templates."""
TAKEN = {
    "annotated", "any", "attribution", "batch", "callable", "check", "choice", "class-var", "explainer",
    "layer-explainer", "model-explainer", "network", "option", "panel", "preprocessing", "reference", "table", "tiles",
}  # fmt: skip
"""Names whose class would hide something that the templates import."""


@dataclass(frozen=True)
class Kind:
    """What a plugin can begin as."""

    group: str
    """Of its entry point."""
    description: str
    usage: str = ""
    """What follows the command."""
    arguments: str = ""
    """What the call from Python begins with."""


EXPLAINERS = "xcnn.explainers"
ON_PICTURES = {"usage": "model.keras photo.jpg", "arguments": '"model.keras", "photo.jpg"'}
KINDS = {
    "attribution": Kind(EXPLAINERS, "What the score gains at each pixel, compared with a gray picture", **ON_PICTURES),
    "tiles": Kind(EXPLAINERS, "The channels of a layer that the score leans on most", **ON_PICTURES),
    "model": Kind(EXPLAINERS, "How strong the kernels of each convolution are", "model.keras", '"model.keras"'),
    "preprocessor": Kind("xcnn.extensions", "A preprocessor for Keras image models"),
}


def write(name: str, kind: str, folder: Path | None = None, *, taken: Mapping[str, str]) -> Path:
    """Write a plugin that passes its own tests.

    Parameters
    ----------
    name : str
        The command, or the name of the preprocessor.
    kind : str
        One of `KINDS`.
    folder : Path, optional
        To make; ``xcnn-NAME`` here without.
    taken : mapping
        Names that are in use, and by which distribution.

    Raises
    ------
    UsageError
        If the name can't be used or is in use; if there is no such kind.
    OutputError
        If the folder exists or can't be written.
    """
    if kind not in KINDS:
        raise OptionError(
            f"--kind is {kind!r}, which is not one of its choices",
            hint=did_you_mean(kind, KINDS, "one of " + ", ".join(KINDS)),
        )
    _check(name, taken)
    folder = folder or Path(f"xcnn-{name}")
    files = {path: Template((TEMPLATES / source).read_text("utf-8")) for path, source in _files(name, kind).items()}
    words = _words(name, KINDS[kind])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        for path, template in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(template.substitute(words), "utf-8")
        (folder / "src" / words["module"] / "py.typed").touch()
    except FileExistsError as error:
        raise OutputError(f"{folder} exists", hint="choose another folder with --out DIR") from error
    except OSError as error:
        raise OutputError(
            f"can't write {folder}: {error.strerror}", hint="choose another folder with --out DIR"
        ) from error
    return folder


def _check(name: str, taken: Mapping[str, str]) -> None:
    """Refuse a name that can be no command, module and class, or that is in use."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UsageError(
            f"{name!r} can't be the name of a plugin", hint="lower-case letters and digits, words joined by hyphens"
        )
    if len(name) > LONGEST:
        raise UsageError(f"{name!r} is longer than {LONGEST} letters", hint="choose a shorter name")
    if name in taken:
        raise UsageError(f"{name!r} is taken by {taken[name]}", hint="choose another name")
    if name.startswith("test") or name in TAKEN or keyword.iskeyword(_class_name(name)):
        raise UsageError(
            f"{name!r} makes the class {_class_name(name)}, which has another meaning", hint="choose another name"
        )
    if importlib.util.find_spec(_module(name)) is not None:
        raise UsageError(f"there is a module {_module(name)} already", hint="choose another name")


def _module(name: str) -> str:
    return "xcnn_" + name.replace("-", "_")


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def _files(name: str, kind: str) -> dict[str, str]:
    """Where each template goes."""
    return {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": f"readme.{'preprocessor' if kind == 'preprocessor' else 'explainer'}.txt",
        ".gitignore": "gitignore.txt",
        f"src/{_module(name)}/__init__.py": f"{kind}.py.txt",
        f"tests/test_{name.replace('-', '_')}.py": f"test_{kind}.py.txt",
    }


def _words(name: str, kind: Kind) -> dict[str, str]:
    """What stands for the words with a dollar sign."""
    module, class_name = _module(name), _class_name(name)
    return {
        "name": name,
        "title": name.replace("-", " ").capitalize(),
        "module": module,
        "class_name": class_name,
        "group": kind.group,
        "entry": f"{module}:{class_name}" if kind.group == EXPLAINERS else module,
        "description": kind.description,
        "usage": kind.usage,
        "arguments": kind.arguments,
        "version": __version__,
        "api": API_VERSION,
    }
