"""What a report does not tell of who made it."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from fakes import FakeNetwork

import xcnn
from xcnn import privacy
from xcnn.explainers.gradcam import GradCAM
from xcnn.request import Request, command_line


@pytest.fixture
def home(own_folder, monkeypatch):
    """A home directory of a user called jo."""
    folder = own_folder / "people" / "jo"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "jo")
    return folder


def test_neither_run_json_nor_the_report_tells_the_home_or_the_user(home, photo):
    photo("people/jo/a.png")
    photo("people/jo/secret/b.png", seed=1)
    Path(home, "broken.png").write_bytes(b"no picture")
    given = [f"{home}/a.png", f"{home}/secret", f"{home}/broken.png"]

    xcnn.explain(FakeNetwork(), given, "saliency").save("out")

    for name in ("run.json", "report.html"):
        text = Path("out", name).read_text("utf-8")
        assert str(home) not in text
        assert "/jo" not in text
    told = json.loads(Path("out/run.json").read_text())
    assert [one["image"]["path"] for one in told["results"]] == ["~/a.png", "~/secret/b.png"]
    assert told["failures"][0]["path"] == "~/broken.png"
    assert "~/broken.png" in told["failures"][0]["message"]


def test_a_run_in_memory_tells_neither(home, photo):
    photo("people/jo/a.png")

    run = xcnn.explain(FakeNetwork(), f"{home}/a.png", "saliency", out=f"{home}/out")

    assert str(home) not in json.dumps(run.about)
    assert run.results[0].image.path == f"{home}/a.png"  # the picture can still be found


def test_a_notebook_tells_neither(home, photo):
    photo("people/jo/a.png")
    Path(home, "broken.png").write_bytes(b"no picture")

    shown = xcnn.explain(FakeNetwork(), [f"{home}/a.png", f"{home}/broken.png"], "saliency")._repr_html_()

    assert "~/broken.png" in shown
    assert str(home) not in shown


def test_the_command_still_works_in_a_shell(home):
    command = command_line(Request(model=f"{home}/m o.h5", images=(f"{home}/a'b.png", "c d.png")), [GradCAM()])

    assert str(home) not in command
    done = subprocess.run(["/bin/sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["xcnn", "gradcam", f"{home}/m o.h5", f"{home}/a'b.png", "c d.png"]
    assert shlex.split(command)[-1] == "c d.png"


def test_the_command_names_the_folder_that_was_asked_for_and_not_who_asked(home, photo):
    photo("people/jo/a.png")
    out = "people/jo/out"

    xcnn.explain(FakeNetwork(), "people/jo/a.png", "saliency", out=out)

    told = json.loads(Path(out, "run.json").read_text())
    assert next(row["value"] for row in told["options"] if row["name"] == "out") == "people/USER/out"
    for name in ("run.json", "report.html"):
        assert "people/jo" not in Path(out, name).read_text("utf-8")


@pytest.mark.parametrize("out", ["people/jo/out", "jo", "/media/jo/a b", "../jo"])
def test_a_shell_fills_the_user_in_again(home, monkeypatch, out):
    monkeypatch.setenv("USER", "jo")
    command = command_line(Request(model="m.h5", images=("jo/a.png",), out=out, overwrite=True), [GradCAM()])

    assert "jo" not in command
    done = subprocess.run(["/bin/sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["xcnn", "gradcam", "m.h5", "jo/a.png", "--out", out, "--overwrite"]


def test_a_home_that_is_not_called_like_its_user_is_left_out_of_relative_paths(home, monkeypatch):
    monkeypatch.setenv("HOME", "/data/homes/al7")

    assert privacy.redacted("homes/al7/out and al7/out") == "homes/USER/out and al7/out"


def test_the_name_of_a_layer_is_none_of_a_user(home):
    layer = {"name": "layer", "value": ["jo/conv"], "source": "command line", "help": ""}
    told = {"layer": "jo/conv", "default_layer": {"path": "jo/conv", "reason": ""}, "options": [layer]}

    assert privacy.redacted(told) == told
    assert command_line(Request(model="m.h5"), [GradCAM(layer="jo/conv")]).endswith("--layer jo/conv")


def test_who_the_user_is_is_looked_up_once_for_a_whole_run(home, monkeypatch):
    asked = []
    looked_up = Path.resolve
    monkeypatch.setattr(Path, "resolve", lambda path, **given: asked.append(path) or looked_up(path, **given))

    privacy.redacted({"texts": [f"{home}/{number}.png" for number in range(50)]})

    assert asked == [home]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{home}", "~"),
        ("{home}/a", "~/a"),
        ("NAME={home}/a.npy", "NAME=~/a.npy"),
        ("can't read {home}/a: denied", "can't read ~/a: denied"),
        ("{home}sephine/a", "{home}sephine/a"),
        ("/x{home}sephine", "/x{home}sephine"),
        ("/media/jo", "/media/USER"),
        ("/media/jo/disk/a", "/media/USER/disk/a"),
        ("/media/jolly/jo.png", "/media/jolly/jo.png"),
        ("jo/a.png", "USER/a.png"),
        ("media/jo/disk/a", "media/USER/disk/a"),
        ("../jo/a", "../USER/a"),
        ("can't read media/jo.", "can't read media/USER."),
        ("can't read {home}.", "can't read ~."),
        ("jo", "jo"),
        ("banjo/jo.png", "banjo/jo.png"),
    ],
)
def test_whole_parts_of_paths_are_left_out_and_nothing_else(home, text, expected):
    found = privacy.redacted({"key": [text.format(home=home)]})["key"][0]

    assert found == expected.format(home=home)
    assert privacy.redacted(found) == found
