"""Real distributions, really installed: listed from metadata, imported when used, harmless when broken."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.keras, pytest.mark.executable]
DISTRIBUTIONS = Path(__file__).parent.parent / "distributions"


def install(names, target, folder):
    """Build and install distributions into a folder of their own, without a network."""
    for name in names:
        # Built from a copy: a build may leave files beside the sources.
        source = shutil.copytree(DISTRIBUTIONS / name, folder / f"source-{name}")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
        subprocess.run([*pip, "--target", target, source], check=True, capture_output=True)


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A site folder with the toy, the broken and the slow distribution."""
    target = tmp_path_factory.mktemp("site")
    install(["toy", "broken", "slow"], target, tmp_path_factory.mktemp("sources"))
    return target


@pytest.fixture
def xcnn(installed, own_folder):
    """Run the real program with the plugins installed."""
    sentinel = own_folder / "sentinel"

    def call(*arguments, site=installed, **environment):
        done = subprocess.run(
            [sys.executable, "-m", "xcnn", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(site), "XCNN_TEST_SENTINEL": str(sentinel), **environment},
        )
        assert "Traceback" not in done.stderr
        return done

    return call


def test_help_lists_every_plugin_with_its_distribution_and_imports_none(xcnn, own_folder):
    done = xcnn("--help", COLUMNS="120")

    assert done.returncode == 0
    for name in ("toy", "broken", "slow"):
        assert re.search(rf"{name}\s+A {name} plugin for the tests of xcnn \(xcnn-{name} 1\.2\.3\)", done.stdout)
    assert not (own_folder / "sentinel").exists()


def test_the_help_of_a_plugin_shows_its_own_options_and_the_common_ones(xcnn, own_folder):
    done = xcnn("toy", "--help")

    assert done.returncode == 0
    for words in (
        "Show where a layer is active",
        "--power",
        "The exponent of the activations",
        "(0.5..4)",
        "--target",
    ):
        assert words in done.stdout
    assert not (own_folder / "sentinel").exists()


def test_a_plugin_runs_like_a_built_in_one(xcnn, photo, small_model, own_folder):
    done = xcnn("toy", small_model, photo("p.png"), "--power", "1", "--out", "run")

    assert (done.returncode, done.stdout) == (0, "run/report.html\n")
    about = json.loads(Path("run/run.json").read_text("ascii"))
    assert about["explainers"][0]["distribution"] == "xcnn-toy"
    assert about["explainers"][0]["options"][0]["value"] == 1.0
    assert np.load("run/p.toy.npy").min() >= 0
    assert not (own_folder / "sentinel").exists()


def test_a_plugin_that_raises_is_named_and_exits_6(xcnn, photo, small_model):
    done = xcnn("toy", small_model, photo(), "--fail")

    assert done.returncode == 6
    assert "error: plugin xcnn-toy: toy failed: RuntimeError: the toy is broken" in done.stderr
    assert not Path("xcnn-out/toy").exists()


def test_a_plugin_that_cannot_be_imported_is_named_and_exits_6(xcnn):
    done = xcnn("broken", "--help")

    assert done.returncode == 6
    assert "plugin xcnn-broken 1.2.3 can't be imported: RuntimeError: broken on import" in done.stderr


def test_plugins_lists_from_metadata_and_load_imports_each_in_its_own_process(xcnn, own_folder):
    listed = json.loads(xcnn("plugins", "--json").stdout)["plugins"]

    assert [(row["name"], row["distribution"], row["version"]) for row in listed] == [
        (name, f"xcnn-{name}", "1.2.3") for name in ("broken", "slow", "toy")
    ]
    assert not (own_folder / "sentinel").exists()

    loaded = {row["name"]: row for row in json.loads(xcnn("plugins", "--load", "--json").stdout)["plugins"]}

    assert loaded["broken"]["error"] == "RuntimeError: broken on import"
    assert loaded["slow"]["seconds"] >= 3
    assert loaded["toy"]["error"] == ""
    assert loaded["toy"]["heavy"] == []
    assert (own_folder / "sentinel").exists()
    assert "FAILED: RuntimeError: broken on import" in xcnn("plugins", "--load").stdout


@pytest.mark.parametrize(("only", "seen"), [("xcnn-toy", ["toy"]), ("XCNN_Toy,other", ["toy"]), ("", [])])
def test_xcnn_plugins_restricts_what_is_seen(xcnn, only, seen):
    listed = json.loads(xcnn("plugins", "--json", XCNN_PLUGINS=only).stdout)["plugins"]

    assert [row["name"] for row in listed] == seen


def fake_distribution(site, name, entry_points):
    """Metadata as an installer writes it."""
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[xcnn.explainers]\n{entry_points}\n")


def test_a_name_claimed_twice_names_both_and_costs_the_others_nothing(xcnn, installed, own_folder):
    site = own_folder / "clash"
    fake_distribution(site, "xcnn-other", "toy = elsewhere:Toy")
    fake_distribution(site, "xcnn-thief", "gradcam = thief:GradCAM")
    path = f"{installed}{os.pathsep}{site}"

    toy = xcnn("toy", "--help", site=path)
    stolen = xcnn("gradcam", "--help", site=path)

    assert toy.returncode == stolen.returncode == 6
    assert "'toy' is claimed by" in toy.stderr
    assert "xcnn-other" in toy.stderr
    assert "xcnn-toy" in toy.stderr
    assert "'gradcam' is claimed by xcnn-thief and xcnn" in stolen.stderr
    assert xcnn("--help", site=path).returncode == 0
    assert "CLASH" in xcnn("plugins", site=path).stdout


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("X = 3", "is no Explainer class"),
        ("class X:\n    name = 'odd'", "is no Explainer class"),
        (
            "from dataclasses import dataclass\nfrom xcnn.plugin import Explainer\n\n"
            "@dataclass(frozen=True)\nclass X(Explainer):\n    name = 'other'",
            "calls its command 'odd' but odd:X is 'other'",
        ),
        (
            "from dataclasses import dataclass\nfrom xcnn.plugin import Explainer\n\n"
            "@dataclass(frozen=True)\nclass X(Explainer):\n    name = 'odd'\n    field: int = 3",
            "not declared as Annotated",
        ),
        (
            "from dataclasses import dataclass\nfrom typing import Annotated\nfrom xcnn.plugin import Explainer, Option\n\n"
            "@dataclass(frozen=True)\nclass X(Explainer):\n    name = 'odd'\n"
            "    alpha: Annotated[float, Option('Mine.')] = 3.0",
            "option 'alpha' of odd is taken by",
        ),
        ("import sys\nsys.exit(0)", "can't be imported: SystemExit"),
    ],
)
def test_a_plugin_that_breaks_the_rules_is_one_clear_sentence(xcnn, own_folder, source, words):
    site = own_folder / "site"
    fake_distribution(site, "xcnn-odd", "odd = odd:X")
    (site / "odd.py").write_text(source)

    done = xcnn("odd", "--help", site=site)

    assert done.returncode == 6
    assert done.stderr.startswith("error: plugin xcnn-odd")
    assert words in done.stderr
