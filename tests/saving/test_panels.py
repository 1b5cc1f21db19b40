"""Every kind of panel: its files, what run.json says about it, and the numbers read back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from xcnn.io import artifacts
from xcnn.plugin import Attribution, Curve, Failure, Image, Labels, Result, Table, Target, Tiles
from xcnn.render.style import Style
from xcnn.saving import Writer

CAT = Target(1, "tabby cat", 3.5, 0.9931, ((1, 1.0),), notes=("a score to note",))
DOG = Target(2, "dog", 1.25, 0.5, ((2, 1.0),))
TITLES = {"seen": "Seen", "other": "Other", "filters": "Filters"}
HOSTILE = '<img src=x onerror="alert(1)">\u202e\x00\udce9'


def floats(*rows):
    return np.array(rows, np.float32)


def pixels_of(height=12, width=16):
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


def image_of(path="a.png"):
    return Image(path, "ab" * 32, (12, 16))


def about(names=("seen",)):
    explainer = {"summary": "Show.", "about": "", "source": None, "options": []}
    return {
        "schema_version": 1, "created": "2026-11-22T04:00:00+00:00", "seconds": 1.0, "command": "",
        "explainers": [{**explainer, "name": name, "title": TITLES[name]} for name in names],
        "options": [{"name": "alpha", "value": 0.5, "source": "default", "help": ""}],
        "model": {
            "name": "net/1.0", "path": "", "sha256": "", "trusted": False, "input_shape": [4, 4, 3], "classes": 3,
            "score": "logit", "preprocessing": {"name": "none", "summary": "", "reason": ""}, "default_layer": None,
            "notes": [],
        },
        "versions": {"xcnn": "0"},
        "palette": {"name": "viridis", "stops": ["#440154"], "signed_stops": ["#053061"]},
    }  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Write results, image by image, and return the folder and its run.json."""

    def write(*groups, names=("seen",), failures=(), mosaic=None):
        out = tmp_path / "out"
        with artifacts.Draft(out, overwrite=True) as draft:
            writer = Writer(draft, Style(), TITLES, "net/1.0", mosaic=mosaic)
            for group in groups:
                if group[0].image is None:
                    writer.add_model(group)
                else:
                    writer.add(pixels_of(), group)
            writer.finish(about(names), failures, ())
        return out, json.loads((out / "run.json").read_text())

    return write


def result(*panels, target=CAT, image="a.png", explainer="seen"):
    found = image_of(image) if image else None
    return Result(explainer, found, target, panels, (CAT, DOG), 0.5)


def only(told):
    return told["results"][0]["panels"][0]


def names_in(folder):
    return {path.name for path in folder.iterdir()} - {"report.html", "run.json", "a.source.jpg"}


def picture(folder, name):
    return cv2.imread(str(folder / name))[..., ::-1]


def test_a_map_of_regions_has_values_figure_and_overlay(written):
    values = floats([0.0, 1.0], [2.0, 4.0])

    folder, told = written([result(Attribution(values, sign="positive", unit="score", layer="conv", residual=0.25))])

    panel = only(told)
    assert names_in(folder) == {"a.seen.npy", "a.seen.png", "a.seen.overlay.png"}
    assert panel["files"] == {"values": "a.seen.npy", "figure": "a.seen.png", "overlay": "a.seen.overlay.png"}
    np.testing.assert_array_equal(np.load(folder / "a.seen.npy"), values)
    assert picture(folder, "a.seen.overlay.png").shape == (12, 16, 3)
    assert {key: panel[key] for key in ("kind", "layer", "scale", "clipped", "fine", "minimum", "maximum", "residual")} == {
        "kind": "map", "layer": "conv", "scale": [0.0, 4.0], "clipped": False, "fine": False, "minimum": 0.0,
        "maximum": 4.0, "residual": 0.25,
    }  # fmt: skip
    assert panel["notes"] == ["a score to note"]


def test_a_fine_map_has_a_bare_picture_and_a_scale_without_outliers(written):
    values = np.linspace(0, 1, 1000, dtype=np.float32).reshape(25, 40)
    values[0, 0] = 50.0

    folder, told = written([result(Attribution(values, sign="positive", unit="gradient", fine=True))])

    panel = only(told)
    assert names_in(folder) == {"a.seen.npy", "a.seen.png", "a.seen.map.png"}
    assert panel["scale"] == [0.0, pytest.approx(np.percentile(values, 99.5))]
    assert panel["scale"][1] < 1
    assert (panel["clipped"], panel["fine"], panel["maximum"]) == (True, True, 50.0)
    assert picture(folder, "a.seen.map.png").shape == (12, 16, 3)
    assert np.load(folder / "a.seen.npy").max() == 50.0


