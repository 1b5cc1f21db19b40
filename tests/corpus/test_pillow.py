"""No picture crashes, hangs or ends in a traceback: the corpus, downloaded and run by its own script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.keras
def test_every_picture_of_pillows_tests_is_explained_or_refused_as_the_summary_says():
    done = subprocess.run([sys.executable, HERE / "pillow.py"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "crashes, hangs, tracebacks and other errors: 0" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_summary_holds_every_file_and_no_loss():
    summary = (HERE / "pillow.txt").read_text("utf-8")

    assert "Tests/images: 1060 files" in summary
    assert not any(word in summary for word in ("a crash", "a hang", "a traceback", "another error", "one plain line"))
