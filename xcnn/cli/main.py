"""The program: finds the command, runs it, and turns every failure into a sentence and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.completion import completion_init, install_callback, show_callback  # type: ignore[attr-defined]

from xcnn._version import __version__
from xcnn.cli import bridge, configured, console, several
from xcnn.cli.configured import EXPLAIN, LOOKS, Configuration
from xcnn.cli.display import Display
from xcnn.cli.signals import INTERRUPTED, TERMINATED, StoppedError, TerminatedError, listen
from xcnn.errors import OutputError, Terminated, UsageError, XcnnError, closest
from xcnn.host import Host

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from xcnn.cli.display import Running
    from xcnn.plugin import BaseExplainer
    from xcnn.request import ModelRequest, Request

# Typer vendors Click and exports only this leaf of its usage errors.
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
EXPLAINERS_PANEL = "Explainers"
LOOK_PANEL = "Look around"
ABOUT = """Show what a trained Keras image model looks at.

Example: xcnn gradcam efficientnet-lite0 photo.jpg"""


class Commands(bridge.Group):
    """Built-in commands, built-in explainers, and third-party explainers by metadata."""

    def __init__(self, **extra: Any) -> None:
        super().__init__(**extra)
        self.host = Host()
        self._found: dict[str, Any] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """Explainers first, then the rest."""
        return [*self.host.builtin, *self._plugins(), EXPLAIN, *LOOKS, *super().list_commands(ctx)]

    def _plugins(self) -> list[str]:
        return [name for name in self.host.listings if name not in self.host.builtin]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command; a plugin's is not imported for being found."""
        if cmd_name not in self._found:  # it is asked for twice
            self._found[cmd_name] = self._made(ctx, cmd_name)
        return self._found[cmd_name]

    def _made(self, ctx: Any, cmd_name: str) -> Any:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name in LOOKS:
            return _looking(cmd_name)
        if cmd_name == EXPLAIN:
            return several.Several(self.host, explain, panel=EXPLAINERS_PANEL)
        if cmd_name in self.host.builtin:
            made = bridge.command(self.host.builtin[cmd_name], explain, distribution="xcnn")
            made.rich_help_panel = EXPLAINERS_PANEL
            made.short_help = bridge.summary(self.host.builtin[cmd_name])
            return made
        return bridge.PluginCommand(self.host, cmd_name, explain) if cmd_name in self.host.listings else None


completion_init()
app = typer.Typer(
    # Declared below: Typer's own completion options load pydantic for every command, 0.1 s.
    add_completion=False,
    cls=Commands,
    no_args_is_help=True,
    help=ABOUT,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (Typer's signature)
    if wanted:
        console.answer(f"xcnn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version, metavar="")
    ] = False,
    install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion", help="Install completion for this shell.", callback=install_callback, metavar=""
        ),
    ] = False,
    show_completion: Annotated[
        bool,
        typer.Option(
            "--show-completion", help="Print the completion script of this shell.", callback=show_callback, metavar=""
        ),
    ] = False,
) -> None:
    """Declare what stands before a command."""


def explain(
    request: Request | ModelRequest, explainers: Sequence[BaseExplainer], display: Running, sources: dict[str, str]
) -> None:
    """Run explainers and say where the report is."""
    if display.verbose > 1:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    from xcnn.cli import running

    command = explainers[0].name if len(explainers) == 1 else EXPLAIN
    try:
        code = running.run(command, request, explainers, display, sources)
    except UsageError as problem:
        configured.attribute(problem, (*explainers, request), sources)
        raise
    if code:
        raise typer.Exit(code)


def _looking(name: str) -> Any:
    """Make a command that looks at a model."""
    module = importlib.import_module(f"xcnn.cli.commands.{name}")
    made = bridge.built(module.run, kinds=module.KINDS, name=name, words=bridge.escape(module.HELP))
    made.rich_help_panel = LOOK_PANEL
    made.short_help = module.HELP.partition("\n")[0]
    return made


def _register() -> None:
    from xcnn.cli.commands import config, models, plugins

    app.command(rich_help_panel=LOOK_PANEL, cls=bridge.Command)(models.models)
    app.add_typer(plugins.app, name="plugins", rich_help_panel=LOOK_PANEL)
    app.add_typer(config.app, name="config", rich_help_panel=LOOK_PANEL)


_register()


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = _ended(arguments)
        with contextlib.suppress(AttributeError):  # closed by the user: >&-
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has what it wants: xcnn layers m | head -1
        code = 0
    except OSError as problem:
        code = _report(OutputError(f"can't write to standard output: {problem.strerror}"), arguments)
    _silence()
    return code


