"""Options from files and the environment: where they are found, and what of it is refused.

The command line reads it. `xcnn.explain` does not: a program says all it wants.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn import options
from xcnn.errors import ConfigurationError, OptionError, did_you_mean, slips

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xcnn.options import Declared

    Known = Mapping[str, Declared]

PROJECT = "xcnn.toml"
PYPROJECT = "pyproject.toml"
USER = "user file"
ENVIRONMENT = "environment"
PREFIX = "XCNN_"
OTHERS = frozenset({"XCNN_PLUGINS", "XCNN_DEBUG"})
"""Variables that are no options."""
TRUSTING = {
    "trust_model": "lets a model run code",
    "custom_objects": "runs code",
    "plugins": "chooses plugins",
    "plugin_path": "adds plugins",
    "plugin_paths": "adds plugins",
}
"""What a project file may not say: whoever enters a folder does not trust it yet."""
MOST_BYTES = 2**20
WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class File:
    """A configuration file: top-level keys are options of all commands, each table holds those of one."""

    source: str
    path: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Vocabulary:
    """What may be configured.

    Parameters
    ----------
    common : mapping of str to Declared
        The options of every explainer by name.
    commands : mapping of str to mapping of str to Declared
        The options of each command; None for a plugin that has not been imported.
    """

    common: Known
    commands: Mapping[str, Known | None]

    def check(self, file: File) -> dict[str, dict[str, Any]]:
        """Check all that a file says; return the values by table, those of the top level under "".

        Raises
        ------
        ConfigurationError
            Naming the file, the key and the nearest that exists.
        """
        found: dict[str, dict[str, Any]] = {"": {}}
        for key, value in file.values.items():
            if isinstance(value, dict) and _spelled(key) not in {*self.common, *TRUSTING}:
                found[key] = self._table(file, key, value)
            else:
                name = _spelled(key)
                found[""][name] = _value(file, key, value, self._top(file, key, name))
        return found

    def _top(self, file: File, key: str, name: str) -> Declared:
        _refuse_trust(file, name)
        if name in self.common:
            return _no_argument(file, key, self.common[name])
        owners = [command for command, known in self.commands.items() if known and name in known]
        if owners:
            hint = f"write it under [{owners[0]}]"
            raise ConfigurationError(f"{file.path}: {key!r} is no option of every command", hint=hint)
        raise _unknown(file, key, [*self.common, *self.commands])

    def _table(self, file: File, command: str, values: Mapping[str, Any]) -> dict[str, Any]:
        if command not in self.commands:
            hint = did_you_mean(command, self.commands, "list the commands with: xcnn --help")
            raise ConfigurationError(f"{file.path}: [{command}] is no command", hint=hint)
        known, found = self.commands[command], {}
        for key, value in values.items():
            name, where = _spelled(key), f"{command}.{key}"
            _refuse_trust(file, name)
            if known is None:  # it is checked when the plugin is used
                found[name] = value
            elif name not in known:
                raise _unknown(file, where, known, table=command)
            else:
                found[name] = _value(file, where, value, _no_argument(file, where, known[name]))
        return found


def _unknown(file: File, key: str, known: Iterable[str], *, table: str = "") -> ConfigurationError:
    inside = f"see: xcnn config show{f' {table}' if table else ''}"
    hint = did_you_mean(_spelled(key.rpartition(".")[2]), [name.rstrip("_") for name in known], inside)
    return ConfigurationError(f"{file.path}: there is no option {key!r}", hint=hint)


def _no_argument(file: File, key: str, option: Declared) -> Declared:
    if option.option.positional:
        raise ConfigurationError(f"{file.path}: {key!r} can't be configured", hint="name it on the command line")
    return option


def _refuse_trust(file: File, name: str) -> None:
    if name not in TRUSTING:
        return
    if file.source != USER:
        raise ConfigurationError(
            f"{file.path}: {name!r} {TRUSTING[name]}, which a project may not decide",
            hint=f"set {PREFIX}{name.upper()}" + ("" if name.startswith("plugin") else f", or use --{_dashed(name)}"),
        )
    if name.startswith("plugin"):
        hint = f"set {PREFIX}PLUGINS to the distributions to use"
        raise ConfigurationError(f"{file.path}: {name!r} is no option", hint=hint)


def _spelled(key: str) -> str:
    """The name of an option as a field is called: keys may be written like flags."""
    name = key.replace("-", "_")
    return "with_" if name == "with" else name


def _dashed(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(file: File, key: str, value: Any, option: Declared) -> Any:
    """Check one value as the same flag would be."""
    wrong = isinstance(value, bool) != (option.type is bool) or isinstance(value, dict)
    wrong = wrong or (isinstance(value, list) and not all(type(one) in {str, int, float} for one in value))
    if wrong:
        expected = "true or false" if option.type is bool else "a number" if option.type in {int, float} else "a text"
        raise ConfigurationError(f"{file.path}: {key!r} is {value!r}; it must be {expected}")
    return checked(option, value, f"{file.path}: {key!r}")


def checked(option: Declared, value: Any, where: str) -> Any:
    """Check a value; ConfigurationError that says where it is written."""
    try:
        return options.checked(option, value)
    except OptionError as error:
        message = error.message.replace(option.flag, where, 1)
        raise ConfigurationError(message, hint=error.hint) from error


def from_environment(option: Declared, environ: Mapping[str, str]) -> Any:
    """The value of an option's variable; None where it is not set, or empty.

    Raises
    ------
    ConfigurationError
        If it is not valid.
    """
    variable = variable_of(option)
    text = environ.get(variable, "")
    if not text:
        return None
    value: Any = text.splitlines() if option.many else text
    if option.type is bool:
        value = WORDS.get(text.strip().lower())
        if value is None:
            raise ConfigurationError(f"{variable} is {text!r}; it must be one of {', '.join(WORDS)}")
    return checked(option, value, variable)


def variable_of(option: Declared) -> str:
    """The environment variable of an option."""
    return PREFIX + option.name.rstrip("_").upper()


def check_environment(known: Iterable[Declared], environ: Mapping[str, str]) -> None:
    """Refuse a variable that is one slip away from that of an option; others are someone else's."""
    names = {variable_of(option) for option in known} | OTHERS
    for variable in environ:
        if variable.startswith(PREFIX) and variable not in names:
            near = [name for name in sorted(names) if slips(variable, name, most=1) <= 1]
            if near:
                hint = f"{near[0]} (did you mean this?), or unset it"
                raise ConfigurationError(f"the environment has {variable}, which is no option", hint=hint)


