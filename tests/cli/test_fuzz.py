"""Command lines of all sorts, right and wrong: whatever they say, they end as documented and nothing is lost."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys

import pytest
from command_lines import furnish, lines, tree
from fakes import FakeNetwork
from hypothesis import HealthCheck, given, settings

from xcnn.cli.main import run

# What is documented, without 6 (no plugin is in the game), the signals, and 70, a bug.
DOCUMENTED = {0, 1, 2, 3, 4, 5}
REFUSED = {2, 3, 4, 5}
FIXED = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Pipe(io.TextIOWrapper):
    """Standard input with the names of pictures in it."""

    def __init__(self):
        super().__init__(io.BytesIO(b"in/good.png\n"))


def judged(words, code, out, err, before, after):
    """Hold what a command line did against what is promised."""
    assert code in DOCUMENTED, (words, code, err)
    assert "Traceback" not in out + err, (words, err)
    assert not CONTROL.search(out + err), (words, out, err)
    assert {path: data for path, data in after.items() if path in before} == before, words
    new = set(after) - set(before)
    assert not [path for path in new if b"draft" in path or b"stdin" in path], (words, new)
    if code in REFUSED:
        assert new == set(), (words, new)
    if "--json" in words and "--help" not in words:
        json.loads(out)


@pytest.fixture
def tried(tmp_path, monkeypatch, capfd):
    """Run a command line in a folder of its own, on a network without TensorFlow."""
    # All else is real: what is checked before a network is opened, and what is done with its numbers.
    monkeypatch.setattr("xcnn.network.open_network", lambda *_, **__: FakeNetwork())
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def call(words, files):
        root = tmp_path / "root"
        here = root / "here"
        furnish(here, files)
        monkeypatch.chdir(here)
        monkeypatch.setattr(sys, "stdin", Pipe())
        before = tree(root)
        capfd.readouterr()
        code = run(words)
        out, err = capfd.readouterr()
        after = tree(root)
        monkeypatch.chdir(tmp_path)
        shutil.rmtree(root)
        return code, out, err, before, after

    return call


@settings(max_examples=100, **FIXED)
@given(lines(without={"filters", "doctor"}))
def test_a_command_line_ends_as_documented_and_nothing_is_lost(tried, line):
    judged(line[0], *tried(*line))


@pytest.mark.slow
@settings(max_examples=2000, **FIXED)
@given(lines(without={"filters", "doctor"}))
def test_thousands_of_command_lines_end_as_documented_and_nothing_is_lost(tried, line):
    judged(line[0], *tried(*line))


@pytest.mark.slow
@pytest.mark.executable
@settings(max_examples=40, **FIXED)
@given(lines())
def test_the_real_program_ends_as_documented_and_nothing_is_lost(tmp_path, line):
    words, files = line
    root = tmp_path / "root"
    furnish(root / "here", files)
    before = tree(root)
    done = subprocess.run(
        [sys.executable, "-m", "xcnn", *words],
        cwd=root / "here",
        input=b"in/good.png\n",
        capture_output=True,
        check=False,
    )
    after = tree(root)
    shutil.rmtree(root)

    judged(words, done.returncode, done.stdout.decode(), done.stderr.decode(), before, after)
