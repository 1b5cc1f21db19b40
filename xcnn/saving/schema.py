"""Checking of run.json against its published JSON Schema, by the words of JSON Schema that it uses."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FILE = Path(__file__).parent.parent / "data" / "run.schema.json"
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
LARGEST = 1e300
"""Whole numbers beyond have no float."""
MOST_SHOWN = 60
"""Letters of a wrong value that an error shows."""


def published() -> dict[str, Any]:
    """Read the schema of run.json."""
    found: dict[str, Any] = json.loads(FILE.read_text("ascii"))
    return found


def version() -> int:
    """The version of run.json that the schema describes."""
    return int(published()["properties"]["schema_version"]["const"])


def problem(value: Any) -> str:
    """Say what keeps a value from being a run.json, and where; nothing when it is one."""
    whole = published()
    return next(_problems(value, whole, whole["$defs"], "run.json"), "")


def _problems(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any], where: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = defs[schema["$ref"].removeprefix("#/$defs/")]
    for one in ("anyOf", "oneOf"):
        if one in schema:
            yield from _alternatives(value, schema[one], defs, where)
    if "const" in schema and value != schema["const"]:
        yield f"{where} is {_shown(value)}, not {_shown(schema['const'])}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {_shown(value)}, not one of {', '.join(map(str, schema['enum']))}"
    yield from _of_type(value, schema, defs, where)


def _of_type(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any], where: str) -> Iterator[str]:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{where} is {_shown(value)}, not of type {' or '.join(kinds)}"
    elif isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{where} is {_shown(value)}, which it can't be"
    elif isinstance(value, (int, float)) and value < schema.get("minimum", -math.inf):
        yield f"{where} is {_shown(value)}; it must be {schema['minimum']} or more"
    elif isinstance(value, dict):
        yield from _of_object(value, schema, defs, where)
    elif isinstance(value, list):
        yield from _of_array(value, schema, defs, where)


def _alternatives(value: Any, kinds: Sequence[Any], defs: Mapping[str, Any], where: str) -> Iterator[str]:
    found = [next(_problems(value, kind, defs, where), "") for kind in kinds]
    if all(found):
        # What another kind of panel would have wrong is of no interest.
        yield next((words for words in found if not words.startswith(f"{where}.kind is ")), found[0])


def _of_object(
    value: Mapping[str, Any], schema: Mapping[str, Any], defs: Mapping[str, Any], where: str
) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}.{name} is missing"
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            yield from _problems(item, known[name], defs, f"{where}.{name}")
        elif others is False:
            yield f"{where}.{name} is unknown"
        elif others is not True:
            yield from _problems(item, others, defs, f"{where}.{name}")


def _of_array(value: Sequence[Any], schema: Mapping[str, Any], defs: Mapping[str, Any], where: str) -> Iterator[str]:
    low, high = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    if not low <= len(value) <= high:
        yield f"{where} has {len(value)} items"
    for number, item in enumerate(value):
        yield from _problems(item, schema.get("items", {}), defs, f"{where}.{number}")


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind]) and not (isinstance(value, (int, float)) and not abs(value) < LARGEST)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 4] + " ..."
