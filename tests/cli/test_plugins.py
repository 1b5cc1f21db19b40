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
        assert re.search(
            rf"xcnn-{name} 1\.2\.3: A {name} plugin for the tests of xcnn\.? ─+╮\s+│ {name} +│", done.stdout
        )
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


@pytest.mark.slow
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

    assert loaded["broken"]["error"] == "plugin xcnn-broken 1.2.3 can't be imported: RuntimeError: broken on import"
    assert loaded["slow"]["seconds"] >= 3
    assert loaded["toy"]["error"] == ""
    assert loaded["toy"]["heavy"] == []
    assert (own_folder / "sentinel").exists()
    assert (
        "FAILED: plugin xcnn-broken 1.2.3 can't be imported: RuntimeError: broken on import"
        in xcnn("plugins", "--load").stdout
    )


@pytest.mark.parametrize(("only", "seen"), [("xcnn-toy", ["toy"]), ("XCNN_Toy,other", ["toy"]), ("", [])])
def test_xcnn_plugins_restricts_what_is_seen(xcnn, only, seen):
    listed = json.loads(xcnn("plugins", "--json", XCNN_PLUGINS=only).stdout)["plugins"]

    assert [row["name"] for row in listed] == seen


def fake_distribution(site, name, entry_points, group="xcnn.explainers", summary=""):
    """Metadata as an installer writes it."""
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nSummary: {summary}\n")
    (folder / "entry_points.txt").write_text(f"[{group}]\n{entry_points}\n")


def test_a_name_claimed_twice_names_both_and_costs_the_others_nothing(xcnn, installed, own_folder):
    site = own_folder / "clash"
    fake_distribution(site, "xcnn-other", "toy = elsewhere:Toy")
    fake_distribution(site, "xcnn-thief", "gradcam = thief:GradCAM")
    path = f"{installed}{os.pathsep}{site}"

    toy = xcnn("toy", "--help", site=path)
    stolen = xcnn("gradcam", "--help", site=path)

    assert toy.returncode == 6
    assert stolen.returncode == 0, "a built-in command is never taken away"
    assert "'toy' is claimed by" in toy.stderr
    assert "xcnn-other" in toy.stderr
    assert "xcnn-toy" in toy.stderr
    assert xcnn("--help", site=path).returncode == 0
    assert "CLASH" in xcnn("plugins", site=path).stdout


def test_a_distribution_of_several_commands_says_what_it_is_once(xcnn, own_folder):
    site = own_folder / "many"
    fake_distribution(site, "xcnn-many", "few = many:Few\nlots = many:Lots", summary="Many [ways] to look at a picture")

    done, listed = xcnn("--help", site=site), xcnn("plugins", site=site)

    for text in (done.stdout, listed.stdout):
        assert text.count("Many [ways] to look at a picture") == 1
        assert re.search(r"\bfew\b", text)
        assert re.search(r"\blots\b", text)


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


def module_of(site, name, source, group="xcnn.explainers", value=None):
    """A module with the metadata of a distribution that brings it."""
    fake_distribution(site, f"xcnn-{name}", f"{name} = {value or f'xcnn_{name}:X'}", group)
    (site / f"xcnn_{name}.py").write_text(source)


EXPLAINER = """\"\"\"A plugin for the tests.\"\"\"

from dataclasses import dataclass
from typing import Annotated, ClassVar

from xcnn.plugin import Explainer, Option, panels


@dataclass(frozen=True, kw_only=True)
class X(Explainer):
    \"\"\"Show something.\"\"\"

    name: ClassVar[str] = "NAME"
    power: Annotated[float, Option("The exponent.", minimum=0, maximum=9)] = 1.0

    def explain(self, network, batch):
        BODY
"""


def explainer_of(site, name, body):
    module_of(site, name, EXPLAINER.replace("NAME", name).replace("BODY", body.replace("\n", "\n        ")))


