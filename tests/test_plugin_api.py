"""The names and signatures that plugins are written against, as they were published.

After a change that is meant: ``python tests/test_plugin_api.py`` writes the list again, and `API_VERSION` says what kind
of change it is.
"""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

from xcnn import hookspecs, panels, plugin

PUBLISHED = Path(__file__).parent / "files" / "plugin-api.txt"


def described():
    """One line per name: what it is, its signature, and the fields and methods of a class."""
    lines = [f"xcnn.plugin {plugin.API_VERSION}"]
    for name in sorted(plugin.__all__):
        lines += [f"{name}{_what(getattr(plugin, name))}", *_parts(getattr(plugin, name))]
    lines += ["maths"]
    for name in sorted(plugin.maths.__all__):
        lines += [f"{name}{_what(getattr(plugin.maths, name))}", *_parts(getattr(plugin.maths, name))]
    lines += ["hooks"]
    for name, hook in sorted(vars(hookspecs).items()):
        if name.startswith("xcnn_"):
            lines.append(f"{name}{inspect.signature(hook)}")
    return "\n".join(lines) + "\n"


def _what(value):
    if inspect.isclass(value):
        return f": class of {', '.join(base.__name__ for base in value.__bases__)}"
    return str(inspect.signature(value)) if inspect.isfunction(value) else f": {type(value).__name__}"


def _parts(value):
    """The fields and public methods of a class that are its own."""
    if not inspect.isclass(value):
        return
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            given = field.default
            default = "" if given is dataclasses.MISSING else f" = {getattr(given, '__name__', repr(given))}"
            default = default if field.default_factory is dataclasses.MISSING else " = ..."
            yield f"    {field.name}: {field.type}{default}"
    for name, part in sorted(vars(value).items()):
        if name.startswith("_"):
            continue
        if inspect.isfunction(part):
            yield f"    {name}{inspect.signature(part)}"
        elif isinstance(part, (property, classmethod, staticmethod)) or hasattr(part, "func"):
            yield f"    {name}: {type(part).__name__}"
    for name, kind in vars(value).get("__annotations__", {}).items():
        if "ClassVar" in str(kind):
            yield f"    {name}: {kind}"


def test_plugins_find_the_names_and_signatures_that_were_published():
    assert described() == PUBLISHED.read_text("utf-8"), (
        "what plugins are written against has changed: raise the MINOR of API_VERSION for an addition, the MAJOR for "
        "anything that breaks a plugin, and write the list again"
    )


@pytest.mark.parametrize("name", plugin.__all__)
def test_every_public_name_says_what_it_is(name):
    value = getattr(plugin, name)
    if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
        assert inspect.getdoc(value), name
        return
    module = next(one for one in (plugin, panels) if f"\n{name} = " in inspect.getsource(one))
    source = inspect.getsource(module)
    after = source[source.index(f"\n{name} = ") :]
    assert '\n"""' in after.partition("\n\n")[0], name


if __name__ == "__main__":
    PUBLISHED.write_text(described(), "utf-8")
