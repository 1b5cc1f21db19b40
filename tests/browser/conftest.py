"""Reports of small arrays, and a real Chromium that opens them as readers do."""

from __future__ import annotations

import itertools
import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from xcnn.io import artifacts
from xcnn.plugin import Attribution, Curve, Failure, Image, Labels, Result, Table, Target, Tiles
from xcnn.render import colours
from xcnn.render.style import Style
from xcnn.saving import Writer, curves

TITLES = {"gradcam": "Grad-CAM", "occlusion": "Occlusion", "saliency": "Saliency", "filters": "Filters"}
LABELS = ("Egyptian cat", "tabby", "tiger cat")
SHAPE = (300, 400)


def about(*names):
    source = {
        "authors": "Some",
        "year": 2017,
        "title": "Maps",
        "url": "https://arxiv.org/abs/1610.02391",
        "equations": "1",
    }
    layer = {"name": "layer", "value": ["top"], "source": "command line", "help": "Layers to explain."}
    return {
        "schema_version": 1, "created": "2026-11-22T04:00:00+00:00", "seconds": 1.0,
        "command": "xcnn explain net cat.jpg --with gradcam",
        "explainers": [
            {"name": name, "title": TITLES[name], "summary": "Weigh.", "about": "Shows regions.", "source": source, "options": [layer]}
            for name in names
        ],
        "options": [{"name": "alpha", "value": 0.5, "source": "default", "help": "How opaque."}, {"name": "seed", "value": 7, "source": "environment", "help": "Where random numbers start."}],
        "model": {
            "name": "net", "path": "net.keras", "sha256": "ab" * 32, "trusted": False, "input_shape": [224, 224, 3],
            "input_size": [224, 224], "classes": 1000, "score": "logit (before the softmax)",
            "preprocessing": {"name": "unit", "summary": "pixels / 255", "reason": "a guess: nothing in the model tells"},
            "default_layer": {"path": "top", "reason": "the last one"}, "notes": [],
        },
        "versions": {"xcnn": "0.1.0", "keras": "3.15.1", "device": "cpu", "intra_op_threads": "4"},
        "palette": {"name": "auto", "stops": colours.stops("auto", "positive"), "signed_stops": colours.stops("auto", "signed")},
    }  # fmt: skip


def pixels_of(number=0):
    """A smooth picture, all of whose colours are light."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    return np.stack([200 + 50 * np.sin(x / 40 + number), 200 + 50 * np.cos(y / 30), 220 + 0 * x], axis=-1).astype(
        np.uint8
    )


def targets(confidence):
    return tuple(
        Target(281 + at, label, 9.0 - at, confidence / (1 + 3 * at), ((281 + at, 1.0),))
        for at, label in enumerate(LABELS)
    )


def map_of(explainer, at=0):
    """Four quarters of a positive map: 0, 1, 2, 4; the same around zero; one bright square among single pixels."""
    if explainer == "gradcam":
        return Attribution(
            np.roll(np.float32([[0, 1], [2, 4]]), at, axis=1), sign="positive", unit="score", layer="top"
        )
    if explainer == "occlusion":
        return Attribution(np.float32([[-4, 0], [1, 2]]), sign="signed", unit="mean score drop")
    values = np.zeros((60, 80), np.float32)
    values[:30, :40] = 1.0
    return Attribution(
        values, sign="positive", unit="gradient", fine=True, notes=("4 of 7 non-linearities are rectifiers",)
    )


def results_of(number, explainers, *, classes=1, confidence=0.8, label=None):
    image = Image(f"photos/{label or 'cat'}{number}.jpg", f"{number:012x}" + "ab" * 26, SHAPE)
    told = targets(confidence)
    return [
        Result(name, image, target, (map_of(name, at),), told, 0.01 * (number + 1))
        for name in explainers
        for at, target in enumerate(told[:classes])
    ]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Write a report; of the model alone where a group has no image."""

    def write(*groups, names=("gradcam",), failures=(), pictures=(), most_mb=25):
        folder = tmp_path_factory.mktemp("report") / "out"
        with artifacts.Draft(folder, overwrite=False) as draft:
            writer = Writer(draft, Style(), TITLES, "net")
            for number, group in enumerate(groups):
                if group[0].image is None:
                    writer.add_model(group)
                else:
                    writer.add(pictures[number] if pictures else pixels_of(number), group)
            told = about(*names)
            told["options"].append({"name": "report_max_mb", "value": most_mb, "source": "default", "help": "Size."})
            return writer.finish(told, failures, ())

    return write


@pytest.fixture(scope="session")
def one(written):
    return written(results_of(0, ["gradcam"]))


@pytest.fixture(scope="session")
def three(written):
    names = ("gradcam", "occlusion", "saliency")
    return written(results_of(0, names, classes=3), names=names)


@pytest.fixture(scope="session")
def gallery(written):
    groups = [
        results_of(at, ["gradcam"], confidence=0.05 + 0.1 * at, label="dog" if at % 3 == 2 else None) for at in range(9)
    ]
    return written(*groups, failures=[Failure("broken.jpg", "image", "broken.jpg is damaged", "export it again")])


