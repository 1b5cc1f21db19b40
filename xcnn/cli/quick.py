"""What Typer does in a way that takes a tenth of a second, done in none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.errors import OutputError

if TYPE_CHECKING:
    import typer

EXAMPLE = "Example:"


class AsTyped:
    """What Typer makes of words that stay words; its own way loads pydantic, for every command."""

    def coerce(self, value: Any, param: Any, ctx: typer.Context) -> Any:  # noqa: ARG002 (Typer's signature)
        """Leave a value as it is."""
        return () if value is None and param.nargs == -1 else value


class QuickHelp:
    """A command or group whose --help flag starts as False, and whose help starts with its example.

    Typer leaves the flag None, and converting None loads pydantic: 0.1 s for every command.
    """

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:
        """Print the help; lists of commands show the first line as it is written."""
        self.help: str | None
        paragraphs = (self.help or "").split("\n\n")
        self.help = "\n\n".join(sorted(paragraphs, key=lambda text: not text.startswith(EXAMPLE)))
        try:
            super().format_help(ctx, formatter)  # type: ignore[misc]
        except SystemExit:  # what Rich makes of a closed pipe
            raise BrokenPipeError from None
        except OSError as problem:
            raise OutputError(f"can't write to standard output: {problem.strerror}") from problem

    def get_help_option(self, ctx: typer.Context) -> Any:
        """Make the --help option."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.default, option.metavar = False, ""
        return option
