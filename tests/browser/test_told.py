"""What surrounds the maps: doubts, failures, how to repeat the run; reports made again, and runs in a notebook."""

import json
import re

import numpy as np
import pytest
from fakes import FakeNetwork, pictures

import xcnn
from xcnn.plugin import Image, Result, Table, Tiles
from xcnn.render.style import Style
from xcnn.report import html
from xcnn.saving.pictures import Pictures
from xcnn.saving.rebuild import join_reports

pytestmark = pytest.mark.browser


@pytest.fixture
def changed():
    """Write the page of a report anew after a change of its run.json."""

    def write(report, change):
        told = json.loads(report.with_name("run.json").read_text("utf-8"))
        change(told)
        page = report.with_name("changed.html")
        html.write(page, told, Pictures(report.parent, Style()))
        return page

    return write


def test_a_failed_picture_has_a_card_with_what_to_try(opened, gallery):
    page = opened(gallery)

    page.get_by_role("link", name="Failures").click()

    card = page.locator(".failure")
    assert card.count() == 1
    text = card.inner_text()
    assert "broken.jpg is damaged" in text
    assert "Try: export it again" in text
    assert "Error code: image" in text


def test_how_to_repeat_the_run_is_told_with_where_each_option_came_from(opened, three):
    page = opened(three)

    page.get_by_role("link", name="How this was made").click()

    section = page.locator("section.method")
    text = section.inner_text()
    assert "xcnn explain net cat.jpg --with gradcam" in text
    for row in ("Layers to explain.", "command line", "How opaque.", "default", "environment"):
        assert row in text
    for term, fact in (
        ("device", "cpu"), ("intra-op-threads", "4"), ("keras", "3.15.1"), ("xcnn", "0.1.0"), ("seed", "7"), ("SHA-256", "ab" * 32),
        ("Preprocessing", "unit: pixels / 255"), ("Score", "logit (before the softmax)"),
    ):  # fmt: skip
        fact_of = section.locator("dl > div", has=page.locator("dt").filter(has_text=re.compile(f"^{term}$")))
        assert fact in fact_of.first.locator("dd").inner_text(), term
    image = page.locator(".image .facts code.hash")
    assert image.first.get_attribute("title") == "000000000000" + "ab" * 26


def test_a_trusted_model_is_told_in_red_at_the_top_and_beside_each_result(opened, three, changed):
    def trust(told):
        told["model"]["trusted"] = True
        for result in told["results"]:
            result["trust"] = [{"code": "trusted", "text": "the model was trusted by its hash: its own code has run"}]

    page = opened(changed(three, trust))

    alert = page.get_by_role("alert")
    assert "Trusted model." in alert.inner_text()
    red, green, blue = alert.evaluate("one => getComputedStyle(one).color.match(/\\d+/g).slice(0, 3).map(Number)")
    assert red > 2 * max(green, blue)
    page.locator(".trust summary").first.click()
    assert page.get_by_text("trusted by its hash").first.is_visible()


DOUBTS = {
    "no-evidence": "no positive evidence: the map is zero everywhere",
    "saturated": "the probability is saturated at 100%",
    "probability": "the map explains the probability, not the logit: other classes weigh in",
    "partly-covered": "4 of 7 non-linearities are rectifiers; not covered: swish",
    "image": "the file is truncated",
    "downscaled": "the picture is 9 times as large as what the model sees: details are lost",
}


@pytest.mark.parametrize("code", DOUBTS)
def test_each_doubt_of_a_result_stands_open_beside_it_in_words(opened, one, changed, code):
    text = DOUBTS[code]
    page = opened(changed(one, lambda told: told["results"][0].update(trust=[{"code": code, "text": text}])))

    told = page.locator(".card .trust")
    assert told.get_by_text(text).is_visible()
    assert told.locator("summary").inner_text() == "How far to trust this"


def test_a_tile_of_an_image_has_a_link_that_names_the_image_and_the_layer(opened, every):
    page = opened(every)

    page.locator(".spot").nth(2).click()
    link = page.get_by_role("link", name="Link to this tile").get_attribute("href")

    assert link == "#img=000000000000&f=top:2"
    again = opened(every, link)
    assert again.get_by_role("dialog", name="top · 2").is_visible()
    assert "100.0% of the tile" in again.get_by_role("dialog").inner_text()


def test_a_report_of_several_runs_shows_the_results_of_a_picture_side_by_side(opened, own_folder):
    network = FakeNetwork(features=[[[[1.0], [0.0]], [[0.0], [2.0]]]])
    for name in ("gradcam", "saliency"):
        xcnn.explain(network, pictures((60, 80)), name).save(own_folder / name)

    page = opened(join_reports(["gradcam", "saliency"], own_folder / "both").resolve())

    assert page.locator(".image").count() == 1
    assert page.locator(".card h4").all_inner_texts() == ["Grad-CAM", "Saliency"]
    page.keyboard.press("1")
    assert page.locator(".card h4:visible").all_inner_texts() == ["Grad-CAM"]


