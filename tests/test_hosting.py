"""What installed plugins may do, and what a broken one costs: nothing but itself."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import numpy as np
import pytest

import xcnn
from xcnn.errors import PluginError
from xcnn.host import Host

pytestmark = pytest.mark.keras

HEAD = """
from dataclasses import dataclass
from typing import Annotated, ClassVar
import numpy as np
from xcnn.plugin import *
"""
EXPLAINER = (
    HEAD
    + """
@dataclass(frozen=True, kw_only=True)
class Mean(Explainer):
    \"\"\"Show the mean of the colours.\"\"\"

    name: ClassVar[str] = "mean"
    {extra}

    def explain(self, network, batch):
        network.predict(batch)
        {body}
        maps = batch.pixels.mean(axis=-1).repeat(len(batch.targets) // batch.images, axis=0)
        return panels({{"": maps}}, sign="positive", unit="gray", fine=True)
"""
)


@pytest.fixture
def install(own_folder, monkeypatch):
    """Install a distribution of one module."""
    site = own_folder / "site"

    def add(name, source, **groups):
        folder = site / f"xcnn_{name}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: xcnn-{name}\nVersion: 1.0\n")
        entries = "".join(f"[xcnn.{group}]\n{entry}\n" for group, entry in groups.items())
        (folder / "entry_points.txt").write_text(entries)
        (site / f"xcnn_{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(site)

    return add


@pytest.fixture
def mean(install):
    """Install an explainer whose class or body has something added; a name of its own for each test's module."""

    def add(name, extra="pass", body="pass"):
        install(name, EXPLAINER.format(extra=extra, body=body), explainers=f"mean = xcnn_{name}:Mean")
        return Host().explainer("mean")

    return add


# The version of the API


@pytest.mark.parametrize("built", ["", "1.0"])
def test_a_plugin_of_this_version_or_none_is_used(mean, built):
    kind = mean(f"fits{len(built)}", extra=f'xcnn_api: ClassVar[str] = "{built}"')

    assert kind.name == "mean"


@pytest.mark.parametrize(
    ("built", "words", "hint"),
    [
        ("2.0", "was built for version 2.0 of xcnn.plugin, and this is 1.0", "upgrade xcnn"),
        ("1.9", "was built for version 1.9 of xcnn.plugin, and this is 1.0", "upgrade xcnn"),
        ("0.4", "was built for version 0.4 of xcnn.plugin, and this is 1.0", "upgrade the plugin"),
        ("new", "says xcnn_api = 'new'; it is a version like '1.0'", ""),
    ],
)
def test_a_plugin_of_another_version_is_one_clear_sentence(mean, built, words, hint):
    with pytest.raises(PluginError) as caught:
        mean(f"v{built.replace('.', '_')}", extra=f'xcnn_api: ClassVar[str] = "{built}"')

    assert caught.value.message.startswith("plugin xcnn-v")
    assert words in caught.value.message
    assert caught.value.hint == hint


def test_an_extension_of_another_version_is_refused(install):
    install("ahead", 'xcnn_api = "7.1"', extensions="ahead = xcnn_ahead")

    host = Host()
    assert "efficientnet-lite0" in host.models(extensions=True)
    assert "xcnn-ahead 1.0 was built for version 7.1" in next(iter(host.broken.values())).message


def test_a_broken_extension_takes_nothing_of_the_others_away(install, command, photo, small_model):
    install("ahead2", 'xcnn_api = "7.1"', extensions="ahead = xcnn_ahead2")
    install("misspelt", HEAD + "@hookimpl\ndef xcnn_modles():\n    return []", extensions="misspelt = xcnn_misspelt")
    source = (
        HEAD + "@hookimpl\ndef xcnn_preprocessors():\n    return [Preprocessing('xray', 'pixels / 9', scale=(1 / 9,))]"
    )
    install("xray", source, extensions="xray = xcnn_xray")

    good, _, _ = command("gradcam", small_model, photo(), "--preprocess", "xray")
    bad, _, err = command("gradcam", small_model, photo(), "--preprocess", "xrays")

    assert (good, bad) == (0, 6)
    assert "there is no preprocessing 'xrays', and plugin xcnn-ahead2 1.0 was built for version 7.1" in " ".join(
        err.split()
    )


def test_a_plugin_with_the_name_of_a_built_in_takes_nothing_away(install, command, photo, small_model):
    install(
        "thief",
        EXPLAINER.format(extra="pass", body="pass").replace('"mean"', '"gradcam"'),
        explainers="gradcam = xcnn_thief:Mean",
    )

    code, _, _ = command("gradcam", small_model, photo(), "--out", "run")

    assert code == 0
    assert json.loads(Path("run/run.json").read_text())["explainers"][0]["distribution"] == "xcnn"
    assert "CLASH with xcnn" in command("plugins")[1]
    assert "claimed by xcnn-thief and xcnn" in " ".join(command("plugins", "--load")[1].split())


@pytest.mark.parametrize("only", ["xcnn-typo", ""])
def test_a_list_of_plugins_that_lets_none_in_is_told(mean, command, monkeypatch, only):
    mean(f"only{len(only)}")
    monkeypatch.setenv("XCNN_PLUGINS", only)

    _, _, err = command("plugins")

    assert f"XCNN_PLUGINS lets none in: it is '{only}'" in err


@pytest.mark.parametrize("returned", ["['xray']", "[3]", "{'xray': 1}"])
def test_what_is_no_preprocessing_names_its_plugin(install, command, photo, small_model, returned):
    name = f"no{abs(hash(returned))}"
    install(name, HEAD + f"@hookimpl\ndef xcnn_preprocessors():\n    return {returned}", extensions=f"x = xcnn_{name}")

    code, _, err = command("gradcam", small_model, photo(), "--preprocess", "xray")

    assert code == 6
    assert f"error: plugin xcnn-{name} has " in err


# What an explainer does that it should not


def test_what_a_plugin_prints_is_not_among_the_answers(mean, command, photo, small_model):
    mean("loud", body='print("hello")')

    code, out, err = command("mean", small_model, photo())

    assert (code, out) == (0, "xcnn-out/mean/report.html\n")
    assert "hello" in err


def test_what_a_library_of_a_plugin_prints_is_not_among_the_answers(mean, command, photo, small_model):
    mean("loud2", body='import os, sys; os.write(1, b"low"); sys.__stdout__.write("high"); os.system("echo far")')

    code, out, err = command("mean", small_model, photo(), "--json")

    assert code == 0
    assert json.loads(out)["results"]
    assert all(word in err for word in ("low", "high", "far"))


@pytest.mark.parametrize("values", ["np.ones((2, 2), int)", "np.ones((2, 2), bool)", "np.ones((2, 2), 'float64')"])
def test_numbers_of_any_kind_become_float32(mean, photo, small_model, values):
    mean(f"kind{len(values)}", body=f"return [(Attribution({values}, sign='positive', unit=''),)]")

    run = xcnn.explain(small_model, [photo()], "mean", out="run")

    assert run.results[0].panels[0].values.dtype == np.float32
    assert np.load(next(Path("run").glob("*.npy"))).dtype == np.float32


def test_a_number_that_no_float32_holds_is_told(mean, command, photo, small_model):
    mean("huge", body="return [(Attribution(np.full((2, 2), 1e300), sign='positive', unit=''),)]")

    code, _, err = command("mean", small_model, photo())

    assert code == 1
    assert "the mean map is not finite" in err


PICKY = "if (batch.pixels[..., 0] == 0).all(-1).all(-1).any(): raise ValueError('black')"


@pytest.mark.parametrize("leave", ["raise ValueError('black')", "import sys; sys.exit(0)"])
def test_a_plugin_that_breaks_on_one_picture_explains_the_others(mean, command, photo, own_folder, small_model, leave):
    mean(f"picky{len(leave)}", body=PICKY.replace("raise ValueError('black')", leave))
    from PIL import Image

    Image.new("RGB", (20, 20)).save("black.png")

    code, out, err = command("mean", small_model, photo("a.png"), "black.png", photo("b.png"), "--out", "run")

    assert (code, out) == (6, "run/report.html\n")
    manifest = json.loads(Path("run/run.json").read_text())
    assert [result["image"]["path"] for result in manifest["results"]] == ["a.png", "b.png"]
    assert [(one["path"], one["code"]) for one in manifest["failures"]] == [("black.png", "plugin")]
    assert "plugin xcnn-picky" in err


@pytest.mark.parametrize(
    ("several", "kept", "where"), [((), ["a.png"], "black.png"), (("--with", "mean,gradcam"), ["a.png"] * 2, "")]
)
def test_where_the_first_failure_is_the_end_a_plugin_fails_once(
    mean, command, photo, own_folder, small_model, several, kept, where
):
    mean(f"hasty{len(several)}", body=PICKY)
    from PIL import Image

    Image.new("RGB", (20, 20)).save("black.png")
    words = (small_model, photo("a.png"), "black.png", photo("b.png"), "--fail-fast", "--keep-partial")
    size = ("--batch-size", "1") if several else ()

    code, out, _ = command("explain" if several else "mean", *words, *several, *size, "--out", "run")

    assert (code, out) == (6, "run/report.html\n")
    manifest = json.loads(Path("run/run.json").read_text())
    assert [result["image"]["path"] for result in manifest["results"]] == kept
    assert [(one["path"], one["code"]) for one in manifest["failures"]] == [(where, "plugin")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import sys; sys.exit(0)", "mean failed: SystemExit: 0"),
        ("return [(Attribution(np.ones(3), sign='positive', unit=''),)]", "of shape (3,); a map is (h, w) numbers"),
        ("return None", "returned NoneType; explain returns a list"),
    ],
)
def test_what_is_no_panel_is_the_plugins_fault(install, command, photo, small_model, own_folder, body, words):
    name = f"bad{abs(hash(body))}"
    install(name, EXPLAINER.format(extra="pass", body=body), explainers=f"mean = xcnn_{name}:Mean")

    code, out, err = command("mean", small_model, photo())

    assert (code, out) == (6, ""), err
    assert f"error: plugin xcnn-{name}: mean" in err
    assert words in " ".join(err.split())
    assert not Path("xcnn-out").exists()


