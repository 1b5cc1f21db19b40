"""`xcnn report`: reports of runs that were written before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from xcnn.cli import console
from xcnn.cli.looks import ReportOptions

if TYPE_CHECKING:
    from pathlib import Path

HELP = """Make the report of a run again, or one report of several runs of one model. Nothing is computed anew.

Example: xcnn report xcnn-out/gradcam xcnn-out/occlusion"""
KINDS = (ReportOptions,)


def run(options: ReportOptions, _: dict[str, str]) -> None:
    """Write the report and say where it is."""
    from pathlib import Path

    from xcnn.io import places
    from xcnn.saving.rebuild import join_reports

    out = Path(options.out) if options.out else places.default_folder("report")
    path = join_reports(
        options.runs, out, overwrite=options.overwrite, report_max_mb=options.report_max_mb, say=console.say
    )
    console.answer(path)
    if options.open:
        _show(path)


def _show(path: Path) -> None:
    """Open the browser where a person sees it."""
    import webbrowser

    if not sys.stdout.isatty():
        console.say("not opened: standard output is no terminal")
    elif not webbrowser.open(path.resolve().as_uri()):
        console.say("no browser was found")
