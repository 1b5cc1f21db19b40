"""Places of run folders: what killed runs leave there, and two runs that want the same."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from xcnn.errors import OutputError
from xcnn.io import places
from xcnn.io.artifacts import Draft

# Writes one run over the other, as fast as it can; "slowly" where the system can't exchange two folders in one step.
WRITING = """
import ctypes, sys, types
from pathlib import Path
from xcnn.io.artifacts import Draft
if sys.argv[1] == "slowly":
    ctypes.CDLL = lambda *_args, **_kwargs: types.SimpleNamespace()
number = 0
while True:
    with Draft(Path("run"), overwrite=True) as draft:
        for name in "abcde":
            draft.write_json(f"{name}.json", number)
        draft.write_json("run.json", {"files": [*draft.files(), "run.json"], "number": number})
        draft.publish()
    number += 1
    print(number, flush=True)
"""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def gone():
    """The number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def listed(folder):
    return sorted(entry.name for entry in folder.iterdir())


def left(out, pid, node=None, key=None):
    """What a run leaves that is killed: a draft."""
    name = f"{places.DRAFT}{pid}-{places._node() if node is None else node}-{key or places._key(out)}-x1y2"
    (out.parent / name).mkdir()
    (out.parent / name / "cat.png").touch()
    return out.parent / name


def published(out):
    with Draft(out, overwrite=True) as draft:
        draft.write_json("run.json", {"files": ["run.json"]})
        draft.publish()
    return out


# --- what killed runs leave --------------------------------------------------------------------------------------


def test_the_next_run_removes_what_killed_runs_left_beside_it(out, gone):
    left(out, gone)
    left(out, gone, key="00000000").joinpath("deep").mkdir()  # of another place beside it
    (out.parent / f"{places.DRAFT}{gone}-{places._node()}-00000000-a.png").touch()

    published(out)

    assert listed(out.parent) == ["out"]


def test_what_may_be_in_use_is_left_alone(out, gone):
    mine = left(out.with_name("other"), os.getpid())
    elsewhere = left(out.with_name("more"), gone, node="another_machine")
    link = out.parent / f"{places.DRAFT}{gone}-{places._node()}-00000000-link"
    (out.parent / "thesis").mkdir()
    link.symlink_to("thesis")
    (out.parent / ".xcnn-draft-mine").mkdir()

    published(out)

    assert listed(out.parent) == sorted([mine.name, elsewhere.name, link.name, "thesis", ".xcnn-draft-mine", "out"])


def test_a_draft_that_a_container_of_the_same_name_has_locked_is_left_alone(out, gone):
    # Its number is that of a process over there.
    draft = left(out.with_name("other"), gone)
    handle = os.open(draft, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)

    published(out)
    during = draft.exists()
    os.close(handle)
    published(out)

    assert (during, draft.exists()) == (True, False)


def test_what_was_moved_aside_is_put_back(out):
    published(out).rename(places._aside(out))

    with pytest.raises(OutputError, match="already exists"):
        Draft(out, overwrite=False)

    assert listed(out.parent) == ["out"]


def test_what_was_moved_aside_and_replaced_is_removed(out):
    published(out).rename(places._aside(out))
    (out.parent / "new").mkdir()
    (out.parent / "new").rename(out)

    published(out)

    assert listed(out.parent) == ["out"]


@pytest.mark.executable
@pytest.mark.parametrize("how", ["at once", "slowly"])
def test_a_run_killed_at_any_moment_leaves_a_whole_folder(how, own_folder):
    moments = np.random.default_rng(0)
    for _ in range(20):
        with subprocess.Popen([sys.executable, "-c", WRITING, how], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.wait()
        places.settle(Path("run"))

        assert listed(own_folder) == ["run"]
        told = json.loads(Path("run/run.json").read_text())
        assert listed(Path("run")) == sorted(told["files"])
        assert {json.loads(Path("run", f"{name}.json").read_text()) for name in "abcde"} == {told["number"]}


# --- two runs that want the same place ---------------------------------------------------------------------------


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_place_that_a_run_is_writing_is_refused_at_once(out, overwrite):
    with Draft(out, overwrite=False) as draft:
        with pytest.raises(OutputError) as caught:
            Draft(out, overwrite=overwrite)
        draft.publish()

    assert caught.value.message == f"another run is writing {out}"
    assert caught.value.exit_code == 5
    assert listed(out.parent) == ["out"]


def test_another_place_beside_it_is_free(out):
    with Draft(out, overwrite=False):
        published(out.with_name("other"))

    assert listed(out.parent) == ["other"]


def test_a_default_folder_that_a_run_is_writing_is_taken(own_folder):
    with Draft(Path("xcnn-out/gradcam"), overwrite=False):
        assert places.default_folder("gradcam") == Path("xcnn-out/gradcam-2")


def unlocked(out, *, overwrite):
    """A draft where the file system has no locks, so that nobody sees it."""
    draft = Draft(out, overwrite=overwrite)
    fcntl.flock(draft._lock, fcntl.LOCK_UN)
    return draft


@pytest.mark.parametrize("overwrite", [False, True])
def test_of_two_runs_that_did_not_see_each_other_the_first_to_end_wins(out, overwrite):
    with unlocked(out, overwrite=overwrite) as first, unlocked(out, overwrite=overwrite) as second:
        for number, draft in enumerate((second, first)):
            draft.write_json("run.json", {"files": ["run.json"], "number": number})
        second.publish()
        with pytest.raises(OutputError, match="appeared while xcnn was at work"):
            first.publish()

    assert json.loads((out / "run.json").read_text())["number"] == 0
    assert listed(out.parent) == ["out"]


def test_of_two_runs_that_overwrite_the_same_folder_the_first_to_end_wins(out):
    published(out)
    with unlocked(out, overwrite=True) as first, unlocked(out, overwrite=True) as second:
        for number, draft in enumerate((second, first)):
            draft.write_json("run.json", {"files": ["run.json"], "number": number})
        second.publish()
        with pytest.raises(OutputError, match=r"another run wrote .*out while xcnn was at work"):
            first.publish()

    assert json.loads((out / "run.json").read_text())["number"] == 0
    assert listed(out.parent) == ["out"]


# --- what is read is not overwritten -----------------------------------------------------------------------------


def _link(path, target):
    path.symlink_to(target)


def _hard(path, target):
    os.link(target, path)


@pytest.mark.parametrize("how", [_link, _hard])
def test_a_file_that_is_read_under_another_name_is_not_overwritten(out, how):
    published(out)
    how(out.parent / "photo.json", out / "run.json")

    with pytest.raises(OutputError) as caught:
        places.check(out, overwrite=True, inputs=[str(out.parent / "photo.json")])

    assert caught.value.message == f"{out} holds {out.parent / 'photo.json'}, which is read, so it is not overwritten"
