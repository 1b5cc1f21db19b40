"""Where the value of an option comes from: flag, environment, project, user, default."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn import configuration, options
from xcnn.cli.display import Running
from xcnn.configuration import ENVIRONMENT, Vocabulary
from xcnn.plugin import Explainer
from xcnn.request import ModelRequest, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xcnn.configuration import File
    from xcnn.errors import UsageError
    from xcnn.host import Host
    from xcnn.options import Declared
    from xcnn.plugin import BaseExplainer

EXPLAIN = "explain"
LOOKS = ("doctor", "layers", "predict", "report")
"""Commands that look at a model or at what was written, each a module of `xcnn.cli.commands`."""
COMMAND_LINE = "command line"
DEFAULT = "default"


@dataclass(frozen=True)
class Setting:
    """A value that is configured, and where: the kind of place, and the file or variable itself."""

    value: Any
    source: str
    place: str


class Configuration:
    """What the files and the environment say; they are read and checked when something is asked.

    Parameters
    ----------
    host : Host
        Knows the commands.
    imported : sequence of type
        Explainers of plugins that are imported anyway, so that their tables can be checked.
    """

    def __init__(self, host: Host, imported: Sequence[type[BaseExplainer]] = ()) -> None:
        self._host = host
        self.files = configuration.files(os.environ)
        set_here = any(name.startswith(configuration.PREFIX) for name in os.environ)
        self._silent = not self.files and not set_here
        self._tables: list[tuple[File, Mapping[str, Mapping[str, Any]]]] = []
        if self._silent:
            return
        vocabulary = _vocabulary(host, imported)
        self._tables = [(file, vocabulary.check(file)) for file in self.files]
        every = [*vocabulary.common.values()]
        every += [one for known in vocabulary.commands.values() for one in (known or {}).values()]
        configuration.check_environment(every, os.environ)

    def of(self, command: str, kind: type) -> dict[str, Setting]:
        """What is configured of the options of one class, for one command.

        Raises
        ------
        ConfigurationError
            If a value is not valid.
        """
        if self._silent:
            return {}
        found: dict[str, Setting] = {}
        tables = ["", *dict.fromkeys([getattr(kind, "name", command), command])]
        for option in options.declared(kind):
            if option.option.positional:
                continue
            value = configuration.from_environment(option, os.environ)
            if value is not None:
                found[option.name] = Setting(value, ENVIRONMENT, configuration.variable_of(option))
                continue
            for file, said in self._tables:
                # The table of the command is nearer than the top of its file, but no table beats a nearer file.
                where = [table for table in tables if option.name in said.get(table, {})]
                if where:
                    place = f"{file.path}: {option.name}" if not where[-1] else f"{file.path}: [{where[-1]}]"
                    value = configuration.checked(option, said[where[-1]][option.name], place)
                    found[option.name] = Setting(value, file.source, file.path)
                    break
        return found


def settled(
    configuration: Configuration, command: str, kinds: Sequence[type], given: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The values of each class of a command, flags first, and where each came from.

    An option that explainers of one run have in common may come from another place for each: then ``explainer.option``
    is told, too.
    """
    sources: dict[str, str] = {}
    values = []
    for kind in kinds:
        said = {name: one for name, one in configuration.of(command, kind).items() if name not in given}
        values.append({name: one.value for name, one in said.items()} | options.picked(kind, given))
        for option in options.declared(kind):
            source = COMMAND_LINE if option.name in given else said[option.name].source if option.name in said else ""
            if sources.setdefault(option.name, source or DEFAULT) != (source or DEFAULT):
                sources[f"{getattr(kind, 'name', command)}.{option.name}"] = source or DEFAULT
    return values, sources


def kinds_of(kind: type[BaseExplainer]) -> tuple[type, ...]:
    """The classes whose fields are the options of an explainer's command."""
    return (kind, requested([kind]), Running)


def requested(kinds: Iterable[type[BaseExplainer]]) -> type[Request | ModelRequest]:
    """What explainers are asked for with: without one of pictures, the model alone."""
    return Request if any(issubclass(kind, Explainer) for kind in kinds) else ModelRequest


def commands(host: Host, imported: Sequence[type[BaseExplainer]] = ()) -> dict[str, tuple[type, ...]]:
    """The classes of each command whose options are fields, those of plugins that are imported among them."""
    from xcnn.cli.several import Chosen

    own = [*host.builtin.values(), *(kind for kind in imported if kind.name not in host.builtin)]
    looking = {name: importlib.import_module(f"xcnn.cli.commands.{name}").KINDS for name in LOOKS}
    return {kind.name: kinds_of(kind) for kind in own} | {EXPLAIN: (Chosen, *own, Request, Running)} | looking


def _vocabulary(host: Host, imported: Sequence[type[BaseExplainer]]) -> Vocabulary:
    known: dict[str, Mapping[str, Declared] | None] = dict.fromkeys(host.listings)
    known |= {name: _by_name(kinds) for name, kinds in commands(host, imported).items()}
    return Vocabulary(_by_name((ModelRequest, Request, Running)), known)


def _by_name(kinds: Iterable[type]) -> dict[str, Declared]:
    return {option.name: option for kind in kinds for option in options.declared(kind)}


def attribute(problem: UsageError, instances: Sequence[Any], sources: Mapping[str, str]) -> None:
    """Name the file or the variable that an impossible value comes from."""
    for instance in instances:
        for option in options.declared(type(instance)):
            source, value = sources.get(option.name, DEFAULT), getattr(instance, option.name)
            words = value if isinstance(value, tuple) else (value,)
            if source not in {DEFAULT, COMMAND_LINE} and any(one and repr(one) in problem.message for one in words):
                place = configuration.variable_of(option) if source == ENVIRONMENT else f"{source}: {option.name!r}"
                problem.message = f"{place}: {problem.message}"
