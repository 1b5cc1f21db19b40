"""How a run goes: pictures named elsewhere, rehearsals, ends before the end, exit codes."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeNetwork
from PIL import Image as Picture

from xcnn.errors import ImageError, Terminated
from xcnn.execution import execute
from xcnn.explainers.gradcam import GradCAM
from xcnn.host import Host
from xcnn.request import Request

pytestmark = pytest.mark.keras


class Pipe(io.TextIOWrapper):
    """Standard input with bytes in it."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))


def manifest(folder):
    return json.loads((Path(folder) / "run.json").read_text("ascii"))


def explained(folder):
    return [result["image"]["path"] for result in manifest(folder)["results"]]


# --- pictures that no argument names -----------------------------------------------------------------------------


def test_names_come_from_a_file_beside_those_of_arguments(command, photo, small_model):
    for name in ("a.png", "b c.png", "d.png"):
        photo(name)
    Path("names.txt").write_bytes(b"b c.png\r\n\nd.png\n")

    code, _, _ = command("gradcam", small_model, "a.png", "--from-file", "names.txt", "--out", "run")

    assert code == 0
    assert explained("run") == ["a.png", "b c.png", "d.png"]
    assert manifest("run")["command"] == f"xcnn gradcam {small_model} a.png --out run --from-file names.txt"


def test_names_that_end_in_nul_may_hold_newlines_and_any_bytes(command, photo, small_model, monkeypatch):
    photo("a\nb.png")
    monkeypatch.setattr(sys, "stdin", Pipe(b"a\nb.png\0"))

    code, _, _ = command("gradcam", small_model, "--from-file", "-", "--out", "run")

    assert code == 0
    assert explained("run") == ["a\nb.png"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\n\n", "names no picture"),
        (b"gone.png\n", "there is no file gone.png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "names.txt is a picture and no list of names"),
    ],
)
def test_a_list_that_names_no_picture_is_refused(command, small_model, data, told):
    Path("names.txt").write_bytes(data)

    code, _, err = command("gradcam", small_model, "--from-file", "names.txt")

    assert code == 2
    assert told in err


def test_a_list_that_can_not_be_read_is_refused(command, small_model):
    code, _, err = command("gradcam", small_model, "--from-file", "names.txt")

    assert (code, err.splitlines()[0]) == (2, "error: can't read the names in names.txt: No such file or directory")


def test_a_dash_is_the_picture_on_standard_input(command, photo, small_model, monkeypatch):
    data = Path(photo()).read_bytes()
    command("gradcam", small_model, "photo.png", "--out", "file")
    monkeypatch.setattr(sys, "stdin", Pipe(data))

    code, out, _ = command("gradcam", small_model, "-", "--out", "pipe")

    assert (code, out) == (0, "pipe/report.html\n")
    assert explained("pipe") == ["stdin"]
    assert manifest("pipe")["command"] == f"xcnn gradcam {small_model} - --out pipe"
    assert manifest("pipe")["results"][0]["image"]["sha256"] == manifest("file")["results"][0]["image"]["sha256"]
    np.testing.assert_array_equal(np.load("pipe/stdin.gradcam.npy"), np.load("file/photo.gradcam.npy"))


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("explain", ("--with", "gradcam,saliency"), lambda found: found["results"][0]["image"]["path"]),
        ("predict", (), lambda found: found["results"][0]["path"]),
        ("doctor", (), lambda found: found["predictions"][0]["path"]),
    ],
)
def test_a_dash_is_the_picture_for_every_command(command, photo, small_model, monkeypatch, name, more, told):
    _, expected, _ = command(name, small_model, photo(), *more, "--json")
    monkeypatch.setattr(sys, "stdin", Pipe(Path("photo.png").read_bytes()))

    code, out, _ = command(name, small_model, "-", *more, "--json")

    piped, read = json.loads(out), json.loads(expected)
    assert (code, told(piped), told(read)) == (0, "stdin", "photo.png")
    if name == "predict":
        assert piped["results"][0]["best"] == read["results"][0]["best"]
        assert Path(piped["folder"], piped["results"][0]["file"]).name == "stdin.predicted.jpg"


@pytest.mark.parametrize("name", ["predict", "doctor"])
def test_names_come_from_standard_input_for_every_command(command, photo, small_model, monkeypatch, name):
    photo("a.png"), photo("b.png", seed=1)
    monkeypatch.setattr(sys, "stdin", Pipe(b"a.png\nb.png\n"))

    code, out, _ = command(name, small_model, "--from-file", "-", "--json")

    assert code == 0
    assert [one["path"] for one in json.loads(out)[{"predict": "results", "doctor": "predictions"}[name]]] == [
        "a.png",
        "b.png",
    ]


@pytest.mark.parametrize("name", ["gradcam", "predict", "doctor"])
def test_the_only_picture_is_refused_before_the_model_is_looked_at(command, monkeypatch, name):
    Path("no.keras").write_bytes(b"no model")
    monkeypatch.setattr(sys, "stdin", Pipe(b"no picture"))

    code, out, _ = command(name, "no.keras", "-", *(() if name == "doctor" else ("--out", "run")))

    assert (code, out) == (1, "")


