"""Signals: what ends the program, how soon, and what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.executable
# A main thread that is deep in C, as in TensorFlow: Python would raise KeyboardInterrupt when it is back, in minutes.
BUSY = """
import hashlib, os, signal, sys
from pathlib import Path
from xcnn import inputs
from xcnn.cli.signals import Watch, terminated
from xcnn.io import artifacts
signal.signal(signal.SIGTERM, terminated)
out = Path("run")
watch = Watch(out, patient=sys.argv[1] == "patient", json=False)
with artifacts.Draft(out, overwrite=False), inputs.piped(), watch:
    watch.finished()
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**28)  # two minutes: a test that fails must end
"""


def busy(*words):
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(Path.cwd())},
    )
    assert process.stdout.readline() == b"begun\n"
    time.sleep(1)  # from what it says to what it does, however busy the machine is
    return process


@pytest.mark.parametrize(
    ("how", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_a_computation_that_python_can_not_interrupt_and_removes_the_draft(how, code, word, own_folder):
    with busy("in a hurry") as process:
        assert [path.name for path in own_folder.iterdir()] != []
        process.send_signal(how)
        _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (code, f"{word}: nothing was written\n".encode())
    assert list(own_folder.iterdir()) == []


def test_what_is_to_be_kept_is_waited_for_until_a_second_signal(own_folder):
    with busy("patient") as process:
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert process.returncode == 130
    assert list(own_folder.iterdir()) == []


DRAWING = """
import signal, sys
from pathlib import Path
from xcnn.cli.signals import Watch, terminated
from xcnn.render import text
signal.signal(signal.SIGTERM, terminated)
with Watch(Path("deep/run"), patient=False, json=False):
    Path("deep").mkdir()
    text.width("a", text.Font(12))
    print("begun", flush=True)
    while True:
        text.width("Grad-CAM for tabby", text.Font(12))
"""


@pytest.mark.slow
def test_a_signal_in_the_midst_of_opencv_is_no_crash(own_folder):
    # It takes an exception of a signal's handler for a wrong argument, and asks what it says of a null pointer.
    for how in 10 * [signal.SIGINT, signal.SIGTERM]:
        with subprocess.Popen(
            [sys.executable, "-c", DRAWING], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            process.send_signal(how)
            _, err = process.communicate(timeout=60)

        assert (process.returncode, b"nothing was written" in err) == (128 + how, True), err
        assert list(own_folder.iterdir()) == []


def test_a_run_that_is_in_its_place_already_is_said_to_be_whole(own_folder):
    script = """
import os, signal
from pathlib import Path
from xcnn.cli.signals import Watch, listen
listen()
with Watch(Path("run"), patient=False, json=False):
    Path("run").mkdir()
    os.kill(os.getpid(), signal.SIGINT)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (130, f"interrupted: {own_folder / 'run'} is whole\n")
    assert Path("run").is_dir()


def test_what_is_to_be_kept_ends_at_the_next_pause_and_nowhere_else(own_folder):
    script = """
import os, signal
from pathlib import Path
from xcnn.cli.signals import Watch, listen
listen()
with Watch(Path("run"), patient=True, json=False) as watch:
    watch.finished()
    os.kill(os.getpid(), signal.SIGINT)
    print("went on", flush=True)
    try:
        watch.pause()
    except KeyboardInterrupt:
        print("ended")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\nended\n", "")


@pytest.mark.parametrize(
    ("command", "how", "code", "name"),
    [
        ("gradcam", signal.SIGINT, 130, "interrupted"),
        ("gradcam", signal.SIGTERM, 143, "terminated"),
        ("predict", signal.SIGINT, 130, "interrupted"),
        ("doctor", signal.SIGINT, 130, "interrupted"),
    ],
)
def test_the_answer_is_json_even_when_a_signal_ends_the_program(command, how, code, name):
    words = [sys.executable, "-m", "xcnn", command, "efficientnet-lite0", "--from-file", "-", "--json"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # More than a pipe holds: once it is taken, the program is reading and waits for more.
        os.write(process.stdin.fileno(), b"x.png\n" * 2**15)
        process.send_signal(how)
        out = process.stdout.read()
        err = process.stderr.read()
        process.stdin.close()

    assert (process.returncode, err) == (code, b"")
    told = json.loads(out)
    assert (told["schema_version"], told["error"]["code"], told["error"]["exit_code"]) == (1, name, code)


def test_it_starts_where_nothing_may_be_written_and_there_is_no_home(tmp_path):
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent", "LC_ALL": "C"}
    environment |= {"PYTHONPATH": str(Path(__file__).parent.parent.parent), "COLUMNS": "60"}

    for words in (["--help"], ["config", "show"], ["gradcam", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "xcnn", *words], env=environment, capture_output=True, check=False, cwd="/proc"
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
        assert b"\x1b" not in done.stdout


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_program_is_imported_ends_it_in_silence(how, code):
    # Where "import typer" stands, the signal arrives.
    script = f"""
import os, runpy, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), {int(how)})
sys.meta_path.insert(0, Finder())
sys.argv = ["xcnn", "models"]
runpy.run_module("xcnn", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_break_into_what_is_said_of_the_first(first, second):
    script = f"""
import os, time
from xcnn.cli import signals
from xcnn.errors import Terminated
signals.listen()
try:
    os.kill(os.getpid(), {int(first)})
    time.sleep(60)
except (KeyboardInterrupt, Terminated) as heard:
    os.kill(os.getpid(), {int(second)})
    time.sleep(0.05)
    print(type(heard).__name__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    name = {signal.SIGINT: "KeyboardInterrupt", signal.SIGTERM: "Terminated"}[first]
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{name}\n", "")


@pytest.mark.keras
@pytest.mark.parametrize("stack", [1, 1024], ids=["a library", "a thread"])
def test_what_finds_no_room_is_want_of_memory_and_no_bug(photo, stack):
    # NumPy is there already: where OpenBLAS finds no room, it ends the process itself. OpenCV is not.
    script = f"""
import sys
import resource
import threading
import numpy
from xcnn.__main__ import main
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (40 << 20), resource.RLIM_INFINITY))
threading.stack_size({stack} << 20)
sys.argv[1:] = ["gradcam", "efficientnet-lite0", {photo()!r}]
main()
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 3, done.stderr
    assert "there is not enough memory" in done.stderr
    assert "bug" not in done.stderr
