"""What breaks below a run: a process that is killed, two at once, a full disk, one that is read only."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.keras, pytest.mark.executable]
XCNN = [sys.executable, "-m", "xcnn"]
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c"]
# A disk of its own, in a namespace of its own; the arguments are what becomes of it each time, and the command.
FULL = """
import json, os, subprocess, sys
from pathlib import Path
from xcnn.cli.main import run
Path("disk").mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", "disk"], check=True)
found = []
for how in json.loads(sys.argv[1]):
    if how == "filled":
        Path("disk/zeros").write_bytes(bytes(os.statvfs("disk").f_bavail * 4096 - 100_000))
    else:
        subprocess.run(["mount", "-o", f"remount,{how}", "disk"], check=True)
    found.append([run(sys.argv[2:]), sorted(os.listdir("disk"))])
print(json.dumps(found))
"""


def whole(folder):
    """Whether a folder has exactly the files that its run.json tells, as they were written."""
    told = json.loads((folder / "run.json").read_text("ascii"))
    assert sorted(told["files"]) == sorted(path.name for path in folder.iterdir())
    for name, digest in told["hashes"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    return True


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_a_command_killed_at_twenty_moments_leaves_nothing_or_a_whole_folder(small_model, photo, own_folder):
    for number in range(6):
        photo(f"photos/{number}.png", seed=number)
    moments = np.random.default_rng(0)
    words = [*XCNN, "gradcam", small_model, "photos", "--out", "runs/run", "--batch-size", "1"]
    ends = []
    for number in range(21):
        if number % 2:  # every other one begins with nothing
            shutil.rmtree("runs", ignore_errors=True)
        before = Path("runs/run").exists()
        with subprocess.Popen([*words, "--overwrite"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while number and process.poll() is None and not (Path("runs").exists() and hidden(Path("runs"))):
                time.sleep(0.01)  # until it begins to write: before, there is nothing to break
            if number:
                time.sleep(moments.uniform(0, 1.5))
                process.send_signal(signal.SIGKILL)
            process.wait()
        ends.append(process.returncode)
        there = Path("runs/run").exists()
        assert there or not before
        assert not there or whole(Path("runs/run"))

    assert ends[0] == 0
    assert ends.count(-signal.SIGKILL) >= 5
    done = subprocess.run([*words, "--overwrite"], capture_output=True, check=False)
    assert (done.returncode, hidden(Path("runs"))) == (0, [])


@pytest.mark.slow
def test_of_two_commands_that_write_one_folder_one_wins_and_the_other_says_why(small_model, photo, own_folder):
    photo("a.png")
    photo("b.png")
    pair = [
        subprocess.Popen(
            [*XCNN, "gradcam", small_model, name, "--out", "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for name in ("a.png", "b.png")
    ]
    told = [process.communicate(timeout=200)[1].decode() for process in pair]

    codes = [process.returncode for process in pair]
    assert sorted(codes) == [0, 5]
    loser = told[codes.index(5)]
    # One was a whole run later than the other, or saw it at work, or saw its folder when its own was ready.
    when = ("run already exists", "another run is writing run", "run appeared while xcnn was at work")
    assert any(f"error: {words}\n" in loser for words in when), loser
    assert whole(Path("run"))
    results = json.loads(Path("run/run.json").read_text())["results"]
    assert [one["image"]["path"] for one in results] == ["ab"[codes.index(0)] + ".png"]
    assert hidden(own_folder) == []


def on_a_disk(sizes, *words):
    """Run a command on a disk of each size; the exit codes and what is left on it, and what was said."""
    if shutil.which("unshare") is None or subprocess.run([*UNSHARE, ""], capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own needs `unshare --user --mount`: allow user namespaces, or run as root")
    done = subprocess.run([*UNSHARE, FULL, json.dumps(sizes), *words], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_a_full_disk_leaves_nothing_and_says_how_much_was_written(small_model, photo):
    photo("a.png", height=300, width=400)
    sizes = ["size=4k", "size=40k", "size=100k", "size=200k", "size=400k"]

    found, err = on_a_disk(sizes, "gradcam", small_model, "a.png", "--out", "disk/run", "--colormap", "jet")

    assert found == [[5, []]] * len(sizes)
    told = [
        line for line in err.splitlines() if line.startswith("error: can't write disk/run: No space left on device (")
    ]
    assert len(told) == len(sizes), err
    assert " MB were written, and more are needed; 0.0 MB are free)" in told[-1]
    assert err.count("  try: free some space, or choose an --out on another disk\n") == len(sizes)


@pytest.mark.slow
def test_a_disk_that_is_full_keeps_the_folder_that_was_there(small_model, photo):
    photo("a.png", height=300, width=400)

    found, _ = on_a_disk(["size=9m", "filled"], "gradcam", small_model, "a.png", "--out", "disk/run", "--overwrite")

    assert found == [[0, ["run"]], [5, ["run", "zeros"]]]


def test_a_disk_that_is_read_only_is_refused_before_anything_is_computed(photo):
    photo("a.png")

    found, err = on_a_disk(["ro"], "gradcam", "efficientnet-lite0", "a.png", "--out", "disk/run")

    assert found == [[5, []]]
    assert err.splitlines()[0].startswith("error: can't write disk/run: ")
    assert err.splitlines()[0].endswith("/disk is not writable")
    assert "opening" not in err


@pytest.mark.slow
def test_a_limit_for_the_size_of_files_is_said_in_words(small_model, photo, own_folder):
    photo("a.png", height=300, width=400)
    code = (
        "import resource, sys; from xcnn.cli.main import run\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)); sys.exit(run(sys.argv[1:]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, "gradcam", small_model, "a.png", "--out", "run"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )

    assert (done.returncode, done.stderr.splitlines()[-2:]) == (
        5,
        ["error: can't write run: File too large", "  try: raise the limit for the size of files: ulimit -f"],
    )
    assert sorted(path.name for path in own_folder.iterdir()) == ["a.png"]


@pytest.mark.parametrize(("mask", "folder", "file"), [(0o022, 0o755, 0o644), (0o027, 0o750, 0o640)])
def test_every_file_is_as_readable_as_the_umask_says(small_model, photo, command, mask, folder, file):
    before = os.umask(mask)
    try:
        assert command("gradcam", small_model, photo(), "--out", "run")[0] == 0
        assert command("gradcam", small_model, "photo.png", "--out", "run", "--skip-existing")[0] == 0
    finally:
        os.umask(before)

    assert Path("run").stat().st_mode & 0o777 == folder
    assert {path.stat().st_mode & 0o777 for path in Path("run").iterdir()} == {file}


@pytest.mark.parametrize("what", ["picture", "model"])
def test_what_is_read_is_never_overwritten_by_whatever_name_it_goes(command, small_model, photo, what):
    photo("a.png")
    assert command("gradcam", small_model, "a.png", "--out", "run")[0] == 0
    model, picture = small_model, "a.png"
    if what == "picture":
        os.link("run/a.gradcam.png", "b.png")
        picture = "b.png"
    else:
        # As if a user had put it in the place of a file of ours.
        shutil.copyfile(small_model, "run/a.gradcam.npy")
        Path("m.keras").symlink_to("run/a.gradcam.npy")
        model = "m.keras"
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}

    for option in ("--overwrite", "--skip-existing"):
        code, _, err = command("gradcam", model, picture, "--out", "run", option)

        assert (code, err.splitlines()[0].endswith(", which is read, so it is not overwritten")) == (5, True), err
    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before