def test_standard_input_is_read_as_files_are(command, small_model, monkeypatch):
    frames = [Picture.new("RGBA", (8, 8), colour) for colour in ("#ff0000ff", "#00ff0080")]
    frames[0].save("two.tif", save_all=True, append_images=frames[1:])
    words = ("--frame", "2", "--background", "navy")
    command("gradcam", small_model, "two.tif", *words, "--out", "file")
    monkeypatch.setattr(sys, "stdin", Pipe(Path("two.tif").read_bytes()))

    code, _, _ = command("gradcam", small_model, "-", *words, "--out", "pipe")

    assert code == 0
    piped, read = (manifest(folder)["results"][0]["image"] for folder in ("pipe", "file"))
    assert piped["notes"] == read["notes"] == ["frame 2 of 2", "transparent parts shown on navy"]
    np.testing.assert_array_equal(np.load("pipe/stdin.gradcam.npy"), np.load("file/two.gradcam.npy"))


def test_standard_input_that_can_not_be_read_as_asked_is_called_so(command, photo, small_model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Pipe(Path(photo()).read_bytes()))

    code, _, err = command("gradcam", small_model, "-", "--frame", "2")

    assert (code, err.splitlines()[0]) == (1, "error: stdin has one frame, so there is no frame 2")


def test_an_empty_standard_input_is_called_so(command, small_model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Pipe(b""))

    code, _, err = command("gradcam", small_model, "-")

    assert (code, err.splitlines()[0]) == (1, "error: stdin is empty")


def test_what_is_no_picture_on_standard_input_is_called_so(command, small_model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Pipe(b"no picture"))

    code, _, err = command("gradcam", small_model, "-")

    assert code == 1
    assert "error: stdin is not a picture" in err
    assert "xcnn-stdin-" not in err


def test_standard_input_can_not_be_a_picture_and_names_at_once(command, small_model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Pipe(b""))

    code, _, err = command("gradcam", small_model, "-", "--from-file", "-")

    assert code == 2
    assert "standard input is one picture, or names of pictures" in err


def test_a_dash_without_a_pipe_does_not_wait(command, small_model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)

    code, _, err = command("gradcam", small_model, "-")

    assert (code, err.splitlines()[0]) == (2, "error: - reads standard input, and nothing is piped into it")


def test_globs_are_expanded_below_folders_in_natural_order_and_a_literal_name_wins(command, photo, small_model):
    for name in ("a/x10.png", "a/b/x2.png", "a/x9.png", "[x].png", "x.png"):
        photo(name)

    _, out, _ = command("gradcam", small_model, "a/**/*.png", "[x].png", "--dry-run", "--json")

    assert json.loads(out)["pictures"] == ["a/b/x2.png", "a/x9.png", "a/x10.png", "[x].png"]


def test_folders_that_a_list_names_are_looked_into_as_deep_as_asked(command, photo):
    for name in ("a/x.png", "a/b/y.png"):
        photo(name)
    Path("names.txt").write_bytes(b"a\n")
    words = ("gradcam", "efficientnet-lite0", "--from-file", "names.txt", "--dry-run", "--json")

    assert json.loads(command(*words)[1])["pictures"] == ["a/x.png"]
    assert json.loads(command(*words, "--recursive")[1])["pictures"] == ["a/x.png", "a/b/y.png"]


# --- rehearsals --------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_happen_and_touches_nothing(command, photo, own_folder):
    photo("a.png")
    Path("model.keras").write_bytes(b"no model: it is not opened")
    Path("xcnn.toml").write_text("seed = 3\n")
    before = sorted(own_folder.rglob("*"))

    code, out, err = command(
        "explain", "model.keras", "*.png", "--with", "gradcam,occlusion", "--window", "9", "--fail-fast", "--dry-run"
    )

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "model: model.keras",
        "pictures: 1: a.png",
        "explainers: gradcam, occlusion",
        "--window: 9x9 (command line)",
        "--seed: 3 (xcnn.toml)",
        "--fail-fast: True (command line)",
        "folder: xcnn-out/explain, nothing was written",
    ]
    assert sorted(own_folder.rglob("*")) == before


def test_a_dry_run_of_a_model_explainer_names_no_picture(command):
    code, out, _ = command("filters", "efficientnet-lite0", "--dry-run")

    assert code == 0
    assert out.splitlines()[:2] == ["model: efficientnet-lite0", "explainers: filters"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("gone.keras", "a.png"), 3, "there is no model file gone.keras"),
        (("efficientnet-lite0", "gone.png"), 2, "there is no file gone.png"),
        (("efficientnet-lite0", "a.png", "--out", "there"), 5, "there already exists"),
        (("efficientnet-lite0", "a.png", "--colormap", "virdis"), 2, "viridis (did you mean this?)"),
        (("efficientnet-lite0", "a.png", "--preprocess", "tff"), 2, "there is no preprocessing 'tff'"),
        (("efficientnet-lite0", "-", "--background", "gren"), 2, "--background is 'gren', which is no colour"),
    ],
)
def test_a_dry_run_refuses_what_the_run_would(command, photo, own_folder, words, code, told):
    photo("a.png")
    (own_folder / "there").mkdir()

    found, out, err = command("gradcam", *words, "--dry-run")

    assert (found, out) == (code, "")
    assert told in err


