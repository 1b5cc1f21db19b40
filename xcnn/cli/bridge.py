"""From declared options to Typer: the only file that knows both."""

from __future__ import annotations

import inspect
import os
import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from xcnn import options
from xcnn.cli import configured, console
from xcnn.cli.display import Display, Running
from xcnn.cli.quick import AsTyped, QuickHelp
from xcnn.errors import PluginError, UsageError, did_you_mean
from xcnn.host import Host
from xcnn.plugin import Explainer
from xcnn.request import Pictured, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xcnn.options import Option
    from xcnn.plugin import BaseExplainer
    from xcnn.request import ModelRequest, Request

    Runner = Callable[[Request | ModelRequest, Sequence[BaseExplainer], Running, dict[str, str]], None]

OWN_PANEL = "What to explain"
MODEL_PANEL = "The model"
PICTURES_PANEL = "The pictures"
COMMON_PANEL = "Every explainer"
SCREEN_PANEL = "Screen"
RUN_PANEL = "The run"
SHOW_PANEL = "What to show"
SUMMARY = 50
"""Letters of what a distribution says of itself, so that it fits the frame of a narrow terminal."""
OFF = "no__"
"""What the parameter of a flag begins with that switches an option off."""
PANELS = (OWN_PANEL, SHOW_PANEL, MODEL_PANEL, PICTURES_PANEL, COMMON_PANEL, RUN_PANEL, SCREEN_PANEL)


def escape(words: str) -> str:
    """Keep Rich from reading ``[px]`` as markup."""
    if "[" not in words:
        return words
    from rich.markup import escape as escaped  # 20 ms that most commands don't need

    return escaped(words)


def command(kind: type[BaseExplainer], run: Runner, *, distribution: str) -> TyperCommand:
    """Make a command of an explainer: its fields, those of its request and those of `Display` are its options.

    Raises
    ------
    PluginError
        If an option of the explainer has the name of a common one.
    """
    kinds = configured.kinds_of(kind)
    check(kind, kinds[1], distribution)

    def call(explainer: Any, request: Any, display: Any, sources: dict[str, str]) -> None:
        run(request, [explainer], display, sources)

    return built(call, kinds=kinds, name=kind.name, words=_help(kind))


def check(kind: type[BaseExplainer], request: type, distribution: str) -> None:
    """Refuse an explainer whose options have the names of common ones.

    Raises
    ------
    PluginError
        Naming the option.
    """
    taken: dict[str, str] = {}
    for owner, panel in ((request, COMMON_PANEL), (Running, SCREEN_PANEL), (kind, OWN_PANEL)):
        for option in options.declared(owner):
            for flag in filter(None, (option.name, option.option.short)):
                if flag in taken:
                    raise PluginError(
                        f"plugin {distribution}: option {flag!r} of {kind.name} is taken by {taken[flag]}",
                        hint="the plugin must rename it",
                    )
                taken[flag] = panel


def built(call: Callable[..., None], *, kinds: Sequence[type], name: str, words: str) -> TyperCommand:
    """Make a command whose options are the fields of dataclasses.

    `call` receives an instance of each of `kinds`, then where each option came from. What no flag says is taken from
    the environment and from configuration files.
    """
    named: dict[str, tuple[str, options.Declared]] = {}
    for kind in kinds:
        for option in options.declared(kind):
            # Explainers that run together share the options that they have in common.
            named.setdefault(option.name, (_panel(kind, option, first=kind is kinds[0]), option))
    found = list(named.values())
    # Arguments come first, whatever class declares them; then what is the command's own.
    found.sort(key=lambda one: (not one[1].option.positional, PANELS.index(one[0])))
    parameters = [_parameter(option, panel) for panel, option in found]
    # What a file switches on, a flag switches off. Not shown: each would take a line of the help.
    parameters += [_off(option) for _, option in found if option.type is bool]

    def whole(ctx: typer.Context, **values: Any) -> None:
        typed = {option: value for option, value in values.items() if _typed(ctx, option)}
        off = {option.removeprefix(OFF): False for option in typed if option.startswith(OFF)}
        given = {option: value for option, value in typed.items() if not option.startswith(OFF)} | off
        said = configured.Configuration(Host(), [kind for kind in kinds if hasattr(kind, "explain")])
        each, sources = configured.settled(said, name, kinds, given)
        call(*(kind(**one) for kind, one in zip(kinds, each, strict=True)), sources)

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    whole.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    # Line breaks within a paragraph only served an editor.
    help_text = "\n\n".join(" ".join(paragraph.split()) for paragraph in words.split("\n\n"))
    app.command(name=name, help=help_text, cls=Command)(whole)
    made = typer.main.get_command(app)
    assert isinstance(made, TyperCommand)  # noqa: S101 (an app with one command is that command)
    for parameter in made.params:
        parameter._runtime_param = AsTyped()  # type: ignore[attr-defined]  # noqa: SLF001 (Typer has no other way)
    return made