@pytest.fixture(scope="session")
def long(written):
    """So many images that those out of sight are not laid out."""
    names = ("gradcam", "saliency")
    return written(*[results_of(at, names, classes=1 + at % 2) for at in range(30)], names=names)


@pytest.fixture(scope="session")
def grid(written):
    rng = np.random.default_rng(0)
    values = rng.random((16, 12, 12), np.float32)
    values[3] = 0
    tiles = Tiles(
        values, tuple(map(str, range(16))), "positive", "activation", layer="block3/conv1",
        marks=tuple("dead" if at == 3 else "" for at in range(16)),
    )  # fmt: skip
    curve = Curve(
        "ascent", {str(at): np.float32([0, 1, 3]) for at in range(16)}, "step", "activation", layer="block3/conv1"
    )
    table = Table("patterns", ("channel", "end"), (("0", 3.0),), layer="block3/conv1")
    return written([Result("filters", None, None, (tiles, curve, table), (), 1.0)], names=("filters",))


@pytest.fixture(scope="session")
def every(written):
    """Every kind of panel of one image."""
    labels = Labels(np.int32([[0, 1], [1, 1]]), {0: "cat", 1: "dog"}, title="what wins")
    tiles = Tiles(np.ones((4, 3, 3), np.float32), tuple("0123"), "positive", "activation", layer="top")
    group = results_of(0, ["gradcam"])
    panels = (*group[0].panels, labels, tiles, Table("Rows", ("a", "b"), (("x", 1.5),)))
    first = group[0]
    failures = [Failure("broken.jpg", "image", "broken.jpg is damaged", "export it again", "gradcam")]
    return written([Result("gradcam", first.image, first.target, panels, first.predictions, 0.1)], failures=failures)


@pytest.fixture(scope="session")
def folder(written):
    """Two pages: 203 images, the last ones of dogs, and a failure."""
    groups = [
        results_of(at, ["gradcam", "saliency"][: 2 if at in {0, 200} else 1], confidence=0.9 - 0.004 * at, label="dog" if at > 197 else None)
        for at in range(203)
    ]  # fmt: skip
    failures = [Failure("broken.jpg", "image", "broken.jpg is damaged", "export it again")]
    return written(*groups, names=("gradcam", "saliency"), failures=failures, most_mb=0)


@pytest.fixture(scope="session")
def second(folder):
    """The second of these pages."""
    return folder.with_name("report-2.html")


def trained(folder, *names, most_mb=25, images=2, numbers=(2, 4, 5), classes=2):
    """A training: the map of epoch N is strongest in quarter N % 4, and the best class grows likelier.

    Of its fourth epoch the second image has a failure only.
    """
    out = folder / "out"
    with artifacts.Draft(out, overwrite=False) as draft:
        writer = Writer(draft, Style(), TITLES, "net")
        for at, number in itertools.product(range(images), numbers):
            values = np.zeros(4, np.float32)
            values[number % 4] = number
            maps = {"gradcam": replace(map_of("gradcam"), values=values.reshape(2, 2)), "saliency": map_of("saliency")}
            results = results_of(at, names, classes=classes, confidence=0.1 * number)
            if (at, number) != (1, 4):
                writer.add(
                    pixels_of(at), [replace(one, epoch=number, panels=(maps[one.explainer],)) for one in results]
                )
        told = about(*names)
        told["options"].append({"name": "report_max_mb", "value": most_mb, "source": "default", "help": "Size."})
        logs = {"val_accuracy": 0.953, "<b>odd</b>": float("nan")}
        told["epochs"] = [curves.record(number, {"loss": 1 / number, **logs}) for number in range(1, 6)]
        failures = [Failure("photos/cat1.jpg", "image", "the maps are not finite", "train slower", epoch=4)]
        more = partial(curves.sections, told["epochs"])
        return writer.finish(told, failures if 4 in numbers else [], (), more=more)


@pytest.fixture(scope="session")
def training(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("training"), "gradcam", "saliency")


@pytest.fixture(scope="session")
def training_folder(tmp_path_factory):
    """Two pages: 202 images of two epochs."""
    folder = tmp_path_factory.mktemp("training")
    return trained(folder, "gradcam", most_mb=0, images=202, numbers=(1, 2), classes=1)


@pytest.fixture(scope="session")
def chromium():
    """The browser; without one these tests fail."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("XCNN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no Chromium: install it (apt-get install chromium), or name it in XCNN_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--force-color-profile=srgb"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """Open a report in a window of its own; at the end, nothing was complained of, asked for or popped up."""
    contexts, faults = [], []

    def open_(report, hash_="", **options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: faults.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
        )
        page.goto(Path(report).as_uri() + hash_)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def seen():
    """The pixels of an element, as (h, w, 3) uint8."""

    def see(element):
        return cv2.imdecode(np.frombuffer(element.screenshot(), np.uint8), cv2.IMREAD_COLOR_RGB)

    return see
