"""One run.json of several: the results of the same picture and explainer together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Manifest = Mapping[str, Any]
    Picture = tuple[str, int, int]

STYLE = {"alpha", "colormap"}
"""Options that say how the report looks: those of the first run count."""


def merged(runs: Sequence[Manifest]) -> dict[str, Any]:
    """Join runs of one model.

    An explainer that ran with other options in a later run gets a number behind its name and those options behind its
    title. What was explained twice alike stays once.

    Raises
    ------
    UsageError
        If the runs are of different models, or of different trainings.
    """
    first = runs[0]
    for run in runs[1:]:
        if _model(run) != _model(first):
            raise UsageError(
                f"the runs are of different models: {first['model']['name']} and {run['model']['name']}",
                hint="make one report of each",
            )
    epochs = _epochs(runs)
    explainers: list[dict[str, Any]] = []
    found: dict[Picture | None, list[dict[str, Any]]] = {}  # in the order of the first run that has the picture
    mosaics: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for run in runs:
        names = _named(explainers, run)
        for result in run["results"]:
            group = found.setdefault(picture(result["image"]) if result["image"] else None, [])
            renamed = {**result, "explainer": names[result["explainer"]]}
            if not any(_same(renamed, other) for other in group):
                # One record of a picture: the report shows it once.
                image = group[0]["image"] if group else result["image"]
                group.append({**renamed, "image": image})
        mosaics += [{**one, "explainer": names[one["explainer"]]} for one in run["mosaics"]]
        told = ({**one, "explainer": names.get(one["explainer"], one["explainer"])} for one in run["failures"])
        failures += [one for one in told if one not in failures]
    order = {one["name"]: number for number, one in enumerate(explainers)}
    groups = [found.pop(None), *map(_told, found.values())] if None in found else list(map(_told, found.values()))
    return {
        **first,
        **({"epochs": [epochs[number] for number in sorted(epochs)]} if epochs else {}),
        "created": max(run["created"] for run in runs),
        "command": " && ".join(run["command"] for run in runs) if all(run["command"] for run in runs) else "",
        "explainers": explainers,
        "options": _options(runs),
        "seconds": round(sum(run["seconds"] for run in runs), 2),
        "results": [
            one
            for group in groups
            for one in sorted(group, key=lambda result: (result.get("epoch", 0), order[result["explainer"]]))
        ],
        "mosaics": mosaics,
        "sections": [section for run in runs for section in run.get("sections", [])],
        "failures": failures,
        "warnings": list(dict.fromkeys(warning for run in runs for warning in run["warnings"])),
    }


def picture(image: Manifest) -> Picture:
    """What tells pictures apart: the file, and the part of it that was explained."""
    return image["sha256"], image["height"], image["width"]


def _told(group: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell of all results of a picture what one run was told that it truly shows."""
    truth = next((result["truth"] for result in group if "truth" in result), None)
    if truth is None:
        return group
    return [
        {**result, "truth": truth, "wrong": result["predictions"][0]["index"] != truth["index"]}
        if result["predictions"]
        else result
        for result in group
    ]


def _epochs(runs: Sequence[Manifest]) -> dict[int, Manifest]:
    """The epochs of all runs; those of one training may be in several."""
    found: dict[int, Manifest] = {}
    for run in runs:
        for one in run.get("epochs", []):
            if found.setdefault(one["epoch"], one) != one:
                raise UsageError(
                    f"the runs are of different trainings: each has an epoch {one['epoch']} of its own",
                    hint="make one report of each",
                )
    return found


def _model(run: Manifest) -> tuple[Any, ...]:
    """What tells models apart: the hash of the file; where there is none the name, and what there is of numbers."""
    model = run["model"]
    if model["sha256"]:
        return (model["sha256"],)
    return (model["name"], *(str(model.get(one)) for one in ("parameters", "input_shape", "classes")))


def _named(explainers: list[dict[str, Any]], run: Manifest) -> dict[str, str]:
    """Add the explainers of a run to those so far; return what each is called among them."""
    names = {}
    for one in run["explainers"]:
        values = _values(one)
        alike = [other for other in explainers if other["name"].partition(" ")[0] == one["name"]]
        same = next((other for other in alike if _values(other) == values), None)
        if same is None:
            number = f" {len(alike) + 1}" if alike else ""
            first = _values(alike[0]) if alike else values
            other = [f"{name} {_word(value)}" for name, value in values.items() if value != first.get(name)]
            title = one["title"] + (f" ({', '.join(other)})" if other else number)
            same = {**one, "name": one["name"] + number, "title": title}
            explainers.append(same)
        names[one["name"]] = same["name"]
    return names


def _values(explainer: Manifest) -> dict[str, Any]:
    return {row["name"]: row["value"] for row in explainer["options"]}


def _same(one: Manifest, other: Manifest) -> bool:
    forms = [result["target"] and result["target"]["coefficients"] for result in (one, other)]
    return bool(
        one["explainer"] == other["explainer"] and one.get("epoch") == other.get("epoch") and forms[0] == forms[1]
    )


def _options(runs: Sequence[Manifest]) -> list[dict[str, Any]]:
    """The options of the runs: all values of those that differ."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for run in runs:
        for row in run["options"]:
            rows.setdefault(row["name"], []).append(row)
    found = []
    for name, given in rows.items():
        values = list(dict.fromkeys(_word(row["value"]) for row in given))
        several = len(values) > 1 and name not in STYLE
        found.append({**given[0], "value": values, "source": "several runs"} if several else dict(given[0]))
    return found


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "not set" if value is None else str(value)
