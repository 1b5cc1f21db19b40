"""Class names from files: plain lines, CSV and the JSON that Keras and others write."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from xcnn.errors import OptionError, plain_words
from xcnn.network.zoo import imagenet_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MAX_BYTES = 4 * 2**20
IMAGENET = "imagenet"
BESIDE = ("labels.txt", "class_names.txt", "classes.txt", "labels.csv", "labels.json", "class_indices.json")
"""Names under which labels lie beside a model."""
INDEX_COLUMNS = {"index", "id", "idx", "class_id", "class_index"}
NAME_COLUMNS = {"name", "names", "label", "labels", "class", "classes", "class_name"}
WRAPPERS = ("labels", "class_names", "id2label", "class_indices")
"""Keys of JSON objects that hold the labels among other things (Teachable Machine's metadata.json and the like)."""
INDEX = re.compile(r"[0-9]{1,9}")
NUMBERED = re.compile(r"([0-9]{1,9})(?:[ \t]*[:,;]|[ \t])[ \t]*(.*)")


def read(path: Path) -> tuple[str, ...]:
    """Read class names in index order.

    Parameters
    ----------
    path : Path
        Lines of names or of ``0 name`` (any suffix), a ``.csv`` or ``.tsv`` with a name and perhaps an index column,
        or ``.json``: a list, index to name, name to index, or index to ``[id, name]``.

    Raises
    ------
    OptionError
        If the file can't be read, is no label file, or leaves out or repeats an index.
    """
    text = _text(path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        names = _from_json(path, text)
    elif suffix in {".csv", ".tsv"}:
        names = _from_csv(path, text)
    else:
        names = _from_lines(path, text)
    if not names:
        _refuse(path, "has no names")
    return names


def imagenet() -> tuple[str, ...]:
    """The class names of ImageNet."""
    return imagenet_labels()


def beside(model: Path) -> Path | None:
    """Find the labels that lie beside a model file.

    One that carries the model's name is preferred. Where several others disagree none is chosen.
    """
    for own in (model.with_name(f"{model.stem}.labels.txt"), model.with_name(f"{model.stem}.json")):
        # A JSON file of the model's name may also be its architecture.
        if own != model and belongs(own, model) and (own.suffix == ".txt" or _parsed(own) is not None):
            return own
    found = [path for name in BESIDE if belongs(path := model.with_name(name), model)]
    if len(found) > 1 and len({_parsed(path) for path in found}) > 1:
        return None
    return found[0] if found else None


def belongs(path: Path, model: Path) -> bool:
    """Whether a file exists in the folder of a model, also after links have been followed."""
    try:
        folders = {model.parent.resolve(), model.resolve().parent}
        return path.is_file() and path.resolve().parent in folders
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links in a circle; ValueError: a null character
        return False


def fitting(labels: Sequence[str], classes: int, *, source: str) -> tuple[str, ...]:
    """Check that there is one name for each class of a model.

    Raises
    ------
    OptionError
        Naming `source`, where the labels come from, and both numbers.
    """
    if len(labels) != classes:
        raise OptionError(
            f"{source} has {_counted(len(labels), 'name')} but the model has {_counted(classes, 'class', 'classes')}",
            hint="give one name for each class, in the order of the training classes",
        )
    return tuple(labels)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _parsed(path: Path) -> tuple[str, ...] | None:
    try:
        return read(path)
    except OptionError:
        return None


def _refuse(path: Path, what: str, hint: str = "") -> NoReturn:
    raise OptionError(f"{path} {what}", hint=hint)


def _text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
            _refuse(path, "is no file with class names")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise OptionError(f"can't read the labels {path}: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > MAX_BYTES:
        _refuse(path, f"is larger than {MAX_BYTES // 2**20} MB, too large for class names")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(path, "is not UTF-8 text", "save it as UTF-8")
    if "\0" in text:
        _refuse(path, "is not text: it holds null characters", "save it as UTF-8")
    return text


def _from_lines(path: Path, text: str) -> tuple[str, ...]:
    # Not splitlines: it also parts names at form feeds and other signs that are no ends of lines.
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text.rstrip())] if text.strip() else []
    pairs = [NUMBERED.fullmatch(line) for line in lines]
    numbers = [int(pair[1]) for pair in pairs if pair]
    # Names may begin with numbers ("3 of clubs"); an index counts from 0.
    if lines and len(numbers) == len(lines) and min(numbers) == 0:
        return _in_order(path, [(int(pair[1]), pair[2]) for pair in pairs if pair])
    return _checked(path, lines, "line", 1)


def _from_csv(path: Path, text: str) -> tuple[str, ...]:
    first = text.lstrip().partition("\n")[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=first.count)
    try:
        table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
        rows = [[cell.strip() for cell in row] for row in table if any(cell.strip() for cell in row)]
    except csv.Error as error:
        _refuse(path, f"is no CSV file: {error}")
    if not rows:
        return ()
    name, index, head = _columns(path, rows)
    rows = rows[head:]
    short = next((number for number, row in enumerate(rows, 1) if len(row) <= max(name, index or 0)), 0)
    if short:
        _refuse(path, f"lacks a column in row {short}")
    if index is None:
        return _checked(path, [row[name] for row in rows], "row", 1)
    wrong = next((row[index] for row in rows if not INDEX.fullmatch(row[index])), None)
    if wrong is not None:
        _refuse(path, f"has {wrong[:40]!r} in its index column")
    return _in_order(path, [(int(row[index]), row[name]) for row in rows])


def _columns(path: Path, rows: Sequence[Sequence[str]]) -> tuple[int, int | None, int]:
    """The columns of names and of indices, and how many rows are the head."""
    head = [cell.casefold() for cell in rows[0]]
    named = [at for at, cell in enumerate(head) if cell in NAME_COLUMNS]
    indexed = [at for at, cell in enumerate(head) if cell in INDEX_COLUMNS]
    if indexed and not named:
        _refuse(path, "has an index column but no name column", "add a column called name")
    if len(named) == 1 and len(indexed) <= 1:
        return named[0], indexed[0] if indexed else None, 1
    if not named and len(head) == 1:
        return 0, None, 0
    if not named and len(head) == 2:  # noqa: PLR2004 (index and name, in either order)
        for at in (0, 1):
            if all(len(row) > at and INDEX.fullmatch(row[at]) for row in rows):
                return 1 - at, at, 0
    _refuse(path, f"has {len(head)} columns, and it is unclear which holds the names", "call them index and name")


def _from_json(path: Path, text: str) -> tuple[str, ...]:
    repeated: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            times = Counter(key for key, _ in items)
            repeated.append(times.most_common(1)[0][0])
        return found

    try:
        data = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        _refuse(path, f"is no JSON file: {plain_words(error, 80)}")
    if repeated:
        _refuse(path, f"has the key {repeated[0][:40]!r} twice")
    if isinstance(data, dict):
        inner = [data[key] for key in WRAPPERS if isinstance(data.get(key), (list, dict))]
        data = inner[0] if len(inner) == 1 else data
    if isinstance(data, list):
        return _checked(path, [_name(path, item) for item in data], "entry", 0)
    if not isinstance(data, dict):
        _refuse(path, "holds neither a list of names nor a map of indices")
    return _in_order(path, _pairs(path, data))


def _pairs(path: Path, data: dict[str, Any]) -> list[tuple[int, str]]:
    if data and all(_is_index(value) for value in data.values()):  # as class_indices of Keras's generators
        return [(int(value), name) for name, value in data.items()]
    if all(INDEX.fullmatch(key) for key in data):
        return [(int(key), _name(path, value)) for key, value in data.items()]
    # Some write the indices as text.
    if all(isinstance(value, str) and INDEX.fullmatch(value) for value in data.values()):
        return [(int(value), name) for name, value in data.items()]
    _refuse(path, "is no map of indices and names", 'write {"0": "cat", "1": "dog"}, or a list of names')


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _name(path: Path, value: Any) -> str:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value):  # noqa: PLR2004
        return str(value[1])  # WordNet id and name, as in imagenet_class_index.json
    if isinstance(value, str) or _is_index(value):
        return str(value)
    _refuse(path, f"has {json.dumps(value)[:40]} where a name should be")


def _in_order(path: Path, pairs: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """Names by index: each from 0 on exactly once."""
    by_index: dict[int, str] = {}
    for index, name in pairs:
        if index in by_index:
            _refuse(path, f"has index {index} twice")
        by_index[index] = name
    missing = next((index for index in range(len(by_index)) if index not in by_index), None)
    if missing is not None:
        _refuse(path, f"has no name for index {missing}")
    return _checked(path, [by_index[index] for index in range(len(by_index))], "index", 0)


def _checked(path: Path, names: Sequence[str], what: str, first: int) -> tuple[str, ...]:
    stripped = tuple(name.strip() for name in names)
    if "" in stripped:
        _refuse(path, f"has an empty name at {what} {stripped.index('') + first}")
    if bad := next((name for name in stripped if any("\ud800" <= sign <= "\udfff" for sign in name)), None):
        _refuse(path, f"has a name that is no text: {bad[:40]!a}")
    return stripped
