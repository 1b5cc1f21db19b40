"""Fixtures that several rooms share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as xcnn itself sets it, before a test imports TensorFlow
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # Tests in the background of a shell inherit deafness, and so would the programs that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("untimed")
SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Every test works in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("XCNN_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """A saved network that loads in a moment: 24x24 RGB to five classes."""
    import nets

    path = tmp_path_factory.mktemp("models") / "small.keras"
    nets.nested().save(path)
    return str(path)


@pytest.fixture
def photo(own_folder):
    """Write a random picture and return its name."""

    def write(name="photo.png", height=30, width=40, seed=0):
        path = own_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)).save(path)
        return name

    return write


@pytest.fixture
def command(capfd):
    """Run a command line; returns exit code, standard output and standard error."""
    from xcnn.cli.main import run

    def call(*arguments):
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call
