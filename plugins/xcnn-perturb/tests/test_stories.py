"""Command lines, and what they leave behind."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes import patches
from PIL import Image

pytestmark = pytest.mark.keras


@pytest.fixture
def command(capfd):
    """Run a command line in a folder with a model and a picture; returns exit code, standard output and error."""
    from xcnn.cli.main import run
    from xcnn.testing.nets import flat

    flat().save("model.keras")
    Image.fromarray(patches((30, 40), side=5)).save("photo.png")

    def call(*arguments):
        capfd.readouterr()
        code = run(list(arguments))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


def told(folder, tmp_path):
    return json.loads((tmp_path / folder / "run.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ["rise", "lime", "kernelshap"])
def test_a_run_goes_on_where_another_ended(command, tmp_path, name):
    options = (name, "model.keras", "photo.png", "--preprocess", "unit", "--repeats", "2")
    assert command(*options, "--samples", "20", "--out", "first")[0] == 0

    code, _, err = command(*options, "--samples", "45", "--resume", "first", "--out", "resumed")

    assert code == 0, err
    assert "goes on from 40 masked pictures of an earlier run" in err
    assert command(*options, "--samples", "45", "--out", "once")[0] == 0
    for file in (f"photo.{name}.npy", f"photo.{name}.95-interval.npy"):
        resumed, once = np.load(tmp_path / "resumed" / file), np.load(tmp_path / "once" / file)
        np.testing.assert_allclose(resumed, once, atol=1e-5 * np.abs(once).max())
    panels = told("resumed", tmp_path)["results"][0]["panels"]
    assert [panel["unit"] for panel in panels] == ["score", "score, ± at 95 %"]
    assert [panel["flat"] for panel in panels] == [name != "rise"] * 2
    assert (tmp_path / "resumed" / f"photo.{name}.state.npz").stat().st_size < 4000


def test_a_run_says_what_the_earlier_one_had_not(command, tmp_path):
    Image.fromarray(patches((30, 40), side=5, seed=2)).save("other.png")
    options = ("--preprocess", "unit", "--samples", "20")
    assert command("rise", "model.keras", "photo.png", *options, "--out", "first")[0] == 0

    code, _, err = command(
        "rise", "model.keras", "photo.png", "other.png", *options, "-t", "top2", "--resume", "first", "--out", "next"
    )

    assert code == 0, err
    firsts = [result["panels"][0]["notes"][0] for result in told("next", tmp_path)["results"]]
    nothing = "nothing of this picture and class in the run that was resumed: started anew"
    assert firsts[0].endswith(" of this picture was not in the earlier run: all masks were scored again")
    assert firsts[1:] == [nothing] * 3
    assert nothing in err


def test_another_fill_can_not_go_on(command):
    options = ("rise", "model.keras", "photo.png", "--preprocess", "unit", "--samples", "20")
    assert command(*options, "--out", "first")[0] == 0

    code, _, err = command(*options, "--fill", "blur", "--resume", "first")

    assert code == 2
    assert "first was made with --fill mean, not blur" in err


def test_an_unknown_fill_is_a_usage_error(command):
    code, _, err = command("kernelshap", "model.keras", "photo.png", "--fill", "white")

    assert code == 2
    assert "--fill is 'white'" in err


def test_the_help_names_publication_options_and_ranges(command):
    code, out, _ = command("rise", "--help")

    assert code == 0
    for words in ("1806.07421", "--samples", "--repeats", "--fill", "--budget", "--resume", "--grid", "--keep"):
        assert words in out