def test_the_classes_of_an_image_share_one_scale_per_kind_of_map(written):
    def of(target, most):
        values = floats([0.0, most])
        return result(
            Attribution(values, sign="positive", unit="score", layer="a"),
            Attribution(10 * values, sign="positive", unit="score", layer="b"),
            Attribution(-values, sign="signed", unit="drop", layer="b"),
            target=target,
        )

    _, told = written([of(CAT, 1.0), of(DOG, 3.0)])

    scales = [[panel["scale"] for panel in one["panels"]] for one in told["results"]]
    assert scales == [[[0.0, 3.0], [0.0, 30.0], [-3.0, 3.0]]] * 2


def test_the_files_of_several_layers_and_classes_are_told_apart(written):
    panels = [Attribution(floats([1.0, 2.0]), sign="positive", unit="score", layer=layer) for layer in ("in/a", "b")]

    folder, told = written([result(*panels), result(*panels, target=DOG)])

    endings = (".npy", ".png", ".overlay.png")
    each = {
        f"a.seen.{layer}.{name}{end}" for layer in ("in-a", "b") for name in ("tabby-cat", "dog") for end in endings
    }
    assert names_in(folder) == each | {"a.seen.layers.tabby-cat.png", "a.seen.layers.dog.png"}
    assert [one["files"] for one in told["results"]] == [
        {"layers": "a.seen.layers.tabby-cat.png"},
        {"layers": "a.seen.layers.dog.png"},
    ]


@pytest.mark.parametrize(("count", "expected"), [(1, False), (2, True), (6, True), (7, False)])
def test_two_to_six_maps_stand_side_by_side_in_one_more_figure(written, count, expected):
    panels = [Attribution(floats([1.0, 2.0]), sign="positive", unit="score", layer=f"l{n}") for n in range(count)]

    folder, _ = written([result(*panels)])

    assert ("a.seen.layers.png" in names_in(folder)) == expected


@pytest.mark.parametrize(("sign", "words"), [("positive", "no positive evidence: the map is zero everywhere"), ("signed", "the map is zero everywhere")])  # fmt: skip
def test_a_map_of_zeros_says_so(written, sign, words):
    _, told = written([result(Attribution(floats([0.0, 0.0]), sign=sign, unit="score"))])

    assert words in only(told)["notes"]
    assert only(told)["scale"] == [0.0, 0.0]


@pytest.mark.parametrize("shape", [(5, 3, 4), (5, 3, 4, 3)])
@pytest.mark.parametrize("scale", ["each", "shared", "standard", "picture"])
def test_tiles_have_values_and_one_grid(written, shape, scale):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    panel = Tiles(
        values, ("a", "b", "c", "d", HOSTILE), sign="signed", unit="activation", scale=scale, layer="conv",
        title="Maps", columns=2, marks=("", "dead", "", "", ""), notes=("one is dead",),
    )  # fmt: skip

    folder, told = written([result(panel, target=None)])

    found = only(told)
    assert names_in(folder) == {"a.seen.npy", "a.seen.png"}
    np.testing.assert_array_equal(np.load(folder / "a.seen.npy"), values)
    assert list(picture(folder, "a.seen.png").shape[:2]) == found["picture"]
    assert (found["kind"], found["count"], found["columns"], found["scaling"]) == ("tiles", 5, 2, scale)
    largest = float(np.abs(values).max())
    assert found["scale"] == ([-largest, largest] if scale == "shared" else None)
    assert (found["marks"][1], found["notes"]) == ("dead", ["one is dead"])
    assert told["results"][0]["target"] is None


def test_values_that_are_not_finite_leave_run_json_whole(written):
    tiles = Tiles(floats([[np.nan, 1.0]], [[np.inf, -2.0]]), ("a", "b"), sign="signed", unit="x")
    curve = Curve("Loss", {"a": floats(1.0, np.nan)[:]}, "step", "loss")
    table = Table("Rows", ("a",), ((float("nan"),), (1.5,)))

    _, told = written([result(tiles, curve, table)])

    assert [panel["kind"] for panel in told["results"][0]["panels"]] == ["tiles", "curve", "table"]
    assert (only(told)["minimum"], only(told)["maximum"]) == (-2.0, 1.0)
    assert told["results"][0]["panels"][2]["rows"] == [[None], [1.5]]


