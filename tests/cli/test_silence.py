"""What nobody can hear: closed pipes, full disks behind them, and closed streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.executable
XCNN = [sys.executable, "-m", "xcnn"]
ANSWERS = (["models", "--json"], ["config", "show"], ["gradcam", "--help"])
ERROR = ["layers", "nope.keras"]


def closed():
    """The end of a pipe that nobody reads."""
    ours, theirs = os.pipe()
    os.close(ours)
    return os.fdopen(theirs, "wb", buffering=0)


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_an_answer_into_a_closed_pipe_ends_in_silence(words):
    with closed() as pipe:
        done = subprocess.run([*XCNN, *words], stdout=pipe, stderr=subprocess.PIPE, check=False)

    assert (done.returncode, done.stderr) == (0, b"")


def test_an_error_that_nobody_reads_keeps_its_code():
    with closed() as pipe:
        as_json = subprocess.run([*XCNN, *ERROR, "--json"], stdout=pipe, stderr=subprocess.PIPE, check=False)
        as_text = subprocess.run([*XCNN, *ERROR], stderr=pipe, stdout=subprocess.PIPE, check=False)

    assert (as_json.returncode, as_json.stderr) == (3, b"")
    assert (as_text.returncode, as_text.stdout) == (3, b"")


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_an_answer_that_can_not_be_written_is_an_error_of_one_line(words):
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 (no other way to have no buffer)
        done = subprocess.run([*XCNN, *words], stdout=full, stderr=subprocess.PIPE, check=False, text=True)

    assert done.returncode == 5
    assert done.stderr.startswith("error: can't write to ")
    assert done.stderr.endswith(": No space left on device\n")
    assert len(done.stderr.splitlines()) == 1


def test_streams_that_the_user_has_closed_are_not_missed():
    answer = subprocess.run(f"{' '.join(XCNN)} models >&-", shell=True, stderr=subprocess.PIPE, check=False)
    error = subprocess.run(f"{' '.join(XCNN)} {' '.join(ERROR)} 2>&-", shell=True, stdout=subprocess.PIPE, check=False)

    assert (answer.returncode, b"Traceback" in answer.stderr) == (0, False)
    assert (error.returncode, error.stdout) == (3, b"")


def test_the_first_line_of_json_is_enough():
    done = subprocess.run(
        f"{' '.join(XCNN)} layers efficientnet-lite0 --json | head -1", shell=True, capture_output=True, check=True
    )

    assert (done.stdout, done.stderr) == (b"{\n", b"")
    assert json.loads(done.stdout.strip() + b"}") == {}
