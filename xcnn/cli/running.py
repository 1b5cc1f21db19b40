"""One run as the command line does it, and what it would do with --dry-run."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn import inputs, options
from xcnn import request as requests
from xcnn.cli import console
from xcnn.cli.configured import DEFAULT
from xcnn.cli.screen import Screen
from xcnn.cli.signals import INTERRUPTED, TERMINATED, StoppedError, Watch
from xcnn.errors import ImageError, OptionError, PluginError
from xcnn.host import Host
from xcnn.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.cli.display import Running
    from xcnn.plugin import BaseExplainer, Run
    from xcnn.request import ModelRequest

SIGNALLED = {"interrupted": INTERRUPTED, "terminated": TERMINATED}
SCREEN = {"dry_run", "json", "quiet", "verbose"}
"""Options that change nothing of what a run does."""
SHOWN = 10
"""So many names of pictures are listed by --dry-run."""


def run(
    command: str,
    request: Request | ModelRequest,
    explainers: Sequence[BaseExplainer],
    display: Running,
    sources: Mapping[str, str],
) -> int:
    """Run explainers, say where the report is, and return the exit code.

    Raises
    ------
    XcnnError
        If the run as a whole can't go on, was interrupted, or nothing could be explained.
    """
    from xcnn.io import places

    if display.skip_existing and not request.out:
        raise OptionError("--skip-existing needs the folder of the earlier run", hint="name it with --out")
    out = Path(request.out) if request.out else places.default_folder(command)
    if display.dry_run:
        _rehearse(request, explainers, display, sources, out)
        return 0
    try:
        done = _done(request, explainers, display, sources, out)
    except ImageError as problem:
        if not display.exit_zero:
            raise
        if display.json:
            told = console.error_json(problem)
            console.answer_json({**told, "error": {**told["error"], "exit_code": 0}})
        else:
            console.error(problem)
        return 0
    if display.json:
        told = json.loads((out / places.MANIFEST).read_text("ascii"))
        console.answer_json(told | {"folder": str(out)} | ({"stopped": done.stopped} if done.stopped else {}))
    else:
        console.answer(out / "report.html")
    if done.stopped in SIGNALLED:
        return SIGNALLED[done.stopped]
    if any(one.code == PluginError.code for one in done.failures):
        return PluginError.exit_code
    return int(bool(done.failures or done.stopped) and not display.exit_zero)


def _done(
    request: Request | ModelRequest,
    explainers: Sequence[BaseExplainer],
    display: Running,
    sources: Mapping[str, str],
    out: Path,
) -> Run:
    watch = Watch(out, patient=display.keep_partial, json=display.json)
    screen = Screen(display, explainers, watch=watch)
    screen.starting(request.model)
    from xcnn.execution import execute

    try:
        with ExitStack() as stack:
            pictures = inputs.given(request.images, request.from_file, stack) if isinstance(request, Request) else None
            stack.enter_context(watch)
            done = execute(
                request,
                explainers,
                host=Host(),
                pictures=pictures,
                sources=sources,
                events=screen,
                out=out,
                keep=False,
                fail_fast=display.fail_fast,
                keep_partial=display.keep_partial,
                skip_existing=display.skip_existing,
            )
    except KeyboardInterrupt:
        raise StoppedError("interrupted: nothing was written") from None
    finally:
        screen.close()
    if done.stopped:
        console.say(f"{done.stopped}: what was finished is kept")
    return done


def _rehearse(
    request: Request | ModelRequest,
    explainers: Sequence[BaseExplainer],
    display: Running,
    sources: Mapping[str, str],
    out: Path,
) -> None:
    """Say what a run would do, after the checks that need no model."""
    from xcnn import execution, opening
    from xcnn.io import places

    pictures = execution.found(request, explainers) if isinstance(request, Request) else []
    model = opening.located(request, Host())
    places.check(out, overwrite=request.overwrite or display.skip_existing, inputs=[*pictures, request.model])
    rows = [
        {"option": option.flag, "value": _spelled(option, one), "source": sources.get(option.name, DEFAULT)}
        for one in (*explainers, request, display)
        for option in options.declared(type(one))
        if not option.option.positional and getattr(one, option.name) != option.default and option.name not in SCREEN
    ]
    told: dict[str, Any] = {
        "schema_version": 1,
        "dry_run": True,
        "model": model,
        "pictures": pictures,
        "explainers": [one.name for one in explainers],
        "options": rows,
        "folder": str(out),
        "command": requests.command_line(request, explainers),
    }
    if display.json:
        console.answer_json(told)
        return
    more = f" and {len(pictures) - SHOWN} more" if len(pictures) > SHOWN else ""
    console.answer(f"model: {model}")
    if isinstance(request, Request):
        console.answer(f"pictures: {len(pictures)}: {', '.join(pictures[:SHOWN])}{more}")
    console.answer(f"explainers: {', '.join(told['explainers'])}")
    for row in rows:
        console.answer(f"{row['option']}: {row['value']} ({row['source']})")
    console.answer(f"folder: {out}, nothing was written")


def _spelled(option: options.Declared, instance: Any) -> str:
    value = getattr(instance, option.name)
    return ", ".join(value) if option.many else options.spelled(option, value)