def test_labels_have_values_a_figure_and_their_legend(written):
    values = np.array([[3, 3, 7], [3, 3, 3]], np.int64)
    panel = Labels(values, {3: "cat", 7: HOSTILE, 8: "never seen"}, title="Winners")

    folder, told = written([result(panel)])

    found = only(told)
    assert names_in(folder) == {"a.seen.npy", "a.seen.png"}
    again = np.load(folder / "a.seen.npy")
    assert again.dtype == np.int32
    np.testing.assert_array_equal(again, values)
    assert found["kind"] == "labels"
    assert set(found["names"]) == {"3", "7"}
    assert [(one["numbers"], one["share"]) for one in found["legend"]] == [([3], pytest.approx(5 / 6)), ([7], pytest.approx(1 / 6))]  # fmt: skip


def test_a_table_is_a_csv_file_in_which_no_text_is_a_formula(written):
    rows = (
        ("=cmd()", 1, -0.5),
        ("+1", 2, 1e-9),
        ("-x", 3, 2.0),
        ("@a", 4, 0.1),
        ('a "b", c\nd', 5, 0.0),
        ("猫", 6, 1.0),
    )
    panel = Table("Winners", ("=class", "count", "share"), rows)

    folder, told = written([result(panel)])

    assert names_in(folder) == {"a.seen.csv"}
    with (folder / "a.seen.csv").open(encoding="utf-8", newline="") as file:
        headings, *found = csv.reader(file)
    assert headings == ["'=class", "count", "share"]
    assert [row[0] for row in found] == ["'=cmd()", "'+1", "'-x", "'@a", 'a "b", c\nd', "猫"]
    assert [(int(row[1]), float(row[2])) for row in found] == [(row[1], row[2]) for row in rows]
    assert only(told)["rows"] == [list(row) for row in rows]


def test_a_curve_begins_at_the_first_step_that_is_known(written):
    nan = float("nan")

    folder, _ = written(
        [result(Curve("Loss", {"a": floats(nan, 1.0, nan), "b": floats(nan, nan, 2.0)}, "epoch", "loss"))]
    )

    assert (folder / "a.seen.csv").read_text() == "epoch,a,b\n1,1.0,nan\n2,nan,2.0\n"


def test_a_curve_is_a_picture_and_a_csv_file(written):
    panel = Curve("Loss", {"a": floats(1.0, 0.5), "=b": floats(2.0, 1.0, 0.25)}, "step", "loss")

    folder, told = written([result(panel)])

    assert names_in(folder) == {"a.seen.csv", "a.seen.png"}
    assert (folder / "a.seen.csv").read_text() == "step,a,'=b\n0,1.0,2.0\n1,0.5,1.0\n2,,0.25\n"
    found = only(told)
    assert (found["kind"], found["names"], found["steps"]) == ("curve", ["a", "=b"], 3)
    assert list(picture(folder, "a.seen.png").shape[:2]) == found["picture"]


def test_panels_of_one_layer_are_told_apart_by_their_titles(written):
    panels = (
        Attribution(floats([1.0, 2.0]), sign="signed", unit="drop"),
        Labels(np.ones((2, 2), np.int32), {1: "a"}, title="Class under each window"),
        Table("../How often/..", ("class",), (("a",),)),
    )

    folder, _ = written([result(*panels)])

    assert names_in(folder) == {
        "a.seen.npy", "a.seen.png", "a.seen.overlay.png",
        "a.seen.class-under-each-window.npy", "a.seen.class-under-each-window.png", "a.seen.how-often.csv",
    }  # fmt: skip


def test_a_second_map_is_called_by_its_title_in_its_files_and_in_the_report(written):
    values = floats([1.0, 2.0])
    maps = [Attribution(values, sign="positive", unit="score", title=title) for title in ("", "95 % interval")]

    folder, told = written([result(*maps)])

    panels = told["results"][0]["panels"]
    assert [panel["files"]["values"] for panel in panels] == ["a.seen.npy", "a.seen.95-interval.npy"]
    assert [panel["title"] for panel in panels] == ["", "95 % interval"]
    page = (folder / "report.html").read_text("utf-8")
    assert page.count('<p class="name"><bdi>95 % interval</bdi></p>') == 1
    assert page.count(", 95 % interval for ") == 1


