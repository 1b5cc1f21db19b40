"""What the README says is true: its code runs, its options exist, its exit codes are those of the errors."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeNetwork, pictures

import xcnn
from xcnn import errors, options
from xcnn.cli.display import Running
from xcnn.host import Host
from xcnn.plugin import LayerExplainer
from xcnn.request import Request

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def block(language, containing):
    """The code block of a language that holds some words."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return next(code for code in blocks if containing in code)


def test_the_plugin_of_the_readme_runs_as_written(own_folder, monkeypatch):
    (own_folder / "xcnn_energy.py").write_text(block("python", "class Energy"))
    monkeypatch.syspath_prepend(own_folder)
    try:
        energy = importlib.import_module("xcnn_energy").Energy
    finally:
        sys.modules.pop("xcnn_energy", None)  # or it would be there for the tests that follow
    network = FakeNetwork(features=[[[[1, 2], [3, 4]], [[0, 0], [2, 0]]]])

    run = xcnn.explain(network, pictures((4, 4)), energy())

    np.testing.assert_allclose(run.results[0].panels[0].values, [[2.5, 12.5], [0, 2]])
    assert re.search(r'^energy = "xcnn_energy:Energy"$', block("toml", "energy"), re.MULTILINE)


def test_every_option_in_the_table_exists_and_every_option_is_in_the_table():
    table = README[README.index("| option | meaning |") : README.index("**Preprocessing**")]
    told = set(re.findall(r"`(--[a-z-]+)`", table)) | {"--quiet", "--verbose"}

    known = {
        option.flag
        for kind in (Request, Running, LayerExplainer)
        for option in options.declared(kind)
        if not option.option.positional
    }

    assert told == known


def test_every_explainer_has_a_row_with_all_its_options_and_a_section_with_its_picture():
    table = README[README.index("| command | shows |") : README.index("`xcnn explain` runs several")]
    rows = {
        name: row
        for row in table.splitlines()
        for name in re.findall(r"`([a-z-]+)`", row.split("|")[1] if "|" in row else "")
    }
    known = Host().builtin

    assert set(rows) == set(known)
    for name, kind in known.items():
        assert set(re.findall(r"`(--[a-z-]+)`", rows[name])) == {option.flag for option in options.declared(kind)}, name
        section = next(part for part in README.split("\n### ") if name in re.split(r",\s*", part.partition("\n")[0]))
        assert f"xcnn {name} " in section or re.search(rf"--with [a-z,-]*\b{name}\b", section), name
        assert "](docs/pictures/" in section


def test_the_exit_codes_are_those_of_the_errors():
    section = README[README.index("## Exit codes") :]
    told = {int(code) for code in re.findall(r"(?:^|· )\**(\d+) ", section.split("\n\n")[1], re.MULTILINE)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.XcnnError)]

    assert {kind.exit_code for kind in kinds} <= told


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\((docs/[^)]+)\)", README))))
def test_every_picture_it_shows_is_there(path):
    assert (ROOT / path).is_file()


def test_the_two_commands_are_where_ci_finds_them():
    for marker in ("first", "test"):
        assert re.search(rf"<!-- {marker} command -->\n```sh\npip install .* && .*\n```", README)
