"""What tells a reader how far to trust a result, read from what run.json says of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xcnn.saving.panels import NO_EVIDENCE, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SATURATED = 0.9999
"""Beyond such a probability, or below the rest to 1, more evidence changes nothing."""
SHRUNK = 8
"""Times a picture is larger than the input of the model before its details are lost."""
HARMLESS = "from memory"
"""What is said of an array, and nothing against it."""
GUESS = "a guess"
"""How the reason of a preprocessing begins that nothing speaks for."""
UPGRADED = re.compile("(padded|renamed|replaced|reworded|gave|wrote|left out|matched) ")
"""How notes begin of what was changed in a model's config or weights."""
PARTLY = re.compile(r"\d+ of \d+ non-linearities are rectifiers; not covered: ")


def facts(result: Mapping[str, Any], about: Mapping[str, Any]) -> list[dict[str, str]]:
    """List what must be known of a result before it is believed.

    Parameters
    ----------
    result : mapping
        One of the results of run.json.
    about : mapping
        What run.json says of the run.

    Returns
    -------
    list of dict
        Each with a ``code`` for programs and a ``text`` for readers.
    """
    found = [*_of_maps(result), *_of_score(result, about), *_of_model(about), *_of_image(result, about)]
    return [{"code": code, "text": text} for code, text in dict.fromkeys(found)]


def _of_maps(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    maps = [panel for panel in result["panels"] if panel["kind"] == "map"]
    for panel in maps:
        if panel["minimum"] == panel["maximum"] == 0:
            where = f" (at {panel['layer']})" if len(maps) > 1 and panel["layer"] else ""
            yield "no-evidence", (NO_EVIDENCE if panel["sign"] == "positive" else NOTHING) + where
    for note in (note for panel in result["panels"] for note in panel["notes"]):
        if PARTLY.match(note):
            yield "partly-covered", note


def _of_score(result: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    target = result["target"]
    if target is None:
        return
    chance = target["probability"]
    if chance is not None and not 1 - SATURATED <= chance <= SATURATED:
        yield "saturated", f"the probability is saturated at {'100%' if chance > SATURATED else '0%'}"
    score = about["model"]["score"]
    if "probability (" in score:
        yield "probability", "the map explains the probability, not the logit: other classes weigh in"


def _of_model(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    model = about["model"]
    if model["trusted"]:
        yield "trusted", "the model was trusted by its hash: its own code has run"
    mode = model["preprocessing"]
    if mode["reason"].startswith(GUESS):
        yield "guessed", f"the preprocessing is a guess: {mode['summary'] or mode['name']}"
    for note in model["notes"]:
        if UPGRADED.match(note):
            yield "upgraded", f"the model was brought up to date: {note}"


def _of_image(result: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    image, size = result["image"], about["model"].get("input_size")
    if image is None:
        return
    for note in image["notes"]:
        if note != HARMLESS:
            yield "image", note
    if size:
        factor = max(image["height"] / size[0], image["width"] / size[1])
        if factor > SHRUNK:
            yield "downscaled", f"the picture is {factor:.0f} times as large as what the model sees: details are lost"