def test_results_of_the_model_are_named_after_it_and_its_layer(written):
    tiles = Tiles(
        np.zeros((2, 3, 3, 3), np.float32), ("0", "1"), sign="positive", unit="", scale="picture", layer="in/conv"
    )
    curve = Curve("Loss", {"0": floats(1.0)}, "step", "loss", layer="in/conv")

    folder, told = written([result(tiles, curve, target=None, image="", explainer="filters")], names=("filters",))

    names = {f"net-1-0.filters.in-conv{end}" for end in (".npy", ".png", ".loss.csv", ".loss.png")}
    assert names_in(folder) == names
    assert told["results"][0]["image"] is None


def test_results_of_the_model_come_before_those_of_images(written):
    table = Table("Rows", ("a",), ((1,),))
    image, model = result(table), result(table, target=None, image="", explainer="filters")

    _, told = written([image], [model], names=("seen", "filters"))

    assert [one["explainer"] for one in told["results"]] == ["filters", "seen"]


def test_names_of_any_length_make_files_that_can_be_written(written):
    long = "x" * 300
    target = Target(1, long, 1.0, None, ((1, 1.0),))
    panels = [Attribution(floats([1.0, 2.0]), sign="positive", unit="score", layer=layer + long) for layer in "ab"]

    folder, _ = written([result(*panels, target=target, image=f"{long}.png"), result(*panels, image=f"{long}.png")])

    assert len({path.name for path in folder.iterdir()}) >= 4 * 3 + 5


def test_mosaics_show_the_first_map_of_each_image_page_by_page(written):
    panels = [Attribution(floats([0.0, value]), sign="positive", unit="score") for value in range(1, 6)]
    groups = [
        [result(panel, image=f"{n}.png"), result(panel, image=f"{n}.png", target=DOG)] for n, panel in enumerate(panels)
    ]

    folder, told = written(*groups, mosaic=(1, 2))

    files = ["seen.mosaic.png", "seen.mosaic-2.png", "seen.mosaic-3.png"]
    assert [(one["file"], one["count"]) for one in told["mosaics"]] == [
        (name, 2 if n < 2 else 1) for n, name in enumerate(files)
    ]
    assert all(list(picture(folder, one["file"]).shape[:2]) == one["picture"] for one in told["mosaics"])
    assert set(files) <= set(told["files"])


def test_explainers_without_maps_have_no_mosaic(written):
    _, told = written([result(Table("Rows", ("a",), ((1,),)))], mosaic=(2, 2))

    assert told["mosaics"] == []


def test_each_explainer_has_a_mosaic_of_its_own(written):
    panel = Attribution(floats([1.0, 2.0]), sign="positive", unit="score")

    _, told = written([result(panel), result(panel, explainer="other")], names=("seen", "other"), mosaic=(2, 2))

    assert [one["file"] for one in told["mosaics"]] == ["seen.mosaic.png", "other.mosaic.png"]


def test_run_json_lists_every_file_so_that_it_can_be_overwritten(written):
    panels = (Attribution(floats([1.0]), sign="positive", unit=""), Table("Rows", ("a",), ()), Curve("c", {}, "x", "y"))

    for _ in range(2):
        folder, told = written([result(*panels)], failures=(Failure("", "misfit", "does not fit", "", "other"),))
        assert set(told["files"]) == {path.name for path in folder.iterdir()}


def test_the_report_holds_every_kind_of_panel(written):
    panels = (
        Attribution(floats([0.0, 1.0]), sign="positive", unit="score"),
        Attribution(floats([-1.0, 1.0]), sign="signed", unit="score"),
        Attribution(floats([-1.0, 1.0]), sign="signed", unit="score", fine=True),
        Labels(np.ones((2, 2), np.int32), {1: "a"}),
        Tiles(np.zeros((2, 3, 3), np.float32), ("0", "1"), sign="positive", unit=""),
        Curve("c", {"a": floats(1.0, 2.0)}, "x", "y"),
        Table("Rows", ("a",), ((1,),)),
    )

    folder, _ = written([result(*panels)])

    page = Path(folder, "report.html").read_text("utf-8")
    assert page.count("data:image/jpeg") == 1  # the source
    assert page.count("data:image/webp") == 2  # the grid and the curve
    assert page.count("data:image/png") == 4  # the levels of the maps, and the categories
