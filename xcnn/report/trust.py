"""How far to trust a result: what is looked for that speaks against one, read from what run.json says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Mapping[str, Any]

SATURATED = 0.9999
"""Beyond such a probability, or below the rest to 1, more evidence changes nothing."""
SHRUNK = 8
"""Times a picture is larger than the input of the model before its details are lost."""
NO_EVIDENCE = "no positive evidence: the map is zero everywhere"
NOTHING = "the map is zero everywhere"
HARMLESS = "from memory"
"""What is said of an array, and nothing against it."""
GUESS = "a guess"
"""How the reason of a preprocessing begins that nothing speaks for."""
UPGRADED = re.compile("(padded|renamed|replaced|reworded|gave|wrote|left out|matched) ")
"""How notes begin of what was changed in a model's config or weights."""
COVERED = re.compile(r"\d+ of \d+ non-linearities are rectifiers(; not covered: )?")


@dataclass(frozen=True)
class Check:
    """Something that may speak against a result."""

    code: str
    """For programs."""
    words: str
    """For readers of a result without it."""
    find: Callable[[Told, Told], list[str] | None]
    """Takes a result and the model of run.json; says what it finds, or None where there is nothing to look at."""
    of_run: bool = False
    """Whether it holds for every result of a run."""


def examined(result: Told, about: Told) -> dict[str, Any]:
    """Look for all that must be known of a result before it is believed.

    Parameters
    ----------
    result : mapping
        One of the results of run.json.
    about : mapping
        What run.json says of the run.

    Returns
    -------
    dict
        ``trust``, what speaks against it, each with a ``code`` for programs and a ``text`` for readers; and
        ``checked``, the codes of what was looked for.
    """
    found = {check.code: check.find(result, about["model"]) for check in CHECKS}
    facts = dict.fromkeys((code, text) for code, texts in found.items() for text in texts or ())
    return {
        "trust": [{"code": code, "text": text} for code, text in facts],
        "checked": [code for code, texts in found.items() if texts is not None],
    }


def told(result: Told) -> tuple[list[str], list[str], str]:
    """Say what speaks against one result and what against all of its run; where nothing does, what was looked for."""
    of_run = {check.code for check in CHECKS if check.of_run}
    facts = [(fact["code"] in of_run, fact["text"]) for fact in result["trust"]]
    words = [check.words for check in CHECKS if check.code in result.get("checked", ())]
    nothing = f"Nothing speaks against it. Checked: {', '.join(words)}." if words and not facts else ""
    return [text for whole, text in facts if not whole], [text for whole, text in facts if whole], nothing


def harmless(note: str) -> bool:
    """Whether a note on a map says that nothing is left out."""
    found = COVERED.match(note)
    return found is not None and not found[1]


def _empty(result: Told, _: Told) -> list[str] | None:
    maps = [panel for panel in result["panels"] if panel["kind"] == "map"]
    several = len(maps) > 1
    return (
        [
            (NO_EVIDENCE if panel["sign"] == "positive" else NOTHING)
            + (f" (at {panel['layer']})" if several and panel["layer"] else "")
            for panel in maps
            if panel["minimum"] == panel["maximum"] == 0
        ]
        if maps
        else None
    )


def _partly(result: Told, _: Told) -> list[str] | None:
    notes = [note for panel in result["panels"] for note in panel["notes"]]
    found = [(match, note) for note in notes if (match := COVERED.match(note))]
    return [note for match, note in found if match[1]] if found else None


def _saturated(result: Told, _: Told) -> list[str] | None:
    chance = result["target"] and result["target"]["probability"]
    if chance is None:
        return None
    end = "100%" if chance > SATURATED else "0%"
    return [] if 1 - SATURATED <= chance <= SATURATED else [f"the probability is saturated at {end}"]


def _probability(result: Told, model: Told) -> list[str] | None:
    if result["target"] is None:
        return None
    words = "the map explains the probability, not the logit: other classes weigh in"
    return [words] if "probability (" in model["score"] else []


def _image(result: Told, _: Told) -> list[str] | None:
    return result["image"] and [note for note in result["image"]["notes"] if note != HARMLESS]


def _shrunk(result: Told, model: Told) -> list[str] | None:
    image, size = result["image"], model.get("input_size")
    if image is None or not size:
        return None
    factor = max(image["height"] / size[0], image["width"] / size[1])
    words = f"the picture is {factor:.0f} times as large as what the model sees: details are lost"
    return [words] if factor > SHRUNK else []


def _trusted(_: Told, model: Told) -> list[str]:
    return ["the model was trusted by its hash: its own code has run"] if model["trusted"] else []


def _guessed(_: Told, model: Told) -> list[str]:
    mode = model["preprocessing"]
    words = f"the preprocessing is a guess: {mode['summary'] or mode['name']}"
    return [words] if mode["reason"].startswith(GUESS) else []


def _upgraded(_: Told, model: Told) -> list[str]:
    return [f"the model was brought up to date: {note}" for note in model["notes"] if UPGRADED.match(note)]


CHECKS = (
    Check("no-evidence", "empty map", _empty),
    Check("partly-covered", "non-linearities left out", _partly),
    Check("saturated", "saturation", _saturated),
    Check("probability", "probability for logit", _probability),
    Check("trusted", "the model's own code", _trusted, of_run=True),
    Check("guessed", "guessed preprocessing", _guessed, of_run=True),
    Check("upgraded", "model brought up to date", _upgraded, of_run=True),
    Check("image", "remarks on the picture", _image),
    Check("downscaled", "picture shrunk too much", _shrunk),
)
"""All that is looked for, in the order in which it is told."""
