"""Each promise of the contract is broken once, and the check of that promise says so in words."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pytest

from xcnn.plugin import (
    Attribution,
    Explainer,
    ModelExplainer,
    NamedModel,
    Option,
    Preprocessing,
    Table,
    hookimpl,
    panels,
)
from xcnn.testing import KINDS, OFTEN, check, checks, parametrize_with_checks
from xcnn.testing.kinds import Bench

pytestmark = pytest.mark.keras


def bright(network, batch, **changes):
    """What depends on the picture alone, one map per row."""
    network.predict(batch)
    maps = batch.pixels.mean(axis=-1) / 255
    return panels(
        {"": np.repeat(maps, len(batch.targets) // batch.images, axis=0)},
        **({"sign": "positive", "unit": "brightness"} | changes),
    )


def explainer(explain, options=None, **fields):
    """Make an explainer class of a function."""
    body = {
        "__doc__": "Show something.",
        "__annotations__": {},
        "__module__": __name__,
        "name": "bad",
        "explain": explain,
        **fields,
    }
    for name, (hint, default) in (options or {}).items():
        body["__annotations__"][name] = hint
        body[name] = default
    return dataclass(frozen=True, kw_only=True)(type("Bad", (Explainer,), body))


BENCH = Bench()
"""Shared by explainers that leave the model alone."""


def found(kind, name, bench=BENCH):
    """What one check found."""
    (one,) = [one for one in checks(kind, kinds=["nested"], bench=bench) if one.name == name]
    return one.find()


def changed(**fields):
    return explainer(lambda self, network, batch: bright(network, batch, **fields))


def with_values(change):
    """An explainer whose maps are those of the gradients, changed."""

    def explain(self, network, batch):
        maps = network.input_gradients(batch).sum(axis=-1)
        return [(Attribution(change(one), "signed", "score"),) for one in maps]

    return explainer(explain)


def raising(self, network, batch):
    raise ZeroDivisionError("no\nluck \x1b[1mhere")


def leaving(self, network, batch):
    sys.exit(3)


def printing(self, network, batch):
    sys.stdout.write("look at me")
    return bright(network, batch)


def rolling(self, network, batch):
    network.predict(batch)
    return panels({"": np.random.default_rng().random((2, 4, 4))}, sign="positive", unit="luck")


def normalised(self, network, batch):
    maps = network.input_gradients(batch).sum(axis=-1)
    return panels({"": maps / np.abs(maps).max()}, sign="signed", unit="score")


def one_row(self, network, batch):
    return bright(network, batch)[:1]


def html(self, network, batch):
    return bright(network, batch, notes=("see <b>this</b>",))


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        (explainer(raising), "runs", "explain raised ZeroDivisionError: no luck here"),
        (explainer(leaving), "runs", "explain raised SystemExit: 3"),
        (explainer(one_row), "form", "returned list of 1 for 2 pictures"),
        (explainer(lambda self, network, batch: 3), "form", "explain returned int for 2 pictures"),
        (explainer(lambda self, network, batch: [3, 3]), "form", "returned int for a row"),
        (explainer(lambda self, network, batch: [("map",), ("map",)]), "form", "returned str; a panel is"),
        (with_values(lambda one: one[None]), "form", "shape (1, 24, 24); a map is (h, w)"),
        (with_values(lambda one: one.astype("float64")), "form", "float64 in Attribution; it must be float32"),
        (with_values(lambda one: "much"), "form", "returned str; a map is (h, w)"),
        (changed(unit=object()), "form", "returned object as unit; it is text"),
        (changed(notes=(3,)), "form", "returned int as notes; it is text"),
        (changed(sign="negative"), "form", "returned the sign 'negative'"),
        (explainer(html), "texts", "holds markup: 'see <b>this</b>'"),
        (with_values(lambda one: one * np.float32("nan")), "finite", "576 of 576 numbers of Attribution are not finite"),
        (with_values(lambda one: one), "sign", ""),
        (explainer(lambda self, network, batch: panels({"": network.input_gradients(batch)[..., 0]}, sign="positive", unit="x")), "sign", "Attribution is called positive and holds -"),
        (changed(unit=""), "unit", "has no unit"),
        (explainer(rolling), "seeded", "draw from batch.rng"),
        (explainer(normalised), "batched", "a batch and single pictures differ by"),
        (changed(), "targets", "set per_target = False"),
        (explainer(printing), "silent", "wrote 'look at me' to standard output"),
        (changed(), "randomised", "it shows the picture, not the model"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_one_clear_finding(kind, name, words):
    one = found(kind, name)

    assert one.state == ("fail" if words else "pass"), one.words
    assert words in one.words
    assert "\n" not in one.words


def test_what_has_nothing_to_look_at_is_not_tried():
    states = {one.check: one.state for one in check(explainer(raising), kinds=["nested"]) if one.kind}

    assert states.pop("fits") == "pass"
    assert states.pop("runs") == "fail"
    assert set(states.values()) == {"untried"}


def test_a_change_of_the_model_is_found():
    def explain(self, network, batch):
        network.model.layers[-1].seen = True
        return bright(network, batch)

    def weigh(self, network, batch):
        model = network.model
        model.set_weights([weight * 0.5 for weight in model.get_weights()])
        return bright(network, batch)

    for kind in (explainer(explain), explainer(weigh)):
        one = found(kind, "untouched", Bench())
        assert one.state == "fail", one
        assert "the model is not as it was" in one.words


def test_a_trace_for_every_call_is_found():
    def explain(self, network, batch):
        count = network.traces
        network.activations(batch.inputs, ["base/conv1", "base/conv2"][: 1 + count % 2])
        network.activations(batch.inputs, ["base/conv1"] * (count + 1))
        return bright(network, batch)

    assert "more traces of the model" in found(explainer(explain), "traced").words


@pytest.mark.parametrize("reason", ["", "no", 3, "two\nlines of it"])
def test_a_misfit_that_is_not_said_in_words_is_found(reason):
    kind = explainer(lambda self, network, batch: bright(network, batch), fits=lambda self, network: reason)

    assert "it must be a sentence" in found(kind, "fits").words


def test_an_explainer_that_does_not_fit_keeps_the_contract_and_nothing_else_is_tried():
    kind = explainer(lambda self, network, batch: bright(network, batch), fits=lambda self, network: "it has no wings")

    states = {one.check: (one.state, one.words) for one in check(kind, kinds=["nested"]) if one.kind}

    assert set(states.values()) == {("misfit", "it has no wings")}


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        (changed(), "summary", ""),
        (explainer(raising, __doc__="show something"), "summary", "begins with 'show something'"),
        (explainer(raising, __doc__=None), "summary", "begins with ''"),
        (explainer(raising, {"size": (Annotated[int, Option("", minimum=1)], 3)}), "documented", "'size' has the help ''"),
        (explainer(raising, {"size": (Annotated[int, Option("Size.")], 3)}), "ranged", "without minimum, maximum or choices"),
        (explainer(raising, {"size": (Annotated[int, Option("Size.", maximum=2)], 3)}), "defaults", "--size is 3"),
        (explainer(raising, {"size": (int, 3)}), "ranged", "is not declared as Annotated"),
        (explainer(raising, {"alpha": (Annotated[float, Option("Mine.", minimum=0)], 0.0)}), "command", "option 'alpha' of bad is taken"),
        (explainer(raising, name="Bad Name"), "command", "must be lower-case words"),
    ],
)  # fmt: skip
def test_a_broken_declaration_is_one_clear_finding(kind, name, words):
    (one,) = [one.find() for one in checks(kind, kinds=()) if one.name == name]

    assert one.state == ("fail" if words else "pass")
    assert words in one.words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import matplotlib", "loads matplotlib: import them inside functions"),
        ("print('hello')", "writes to standard output"),
        ("import json", ""),
    ],
)
def test_a_heavy_or_noisy_import_is_found(own_folder, monkeypatch, source, words):
    (own_folder / "xcnn_odd.py").write_text(
        f"{source}\nfrom xcnn.plugin import Explainer\n\nclass Odd(Explainer):\n    name = 'odd'\n"
    )
    monkeypatch.syspath_prepend(own_folder)
    monkeypatch.delitem(sys.modules, "xcnn_odd", raising=False)
    import xcnn_odd

    (one,) = [one.find() for one in checks(xcnn_odd.Odd, kinds=()) if one.name == "light"]

    assert one.state == ("fail" if words else "pass"), one
    assert words in one.words


def test_an_explainer_of_the_model_alone_is_checked_too():
    @dataclass(frozen=True, kw_only=True)
    class Constant(ModelExplainer):
        """Show the same for every model."""

        name: ClassVar[str] = "constant"

        def explain(self, network, *, rng, progress):
            return (Table("Numbers", ("one",), ((1.0,),)),)

    failed = [one for one in check(Constant, kinds=["nested"]) if one.state == "fail" and one.check != "light"]

    assert [(one.check, one.words) for one in failed] == [
        (
            "randomised",
            "every number is the same when the model's weights are shuffled: it shows the picture, not the model",
        )
    ]


class Extension:
    """An extension as an object."""

    @hookimpl
    def xcnn_preprocessors(self):
        return [Preprocessing("half", "halved", scale=(0.5,))]


@parametrize_with_checks([Extension()])
def test_a_good_extension_passes(check):
    check()


def extension(**hooks):
    return type("Odd", (), {name: hookimpl(function) for name, function in hooks.items()} | {"__module__": __name__})()


@pytest.mark.parametrize(
    ("one", "name", "words"),
    [
        (extension(xcnn_preprocesors=lambda self: []), "hooks", "unknown hook"),
        (extension(), "hooks", "it implements no hook"),
        (extension(xcnn_preprocessors=lambda self: ["half"]), "preprocessors", "str is no Preprocessing"),
        (extension(xcnn_preprocessors=lambda self: Preprocessing("x", "y")), "preprocessors", "it must be a list"),
        (extension(xcnn_preprocessors=lambda self: [Preprocessing("x", "y", scale=(1.0, 2.0))]), "preprocessors", "has the scale (1.0, 2.0)"),
        (extension(xcnn_preprocessors=lambda self: [Preprocessing("x", "y", offset=(float("nan"),))]), "preprocessors", "has the offset (nan,)"),
        (extension(xcnn_preprocessors=lambda self: [Preprocessing("A b", "y")]), "preprocessors", "the name 'A b'"),
        (extension(xcnn_models=lambda self: [NamedModel("m", "s", (0, 3), Preprocessing("x", "y"), "MIT", None, None)]), "models", "has the size (0, 3)"),
        (extension(xcnn_models=lambda self: [1]), "models", "it must be NamedModel"),
    ],
)  # fmt: skip
def test_a_broken_extension_is_one_clear_finding(one, name, words):
    (finding,) = [finding for finding in check(one) if finding.check == name]

    assert finding.state == "fail"
    assert words in finding.words


def test_checks_are_named_after_the_command_the_kind_and_the_promise():
    every = {one.id for one in checks(changed())}

    assert {"bad-summary", "bad-nested-finite", "bad-float16-randomised"} <= every
    assert set(OFTEN) < set(KINDS)
