"""`xcnn config`: what is configured, and where."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xcnn import configuration, options
from xcnn.cli import bridge, configured, console
from xcnn.cli.display import Running
from xcnn.errors import UsageError, did_you_mean
from xcnn.host import Host
from xcnn.request import ModelRequest, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xcnn.plugin import BaseExplainer

app = typer.Typer(cls=bridge.Group, no_args_is_help=True, rich_markup_mode="rich", add_completion=False)
COMMON: tuple[type, ...] = (ModelRequest, Request, Running)


@app.callback()
def config() -> None:
    """Tell what is configured, and where.

    Example: xcnn config show
    """


@app.command("show", cls=bridge.Command)
def show(
    command: Annotated[
        str, typer.Argument(metavar="COMMAND", show_default=False, help="Only the options of this command.")
    ] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON; errors, too.")] = False,
) -> None:
    r"""Tell the value of every option, and where it comes from.

    The first that says something counts: a flag, XCNN_OPTION in the environment, the nearest xcnn.toml from here up,
    \[tool.xcnn] in the nearest pyproject.toml, the user's file, the default.

    Example: xcnn config show gradcam
    """
    host = Host()
    imported = _imported(host, command)
    every = configured.commands(host, imported)
    if command and command not in every:
        hint = did_you_mean(command, [*every, *host.listings], "list the commands with: xcnn --help")
        raise UsageError(f"there is no command {command!r} with options to configure", hint=hint)
    said = configured.Configuration(host, imported)
    rows = list(_rows(said, {command: every[command]} if command else every, whole=bool(command)))
    files = [{"source": file.source, "path": file.path} for file in said.files]
    if as_json:
        console.answer_json({"schema_version": 1, "files": files, "options": rows})
        return
    cells = [(_key(row), _shown(row["value"]), row["source"], row["place"]) for row in rows]
    console.table(("option", "value", "from", ""), cells)
    if not files:
        user = configuration.user_file(os.environ)
        console.say(f"no file is read; they are xcnn.toml, pyproject.toml{f', {user}' if user else ''}")


def _imported(host: Host, command: str) -> Sequence[type[BaseExplainer]]:
    """The explainer of a plugin that is asked for: nothing else tells its options."""
    return [host.explainer(command)] if command in host.listings and command not in host.builtin else []


def _rows(
    said: configured.Configuration, every: dict[str, tuple[type, ...]], *, whole: bool
) -> Iterator[dict[str, Any]]:
    """The common options once, then what each command has of its own or otherwise."""
    common: dict[str, dict[str, Any]] = {}
    if not whole:
        for kind in COMMON:
            common |= {row["option"]: row for row in _settings(said, "", kind)}
    yield from common.values()
    for command, kinds in every.items():
        seen: set[str] = set()
        for kind in kinds:
            if command == configured.EXPLAIN and hasattr(kind, "explain"):
                continue  # told under its own command
            for row in _settings(said, command, kind):
                usual = common.get(row["option"])
                same = usual is not None and row | {"command": ""} == usual
                if not same and row["option"] not in seen:
                    seen.add(row["option"])
                    yield row


def _settings(said: configured.Configuration, command: str, kind: type) -> Iterator[dict[str, Any]]:
    found = said.of(command, kind)
    for option in options.declared(kind):
        if option.option.positional:
            continue
        one = found.get(option.name) or configured.Setting(option.default, configured.DEFAULT, "")
        value = list(one.value) if isinstance(one.value, tuple) else one.value
        name = option.name.rstrip("_")
        yield {"command": command, "option": name, "value": value, "source": one.source, "place": one.place}


def _key(row: dict[str, Any]) -> str:
    return f"{row['command']}.{row['option']}" if row["command"] else row["option"]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
