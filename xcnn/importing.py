"""What the import of a plugin costs, measured in a process of its own."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from xcnn.errors import XcnnError, plain_words

HEAVY = ("tensorflow", "keras", "numpy", "cv2", "matplotlib", "torch", "scipy")
"""Libraries that take long to import."""
TIMEOUT = 60
MARK = "\nXCNN "
MODULE = "module"
"""Stands where the group of an entry point would."""


@dataclass(frozen=True)
class Cost:
    """What one import took."""

    seconds: float | None = None
    """None where it failed."""
    heavy: tuple[str, ...] = ()
    """The `HEAVY` libraries that it pulled in."""
    printed: bool = False
    """Whether it wrote to standard output."""
    error: str = ""


def of_entry(group: str, name: str, value: str) -> Cost:
    """Load a plugin as the host does, from the entry point that names it."""
    return _measured(group, name, value)


def of_module(name: str, file: str) -> Cost:
    """Import a module by its name, or from its file where it has no importable name."""
    return _measured(MODULE, name, file)


def _measured(*words: str) -> Cost:
    path = os.pathsep.join(filter(None, sys.path))
    code = "import sys; from xcnn import importing; importing.main(*sys.argv[1:])"
    try:
        done = subprocess.run(  # noqa: S603 (no shell; the words come from installed metadata)
            [sys.executable, "-P", "-c", code, *words],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
        )
    except subprocess.TimeoutExpired:
        return Cost(error=f"did not finish importing in {TIMEOUT} s")
    before, mark, said = done.stdout.rpartition(MARK)
    if done.returncode or not mark:
        last = done.stderr.strip().splitlines()
        return Cost(error=last[-1] if last else f"exit code {done.returncode}")
    found = json.loads(said)
    return Cost(found["seconds"], tuple(found["heavy"]), found["printed"] or bool(before), found["error"])


def main(group: str, name: str, value: str) -> None:
    """Import one thing and print what it cost: what the other process runs."""
    from xcnn.host import Host

    before, begun, error, printed = set(sys.modules), time.perf_counter(), "", io.StringIO()
    host = Host()
    try:
        with contextlib.redirect_stdout(printed):
            if group == MODULE:
                _import(name, value)
            else:
                host.load(group, name, value)
    except XcnnError as problem:
        error = problem.message
    except (Exception, SystemExit) as problem:  # noqa: BLE001 (whatever a stranger's module does is told)
        error = f"{type(problem).__name__}: {plain_words(problem)}"
    seconds = None if error else time.perf_counter() - begun
    heavy = tuple(sorted(set(HEAVY) & (set(sys.modules) - before)))
    sys.stdout.write(MARK + json.dumps(asdict(Cost(seconds, heavy, bool(printed.getvalue()), error))))


def _import(name: str, file: str) -> None:
    if importlib.util.find_spec(name.partition(".")[0]) is not None and name != "__main__":
        importlib.import_module(name)
        return
    spec = importlib.util.spec_from_file_location("plugin_on_trial", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules["plugin_on_trial"] = module
    spec.loader.exec_module(module)