def test_a_run_in_a_notebook_shows_its_maps(opened, own_folder):
    run = xcnn.explain(
        FakeNetwork(features=[[[[1.0], [0.0]], [[0.0], [2.0]]]]), pictures((60, 80), (70, 50)), "gradcam"
    )
    notebook = own_folder / "notebook.html"
    notebook.write_text(f'<!DOCTYPE html><link rel="icon" href="data:,">{run._repr_html_()}', "utf-8")

    page = opened(notebook)

    assert page.locator("img").count() == 2
    assert page.evaluate("[...document.images].every((one) => one.naturalWidth === 224 || one.naturalHeight === 224)")
    assert "Grad-CAM" in page.inner_text("body")


def test_the_gallery_is_printed_with_each_image_on_a_sheet_of_its_own(opened, gallery):
    page = opened(gallery)

    sheets = page.pdf(format="A4", print_background=True).count(b"/Type /Page\n")

    assert sheets >= 9
    page.emulate_media(media="print")
    for part in (".card", ".panel", ".failure"):
        assert page.locator(part).first.evaluate("one => getComputedStyle(one).breakInside") == "avoid"


@pytest.fixture(scope="module", params=["of the model", "of an image"])
def tall(request, written):
    """Grids and a table that need more than a sheet."""
    values = np.random.default_rng(0).random((64, 28, 28), np.float32)
    tiles = Tiles(values, tuple(map(str, range(64))), "positive", "activation", layer="top")
    table = Table("patterns", ("channel", "name"), tuple((f"row{at}", "words") for at in range(45)), layer="top")
    image = Image("cat.jpg", f"{0:064x}", (300, 400)) if request.param == "of an image" else None
    panels = (tiles, table, tiles, table)
    return written([Result("filters", image, None, panels, (), 1.0)], names=("filters",))


def words_of(file):
    """The words of a PDF with their boxes per sheet: left, upper, right, lower from its upper left corner."""
    import pypdfium2  # of the extra `browser` alone

    sheets = []
    with pypdfium2.PdfDocument(file) as document:
        for sheet in document:
            page, height, words, open_ = sheet.get_textpage(), sheet.get_height(), [], None
            for at in range(page.count_chars()):
                letter = page.get_text_range(at, 1)
                if not letter.strip():
                    open_ = None
                    continue
                left, bottom, right, top = page.get_charbox(at)
                if open_ is None:
                    open_ = [left, height - top, right, height - bottom, ""]
                    words.append(open_)
                box = (
                    min(open_[0], left),
                    min(open_[1], height - top),
                    max(open_[2], right),
                    max(open_[3], height - bottom),
                )
                open_[:] = [*box, open_[4] + letter]
            sheets.append(words)
    return sheets


def test_grids_and_tables_taller_than_a_sheet_are_printed_without_an_overlap(opened, tall, tmp_path):
    opened(tall).pdf(path=tmp_path / "report.pdf", format="A4", print_background=True)

    sheets = words_of(tmp_path / "report.pdf")

    texts = [text for sheet in sheets for *_, text in sheet]
    assert all(texts.count(f"row{at}") == 2 for at in range(45))
    for sheet in sheets:
        # Lines of one block touch, boxes of words that lie upon each other share more than that.
        for count, (left, upper, right, lower, text) in enumerate(sheet):
            for left_, upper_, right_, lower_, other in sheet[count + 1 :]:
                across, down = min(right, right_) - max(left, left_), min(lower, lower_) - max(upper, upper_)
                assert across <= 1 or down <= 0.5 * min(lower - upper, lower_ - upper_), (text, other)
    # No rows over what follows: the first heading after the results comes behind the last row.
    last = max(at for at, sheet in enumerate(sheets) if any(text == "row44" for *_, text in sheet))
    row = max(lower for *_, lower, text in sheets[last] if text == "row44")
    made = [(at, upper) for at, sheet in enumerate(sheets) for _, upper, *_, text in sheet if text == "made"]
    assert max(made) > (last, row)


def test_an_open_matrix_is_printed_and_nothing_else(opened, three, tmp_path):
    page = opened(three)
    page.get_by_role("button", name="Compare all").first.click()
    page.pdf(path=tmp_path / "matrix.pdf", format="A4", print_background=True)

    sheets = words_of(tmp_path / "matrix.pdf")

    texts = [text for sheet in sheets for *_, text in sheet]
    assert {"Grad-CAM", "Saliency"} <= set(texts)
    assert {"made", "Results", "Close", "Point"}.isdisjoint(texts), "what lies behind it"
    assert len(sheets) == 1


def test_the_first_sheet_has_a_picture_where_results_take_the_whole_width(opened, tall):
    page = opened(tall, viewport={"width": 688, "height": 1017})  # a sheet of A4 without its margins
    page.emulate_media(media="print")

    box = page.locator("div.drawing").first.bounding_box()

    assert box["y"] + box["height"] < 1017