def files(environ: Mapping[str, str]) -> Sequence[File]:
    """Read the files that count here: the nearest xcnn.toml, the nearest pyproject.toml that names xcnn, the user's.

    Raises
    ------
    ConfigurationError
        If one can't be read.
    """
    found = []
    for name, source in ((PROJECT, PROJECT), (PYPROJECT, PYPROJECT)):
        for folder in _upwards():
            values = _read(folder / name, section=name == PYPROJECT)
            if values is not None:
                found.append(File(source, str(folder / name), values))
                break
    user = user_file(environ)
    values = _read(user, section=False) if user else None
    if user and values is not None:
        found.append(File(USER, str(user), values))
    return found


def _upwards() -> Sequence[Path]:
    try:
        here = Path.cwd()
    except OSError:  # it was removed
        return ()
    return (here, *here.parents)


def user_file(environ: Mapping[str, str]) -> Path | None:
    """Where a user keeps configuration on this system; None without a home directory."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home raises where there is none)
    folders = {"darwin": home / "Library" / "Application Support", "win32": Path(environ.get("APPDATA") or home)}
    folder = folders.get(sys.platform, home / ".config")
    given = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(given) if given and os.path.isabs(given) else folder  # noqa: PTH117 (as the standard says)
    return folder / "xcnn" / "config.toml" if folder.is_absolute() else None


def _read(path: Path, *, section: bool) -> Mapping[str, Any] | None:
    """The values of a TOML file, or of its section ``[tool.xcnn]``; None where there is none."""
    try:
        about = os.stat(path)  # noqa: PTH116 (as below)
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(about.st_mode) and not section:
        raise ConfigurationError(f"{path} is a folder", hint="xcnn reads options from a file of that name")
    if not stat.S_ISREG(about.st_mode):  # a pipe would block
        return None
    import tomllib  # only where there is a file: most commands start without

    try:
        if about.st_size > MOST_BYTES:
            raise ConfigurationError(f"{path} is larger than {MOST_BYTES // 2**20} MB", hint="write options alone")
        data = path.read_bytes()
        if section and b"xcnn" not in data:
            return None
        values = tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if section and not isinstance(error, tomllib.TOMLDecodeError):
            return None
        raise ConfigurationError(f"{path} can't be read: {error}", hint="mend it, or move it away") from error
    if not section:
        return values
    tool = values.get("tool")
    found = tool.get("xcnn") if isinstance(tool, dict) else None
    return found if isinstance(found, dict) else None