def _panel(kind: type, option: options.Declared, *, first: bool) -> str:
    if option.name in {one.name for one in options.declared(Settings)}:
        return MODEL_PANEL
    if option.name in {one.name for one in options.declared(Pictured)}:
        return PICTURES_PANEL
    if issubclass(kind, Display):
        return SCREEN_PANEL if option.name in {one.name for one in options.declared(Display)} else RUN_PANEL
    if hasattr(kind, "explain"):
        return OWN_PANEL
    return SHOW_PANEL if first else COMMON_PANEL


def summary(kind: type[BaseExplainer]) -> str:
    """The first line of an explainer's docstring."""
    return (inspect.getdoc(kind) or kind.name).partition("\n")[0]


def _help(kind: type[BaseExplainer]) -> str:
    words = inspect.getdoc(kind) or ""
    source = f"\n\n{kind.source}" if kind.source else ""
    pictures = " photo.jpg" if issubclass(kind, Explainer) else ""
    return escape(f"{words}\n\nExample: xcnn {kind.name} model.keras{pictures}{source}")


def _typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _off(option: options.Declared) -> inspect.Parameter:
    """The flag that switches an option off."""
    info: Any = typer.Option(f"--no-{option.flag.removeprefix('--')}", hidden=True)
    return inspect.Parameter(
        OFF + option.name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, info]
    )


def _parameter(option: options.Declared, panel: str) -> inspect.Parameter:
    about = option.option
    words = escape(f"{about.help}{_limits(about)}")
    metavar = about.metavar or ("" if option.type is bool or option.name == "verbose" else option.name.upper())
    # Numbers reach options.checked as they were typed: one check, with one text, for the command line and Python.
    kind: Any = list[str] if option.many else option.type if option.type is bool or option.name == "verbose" else str
    info: Any
    if about.positional:
        info = typer.Argument(help=words, metavar=metavar, show_default=False)
    elif option.name == "verbose":
        info = typer.Option(
            option.flag, about.short, count=True, help=words, metavar=metavar, rich_help_panel=panel, show_default=False
        )
    else:
        info = typer.Option(
            *(flag for flag in (option.flag, about.short) if flag),
            help=words,
            metavar=metavar,
            rich_help_panel=panel,
            show_default=_shown(option),
            autocompletion=_layers if about.completes == "layers" else None,
        )
    default = _default(option)
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind | None if default is None else kind, info],
    )


def _layers(incomplete: str) -> list[str]:
    """Offer the layers of the model that was typed before: the first word that is one.

    The words come from where the shells put them: an option that waits for its value keeps the arguments from being
    parsed, so that Typer does not know the model.
    """
    from xcnn import opening
    from xcnn.network import sketch

    typed = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    try:
        words = shlex.split(typed)
    except ValueError:  # a quote that is still open
        words = typed.split()
    file = next(filter(None, map(opening.model_file, words)), None)
    return sketch.complete(str(file), incomplete) if file else []


def _default(option: options.Declared) -> Any:
    if option.required:
        return inspect.Parameter.empty
    return option.default if option.type is bool or option.name == "verbose" else None


def _limits(about: Option) -> str:
    """The range and unit of a number, in words."""
    ends = [f"{end:g}" for end in (about.minimum, about.maximum) if end is not None]
    shown = (
        "..".join(ends)
        if len(ends) > 1
        else f"{ends[0]} or {'more' if about.maximum is None else 'less'}"
        if ends
        else ""
    )
    words = " ".join(filter(None, (shown, about.unit)))
    return f" ({words})" if words else ""


def _shown(option: options.Declared) -> Any:
    if option.many:
        return ", ".join(option.default) if option.default else None
    return None if option.default in (None, False, "") else str(option.default)


class Group(QuickHelp, TyperGroup):  # type: ignore[misc]
    """A group of commands of ours."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Refuse an unknown command with the nearest known one."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            hint = did_you_mean(args[0], self.list_commands(ctx), f"{ctx.command_path} --help")
            raise UsageError(f"there is no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)


class Command(QuickHelp, TyperCommand):  # type: ignore[misc]
    """A command of ours."""


class PluginCommand(TyperCommand):
    """A third-party command: listed from installed metadata, imported when it is used.

    What a single command does is not known before: commands stand below what their distribution says of itself.
    """

    def __init__(self, host: Host, name: str, run: Runner) -> None:
        listing = host.listings[name]
        about = f": {console.shortened(listing.summary, SUMMARY)}" if listing.summary else ""
        title = escape(f"{listing.distribution} {listing.version}{about}")
        super().__init__(name, callback=lambda: None, help="", rich_help_panel=title)
        self._host = host
        self._run = run

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Import the plugin and hand over to its real command."""
        assert self.name is not None  # noqa: S101 (set above)
        kind = self._host.explainer(self.name)
        real = command(kind, self._run, distribution=self._host.distribution(self.name))
        return real.make_context(info_name, args, parent, **extra)
