"""`xcnn explain`: several explainers on one load of the model and in one report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from typer.core import TyperCommand

from xcnn import options
from xcnn.cli import bridge, configured
from xcnn.cli.display import Running
from xcnn.cli.quick import QuickHelp
from xcnn.errors import OptionError
from xcnn.options import Option

if TYPE_CHECKING:
    from xcnn.cli.bridge import Runner
    from xcnn.host import Host
    from xcnn.plugin import BaseExplainer

DEFAULT = ("gradcam", "saliency", "occlusion")
FLAG = "--with"
HELP = """Run several explainers on one load of the model, side by side in one report.

The options of each are accepted, too; those that several have in common go to all of them. One that does not fit the
model is told, and the others go on."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which explainers to run."""

    with_: Annotated[
        tuple[str, ...],
        Option("Explainers, with commas between.", short="-w", metavar="NAMES", separator=","),
    ] = DEFAULT

    def __post_init__(self) -> None:
        """Convert and check."""
        options.normalise(self)


class Several(QuickHelp, TyperCommand):  # type: ignore[misc]
    """The command; its options depend on the explainers that are named, so it is made when it is used."""

    def __init__(self, host: Host, run: Runner, *, panel: str) -> None:
        example = "Example: xcnn explain model.keras photo.jpg --with gradcam,guided,occlusion"
        super().__init__("explain", callback=lambda: None, help=f"{HELP}\n\n{example}", rich_help_panel=panel)
        self.short_help = HELP.partition("\n")[0]
        self._host = host
        self._run = run

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Make the real command of the explainers that the arguments name, and hand over to it."""
        names = named(args) or self._configured(args)
        kinds = [self._host.explainer(name) for name in names]
        real = self._command(kinds)
        return real.make_context(info_name, args, parent, **extra)

    def _configured(self, args: list[str]) -> tuple[str, ...]:
        if "--help" in args:  # whatever is configured, the help is there
            return DEFAULT
        said = configured.Configuration(self._host).of(configured.EXPLAIN, Chosen).get("with_")
        return tuple(said.value) if said else DEFAULT

    def _command(self, kinds: list[type[BaseExplainer]]) -> TyperCommand:
        request = configured.requested(kinds)
        for kind in kinds:
            bridge.check(kind, request, self._host.distribution(kind.name))

        def call(_: Any, *instances: Any) -> None:
            *explainers, asked, display, sources = instances
            self._run(asked, explainers, display, sources)

        assert self.help is not None  # noqa: S101 (set above)
        return bridge.built(
            call, kinds=(Chosen, *kinds, request, Running), name="explain", words=bridge.escape(self.help)
        )


def named(args: list[str]) -> tuple[str, ...]:
    """The explainers that a command line names, before anything else of it is understood; () when it names none.

    Raises
    ------
    OptionError
        If one is named twice, or the option names none.

    Examples
    --------
    >>> named(["m.h5", "--with", "gradcam,guided"]), named(["m.h5", "-wcam"]), named([])
    (('gradcam', 'guided'), ('cam',), ())
    """
    words: list[str] = []
    end = args.index("--") if "--" in args else len(args)
    for place, word in enumerate(args[:end]):
        if word in {FLAG, "-w"}:
            value = "".join(args[place + 1 : place + 2])
        elif word.startswith((f"{FLAG}=", "-w")):
            value = word.removeprefix(f"{FLAG}=").removeprefix("-w")
        else:
            continue
        given = [part.strip() for part in value.split(",") if part.strip()]
        if not given:
            raise OptionError(f"{FLAG} names no explainer", hint="see: xcnn --help")
        words += given
    twice = next((word for word in words if words.count(word) > 1), "")
    if twice:
        raise OptionError(f"{FLAG} names {twice} twice", hint="name each once")
    return tuple(words)
