"""The published schema of run.json: valid itself, obeyed by every run, and read alike by our checker and another."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import keras
import nets
import pytest
from fakes import pictures

import xcnn
from xcnn.host import Host
from xcnn.saving import schema

pytestmark = pytest.mark.keras
QUICK = {
    "filters": {"steps": 3, "grid": "1x2"},
    "occlusion": {"window": "9", "stride": "7"},
    "integrated": {"steps": 4},
    "smoothgrad": {"samples": 3},
}
KINDS = ("map", "tiles", "labels", "table", "curve")
MODEL_ONLY = {"filters", "kernels"}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The run.json of each explainer, of several together, and of a run with failures, mosaics and truth."""
    network = xcnn.open_network(nets.flat(), preprocess="unit")
    photos = pictures((30, 40), (26, 22))
    runs = {}
    for name in Host().builtin:
        runs[name] = xcnn.explain(network, None if name in MODEL_ONLY else photos, name, **QUICK.get(name, {}))
    linear = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(2, 3, activation="swish"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    several = ["gradcam", "guided", "kernels"]
    runs["several, one of them no fit"] = xcnn.explain(linear, photos[:1], several, preprocess="unit", mosaic="1x2")
    folder = tmp_path_factory.mktemp("runs")
    for number, run in enumerate(runs.values()):
        run.save(folder / str(number))
    return {name: json.loads((folder / str(number) / "run.json").read_text()) for number, name in enumerate(runs)}


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema.published())


def test_every_run_is_what_the_schema_says(told):
    validator = jsonschema.Draft202012Validator(schema.published())
    for name, run in told.items():
        assert [error.message for error in validator.iter_errors(run)] == [], name
        assert schema.problem(run) == "", name
    kinds = {panel["kind"] for run in told.values() for result in run["results"] for panel in result["panels"]}
    assert kinds == set(KINDS)
    failed = told["several, one of them no fit"]
    assert [one["explainer"] for one in failed["failures"]] == ["guided"]
    assert failed["mosaics"]
    assert {result["together"] for result in told["gradcam"]["results"]} == {2}


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def with_kind(told, kind):
    """A run.json whose only result has one panel, of a kind, of the explainer that makes such."""
    for run in told.values():
        for result in run["results"]:
            for panel in result["panels"]:
                if panel["kind"] == kind:
                    return {**run, "results": [{**result, "panels": [panel]}]}
    raise AssertionError(f"no explainer makes {kind}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [{"odd": 1}, [None], True, -1.5, "\0/", None])
def test_our_checker_and_another_agree_on_whatever_is_wrong(told, kind, wrong):
    validator = jsonschema.Draft202012Validator(schema.published())
    run = with_kind(told, kind)
    refused = {True: 0, False: 0}
    for path in places(run):
        if not path or ("panels" not in path and kind != "map"):
            continue  # the rest of a run.json is alike
        changed = copy.deepcopy(run)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = wrong
        assert bool(schema.problem(changed)) is not validator.is_valid(changed), path
        refused["panels" in path] += not validator.is_valid(changed)
    assert refused[True] > 5
    assert refused[False] > 40 or kind != "map"


def test_the_schema_belongs_to_the_package():
    assert Path(xcnn.__file__).parent / "data" / "run.schema.json" == schema.FILE