def test_a_map_that_is_not_finite_names_the_plugin(mean, command, photo, small_model):
    mean("nan", body="return panels({'': np.full((1, 2, 2), np.nan)}, sign='signed', unit='')")

    code, _, err = command("mean", small_model, photo())

    assert code == 1
    assert "the mean map is not finite" in err
    assert "xcnn-nan returned it" in " ".join(err.split())


def test_a_plugin_can_not_write_outside_of_the_folder_by_what_it_calls_a_layer(mean, photo, small_model, own_folder):
    mean("path", body="return [(Attribution(np.ones((2, 2)), sign='signed', unit='', layer='../../x'),) * 2]")

    run = xcnn.explain(small_model, [photo()], "mean", out="run")

    assert run.results
    assert not list(own_folder.parent.glob("*x*.npy"))
    assert all(Path("run", name).resolve().parent == Path("run").resolve() for name in json.loads(
        Path("run/run.json").read_text()
    )["files"])  # fmt: skip


# Sections of the report

SECTIONS = (
    HEAD
    + """
@hookimpl
def xcnn_report_sections(run, values):
    rows = []
    for result in run["results"]:
        for panel in result["panels"]:
            rows.append((result["image"]["path"], float(values(panel["files"]["values"]).max())))
    run["results"].clear()
    yield Section(
        "Largest <b>values</b>", "One row per map.\\n\\nOf every picture.",
        (Table("Largest", ("Picture", "Value"), tuple(rows)),
         Curve("Largest", {"value": np.array([value for _, value in rows], np.float32)}, "map", "value"),
         Attribution(np.eye(3, dtype=np.float32), sign="positive", unit="made up")),
    )
"""
)


