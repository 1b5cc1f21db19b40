"""What tells how far to trust a result: each fact when it holds, and none when nothing speaks against it."""

from __future__ import annotations

import json
from pathlib import Path

import nets
import numpy as np
import pytest
from fakes import FakeNetwork, pictures

import xcnn
from xcnn.report import trust
from xcnn.saving import schema

ABOUT = {
    "model": {
        "score": "logit (before the softmax)", "trusted": False, "notes": [], "input_size": [10, 20],
        "preprocessing": {"name": "tf", "summary": "pixels / 127.5 - 1", "reason": "given"},
    }
}  # fmt: skip
MAP = {"kind": "map", "layer": "conv", "sign": "positive", "minimum": 0.0, "maximum": 1.0, "notes": []}


def result(*panels, chance=0.5, size=(10, 20), notes=()):
    image = {"height": size[0], "width": size[1], "notes": list(notes)}
    target = {"probability": chance}
    return {"panels": panels or [MAP], "image": image, "target": target}


def about(**changes):
    return {"model": {**ABOUT["model"], **changes}}


def facts(*given):
    return trust.examined(*given)["trust"]


def codes(*given):
    return [fact["code"] for fact in facts(*given)]


def test_of_a_result_without_fault_it_is_told_what_was_looked_for():
    examined = trust.examined(result(), ABOUT)

    assert examined["trust"] == []
    own, of_run, nothing = trust.told(examined)
    assert (own, of_run) == ([], [])
    assert nothing.startswith("Nothing speaks against it. Checked: empty map, saturation, ")
    assert all(check.words in nothing for check in trust.CHECKS if check.code in examined["checked"])


def test_what_could_not_be_looked_at_is_not_said_to_be_absent():
    every = {check.code for check in trust.CHECKS}
    wholly = {**MAP, "notes": ["3 of 3 non-linearities are rectifiers"]}
    table = {"kind": "table", "notes": []}

    def skipped(*given):
        return every - {*trust.examined(*given)["checked"]}

    assert skipped(result(), ABOUT) == {"partly-covered"}
    assert skipped(result(wholly), ABOUT) == set()
    assert skipped(result(wholly, chance=None), ABOUT) == {"saturated"}
    assert skipped(result(table), ABOUT) == {"partly-covered", "no-evidence"}
    assert skipped(result(wholly), about(input_size=None)) == {"downscaled"}
    of_model = {"panels": [wholly], "image": None, "target": None}
    assert skipped(of_model, ABOUT) == {"saturated", "probability", "image", "downscaled"}


def test_a_note_that_nothing_is_left_out_is_no_doubt():
    assert trust.harmless("3 of 3 non-linearities are rectifiers")
    assert not trust.harmless("2 of 3 non-linearities are rectifiers; not covered: 1 swish")
    assert not trust.harmless("no window changes the score")


def test_where_something_speaks_against_a_result_nothing_is_said_of_the_rest():
    facts = [{"code": "guessed", "text": "a guess"}, {"code": "saturated", "text": "100%"}]

    assert trust.told({"trust": facts, "checked": ["guessed", "saturated"]}) == (["100%"], ["a guess"], "")


def test_a_run_that_does_not_say_what_it_looked_for_claims_nothing():
    assert trust.told({"trust": []}) == ([], [], "")


def test_the_schema_knows_every_check():
    assert {check.code for check in trust.CHECKS} == set(schema.published()["$defs"]["check"]["enum"])


def test_a_map_that_is_zero_everywhere_is_no_evidence():
    empty = {**MAP, "maximum": 0.0}

    assert codes(result(empty), ABOUT) == ["no-evidence"]
    assert facts(result(empty), ABOUT)[0]["text"].startswith("no positive evidence")
    assert "evidence:" not in facts(result({**empty, "sign": "signed"}), ABOUT)[0]["text"]
    assert facts(result(empty, {**MAP, "layer": "b"}), ABOUT)[0]["text"].endswith("(at conv)")


@pytest.mark.parametrize(("chance", "words"), [(0.99995, "100%"), (0.00005, "0%"), (0.9998, ""), (None, "")])
def test_a_probability_at_its_end_is_saturated(chance, words):
    found = facts(result(chance=chance), ABOUT)

    assert [fact["code"] for fact in found] == (["saturated"] if words else [])
    assert all(fact["text"].endswith(words) for fact in found)


@pytest.mark.parametrize(("factor", "expected"), [(8, []), (8.1, ["downscaled"])])
def test_a_picture_more_than_eight_times_as_large_is_downscaled(factor, expected):
    assert codes(result(size=(10 * factor, 20)), ABOUT) == expected
    assert codes(result(size=(10, 20 * factor)), ABOUT) == expected


def test_what_is_known_of_model_and_image_is_told():
    guess = {**ABOUT["model"]["preprocessing"], "reason": "a guess: nothing in the model tells"}
    partly = {**MAP, "notes": ["2 of 3 non-linearities are rectifiers; not covered: 1 swish"]}
    wholly = {**MAP, "notes": ["3 of 3 non-linearities are rectifiers"]}

    assert codes(result(), about(score="probability (after the softmax)")) == ["probability"]
    assert codes(result(), about(preprocessing=guess)) == ["guessed"]
    assert codes(result(), about(trusted=True)) == ["trusted"]
    assert codes(result(), about(notes=["renamed 2 layers of Keras 1 (A -> B)", "class names: labels.txt"])) == [
        "upgraded"
    ]
    assert codes(result(partly), ABOUT) == ["partly-covered"]
    assert codes(result(wholly), ABOUT) == []
    assert codes(result(notes=["the first of 3 frames"]), ABOUT) == ["image"]


def test_the_model_alone_has_no_target_and_no_image():
    assert codes({"panels": [MAP], "image": None, "target": None}, about(trusted=True)) == ["trusted"]


def test_run_json_has_the_facts_of_each_result():
    photos = [np.zeros((4, 4, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)]
    xcnn.explain(FakeNetwork(), photos, "gradcam").save("out")

    told = json.loads(Path("out/run.json").read_text())["results"]

    assert [[fact["code"] for fact in one["trust"]] for one in told] == [
        ["no-evidence"],
        ["no-evidence", "downscaled"],
    ]


@pytest.mark.keras
def test_the_words_it_goes_by_are_those_of_the_networks():
    """Preprocessing, score and coverage are recognised by their words: these are the real ones."""
    from xcnn.network.targets import SATURATED

    network = xcnn.open_network(nets.flat(), on="probability")
    run = xcnn.explain(network, pictures((30, 40)), "guided", target="0")
    run.save("out")
    old = xcnn.explain(str(Path(__file__).parent.parent / "files/old/k1_sequential.h5"), pictures((30, 40)), "saliency")
    old.save("old")

    first, second = (json.loads(Path(name, "run.json").read_text())["results"][0]["trust"] for name in ("out", "old"))

    assert {"probability", "guessed"} <= {fact["code"] for fact in first}
    assert "upgraded" in {fact["code"] for fact in second}
    assert trust.SATURATED == SATURATED