@pytest.mark.slow
def test_load_tells_of_everything_that_is_wrong_with_a_plugin_in_words(xcnn, own_folder):
    site = own_folder / "site"
    explainer_of(site, "fine", "return []")
    module_of(site, "noisy", (site / "xcnn_fine.py").read_text().replace('"fine"', '"noisy"') + "\nprint('hello')\n")
    module_of(site, "numbers", "import numpy\n" + (site / "xcnn_fine.py").read_text().replace('"fine"', '"numbers"'))
    old = (site / "xcnn_fine.py").read_text().replace('"fine"\n', '"old"\n    xcnn_api: ClassVar[str] = "99.0"\n')
    module_of(site, "old", old)
    hooks = "from xcnn.plugin import hookimpl\n\n@hookimpl\ndef xcnn_preprocesors():\n    return []\n"
    module_of(site, "misspelt", hooks, "xcnn.extensions", "xcnn_misspelt")
    module_of(site, "good", hooks.replace("ocesors", "ocessors"), "xcnn.extensions", "xcnn_good")
    fake_distribution(site, "xcnn-thief", "gradcam = thief:GradCAM")

    done = xcnn("plugins", "--load", "--json", site=site)
    rows = {row["name"]: row for row in json.loads(done.stdout)["plugins"]}

    assert done.returncode == 0
    assert {name: row["error"] for name, row in rows.items() if not row["error"]} == dict.fromkeys(
        ("fine", "noisy", "numbers", "good"), ""
    )
    assert rows["noisy"]["printed"]
    assert rows["numbers"]["heavy"] == ["numpy"]
    assert "was built for version 99.0 of xcnn.plugin" in rows["old"]["error"]
    assert "implements an unknown hook" in rows["misspelt"]["error"]
    assert "xcnn_preprocesors" in rows["misspelt"]["error"]
    assert "claimed by xcnn-thief and xcnn" in rows["gradcam"]["error"]
    assert "PRINTS to standard output" in xcnn("plugins", "--load", site=site).stdout


@pytest.mark.slow
def test_check_shows_a_row_per_promise_and_says_what_is_wrong_and_exits_1(xcnn, own_folder):
    site = own_folder / "site"
    nan = (
        "network.predict(batch)\nreturn panels({'': batch.inputs[..., 0] * float('nan')}, sign='positive', unit='<b>')"
    )
    explainer_of(site, "odd", nan)

    done = xcnn("plugins", "check", "odd", "--kind", "nested", "--kind", "gray", site=site)

    assert done.returncode == 1
    assert re.search(r"^odd +itself +nested +gray$", done.stdout, re.MULTILINE)
    assert re.search(r"^finite +FAIL +FAIL$", done.stdout, re.MULTILINE)
    assert re.search(r"^summary +ok$", done.stdout, re.MULTILINE)
    assert "FAIL finite on nested: 576 of 576 numbers of Attribution are not finite" in done.stdout
    assert "FAIL finite on gray: 784 of 784 numbers of Attribution are not finite" in done.stdout
    assert "holds markup: '<b>'" in done.stdout
    assert "odd: on a nested model ..." in done.stderr


@pytest.mark.slow
def test_check_passes_a_good_plugin_by_command_and_by_distribution(xcnn):
    by_command = xcnn("plugins", "check", "toy", "--kind", "nested", "--with", "power=1", "--json")
    by_distribution = xcnn("plugins", "check", "XCNN_toy", "--kind", "nested")

    assert by_command.returncode == by_distribution.returncode == 0
    found = json.loads(by_command.stdout)
    assert found["passed"]
    assert {one["state"] for one in found["findings"]} == {"pass"}
    assert {"finite", "randomised", "report", "light"} < {one["check"] for one in found["findings"]}
    assert "0 failed" in by_distribution.stdout


def test_check_of_a_plugin_that_cannot_be_imported_is_one_row(xcnn):
    done = xcnn("plugins", "check", "xcnn-broken")

    assert done.returncode == 1
    assert "FAIL load: plugin xcnn-broken 1.2.3 can't be imported: RuntimeError: broken on import" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "tox"], "there is no command or plugin 'tox'"),
        (["check", "tox"], "toy (did you mean this?)"),
        (["check", "toy", "--kind", "nestled"], "nested (did you mean this?)"),
        (["check", "toy", "--with", "power"], "it must be OPTION=VALUE"),
        (["check", "toy", "--with", "colour=red"], "toy has none of the options colour"),
        (["check", "toy", "--with", "power=9"], "--power is 9.0; it must be in 0.5..4"),
        (["chek", "toy"], "check (did you mean this?)"),
        (["new", "toy"], "'toy' is taken by xcnn-toy"),
        (["new", "xcnn_toy"], "can't be the name of a plugin"),
    ],
)
def test_words_that_make_no_sense_are_refused_with_a_hint(xcnn, words, said):
    done = xcnn("plugins", *words)

    assert done.returncode == 2
    assert said in done.stderr
