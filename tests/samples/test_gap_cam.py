"""The classifier on frozen bases, run as a user runs it, and the maps of its own weights."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_runs import manifest, quick, refused

pytestmark = [pytest.mark.slow, pytest.mark.keras]


def results(folder):
    told = manifest(folder)
    assert not told["failures"]
    return told["results"]


def values(folder, panel):
    return np.load(Path(folder, panel["files"]["values"]))


def test_the_maps_of_both_bases_add_up_and_lie_on_the_patch():
    out = quick("gap_cam")

    assert float(re.search(r"accuracy on 40 pictures it never saw: ([\d.]+)%", out)[1]) >= 95
    found, covered = map(
        float, re.search(r"([\d.]+)% of the evidence for gravel lies .* ([\d.]+)% of the pic", out).groups()
    )
    assert covered == 25.0
    assert found > 80
    shown = results("xcnn-out/gap-cam/cam")
    assert len(shown) == 16
    assert {one["target"]["label"] for one in shown} == {"grass", "gravel"}
    mosaic = cv2.imread("xcnn-out/gap-cam/cam/cam.mosaic.png")
    assert min(mosaic.shape[:2]) > 4 * 256
    for one in results("xcnn-out/gap-cam/mixed"):
        total, *parts = one["panels"]
        assert total["title"] == "sum of the maps"
        assert [panel["layer"] for panel in parts] == [
            "base1/efficientnet-lite0/top_act",
            "base2/efficientnet-lite0/block4c_add",
        ]
        whole, coarse, fine = (values("xcnn-out/gap-cam/mixed", panel) for panel in one["panels"])
        assert (whole.shape, coarse.shape, fine.shape) == ((10, 10), (5, 5), (10, 10))
        assert whole.mean() == pytest.approx(coarse.mean() + fine.mean(), rel=1e-4)
        row, column = np.unravel_index(whole.argmax(), whole.shape)
        corner = f"{'top' if row < 5 else 'bottom'}-{'left' if column < 5 else 'right'}"
        assert Path(one["image"]["path"]).stem == corner


def test_pictures_of_ones_own_are_taken_from_flat_folders_with_one_base(own_folder):
    rng = np.random.default_rng(0)
    Path("own/train").mkdir(parents=True)
    for name, colour in (("apple", (40, 30, 190)), ("pear", (60, 190, 160))):
        for number in range(16):
            picture = np.full((70, 90, 3), 230, np.uint8)
            cv2.circle(picture, tuple(map(int, rng.integers(25, 50, 2))), 22, colour, -1, cv2.LINE_AA)
            cv2.imwrite(f"own/train/{name}.{number}.jpg", picture)

    out = quick("gap_cam", "--data", "own", "--bases", "efficientnet-lite0")

    assert "accuracy on 4 pictures it never saw: 100.0%" in out
    assert "evidence" not in out
    shown = results("xcnn-out/gap-cam/cam")
    assert {one["target"]["label"] for one in shown} == {"apple", "pear"}
    assert {panel["layer"] for one in shown for panel in one["panels"]} == {"base1/efficientnet-lite0/top_act"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bases", "vgg17"], "'vgg17' is none of efficientnet-lite0, vgg16"),
        (["--bases", "efficientnet-lite0,efficientnet-lite0"], "the same base twice adds nothing"),
        (["--bases", "efficientnet-lite0/blok"], "efficientnet-lite0 has no layer 'blok'"),
        (["--data", "."], "has no train/ with a folder"),
    ],
)
def test_what_it_cannot_take_is_said(arguments, said):
    assert said in refused("gap_cam", *arguments)