# --- ends before the end -----------------------------------------------------------------------------------------


def test_the_first_failure_ends_a_run_that_is_to_fail_fast(command, photo, small_model, own_folder):
    photo("a.png")
    Path("b.png").write_bytes(b"no picture")
    photo("c.png")

    code, out, err = command("gradcam", small_model, "a.png", "b.png", "c.png", "--fail-fast", "--batch-size", "1")

    assert (code, out) == (1, "")
    assert err.count("error:") == 1
    assert "b.png is not a picture" in err
    assert not (own_folder / "xcnn-out").exists()


def test_what_was_finished_before_the_failure_can_be_kept(command, photo, small_model, own_folder):
    photo("a.png")
    Path("b.png").write_bytes(b"no picture")
    photo("c.png")
    words = ("gradcam", small_model, "a.png", "b.png", "c.png", "--fail-fast", "--keep-partial", "--batch-size", "1")

    code, out, err = command(*words)

    assert (code, out) == (1, "xcnn-out/gradcam/report.html\n")
    assert "failed: what was finished is kept" in err
    about = manifest("xcnn-out/gradcam")
    assert [result["image"]["path"] for result in about["results"]] == ["a.png"]
    assert [failure["path"] for failure in about["failures"]] == ["b.png"]
    assert "failed before the end: 1 of 3 pictures were explained" in about["warnings"]


class Stopping:
    """Events that interrupt the run at its second picture, while that is being written."""

    def __init__(self, problem):
        self.problem, self.seen = problem, 0

    def __getattr__(self, _):
        return lambda *_: None

    def working(self, _):
        self.seen += 1
        if self.seen == 2:
            raise self.problem


@pytest.mark.parametrize(("problem", "word"), [(KeyboardInterrupt, "interrupted"), (Terminated, "terminated")])
def test_an_interrupted_run_keeps_what_was_finished_where_it_is_asked_to(photo, own_folder, problem, word):
    images = tuple(photo(f"{name}.png", height=4, width=4) for name in "abc")
    network = FakeNetwork(features=[[[[1, 2], [3, 4]], [[0, 0], [2, 0]]]])
    asked = {"host": Host(), "model": network, "out": own_folder / "run", "events": Stopping(problem())}
    request = Request(model="", images=images, batch_size=1)

    run = execute(request, [GradCAM()], keep_partial=True, **asked)

    assert run.stopped == word
    about = manifest("run")
    assert [result["image"]["path"] for result in about["results"]] == ["a.png"]
    assert set(about["files"]) == {path.name for path in (own_folder / "run").iterdir()}
    assert not any(name.startswith("b.") for name in about["files"])


@pytest.mark.parametrize("problem", [KeyboardInterrupt, Terminated])
def test_without_that_nothing_is_left(photo, own_folder, problem):
    images = tuple(photo(f"{name}.png", height=4, width=4) for name in "abc")
    network = FakeNetwork(features=[[[[1, 2], [3, 4]], [[0, 0], [2, 0]]]])
    asked = {"host": Host(), "model": network, "out": own_folder / "run", "events": Stopping(problem())}

    with pytest.raises(problem):
        execute(Request(model="", images=images, batch_size=1), [GradCAM()], **asked)

    assert sorted(path.name for path in own_folder.iterdir()) == ["a.png", "b.png", "c.png"]


def test_an_error_that_is_no_failure_of_an_input_ends_a_run_whatever_is_to_be_kept(photo, own_folder):
    images = tuple(photo(f"{name}.png", height=4, width=4) for name in "abc")
    network = FakeNetwork(features=[[[[1, 2], [3, 4]], [[0, 0], [2, 0]]]])
    asked = {"host": Host(), "model": network, "out": own_folder / "run", "events": Stopping(ImageError("odd"))}

    with pytest.raises(ImageError, match="odd"):
        execute(Request(model="", images=images, batch_size=1), [GradCAM()], keep_partial=True, **asked)

    assert not (own_folder / "run").exists()


# --- exit codes --------------------------------------------------------------------------------------------------


def test_failed_pictures_exit_with_zero_where_that_is_asked_for(command, photo, small_model):
    Path("b.png").write_bytes(b"no picture")

    assert command("gradcam", small_model, photo(), "b.png")[0] == 1
    assert command("gradcam", small_model, photo(), "b.png", "--exit-zero")[0] == 0
    assert command("gradcam", small_model, "b.png", "--exit-zero")[0] == 0
    code, out, _ = command("gradcam", small_model, "b.png", "--exit-zero", "--json")
    assert (code, json.loads(out)["error"]["exit_code"]) == (0, 0)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gone.keras", "photo.png"), 3),
        (("efficientnet-lite0", "gone.png"), 2),
        (("efficientnet-lite0", "photo.png", "-o", "."), 5),
    ],
)
def test_other_failures_keep_their_codes(command, photo, words, expected):
    photo()

    assert command("gradcam", *words, "--exit-zero")[0] == expected
