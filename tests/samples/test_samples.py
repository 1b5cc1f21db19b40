"""Each sample, run as a user runs it: from its data to its explanations."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sample_runs import manifest, quick

pytestmark = [pytest.mark.slow, pytest.mark.keras]


def test_mnist_learns_the_digits_and_its_network_in_numpy_computes_what_keras_and_xcnn_do():
    out = quick("numpy_cnn")  # which runs mnist.py first

    worst = {line[:45].strip(): float(line[45:]) for line in out.splitlines() if ", against " in line}
    assert len(worst) == 11
    assert max(worst.values()) < 1e-5
    assert Path("xcnn-out/numpy-cnn/numpy.png").stat().st_size > 20_000

    assert float(re.search(r"accuracy on 500 digits it never saw: ([\d.]+)%", out)[1]) >= 93
    assert "xcnn-out/mnist/walk/report.html" in out.splitlines()
    watched = manifest("xcnn-out/mnist/training")
    assert [one["epoch"] for one in watched["results"]] == 4 * [1, 2, 3]
    assert [one["logs"]["val_accuracy"] for one in watched["epochs"]][-1] >= 0.93
    told = manifest("xcnn-out/mnist/walk")
    assert [one["title"] for one in told["explainers"]] == [
        "Kernels", "Filter patterns", "Feature maps", "Saliency", "Guided backpropagation", "Deconvolutional network",
        "Grad-CAM", "Grad-CAM (rule guided)", "Grad-CAM (rule deconv)", "Occlusion",
    ]  # fmt: skip
    assert not told["failures"]
    swept = [one["target"]["label"] for one in manifest("xcnn-out/mnist/classes")["results"]]
    assert swept == 3 * [str(digit) for digit in range(10)]
    patterns = np.load(next(Path("xcnn-out/mnist/patterns").glob("*.npy")))
    assert patterns.shape[0] == 10
    assert patterns.std(axis=(1, 2, 3)).min() > 0.1, "a pattern without contrast"


def test_three_maps_find_the_stamp_that_a_perfect_accuracy_hides():
    out = quick("clever_hans")

    numbers = [float(percent) for percent in re.findall(r" ([\d.]+)%(?: of its evidence)?", out)]
    before, after = numbers[:7], numbers[7:14]
    covered = numbers[14]
    threes, stamped, bare, wrongly = before[:4]
    assert min(threes, stamped) >= 98, "it was to look perfect"
    assert bare < 50 > wrongly, "nothing but the stamp was to be learned"
    assert min(before[4:]) > 3 * covered, "a map missed the stamp"
    assert min(after[:4]) >= 90
    assert max(after[4:]) < covered
    for when in ("before", "after"):
        told = manifest(f"xcnn-out/clever-hans/{when}")
        assert {one["title"] for one in told["explainers"]} == {"Grad-CAM", "Occlusion", "Linear model of parts"}
        assert {one["target"]["label"] for one in told["results"]} == {"eight"}


def test_lenet_learns_signs_labels_a_picture_and_sweeps_over_the_classes():
    out = quick("traffic_signs")

    assert float(re.search(r"accuracy on 300 signs it never saw: ([\d.]+)%", out)[1]) >= 75
    assert Path("xcnn-out/traffic-signs/predicted/sign-00.predicted.jpg").exists()
    swept = manifest("xcnn-out/traffic-signs/sweep")["results"]
    names = Path("xcnn-out/traffic-signs/data/labels.txt").read_text("utf-8").split("\n")[:12]
    assert [one["target"]["label"] for one in swept] == 2 * names
    assert not manifest("xcnn-out/traffic-signs/explained")["failures"]


def test_signs_in_the_folders_of_the_benchmark_are_taken_as_they_are(own_folder):
    # The layout of its archive: more classes than folders have pictures for, five digits, PPM, no folders of test classes.
    rng = np.random.default_rng(0)
    for label in (0, 1, 4):
        folder = Path("GTSRB/Final_Training/Images", f"{label:05}")
        folder.mkdir(parents=True)
        for number in range(10):
            picture = rng.integers(60 * label, 60 * label + 15, (40 + number, 36, 3), np.uint8)
            Image.fromarray(picture).save(folder / f"00000_{number:05}.ppm")
        (folder / f"GT-{label:05}.csv").write_text("Filename;Width\n")
    (folder / "00000_00010.ppm").write_bytes(b"P6 40 40 255 and no more")
    Path("GTSRB/Final_Test/Images").mkdir(parents=True)

    out = quick("traffic_signs", "--data", ".", "--epochs", "2")

    assert "accuracy on 6 signs it never saw" in out
    assert [line for line in out.splitlines() if "left out" in line] == [
        f"left out {folder}/00000_00010.ppm: it is damaged"
    ]
    assert len(manifest("xcnn-out/traffic-signs/sweep")["results"]) == 2 * 5
