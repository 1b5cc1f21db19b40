"""`xcnn plugins`: what is installed, from metadata alone; with --load, whether it works."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xcnn.cli import console
from xcnn.host import Host

if TYPE_CHECKING:
    from xcnn.host import Listing

PROBE = """
import json, sys, time
before, begun = set(sys.modules), time.perf_counter()
from importlib import metadata
metadata.EntryPoint(*sys.argv[1:4]).load()
heavy = {"tensorflow", "keras", "numpy", "cv2", "matplotlib", "torch", "scipy"} & (set(sys.modules) - before)
print("\\nXCNN" + json.dumps({"seconds": time.perf_counter() - begun, "heavy": sorted(heavy)}))
"""
TIMEOUT = 60


def plugins(
    *,
    load: Annotated[
        bool, typer.Option("--load", metavar="", help="Import each in a process of its own and time it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """List installed plugins, from metadata alone.

    Example: xcnn plugins --load
    """
    host = Host()
    found = [*host.listings.values(), *host.extensions]
    rows = [
        asdict(listing) | {"clashes": list(listing.clashes)} | (_probe(listing) if load else {}) for listing in found
    ]
    if as_json:
        console.answer_json({"schema_version": 1, "plugins": rows})
        return
    if not rows:
        console.say("no plugin is installed")
        return
    headings = ("command", "distribution", "version", "", *(("import",) if load else ()))
    console.table(headings, [_cells(row, load=load) for row in rows])


def _cells(row: dict[str, Any], *, load: bool) -> list[str]:
    about = f"CLASH with {', '.join(row['clashes'])}" if row["clashes"] else row["summary"]
    name = row["name"] if row["group"] == "xcnn.explainers" else "(extension)"
    return [name, row["distribution"], row["version"], about, *([_imported(row)] if load else [])]


def _imported(row: dict[str, Any]) -> str:
    if row["error"]:
        return f"FAILED: {row['error']}"
    heavy = f", imports {', '.join(row['heavy'])}" if row["heavy"] else ""
    return f"{row['seconds'] * 1000:.0f} ms{heavy}"


def _probe(listing: Listing) -> dict[str, Any]:
    """Import one plugin in a process of its own."""
    import subprocess

    words = [sys.executable, "-c", PROBE, listing.name, listing.value, listing.group]
    failed: dict[str, Any] = {"seconds": None, "heavy": []}
    try:
        done = subprocess.run(  # noqa: S603 (no shell; the words come from installed metadata)
            words,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
    except subprocess.TimeoutExpired:
        return failed | {"error": f"did not finish importing in {TIMEOUT} s"}
    said = [line for line in done.stdout.splitlines() if line.startswith("XCNN")]
    if done.returncode or not said:
        last = done.stderr.strip().splitlines()
        return failed | {"error": last[-1] if last else f"exit code {done.returncode}"}
    return {**json.loads(said[-1][4:]), "error": ""}
