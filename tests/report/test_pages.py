"""Reports of several pages: how a run is divided, and what each page knows of the others."""

from __future__ import annotations

import pytest

from xcnn.report import pages


def result(number, *, explainer="gradcam", file=None):
    image = {"path": f"{number}.jpg", "sha256": f"{number:064x}", "file": file or f"{number}.source.jpg", "notes": []}
    return {
        "explainer": explainer,
        "image": image,
        "target": None,
        "predictions": [],
        "seconds": 1.0,
        "panels": [],
        "trust": [],
    }


def run(count, *more):
    of_model = {"explainer": "kernels", "image": None, "target": None}
    return {"results": [of_model, *map(result, range(count)), *more], "failures": [{}], "mosaics": [{}]}


def shown(place):
    return [one["image"]["path"] for one in place.part["results"] if one["image"]]


def test_each_image_is_on_one_page_in_the_order_of_the_run():
    places = pages.split(run(450), "report.html")

    assert [place.name for place in places] == ["report.html", "report-2.html", "report-3.html"]
    assert [len(shown(place)) for place in places] == [200, 200, 50]
    assert [path for place in places for path in shown(place)] == [f"{number}.jpg" for number in range(450)]
    assert [(place.first, place.last) for place in places] == [(1, 200), (201, 400), (401, 450)]


def test_all_results_of_an_image_are_on_one_page():
    results = [result(number, explainer=name) for number in range(201) for name in ("gradcam", "saliency")]

    first, second = pages.split({**run(0), "results": results}, "report.html")

    assert len(first.part["results"]) == 400
    assert len(second.part["results"]) == 2


def test_what_is_no_images_is_on_the_first_page_alone():
    first, second = pages.split(run(201), "report.html")

    assert first.part["results"][0]["image"] is None
    assert (len(first.part["failures"]), len(first.part["mosaics"])) == (1, 1)
    assert (second.part["failures"], second.part["mosaics"]) == ([], [])
    assert first.counts == second.counts == {"images": 201, "results": 202, "failures": 1}


@pytest.mark.parametrize("count", [0, 1, 200])
def test_a_run_of_few_images_is_one_page(count):
    (place,) = pages.split(run(count), "report.html")

    assert (place.before, place.after, place.index) == ("", "", {})


def test_each_page_knows_where_the_images_of_all_are_found():
    first, second, third = pages.split(run(401), "report.html")

    rows = [dict(zip(first.index["fields"], row, strict=True)) for row in first.index["rows"]]
    assert [row["name"] for row in rows] == [f"{number}.jpg" for number in range(401)]
    assert [first.index["pages"][row["page"] - 1] for row in rows] == [
        *["report.html"] * 200, *["report-2.html"] * 200, "report-3.html"
    ]  # fmt: skip
    assert rows[400]["key"] == third.keys["400.source.jpg"]
    assert first.index is second.index is third.index


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, [1, 2, 3, 0, 10]), (5, [1, 0, 3, 4, 5, 6, 7, 0, 10]), (10, [1, 0, 8, 9, 10]), (4, [1, 2, 3, 4, 5, 6, 0, 10])],
)
def test_a_page_links_to_its_neighbours_the_first_and_the_last(number, expected):
    place = pages.split(run(2000), "report.html")[number - 1]

    assert [number for number, _ in place.links] == expected
    assert all(name == place.names[number - 1] for number, name in place.links if number)


def test_pictures_alike_are_told_apart_on_all_pages():
    alike = [result(7, file=f"copy-{number}.jpg") for number in range(300)]

    keys = pages.keys(alike)

    assert len(set(keys.values())) == 300
    assert keys["copy-0.jpg"] == "000000000000"
    assert keys["copy-299.jpg"] == "000000000000-300"
