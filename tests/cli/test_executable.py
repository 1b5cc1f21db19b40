"""The real program in a process of its own: signals, pipes, streams and completion."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xcnn.host import Host

pytestmark = [pytest.mark.keras, pytest.mark.executable]
XCNN = [sys.executable, "-m", "xcnn"]


def call(*arguments, **environment):
    return subprocess.run(
        [*XCNN, *arguments], capture_output=True, check=False, text=True, env={**os.environ, **environment}
    )


def test_the_console_script_is_installed():
    script = Path(sys.executable).with_name("xcnn")

    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("xcnn ")


def test_only_the_answer_is_on_standard_output_and_tensorflow_is_silent(photo, small_model):
    done = call("gradcam", small_model, photo("p.png"), "--out", "run")

    assert (done.returncode, done.stdout) == (0, "run/report.html\n")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        f"opening {small_model} ...",
        "layer",
        "preprocessing",
        "warning",
        "p.png",
    ]


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_run_leaves_nothing_behind(photo, small_model, how):
    for number in range(300):
        photo(f"many/{number}.png", height=200, width=200, seed=number)
    words = [*XCNN, "gradcam", small_model, "many", "--out", "run", "--batch-size", "4"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if " of 300 pictures" in line:
                break
        begun = time.monotonic()
        process.send_signal(how)
        rest = process.stderr.read()

    assert process.returncode == (130 if how == signal.SIGINT else 143)
    assert time.monotonic() - begun < 10
    assert "Traceback" not in rest
    assert [path.name for path in Path().iterdir()] == ["many"]


@pytest.mark.slow
def test_a_terminal_shows_a_bar_with_count_time_left_and_the_current_picture(photo, small_model):
    for number in range(40):
        photo(f"many/{number}.png", height=300, width=300, seed=number)
    ours, theirs = os.openpty()
    words = [*XCNN, "gradcam", small_model, "many", "--out", "run", "--batch-size", "4"]
    with subprocess.Popen(words, stderr=theirs, stdout=subprocess.PIPE, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is gone when the program has ended
            while piece := os.read(ours, 65536):
                shown += piece
        answer = process.stdout.read()
    os.close(ours)

    assert (process.returncode, answer) == (0, b"run/report.html\n")
    assert shown.startswith(b"looking at ")
    assert re.search(rb"\d+/40", shown)
    assert re.search(rb"0:00:\d\d", shown)
    assert re.search(rb"many/\d+\.png", shown)


def test_a_reader_that_stops_early_is_no_error(small_model):
    done = subprocess.run(
        f"{sys.executable} -m xcnn layers {small_model} | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["path", "kind", "output", "parameters", "activation"]
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


def test_the_shell_completes_commands_and_options():
    commands = call(_XCNN_COMPLETE="complete_bash", COMP_WORDS="xcnn g", COMP_CWORD="1")
    options = call(_XCNN_COMPLETE="complete_bash", COMP_WORDS="xcnn gradcam --la", COMP_CWORD="2")

    assert "gradcam" in commands.stdout.split()
    assert "--layer" in options.stdout.split()


@pytest.mark.slow
def test_no_escape_byte_is_written_to_a_pipe(photo, small_model):
    for environment in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        for arguments in (
            ["--help"],
            ["gradcam", small_model, photo("p.png"), "--out", f"run{len(environment)}", "--overwrite"],
        ):
            done = call(*arguments, **environment)
            assert done.returncode == 0
            assert "\x1b" not in done.stdout + done.stderr


def test_it_works_in_the_c_locale_and_without_a_home(photo, small_model):
    done = call("gradcam", small_model, photo("bär.png"), "--out", "run", LC_ALL="C", HOME="/nonexistent")

    assert done.returncode == 0
    assert Path("run/bär.gradcam.png").is_file()


@pytest.mark.slow
def test_two_processes_write_the_same_numbers_and_say_on_how_many_threads(photo, tmp_path):
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    # ReLUs, and a pooled head: every explainer fits.
    model = keras.Sequential([keras.Input((24, 24, 3)), layers.Conv2D(8, 3, activation="relu", name="first")])
    for made in (
        layers.Conv2D(8, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(5, activation="softmax"),
    ):
        model.add(made)
    model.save("all.keras")
    names = sorted(Host().builtin)

    for out in ("one", "two"):
        photo()
        done = call(
            "explain",
            "all.keras",
            "photo.png",
            "--with",
            ",".join(names),
            "--layer",
            "first",
            "--out",
            out,
            "--seed",
            "3",
        )
        assert done.returncode == 0, done.stderr

    written = {path.name: path.read_bytes() for path in Path("one").glob("*.npy")}
    assert {name for name in names if not any(f".{name}." in file for file in written)} == set()
    assert {path.name: path.read_bytes() for path in Path("two").glob("*.npy")} == written
    about = json.loads(Path("one/run.json").read_text("ascii"))["versions"]
    assert about == json.loads(Path("two/run.json").read_text("ascii"))["versions"]
    assert about["onednn"] == "1"
    assert int(about["processors"]) >= 1
    assert about["intra_op_threads"] == about["inter_op_threads"] == "all"


@pytest.mark.slow
def test_a_pipe_hears_at_once_what_is_at_work_and_only_once(photo):
    done = call("gradcam", "efficientnet-lite0", photo("p.png"), "--out", "run")

    assert done.stderr.splitlines()[0] == "opening efficientnet-lite0 ..."
    assert done.stderr.count("opening") == 1
    assert call("gradcam", "efficientnet-lite0", "p.png", "--quiet").stderr == ""


def test_the_decoder_of_tiff_writes_nothing_to_the_screen():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save("zip.tif", compression="tiff_adobe_deflate")
    data = bytearray(Path("zip.tif").read_bytes())
    data[30:400] = bytes(370)
    Path("zip.tif").write_bytes(data)

    done = call("gradcam", "efficientnet-lite0", "zip.tif")

    assert done.returncode == 1
    told = [line.partition(":")[0] for line in done.stderr.splitlines()]
    # A pipe is told what is at work when that takes its time.
    assert [words for words in told if words != "opening efficientnet-lite0 ..."] == ["error", "  try"]
