"""Reports made again of run folders: one, several of one model, and hostile ones."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeNetwork, pictures

import xcnn
from xcnn.errors import OutputError, XcnnError
from xcnn.report import pages
from xcnn.saving import schema
from xcnn.saving.rebuild import join_reports

EVERY = ["gradcam", "saliency", "occlusion", "activations", "kernels"]


def manifest(folder):
    return json.loads((Path(folder) / "run.json").read_text("ascii"))


@pytest.fixture
def runs(own_folder):
    """Write runs of the fake network over the same two pictures and return their folders."""

    def write(*names, seed=0):
        network = FakeNetwork(features=np.arange(8).reshape(1, 2, 2, 2))
        folders = []
        for name in names:
            options = {"window": "2", "stride": "2"} if name == "occlusion" else {}
            run = xcnn.explain(
                network, None if name == "kernels" else pictures((6, 8), (9, 7), seed=seed), name, **options
            )
            run.save(own_folder / name)
            folders.append(name)
        return folders

    return write


@pytest.fixture
def broken(runs):
    """A run folder whose run.json is changed by a function."""

    def write(change):
        (folder,) = runs("gradcam")
        told = manifest(folder)
        change(told)
        Path(folder, "run.json").write_text(json.dumps(told), "ascii")
        return folder

    return write


def test_every_explainer_writes_what_the_schema_says(runs):
    for folder in runs(*EVERY):
        assert schema.problem(manifest(folder)) == "", folder


def test_a_report_made_again_has_the_same_page_and_numbers(runs):
    (folder,) = runs("gradcam")

    report = join_reports([folder], Path("again"))

    assert report == Path("again/report.html")
    old, new = manifest(folder), manifest("again")
    assert old.pop("hashes").keys() == set(old["files"]) - {"run.json"}
    assert {**new, "files": sorted(new["files"])} == {**old, "files": sorted(old["files"])}
    for name in (name for name in old["files"] if name.endswith(".npy")):
        np.testing.assert_array_equal(np.load(Path("again", name)), np.load(Path(folder, name)))
    assert "array-0" in report.read_text("utf-8")


def test_several_runs_put_the_results_of_a_picture_together(runs):
    folders = runs("gradcam", "saliency", "kernels")

    join_reports(folders, Path("both"))

    told = manifest("both")
    seen = [(one["explainer"], one["image"] and one["image"]["path"]) for one in told["results"]]
    assert seen == [
        ("kernels", None),
        ("gradcam", "array-0"),
        ("saliency", "array-0"),
        ("gradcam", "array-1"),
        ("saliency", "array-1"),
    ]
    assert len({one["image"]["file"] for one in told["results"] if one["image"]}) == 2
    assert schema.problem(told) == ""
    assert {path.name for path in Path("both").iterdir()} == set(told["files"])
    assert len(list(Path("both").glob("*.source*.jpg"))) == 2


def test_the_same_run_twice_is_there_once_and_another_option_is_another_explainer(runs):
    runs("saliency")
    Path("saliency").rename("first")
    shutil.copytree("first", "copy")
    xcnn.explain(FakeNetwork(), pictures((6, 8), seed=0), "saliency", reduce="mean").save("other")

    join_reports(["first", "copy", "other"], Path("all"))

    told = manifest("all")
    assert [one["name"] for one in told["explainers"]] == ["saliency", "saliency 2"]
    assert [one["title"] for one in told["explainers"]] == ["Saliency", "Saliency (reduce mean)"]
    assert [(one["explainer"], one["image"]["path"]) for one in told["results"]] == [
        ("saliency", "array-0"), ("saliency 2", "array-0"), ("saliency", "array-1"),
    ]  # fmt: skip


def test_a_folder_that_is_named_twice_is_told(runs):
    runs("gradcam", "saliency")
    told = []

    join_reports(
        ["gradcam", "saliency", "./saliency/report.html", "../" + Path.cwd().name + "/gradcam"], "all", say=told.append
    )

    assert told == ["of 4 run folders, 2 are different: each is in the report once"]
    assert [one["name"] for one in manifest("all")["explainers"]] == ["gradcam", "saliency"]


def test_what_one_run_was_told_of_a_picture_holds_for_all(own_folder, photo):
    Path("truth.csv").write_text(f"{photo()},green\n")
    for name, truth in (("gradcam", None), ("saliency", "truth.csv")):
        xcnn.explain(FakeNetwork(), "photo.png", name, truth=truth).save(name)

    join_reports(["gradcam", "saliency"], Path("both"))

    results = manifest("both")["results"]
    best = results[0]["predictions"][0]["index"]
    assert [(one["truth"]["label"], one["wrong"]) for one in results] == [("green", best != 1)] * 2


def test_parts_of_a_picture_that_differ_stay_apart(own_folder, photo):
    photo()
    for fit in ("stretch", "crop"):
        xcnn.explain(FakeNetwork(), "photo.png", "saliency", fit=fit).save(fit)

    join_reports(["stretch", "crop"], Path("both"))

    results = manifest("both")["results"]
    assert [(one["image"]["height"], one["image"]["width"]) for one in results] == [(30, 40), (30, 30)]
    assert len({one["image"]["file"] for one in results}) == 2


def test_runs_of_different_models_are_not_joined(runs):
    folders = runs("gradcam", "saliency")
    told = manifest("saliency")
    told["model"]["name"] = "another"
    Path("saliency/run.json").write_text(json.dumps(told))

    with pytest.raises(XcnnError, match="different models: fake and another"):
        join_reports(folders, Path("out"))


def put(*keys, value):
    def change(told):
        for key in keys[:-1]:
            told = told[key]
        told[keys[-1]] = value

    return change


FILES = ("results", 0, "panels", 0, "files", "values")
SOURCE = ("results", 0, "image", "file")
HOSTILE = {
    "a name that leads out": put(*FILES, value="../secret.npy"),
    "an absolute name": put(*SOURCE, value="/etc/passwd"),
    "a name with NUL": put(*SOURCE, value="a\0.jpg"),
    "half a character": put(*SOURCE, value="\ud800.jpg"),
    "another kind of file": put(*SOURCE, value="run.json"),
    "a file that is not there": put(*SOURCE, value="none.jpg"),
    "another type": put("results", value={}),
    "a colour that is none": put("palette", "stops", value=["red;}"]),
    "not a number": put("seconds", value=float("nan")),
    "a number beyond all": put("seconds", value=10**400),
    "another shape": put("results", 0, "panels", 0, "height", value=99),
    "an explainer that nobody named": put("results", 0, "explainer", value="ghost"),
    "what the schema does not know": put("html", value="<b>"),
    "another version": put("schema_version", value=99),
    "an opacity that is none": put("options", value=[{"name": "alpha", "value": "x", "source": "", "help": ""}]),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_run_is_refused_and_nothing_is_written(broken, change):
    folder = broken(change)
    Path("secret.npy").write_bytes(Path(folder, "array-0.gradcam.npy").read_bytes())

    with pytest.raises(XcnnError) as caught:
        join_reports([folder], Path("out"))

    assert caught.value.hint
    assert caught.value.exit_code in {1, 2}
    assert not Path("out").exists()


def test_what_is_wrong_with_a_panel_is_told_of_its_own_kind(broken):
    folder = broken(put("results", 0, "panels", 0, "minimum", value="x"))

    with pytest.raises(XcnnError, match=r'run\.json\.results\.0\.panels\.0\.minimum is "x", not of type number'):
        join_reports([folder], Path("out"))


def test_a_link_out_of_the_folder_is_not_followed(runs):
    (folder,) = runs("gradcam")
    file = Path(folder, "array-0.source.jpg")
    file.rename("private.jpg")
    file.symlink_to(Path("private.jpg").resolve())

    with pytest.raises(XcnnError, match="can't be a file of a run"):
        join_reports([folder], Path("out"))


def test_what_lies_behind_the_pixels_of_a_picture_is_not_handed_on(runs):
    (folder,) = runs("gradcam")
    with Path(folder, "array-0.source.jpg").open("ab") as file:
        file.write(b"<script>secret</script>")

    join_reports([folder], Path("out"))

    assert not any(b"secret" in path.read_bytes() for path in Path("out").iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"schema_version": 2}'])
def test_a_run_json_that_is_none_is_refused(own_folder, text):
    Path("run").mkdir()
    Path("run/run.json").write_text(text)

    with pytest.raises(XcnnError, match=r"run\.json"):
        join_reports(["run"], Path("out"))


def test_a_folder_without_a_run_is_refused(command, own_folder):
    Path("empty").mkdir()

    code, out, err = command("report", "empty")

    assert (code, out) == (2, "")
    assert err == "error: empty holds no run.json\n  try: name a folder that xcnn wrote\n"


def test_the_command_tells_the_report_and_opens_nothing_without_a_terminal(command, runs):
    folders = runs("gradcam", "saliency")

    code, out, err = command("report", *folders, "--open")

    assert (code, out, err) == (0, "xcnn-out/report/report.html\n", "not opened: standard output is no terminal\n")
    assert command("report", "gradcam", "--out", "gradcam")[0] == 5
    assert command("report")[0] == 2


def test_on_a_terminal_the_browser_is_opened(runs, own_folder):
    (folder,) = runs("gradcam")
    browser = own_folder / "browser"
    browser.write_text("#!/bin/sh\nprintf '%s' \"$1\" > shown\n")
    browser.chmod(0o755)
    ours, theirs = pty.openpty()

    words = [sys.executable, "-m", "xcnn", "report", folder, "--out", "a b", "--open"]
    subprocess.run(
        words, check=True, stdout=theirs, stderr=subprocess.PIPE, env={**os.environ, "BROWSER": str(browser)}
    )

    os.close(ours)
    os.close(theirs)
    assert Path("shown").read_text() == Path("a b/report.html").resolve().as_uri()


def test_tensorflow_is_not_loaded(runs):
    (folder,) = runs("gradcam")
    code = (
        "import sys; from xcnn.cli.main import run\n"
        f"assert run(['report', {folder!r}]) == 0\n"
        "assert not {'tensorflow', 'keras', 'h5py'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_report_that_is_too_large_for_a_file_is_a_folder_and_says_so(command, runs):
    (folder,) = runs("gradcam")
    whole = Path(folder, "report.html").read_text("utf-8")

    code, out, err = command("report", folder, "--report-max-mb", "0.01", "--out", "parts")

    assert (code, out) == (0, "parts/report.html\n")
    assert err == "the report is a folder of 1 page and photographs: one file would be larger than 0.01 MB\n"
    page = Path("parts/report.html").read_text("utf-8")
    assert "data:image/jpeg" in whole
    assert "data:image/jpeg" not in page
    assert page.count('loading="lazy" decoding="async" src="./array-0.source.jpg"') == 2
    assert command("report", "parts/report.html", "--out", "parts", "--overwrite")[0] == 5  # it is read
    assert command("report", "parts/report.html", "--out", "whole") == (0, "whole/report.html\n", "")
    assert "data:image/jpeg" in Path("whole/report.html").read_text("utf-8")


def test_a_limit_of_nothing_always_makes_a_folder_whose_pages_belong_to_the_run(own_folder, monkeypatch):
    monkeypatch.setattr(pages, "IMAGES", 2)
    xcnn.explain(FakeNetwork(), pictures(*[(6, 8)] * 5), "saliency", report_max_mb=0).save("out")

    told = manifest("out")
    assert {"report.html", "report-2.html", "report-3.html"} <= set(told["files"])
    assert {path.name for path in Path("out").iterdir()} == set(told["files"])
    assert schema.problem(told) == ""
    assert "Page 3 of 3: images 5 to 5 of 5" in Path("out/report-3.html").read_text("utf-8")

    join_reports(["out/report-2.html"], Path("again"), report_max_mb=0)
    assert Path("again/report-3.html").is_file()
    shutil.move("out", "old")
    join_reports(["old"], Path("again"), overwrite=True)
    assert not Path("again/report-2.html").exists()


def test_python_joins_reports_too(runs):
    runs("gradcam", "saliency")

    path = xcnn.join_reports([Path("gradcam"), Path("saliency", "report.html")], "both")

    assert path == Path("both", "report.html")
    assert [one["name"] for one in manifest("both")["explainers"]] == ["gradcam", "saliency"]
    with pytest.raises(OutputError, match="both already exists"):
        xcnn.join_reports(["gradcam"], "both")
