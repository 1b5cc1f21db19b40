"""Samples, run as a user runs them, and what they leave."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SAMPLES = Path(__file__).parent.parent / "samples"


def run(name, *arguments):
    """Run a sample with --quick in the working directory."""
    call = [sys.executable, str(SAMPLES / f"{name}.py"), "--quick", *arguments]
    return subprocess.run(call, capture_output=True, text=True, timeout=900, check=False)


def refused(name, *arguments):
    """Run a sample with --quick that is to end at once, and return what it said."""
    done = run(name, *arguments)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def quick(name, *arguments):
    """Run a sample with --quick in the working directory, and return what it printed; nothing but that is said."""
    done = run(name, *arguments)
    assert (done.returncode, done.stderr[-3000:]) == (0, "")
    return done.stdout


def manifest(folder):
    return json.loads(Path(folder, "run.json").read_text("utf-8"))
