"""No command asks the network for anything, nor writes where it is installed; only a named model is downloaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

pytestmark = [pytest.mark.keras, pytest.mark.executable, pytest.mark.slow]
# One process for all: TensorFlow is imported once. What was asked for before is written for the test to read.
WATCHED = """
import json, os, sys
from pathlib import Path
import xcnn
from xcnn.cli.main import run
HEARD = []
PLACES = (sys.prefix, str(Path(xcnn.__file__).parent))
# Not "socket.bind": urllib3 binds to this machine when it is imported, to know whether it has IPv6.
ASKED = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def hear(event, arguments):
    if event in ASKED:
        HEARD.append(event)
        raise OSError("there is no network here")
    if event == "open" and isinstance(arguments[0], str) and arguments[2] & WRITES and arguments[0].startswith(PLACES):
        HEARD.append(arguments[0])
sys.addaudithook(hear)
told = []
for words in json.loads(sys.argv[1]):
    told.append([words, run(words), list(HEARD)])
    HEARD.clear()
Path("told.json").write_text(json.dumps(told))
"""


def watched(*commands, **environment):
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, json.dumps(commands)],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
    )
    assert done.returncode == 0, done.stderr
    with open("told.json") as file:  # noqa: PTH123
        return json.load(file), done.stderr


def test_no_command_asks_the_network_or_writes_where_it_is_installed(small_model):
    Image.new("RGB", (30, 40), "teal").save("a.png")
    explainers = (
        "activations,cam,deconv,filters,gradcam,guided,guided-gradcam,integrated,kernels,occlusion,saliency,smoothgrad"
    )

    told, _ = watched(
        ["--help"],
        ["--version"],
        ["models", "--json"],
        ["plugins"],
        ["config", "show"],
        ["layers", small_model],
        ["layers", small_model, "--trace", "--plot", "plan.png"],
        ["doctor", small_model, "a.png"],
        ["predict", small_model, "a.png"],
        ["gradcam", "efficientnet-lite0", "a.png", "--colormap", "magma", "--dry-run"],
        ["explain", small_model, "a.png", "--with", explainers, "--steps", "8", "--channels", "0", "--out", "run"],
        ["report", "run"],
        ["plugins", "new", "demo"],
        ["plugins", "check", "saliency", "--kind", "flat"],
    )

    for words, code, heard in told:
        assert (words, heard) == (words, [])
        assert code in {0, 1}, words  # 1: not every explainer fits
        assert code == 0 or words[0] == "explain"


def test_a_named_model_says_that_it_is_downloaded_and_asks_the_network(tmp_path):
    Image.new("RGB", (30, 40), "teal").save("a.png")

    told, err = watched(["gradcam", "mobilenet", "a.png"], KERAS_HOME=str(tmp_path / "keras"), HOME=str(tmp_path))

    [(_, code, heard)] = told
    assert (code, bool(heard)) == (3, True)
    assert err.splitlines()[0] == "opening mobilenet, which is downloaded first ..."
    assert "there is no network here" in err
