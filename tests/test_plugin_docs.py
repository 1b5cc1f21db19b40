"""The documentation of plugins: what it shows runs as it is written, and no hook is left out."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from xcnn import hookspecs
from xcnn.plugin import API_VERSION, BaseExplainer, NamedModel, Preprocessing, Section, Table

DOCUMENT = Path(__file__).parent.parent / "docs" / "plugins.md"
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("xcnn_"))
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", DOCUMENT.read_text("utf-8"), re.DOTALL))


def section_of(hook):
    """The part of the document about one hook: its arguments as the heading has them, and its text."""
    found = re.search(rf"### `{hook}\((.*?)\)`\n(.*?)(?=\n##)", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert found, f"docs/plugins.md has no part about {hook}"
    return found.groups()


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_all_its_arguments(hook):
    arguments = list(inspect.signature(getattr(hookspecs, hook)).parameters)

    heading, text = section_of(hook)

    assert heading == ", ".join(arguments)
    assert "Called when" in " ".join(text.split()) or hook == "xcnn_explainers"
    for name in arguments:
        assert f"`{name}`" in text, f"{hook} has an argument {name} that is not explained"
    documented = inspect.getdoc(getattr(hookspecs, hook))
    assert "Return" in documented
    assert "Called when" in documented


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_a_hook_returns_what_the_hook_may(hook, tmp_path, monkeypatch):
    _, text = section_of(hook)
    source = re.search(r"<!-- hook -->\n```python\n(.*?)```", text, re.DOTALL).group(1)
    (tmp_path / "xcnn_energy.py").write_text(FILES["xcnn_energy.py"], "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert textwrap.indent(source, "    ").rstrip() in inspect.getdoc(getattr(hookspecs, hook)), "one example in both"
    names = {"__file__": str(tmp_path / "xcnn_mine.py"), "__name__": "xcnn_mine"}
    exec(compile(source, hook, "exec"), names)  # noqa: S102 (our own documentation)
    function = names[hook]
    assert function.xcnn_impl, "it is marked with hookimpl"

    try:
        found = CALLS[hook](function)
    finally:
        sys.modules.pop("xcnn_energy", None)

    assert found


def _sections(function):
    panel = {"kind": "map", "files": {"values": "a.npy"}}
    run = {"results": [{"image": {"path": "cat.jpg"}, "explainer": "gradcam", "panels": [panel]}]}
    import numpy as np

    (section,) = function(run=run, values=lambda _: np.array([[0.0, 1.0]]))
    assert isinstance(section, Section)
    (table,) = section.panels
    assert isinstance(table, Table)
    return table.rows == (("cat.jpg", "gradcam", 0.5),)


def _rules(function):
    from xcnn.plugin import GradientRule

    return all(isinstance(one, GradientRule) for one in function())


CALLS = {
    "xcnn_models": lambda function: all(isinstance(one, NamedModel) and one.labels() for one in function()),
    "xcnn_preprocessors": lambda function: all(isinstance(one, Preprocessing) for one in function()),
    "xcnn_custom_objects": lambda function: function()["Scale"].__name__ == "Scale",
    "xcnn_explainers": lambda function: all(issubclass(one, BaseExplainer) for one in function()),
    "xcnn_report_sections": _sections,
    "xcnn_gradient_rules": _rules,
}


def test_the_document_says_the_version_of_the_api():
    assert f'xcnn_api = "{API_VERSION}"' in DOCUMENT.read_text("utf-8")
    for name, source in FILES.items():
        if name.startswith("xcnn_"):
            assert f'xcnn_api: ClassVar[str] = "{API_VERSION}"' in source


def test_every_link_of_the_document_leads_to_a_heading():
    text = DOCUMENT.read_text("utf-8")
    anchors = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }

    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= anchors


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """The package of the tutorial, as the document says, and the worked example beside it."""
    folder = tmp_path_factory.mktemp("tutorial") / "xcnn-energy"
    folder.mkdir()
    for name, source in FILES.items():
        (folder / name).write_text(source, "utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize("name", ["energy", "vargrad"])
def test_the_tests_that_the_document_shows_pass_as_written(written, name):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"test_{name}.py"],
        cwd=written,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", [["ruff", "check"], pytest.param(["mypy", "--strict"], marks=pytest.mark.slow)])
def test_the_code_that_the_document_shows_is_clean(written, tool):
    done = subprocess.run(
        [sys.executable, "-m", *tool, "xcnn_energy.py", "xcnn_vargrad.py"],
        cwd=written,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