def test_a_plugin_adds_a_section_to_the_report(install, command, photo, small_model):
    install("largest", SECTIONS, sections="largest = xcnn_largest")

    code, _, _ = command("gradcam", small_model, photo(), "--out", "run")

    assert code == 0
    manifest = json.loads(Path("run/run.json").read_text())
    (section,) = manifest["sections"]
    assert (section["title"], section["plugin"]) == ("Largest <b>values</b>", "plugin xcnn-largest 1.0")
    table, curve, drawn = section["panels"]
    largest = np.load(Path("run", manifest["results"][0]["panels"][0]["files"]["values"])).max()
    assert table["rows"] == [["photo.png", pytest.approx(float(largest))]]
    assert all(Path("run", name).is_file() for panel in (curve, drawn) for name in panel["files"].values())
    page = Path("run/report.html").read_text("utf-8")
    assert "Largest &lt;b&gt;values&lt;/b&gt;" in page
    assert '<p class="lead"><bdi>Of every picture.</bdi></p>' in page
    assert page.count("made up") >= 1


def test_a_report_made_again_keeps_the_sections(install, command, photo, small_model):
    install("again", SECTIONS, sections="largest = xcnn_again")
    command("gradcam", small_model, photo(), "--out", "run")

    code, _, _ = command("report", "run", "--out", "both")

    assert code == 0
    (section,) = json.loads(Path("both/run.json").read_text())["sections"]
    assert Path("both", section["panels"][1]["files"]["figure"]).is_file()
    assert "Largest &lt;b&gt;" in Path("both/report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise RuntimeError('broken')", "can't be imported: RuntimeError: broken"),
        ("@hookimpl\ndef xcnn_report_sections(run):\n    return [1 / 0]", "failed: ZeroDivisionError"),
        ("@hookimpl\ndef xcnn_report_sections(run):\n    import sys; sys.exit(0)", "failed: SystemExit"),
        ("@hookimpl\ndef xcnn_report_sections(run):\n    return ['<b>']", "returned str; a section is an"),
        ("@hookimpl\ndef xcnn_report_sections(run):\n    return [Section('a', 3)]", "returned int as text"),
        (
            "@hookimpl\ndef xcnn_report_sectoins(run):\n    return []",
            "implements an unknown hook, xcnn_report_sectoins",
        ),
        ("@hookimpl\ndef xcnn_report_sections(values):\n    values('../run.json')", "failed: KeyError"),
    ],
)
def test_a_broken_section_costs_the_run_nothing_but_itself(install, command, photo, small_model, source, words):
    name = f"worse{abs(hash(source))}"
    install(name, HEAD + source, sections=f"worse = xcnn_{name}")
    install("good", SECTIONS, sections="zgood = xcnn_good")

    code, _, err = command("gradcam", small_model, photo(), "--out", "run")

    manifest = json.loads(Path("run/run.json").read_text())
    assert code == 0
    assert [section["plugin"] for section in manifest["sections"]] == ["plugin xcnn-good 1.0"]
    assert len(manifest["results"]) == 1
    (warning,) = [one for one in manifest["warnings"] if name in one]
    assert words in warning
    assert words in " ".join(err.split())