def _silence() -> None:
    """Let nothing more be written to where it can't be: Python would complain again at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
            continue
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(null, stream.fileno())
    os.close(null)


def _invoked(arguments: list[str]) -> Any:
    """Run one command line as Typer's own main does, which takes Ctrl-C and closed pipes for its business."""
    command: Any = typer.main.get_command(app)
    if "_XCNN_COMPLETE" in os.environ:
        return command.main(arguments, prog_name="xcnn", standalone_mode=False)
    with command.make_context("xcnn", list(arguments)) as context:
        return command.invoke(context)


def _ended(arguments: list[str]) -> int:  # noqa: PLR0911 (one return per way to end)
    """Run one command line; every way to end is an exit code."""
    try:
        code = _invoked(arguments)
    except OutputError as problem:
        code = _report(problem, arguments)
        _silence()  # what it could not write is not tried again
        return code
    except XcnnError as problem:
        return _report(problem, arguments)
    except typer.Exit as done:
        return int(done.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _report(StoppedError("interrupted"), arguments)
    except Terminated:
        return _report(TerminatedError("terminated: nothing was written"), arguments)
    except BrokenPipeError:
        raise
    except USAGE_ERROR as problem:
        return _report(_usage(problem), arguments)
    except Exception as problem:
        if os.environ.get("XCNN_DEBUG"):
            raise
        return _report(console.unforeseen(problem), arguments)
    return code if isinstance(code, int) else 0


def _flags(arguments: list[str]) -> list[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _looks_like_options(arguments: list[str]) -> str:
    """The first of some arguments that is taken for options and is a file."""
    return next((word for word in _flags(arguments) if word.startswith("-") and os.path.lexists(word)), "")


def _wants_json(arguments: list[str]) -> bool:
    """Whether a command line, or what is configured for its command, asks for JSON."""
    flags = _flags(arguments)
    if "--json" in flags or "--no-json" in flags:
        return "--no-json" not in flags
    try:
        said = Configuration(Host()).of("".join(arguments[:1]), Display)
    except XcnnError:  # that may be the error to tell
        return False
    return "json" in said and bool(said["json"].value)


def _report(problem: XcnnError, arguments: list[str]) -> int:
    if os.environ.get("XCNN_DEBUG") and not isinstance(problem, StoppedError):
        raise problem
    if isinstance(problem, UsageError) and (file := _looks_like_options(arguments)):
        problem.hint = f"./{file}, if the file is meant"
    try:
        if _wants_json(arguments):
            console.answer_json(console.error_json(problem))
        elif isinstance(problem, StoppedError):
            console.say(problem.message)
        else:
            console.error(problem)
    except (BrokenPipeError, OutputError):  # nobody hears it there
        with contextlib.suppress(BrokenPipeError, OutputError):
            if problem.exit_code == OutputError.exit_code:
                console.error(problem)
        _silence()
    return problem.exit_code


def _meant(problem: Any) -> str | None:
    """The flag that an unknown one most likely meant."""
    typed = getattr(problem, "option_name", "")
    parameters = problem.ctx.command.params if typed and problem.ctx else []
    shown = [one for one in parameters if not getattr(one, "hidden", False)]
    flags = [flag for one in shown for flag in one.opts if flag.startswith("--")]
    guess = closest(typed.lstrip("-"), [flag[2:] for flag in flags])  # all are alike in their dashes
    return guess and f"--{guess}"


def _usage(problem: Any) -> UsageError:
    """A usage error of Typer in our form."""
    words = problem.format_message().rstrip(".")
    if not words.strip():  # no arguments at all: the help has been printed
        return UsageError("a command is missing", hint="xcnn gradcam efficientnet-lite0 photo.jpg")
    message = words.partition(" (Possible")[0].partition(" Did you mean")[0].rstrip(".")
    context = problem.ctx.command_path if problem.ctx else "xcnn"
    guess = _meant(problem)
    hint = f"{guess} (did you mean this?), or {context} --help" if guess else f"{context} --help"
    return UsageError(message[:1].lower() + message[1:], hint=hint)


def main() -> NoReturn:
    """Run the command line of this process."""
    listen()
    if not os.environ.get("XCNN_DEBUG"):
        warnings.simplefilter("ignore")  # of the libraries below; what matters to users is said in our words
    code = run(sys.argv[1:])
    if code in {INTERRUPTED, TERMINATED}:
        os._exit(code)  # all is tidy and said, and TensorFlow may take a second to leave
    sys.exit(code)
