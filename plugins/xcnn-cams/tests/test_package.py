"""What xcnn and its users rely on: entry points, a light import, options with help, a README that is true."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import xcnn.plugin
import xcnn_cams
from xcnn import options

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
KINDS = [getattr(xcnn_cams, name) for name in xcnn_cams.__all__]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_the_entry_points_are_the_classes_by_their_names():
    written = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["xcnn.explainers"]
    installed = importlib.metadata.distribution("xcnn-cams").entry_points.select(group="xcnn.explainers")

    assert written == {kind.name: f"xcnn_cams:{kind.__name__}" for kind in KINDS}
    assert {point.name: point.load() for point in installed} == {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_only_the_plugin_api_and_numpy_are_imported(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)

    allowed = {"__future__", "collections.abc", "dataclasses", "typing", "numpy", "numpy.typing", "xcnn.plugin"}
    assert {name for name in found if not name.startswith("xcnn_cams")} <= allowed


def test_importing_the_plugin_loads_nothing_heavy():
    code = "import xcnn_cams, sys; print(*sorted({'numpy', 'tensorflow', 'keras', 'cv2'} & set(sys.modules)))"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_method_says_what_it_is_where_it_comes_from_and_what_its_options_do(kind):
    assert kind.title
    assert kind.source.url.startswith("https://")
    assert kind.__doc__.count("\n\n") >= 1
    for option in options.declared(kind):
        assert option.option.help.endswith(".")
        assert option.type is not int or option.option.minimum is not None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_readme_has_a_row_for_every_command_with_its_own_options(kind):
    row = next(line for line in README.splitlines() if line.startswith(f"| `{kind.name}`"))
    own = {option.flag for option in options.declared(kind)} - {"--layer"}

    assert set(re.findall(r"`(--[a-z-]+)`", row)) == own
    assert kind.source.url in README
    assert kind.title in row


def test_what_the_plugin_needs_is_public():
    assert {"maths", "BUDGET", "LayerExplainer", "Option", "Attribution", "panels"} <= set(xcnn.plugin.__all__)
