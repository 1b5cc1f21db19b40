"""What pictures truly show, as a user says: by the folder each lies in, or by a CSV file."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING

from xcnn.errors import OptionError, did_you_mean
from xcnn.values import Class

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.plugin import Network

FOLDER = "folder"
"""The value of ``--truth`` that goes by the folders of the pictures."""
HEADINGS = {"file", "path", "image", "filename", "file_name", "name"}
"""What the first line of a file begins with when it is no picture."""
MOST_BYTES = 64 * 2**20


def read(source: str, paths: Sequence[str]) -> dict[str, str]:
    """Tell the class of each picture, as it is written.

    Parameters
    ----------
    source : str
        "folder", or a CSV file with lines ``file,class``: files as they were given, or as seen from its folder, or
        their bare names.
    paths : sequence of str
        The pictures; those that the file does not have are left out.

    Raises
    ------
    OptionError
        If there is no such file, or it is none, or has none of the pictures.
    """
    if source == FOLDER:
        return {path: Path(os.path.abspath(path)).parent.name for path in paths}  # noqa: PTH100 (links stay)
    rows = _rows(Path(source))
    beside = {os.path.normpath(Path(source).parent / name): word for name, word in rows.items()}
    whole = {os.path.normpath(name): word for name, word in rows.items()}
    found = {}
    for path in paths:
        plain = os.path.normpath(path)
        word = whole.get(plain) or beside.get(plain) or whole.get(Path(path).name)
        if word is not None:
            found[path] = word
    if not found:
        raise OptionError(f"--truth {source} has none of the pictures", hint="write file,class in each line")
    return found


def _rows(path: Path) -> dict[str, str]:
    try:
        if not path.is_file():
            raise OptionError(f"--truth: there is no file {path}", hint="folder, or a CSV file with lines file,class")
        if path.stat().st_size > MOST_BYTES:
            raise OptionError(f"--truth {path} is larger than {MOST_BYTES // 2**20} MB", hint="leave out other columns")
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, ValueError, csv.Error) as error:
        raise OptionError(f"--truth {path} can't be read: {error}", hint="save it as CSV in UTF-8") from error
    if lines and lines[0][0].strip().casefold() in HEADINGS:
        lines = lines[1:]
    rows: dict[str, str] = {}
    for row in lines:
        name, word = (cell.strip() for cell in (*row, "")[:2])
        if not name or not word:
            raise OptionError(f"--truth {path} has the line {','.join(row)!r}", hint="write file,class in each line")
        if rows.setdefault(name, word) != word:
            raise OptionError(f"--truth {path} has two classes for {name}", hint="leave one of them")
    return rows


def resolve(words: Mapping[str, str], network: Network) -> dict[str, Class]:
    """Find the class of the model that each word names: by its name in any case, or by its index.

    Raises
    ------
    OptionError
        For a word that names none.
    """
    labels = [network.label(index) for index in range(network.about()["classes"])]
    found: dict[str, Class] = {}
    for word in dict.fromkeys(words.values()):
        exact = [index for index, label in enumerate(labels) if label == word]
        alike = [index for index, label in enumerate(labels) if _folded(label) == _folded(word)]
        number = [int(word)] if word.isascii() and word.isdigit() and int(word) < len(labels) else []
        fits = exact or alike or number
        if len(fits) != 1:
            what = "no class of the model is" if not fits else f"{len(fits)} classes are"
            example = next(path for path, name in words.items() if name == word)
            hint = did_you_mean(word, labels, f"an index in 0..{len(labels) - 1}, or names with --labels")
            raise OptionError(f"--truth: {what} named {word!r} ({example})", hint=hint)
        found[word] = Class(fits[0], labels[fits[0]])
    return {path: found[word] for path, word in words.items()}


def _folded(label: str) -> str:
    return " ".join(label.casefold().replace("_", " ").split())
