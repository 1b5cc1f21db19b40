"""Who may import whom, read from the code; and what a cheap command may load."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import xcnn

PACKAGE = Path(xcnn.__file__).parent
LIBRARIES = {
    "cv2", "h5py", "jinja2", "keras", "lazy_loader", "matplotlib", "numpy", "PIL", "pluggy", "pytest", "rich",
    "tensorflow", "typer",
}  # fmt: skip
SHARED = {"plugin", "errors", "values"}

# room: (rooms of xcnn, libraries) that it may import, in functions and for types, too.
MAY_IMPORT: dict[str, tuple[set[str], set[str]]] = {
    "__init__": ({"_version"}, {"lazy_loader"}),
    "__main__": ({"cli"}, set()),
    "_version": (set(), set()),
    "errors": (set(), set()),
    "options": ({"errors"}, set()),
    "inputs": ({"errors"}, set()),
    "configuration": ({"errors", "options"}, set()),
    "values": ({"saving", "panels"}, {"numpy"}),
    "backward": (set(), set()),
    "panels": ({"values"}, {"numpy"}),
    "protocol": ({"backward", "values"}, {"numpy"}),
    "plugin": ({"backward", "errors", "maths", "options", "panels", "protocol", "values"}, {"numpy", "pluggy"}),
    "hookspecs": ({"plugin"}, {"numpy", "pluggy"}),
    "listings": ({"errors", "plugin"}, set()),
    "host": ({"checking", "hookspecs", "listings", "plugin", "explainers", "errors", "options", "network"}, {"numpy", "pluggy"}),
    "importing": ({"errors", "host"}, set()),
    "scaffold": ({"_version", "errors", "plugin"}, set()),
    "privacy": (set(), set()),
    "truth": (SHARED, set()),
    "request": ({"options", "plugin", "privacy"}, set()),
    "opening": ({"errors", "host", "io", "network", "plugin", "request"}, set()),
    "provenance": ({"_version", "privacy", "request", "host", "plugin", "render"}, set()),
    "saving": (SHARED | {"privacy", "io", "render", "report"}, {"numpy"}),
    "events": ({"plugin"}, set()),
    "execution": (
        SHARED | {"events", "inputs", "options"} | {"opening", "outcome", "provenance", "request", "host", "io", "render", "resuming", "reusing", "saving", "stage", "truth", "working"},
        {"numpy"},
    ),
    "checking": (SHARED, {"numpy"}),
    "outcome": (SHARED | {"events"}, set()),
    "resuming": (SHARED | {"options", "privacy", "request", "saving"}, {"numpy"}),
    "reusing": (SHARED | {"host", "io", "opening", "privacy", "provenance", "request", "saving"}, set()),
    "stage": (SHARED | {"events", "io", "opening", "provenance", "render", "request", "saving"}, set()),
    "working": (SHARED | {"checking", "host", "outcome", "protocol", "resuming", "truth"}, {"numpy"}),
    "diagnosis": ({"errors", "host", "network", "opening", "plugin"}, {"numpy"}),
    "prediction": ({"errors", "events", "host", "inputs", "io", "network", "opening", "plugin", "render"}, {"numpy"}),
    "run": (SHARED | {"opening", "options", "execution", "request", "host"}, set()),
    # Only those import it who train: Keras is there already.
    "callbacks": (
        SHARED | {"events", "execution", "host", "io", "opening", "outcome", "provenance", "request", "resuming", "run", "saving", "stage", "truth", "working"},
        {"keras", "tensorflow", "numpy"},
    ),
    "maths": (set(), {"numpy", "lazy_loader"}),
    "explainers": ({"plugin", "maths", "errors"}, set()),
    "network": (SHARED | {"backward"}, {"keras", "tensorflow", "numpy", "cv2", "h5py"}),
    "render": (SHARED, {"numpy", "cv2", "matplotlib"}),
    "report": (SHARED, {"jinja2"}),
    "io": (SHARED, {"numpy", "cv2", "PIL"}),
    "cli": (
        SHARED | {"_version", "configuration", "inputs", "options", "host", "listings", "request", "opening", "execution", "io", "network", "report", "render"}
        | {"diagnosis", "importing", "prediction", "saving", "scaffold", "testing"},
        {"typer", "rich"},
    ),
    # It tries everything that a plugin meets: the command that is made of it, a run, what is written. Nets need Keras.
    "testing": (
        SHARED | {"checking", "cli", "hookspecs", "importing", "network", "options", "run", "saving"},
        {"numpy", "keras", "tensorflow", "pluggy", "pytest"},
    ),
}  # fmt: skip


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, anywhere in it, as dotted names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found |= {f"xcnn.{name.name}" for name in node.names} if module == "xcnn" else {module}
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_the_design_allows(path):
    rooms, libraries = MAY_IMPORT[room_of(path)]

    for module in imports_of(path):
        parts = module.split(".")
        if parts[0] == "xcnn":
            target = parts[1] if len(parts) > 1 else ""
            assert target in rooms | {room_of(path)}, f"{room_of(path)} imports xcnn.{target}"
        elif parts[0] in LIBRARIES:
            assert parts[0] in libraries, f"{room_of(path)} imports {parts[0]}"
        else:
            assert parts[0] in sys.stdlib_module_names, f"{path.name} imports {parts[0]}, which is no dependency"


@pytest.mark.parametrize("path", [path for path in FILES if room_of(path) == "explainers"], ids=lambda path: path.name)
def test_an_explainer_needs_only_the_plugin_api_and_the_maths(path):
    assert {module for module in imports_of(path) if module.startswith("xcnn")} <= {
        "xcnn.plugin",
        "xcnn.maths",
        "xcnn.errors",
        *(f"xcnn.explainers.{other.stem}" for other in FILES if path.name == "__init__.py"),
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_is_longer_than_300_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= 300


def modules_after(code: str, **environment: str) -> set[str]:
    """The modules a fresh interpreter has loaded after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return set(done.stdout.splitlines())


HEAVY = {"tensorflow", "keras", "numpy", "cv2", "matplotlib", "jinja2", "h5py", "PIL"}
CHEAP = (
    *(
        "--help",
        "--version",
        "plugins",
        "models",
        "gradcam --help",
        "layers --help",
        "doctor --help",
        "predict --help",
        "report --help",
        "config show",
    ),
    "--show-completion",
)


def test_cheap_commands_load_nothing_heavy():
    runs = "".join(f"assert run({words.split()}) == 0, {words!r}\n" for words in CHEAP)

    assert not HEAVY & modules_after(f"from xcnn.cli.main import run\n{runs}", SHELL="/bin/bash")


def test_importing_xcnn_or_its_network_room_loads_nothing_heavy():
    assert not HEAVY & modules_after("import xcnn, xcnn.network, xcnn.network.preflight, xcnn.network.zoo, xcnn.plugin")


def test_importing_the_checks_loads_no_tensorflow():
    assert not {"tensorflow", "keras", "numpy", "cv2", "pytest"} & modules_after("import xcnn.testing")


def test_the_public_names_are_those_of_the_stub_and_all_load():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    names = {name.asname for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names}

    assert names == set(xcnn.__all__)
    for name in names:
        assert getattr(xcnn, name) is not None
