"""Where the program is started: locales, terminals, and machines without a home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = [pytest.mark.keras, pytest.mark.executable, pytest.mark.slow]
BARE = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(Path(__file__).parent.parent.parent),
    "PYTHONDONTWRITEBYTECODE": "1",
}
# Nobody, not even root, can make a folder in /proc.
NOWHERE = "/proc/nowhere"


@pytest.mark.parametrize(
    "said",
    [
        {"HOME": NOWHERE, "LC_ALL": "C", "COLUMNS": "60"},
        {"LC_ALL": "C", "TERM": "dumb"},
        {"HOME": NOWHERE, "NO_COLOR": "1", "XDG_CONFIG_HOME": NOWHERE, "XDG_CACHE_HOME": NOWHERE, "LC_ALL": "C.UTF-8"},
    ],
    ids=["a home that is not there", "no home", "nowhere to keep anything"],
)
def test_it_says_its_lines_and_no_other(said):
    Image.new("RGB", (30, 40), "teal").save("b\u00e4r.png")

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "xcnn",
            "gradcam",
            "efficientnet-lite0",
            "b\u00e4r.png",
            "--colormap",
            "jet",
            "--out",
            "run",
        ],
        env={**BARE, **said},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, b"run/report.html\n")
    begin = [line.partition(b":")[0].partition(b" ")[0] for line in done.stderr.splitlines()]
    assert begin == [b"opening", b"layer", b"preprocessing", "b\u00e4r.png".encode()]
    assert b"\x1b" not in done.stderr


def test_letters_are_drawn_where_no_cache_can_be_kept():
    done = subprocess.run(
        [sys.executable, "-m", "xcnn", "layers", "efficientnet-lite0", "--plot", "plan.png", "--json"],
        env={**BARE, "HOME": NOWHERE, "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"drawn: plan.png\n")
    with Image.open("plan.png") as plan:
        assert plan.size[0] > 100
