"""A new plugin is written whole, under a name that can be one, and over nothing."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from xcnn import scaffold
from xcnn.errors import OptionError, OutputError, UsageError

KINDS = sorted(scaffold.KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_is_a_distribution_with_an_entry_point_a_module_tests_and_a_readme(own_folder, kind):
    folder = scaffold.write("two-words", kind, taken={})

    about = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    ((group, entries),) = about["project"]["entry-points"].items()
    assert folder == Path("xcnn-two-words")
    assert about["project"]["name"] == "xcnn-two-words"
    assert group == ("xcnn.extensions" if kind == "preprocessor" else "xcnn.explainers")
    assert entries == {"two-words": "xcnn_two_words" if kind == "preprocessor" else "xcnn_two_words:TwoWords"}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "src/xcnn_two_words/__init__.py",
        "src/xcnn_two_words/py.typed",
        "tests/test_two_words.py",
    }
    for path in folder.rglob("*"):
        assert not path.is_file() or "$" not in path.read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a", "a-very-long-name-of-a-plugin-z"])
def test_no_name_makes_a_line_too_long_or_a_module_that_is_no_python(own_folder, kind, name):
    folder = scaffold.write(name, kind, taken={})

    for path in folder.rglob("*.py"):
        source = path.read_text("utf-8")
        ast.parse(source)
        assert max(map(len, source.splitlines())) <= 120


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Energy", "can't be the name of a plugin"),
        ("my_energy", "can't be the name of a plugin"),
        ("../energy", "can't be the name of a plugin"),
        ("9lives", "can't be the name of a plugin"),
        ("", "can't be the name of a plugin"),
        ("x" * 31, "is longer than 30 letters"),
        ("gradcam", "is taken by xcnn"),
        ("testing", "which has another meaning"),
        ("tiles", "which has another meaning"),
        ("none", "which has another meaning"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_in_words(own_folder, name, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        scaffold.write(name, "attribution", taken={"gradcam": "xcnn"})

    assert not list(Path().iterdir())


def test_every_name_that_a_template_imports_is_one_that_no_plugin_may_have():
    for template in scaffold.TEMPLATES.glob("*.py.txt"):
        for node in ast.walk(ast.parse(template.read_text("utf-8").replace("$", "dollar_"))):
            for name in [one.name for one in node.names] if isinstance(node, ast.ImportFrom) else []:
                command = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
                if scaffold._class_name(command) == name:
                    assert command in scaffold.TAKEN, name


def test_a_module_that_is_installed_is_not_hidden(own_folder, monkeypatch):
    (own_folder / "xcnn_energy.py").touch()
    monkeypatch.syspath_prepend(own_folder)

    with pytest.raises(UsageError, match="there is a module xcnn_energy already"):
        scaffold.write("energy", "attribution", Path("new"), taken={})


def test_a_folder_that_exists_is_left_alone(own_folder):
    Path("xcnn-energy").mkdir()

    with pytest.raises(OutputError, match="xcnn-energy exists"):
        scaffold.write("energy", "attribution", taken={})

    assert not list(Path("xcnn-energy").iterdir())


def test_another_folder_is_made_with_its_parents(own_folder):
    assert scaffold.write("energy", "tiles", Path("a/b/c"), taken={}) == Path("a/b/c")
    assert Path("a/b/c/pyproject.toml").is_file()


def test_an_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(OptionError) as caught:
        scaffold.write("energy", "tile", taken={})

    assert "tiles (did you mean this?)" in caught.value.hint


def test_the_command_writes_it_and_says_what_is_next(command, own_folder):
    code, out, err = command("plugins", "new", "energy")

    assert (code, out) == (0, "xcnn-energy\n")
    assert "pip install -e '.[test]' && pytest && xcnn plugins check energy" in err
    assert command("plugins", "new", "energy")[0] == 5
    assert command("plugins", "new", "doctor")[2].startswith("error: 'doctor' is taken by xcnn")
    assert command("plugins", "new", "caffe", "--kind", "preprocessor")[2].startswith("error: 'caffe' is taken by xcnn")


@pytest.fixture(scope="session")
def python(tmp_path_factory):
    """The interpreter of a new environment that sees what is installed in this one."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "base.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return folder / "bin" / "python"


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_its_tests_and_all_checks_as_it_is_written(own_folder, python, kind):
    """What a reader of the documentation does first, in an environment of its own."""
    name, source = f"demo-{kind}", str(Path(scaffold.__file__).parent.parent)
    folder = own_folder / f"xcnn-{name}"

    def run(*words):
        done = subprocess.run(
            [python, "-m", *words],
            cwd=folder if folder.exists() else own_folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": source},
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run("xcnn", "plugins", "new", name, "--kind", kind)
    run("pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-e", ".")

    assert " passed" in run("pytest", "-q")
    assert "0 failed" in run("xcnn", "plugins", "check", name)
    (row,) = [one for one in json.loads(run("xcnn", "plugins", "--load", "--json"))["plugins"] if one["name"] == name]
    assert row["error"] == ""
    assert not set(row["heavy"]) - {"numpy"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_is_clean_for_ruff_and_mypy_as_it_is_written(own_folder, kind):
    folder = scaffold.write("demo", kind, taken={})

    for words in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        done = subprocess.run([sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
