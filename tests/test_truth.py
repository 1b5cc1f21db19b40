"""What pictures truly show: read before the model is opened, matched by name or index, and told in run.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeNetwork

import xcnn
from xcnn import truth
from xcnn.errors import OptionError
from xcnn.request import Request


def truths(run):
    return [(result.truth.index, result.truth.label, result.wrong) if result.truth else None for result in run.results]


def test_the_folder_of_a_picture_is_its_class(photo):
    photo("pets/red/1.png")
    photo("pets/green/2.png", seed=1)

    run = xcnn.explain(FakeNetwork(), ["pets/red", "pets/green"], "saliency", truth="folder")
    run.save("out")

    best = [result.predictions[0].index for result in run.results]
    assert truths(run) == [(0, "red", best[0] != 0), (1, "green", best[1] != 1)]
    told = json.loads(Path("out/run.json").read_text())["results"]
    assert [one["truth"] for one in told] == [{"index": 0, "label": "red"}, {"index": 1, "label": "green"}]
    assert [one["wrong"] for one in told] == [one != index for index, one in enumerate(best)]


def test_exactly_the_results_whose_best_class_is_another_are_wrong(photo):
    name = photo()
    runs = [xcnn.explain(FakeNetwork(), name, "saliency", truth=_file(name, word)) for word in ("0", "1", "2")]

    best = runs[0].results[0].predictions[0].index
    assert [run.results[0].wrong for run in runs] == [index != best for index in range(3)]


def _file(name, word):
    Path(f"truth-{word}.csv").write_text(f"{name},{word}\n")
    return f"truth-{word}.csv"


@pytest.mark.parametrize("word", ["Green", "GREEN", "1", "green"])
def test_a_class_is_named_in_any_case_or_by_its_index(word):
    assert truth.resolve({"a.png": word}, FakeNetwork())["a.png"].index == 1


def test_a_file_names_pictures_as_given_or_from_its_folder_or_barely(own_folder):
    Path("sub").mkdir()
    Path("sub/truth.csv").write_text("\ufefffile,class\nsub/a.png,red\nb.png,green\n\nc.png,blue,more\n", "utf-8")

    found = truth.read("sub/truth.csv", ["./sub/a.png", "sub/b.png", "elsewhere/c.png", "d.png"])

    assert found == {"./sub/a.png": "red", "sub/b.png": "green", "elsewhere/c.png": "blue"}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a.png\n", "has the line 'a.png'"),
        ("a.png,red\na.png,blue\n", "two classes for a.png"),
        ("x.png,red\n", "none of the pictures"),
        ("", "none of the pictures"),
    ],
)
def test_a_file_that_says_nothing_clear_is_refused(own_folder, text, match):
    Path("truth.csv").write_text(text)

    with pytest.raises(OptionError, match=match) as caught:
        truth.read("truth.csv", ["a.png"])

    assert caught.value.hint


def test_a_file_that_is_not_there_is_refused(own_folder):
    with pytest.raises(OptionError, match="there is no file nowhere"):
        truth.read("nowhere.csv", ["a.png"])


def test_an_unknown_class_is_refused_with_the_nearest():
    with pytest.raises(OptionError, match=r"named 'gren' \(a.png\)") as caught:
        truth.resolve({"a.png": "gren"}, FakeNetwork())

    assert caught.value.hint.startswith("green (did you mean this?)")


def test_an_index_beyond_the_classes_is_refused():
    with pytest.raises(OptionError, match="named '3'"):
        truth.resolve({"a.png": "3"}, FakeNetwork())


def test_without_the_option_nothing_is_said(photo):
    assert Request(model="m").truth is None
    assert truths(xcnn.explain(FakeNetwork(), photo(), "saliency")) == [None]
