"""Samples, run as a user runs them, and what they leave."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SAMPLES = Path(__file__).parent.parent / "samples"


def quick(name, *arguments):
    """Run a sample with --quick in the working directory, and return what it printed."""
    call = [sys.executable, str(SAMPLES / f"{name}.py"), "--quick", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def manifest(folder):
    return json.loads(Path(folder, "run.json").read_text("utf-8"))
