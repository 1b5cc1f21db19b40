"""Searching, linking, keys, grids of tiles, and what surrounds them."""

import json
import re

import numpy as np
import pytest

from xcnn.plugin import Image, Result, Tiles
from xcnn.render.style import Style
from xcnn.report import html
from xcnn.saving.pictures import Pictures

pytestmark = pytest.mark.browser


def fragment(page):
    """The address's fragment once it has been written."""
    page.wait_for_timeout(200)
    return page.evaluate("decodeURIComponent(location.hash)")


def listed(page):
    return [name.removeprefix("photos/") for name in page.locator(".image:visible h3").all_inner_texts()]


@pytest.mark.parametrize(
    ("query", "count", "failed"),
    [
        ("", 9, 1), ("dog", 3, 0), ("label:egyptian", 9, 0), ("label:tabby", 0, 0), ('pred:"egyptian cat"', 9, 0),
        ("conf:<0.5", 5, 0), ("conf:>=50%", 4, 0), ("conf:>0.3 conf:<0.5 cat", 2, 0), ("!dog", 6, 1), ("warn", 0, 1), ("broken", 0, 1),
        ("wrong", 0, 0), ("zebra", 0, 0), ("conf:", 9, 1), ("conf:odd", 0, 0),
        # On the way to a condition, beside it, and as people write it.
        ("conf", 0, 0), ("pred", 0, 0), ("label", 0, 0), ("!conf", 9, 1), ("!", 9, 1), ("!conf:", 9, 1), ("! dog", 6, 1),
        ("conf: <0.5", 5, 0), ("conf<0.5", 5, 0), ("conf < 50%", 5, 0), ("conf:<50", 5, 0), ("pred: egyptian", 9, 0),
    ],
)  # fmt: skip
def test_images_and_failures_are_found(opened, gallery, query, count, failed):
    page = opened(gallery)

    page.get_by_role("searchbox", name="Find images").fill(query)

    assert page.locator(".count").inner_text() == f"{count} of 9 images, {failed} of 1 failed"
    assert len(listed(page)) == count


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("conf:<abc", "conf:<abc is not understood: write conf:<0.5"),
        ("!conf:0,5", "conf:0,5 is not understood: write conf:<0.5"),
        ("foo:bar", "foo:bar is not understood and looked for as text: write label:, pred: or conf:"),
        ("cat wrong", "wrong finds nothing: the run was told no truth"),
        ("conf:odd x:y foo:<b>", "conf:odd is not understood: write conf:<0.5; foo:<b> is not understood and looked for as text: write label:, pred: or conf:"),
        ("conf:<150%", "conf:<150% is beyond all: a probability is at most 100%"),
        *[(plain, "") for plain in ("", "cat", "conf:", "conf:<=50%", "!warn", 'label:"egyptian cat"', "C:\\cat", '"foo:bar"', "PRED:cat")],
    ],
)  # fmt: skip
def test_a_condition_that_is_not_understood_is_named_beside_the_count(opened, gallery, query, words):
    page = opened(gallery)

    page.get_by_role("searchbox").fill(query)

    said = page.get_by_role("search").get_by_role("status").nth(1)
    assert said.inner_text() == words
    assert said.is_visible() == bool(words)


def test_words_in_quotation_marks_are_text_even_if_they_read_as_a_condition(opened, gallery):
    page = opened(gallery)

    page.get_by_role("searchbox").fill('"conf:>0"')

    assert page.locator(".count").inner_text() == "0 of 9 images, 0 of 1 failed"


def test_the_help_tells_the_keys_and_every_condition_of_the_search(opened, gallery, one):
    page = opened(gallery)
    page.keyboard.press("?")

    told = page.get_by_role("dialog", name="Keys")
    assert [title.lower() for title in told.locator("h3").all_inner_texts()] == [
        "on a map that has the focus (tab)", "in an enlarged tile", "finding images",
    ]  # fmt: skip
    conditions = told.locator(".words dt").all_inner_texts()
    assert conditions == ["cat", "label:cat", "pred:cat", "conf:<0.5", "warn", "wrong", "!cat", '"tiger cat"']
    assert "a class that is explained" in told.inner_text()

    page = opened(one)  # where nothing can be searched
    page.keyboard.press("?")
    assert page.get_by_role("dialog").locator(".words").count() == 0


def test_wrong_predictions_are_found_where_the_truth_is_known(opened, gallery):
    told = json.loads(gallery.with_name("run.json").read_text("utf-8"))
    for at, result in enumerate(told["results"]):
        result["truth"] = "Egyptian cat" if at % 2 else "dog"
    judged = gallery.with_name("judged.html")
    html.write(judged, told, Pictures(gallery.parent, Style()))
    page = opened(judged)

    page.get_by_role("searchbox").fill("wrong")

    assert page.locator(".count").inner_text() == "5 of 9 images, 0 of 1 failed"
    assert listed(page) == [f"{'dog' if at in {2, 8} else 'cat'}{at}.jpg" for at in (0, 2, 4, 6, 8)]


def test_each_image_says_its_truth_and_what_was_predicted_instead(opened, gallery):
    told = json.loads(gallery.with_name("run.json").read_text("utf-8"))
    for at, result in enumerate(told["results"]):
        right = at % 2 == 0
        result["truth"] = {"index": 281, "label": "Egyptian cat"} if right else {"index": 967, "label": "espresso"}
        result["wrong"] = not right
    judged = gallery.with_name("truth.html")
    html.write(judged, told, Pictures(gallery.parent, Style()))
    page = opened(judged)

    first, second = (page.locator(".image").nth(at) for at in (0, 1))
    assert first.get_by_text("truth: Egyptian cat").is_visible()
    assert first.get_by_text("wrong:").count() == 0
    assert second.get_by_text("truth: espresso").is_visible()
    assert second.get_by_text("wrong: predicted Egyptian cat").is_visible()
    assert "wrong" in page.get_by_role("searchbox").get_attribute("placeholder")
    page = opened(gallery)
    assert page.get_by_text("truth:").count() == 0
    assert "wrong" not in page.get_by_role("searchbox").get_attribute("placeholder")


def test_escape_in_the_search_box_shows_all_images_again(opened, gallery):
    page = opened(gallery)
    page.keyboard.press("/")
    page.keyboard.type("dog")
    assert fragment(page) == "#q=dog"
    assert len(listed(page)) == 3

    page.keyboard.press("Escape")

    assert page.get_by_role("searchbox").input_value() == ""
    assert len(listed(page)) == 9
    assert fragment(page) == ""


def test_an_image_without_maps_has_no_control_that_does_nothing(opened, every, written):
    values = np.ones((4, 3, 3), np.float32)
    tiles = Tiles(values, tuple("0123"), "positive", "activation", layer="top")
    image = Image("cat.jpg", f"{0:064x}", (300, 400))
    page = opened(written([Result("filters", image, None, (tiles,), (), 1.0)], names=("filters",)))

    tools = page.locator(".tools")
    assert [one.get_attribute("aria-label") for one in tools.get_by_role("button").all()] == [
        "Zoom out", "Whole picture", "Zoom in",
    ]  # fmt: skip
    assert tools.locator("select, input, details").count() == 0
    tools.get_by_role("button", name="Zoom in").click()
    assert page.locator(".input .picture").get_attribute("viewBox") == "40 30 320 240"

    tools = opened(every).locator(".tools")
    assert tools.get_by_label("Palette").is_visible()
    assert tools.get_by_role("button", name="Swipe").is_visible()


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        ("least confident", "cat0.jpg", "dog8.jpg"),
        ("most confident", "dog8.jpg", "cat0.jpg"),
        ("name", "cat0.jpg", "dog8.jpg"),
        ("slowest", "dog8.jpg", "cat0.jpg"),
        ("as given", "cat0.jpg", "dog8.jpg"),
    ],
)
def test_images_are_sorted(opened, gallery, order, first, last):
    page = opened(gallery, "#sort=conf-down")

    page.get_by_label("Sort").select_option(label=order)

    assert (listed(page)[0], listed(page)[-1]) == (first, last)
    # What follows the images stays behind them.
    assert page.locator("#failures").bounding_box()["y"] > page.locator(".image").last.bounding_box()["y"]


def test_the_whole_view_is_in_the_address_and_comes_back_from_it(opened, gallery):
    page = opened(gallery)
    page.get_by_text("Colours and views").click()
    page.locator(".look").get_by_label("Palette").select_option("turbo")
    page.locator(".look").get_by_label("Hide below").fill("20")
    page.locator(".look").get_by_label("Gamma").fill("1.5")
    page.locator(".look").get_by_label("Opacity of all maps").fill("60")
    page.get_by_text("Colours and views").click()
    page.get_by_label("Sort").select_option("conf-down")
    page.get_by_role("searchbox").fill("cat conf:>0.1")
    image = page.locator('.image[data-key="000000000003"]')
    image.get_by_role("button", name="Swipe").click()
    image.get_by_label("Palette").select_option("gray")
    image.get_by_role("slider", name="Where the picture ends").press("PageUp")
    image.get_by_role("button", name="Zoom in").click()
    address = fragment(page)

    again = opened(gallery, page.evaluate("location.hash"))

    assert fragment(again) == address
    assert listed(again) == listed(page)
    told = '.image[data-key="000000000003"] .card '
    for what in ("viewBox", "aria-label"):
        assert again.locator(told + ".picture").get_attribute(what) == page.locator(told + ".picture").get_attribute(
            what
        )
    assert again.locator(told + ".handle").get_attribute("aria-valuenow") == "60"
    assert again.locator(told + ".heat").get_attribute("filter").endswith("-of-000000000003)")
    assert again.locator(".look").get_by_label("Gamma").input_value() == "1.5"


@pytest.mark.parametrize(
    "odd",
    [
        "#img=nothing&p=<b>&o=1e999&t=-5&g=NaN&v=odd&i.x=q:1&sort=constructor&f=x:1",
        "#i.000000000001=z:9e9,x:5,y:-5,s:200,o:,p:",
        "#results",
        "#=&=",
        "#m=%E0%A4%A",
    ],
)
def test_an_odd_address_opens_the_report_all_the_same(opened, gallery, odd):
    page = opened(gallery, odd)

    assert page.locator(".image:visible").count() == 9
    box = page.locator(".image .picture").nth(3).get_attribute("viewBox").split()
    assert 0 <= float(box[0]) <= 400


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
@pytest.mark.parametrize("how", ["opened", "followed"])
def test_a_link_to_an_image_arrives_at_it_and_stays_there(opened, long, width, height, how):
    address = "#img=000000000019"
    page = opened(long, address if how == "opened" else "", viewport={"width": width, "height": height})
    if how == "followed":
        page.evaluate("(address) => { location.hash = address; }", address)
    image = page.locator('.image[data-key="000000000019"]')

    for wait in (300, 1700):
        page.wait_for_timeout(wait)
        bar = page.locator("nav.bar").bounding_box()
        below = max(bar["y"] + bar["height"], 0)
        assert below <= image.bounding_box()["y"] <= below + 40

    # The reader is free to go.
    page.mouse.move(width / 2, height / 2)
    page.mouse.wheel(0, -600)
    page.wait_for_timeout(700)
    assert image.bounding_box()["y"] > 300


def test_arrows_turn_from_image_to_image_and_the_address_follows(opened, gallery):
    page = opened(gallery)

    page.keyboard.press("ArrowRight")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "photos/cat1.jpg"
    assert fragment(page) == "#img=000000000001"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == "photos/cat0.jpg"


def test_digits_show_one_explainer_alone_and_then_all_again(opened, three):
    page = opened(three)

    page.keyboard.press("2")
    assert {card.get_attribute("data-explainer") for card in page.locator(".card:visible").all()} == {"occlusion"}
    assert fragment(page) == "#m=occlusion"
    page.keyboard.press("2")
    assert page.locator(".card:visible").count() == 9


def test_keys_zoom_uncover_find_and_help(opened, gallery):
    page = opened(gallery)
    picture = page.locator(".card .picture").first

    page.keyboard.press("+")
    assert picture.get_attribute("viewBox") == "40 30 320 240"
    page.keyboard.press("-")
    page.keyboard.press("+")
    page.keyboard.press("0")
    assert picture.get_attribute("viewBox") == "0 0 400 300"
    page.keyboard.press("o")
    assert page.locator(".heat").first.evaluate("one => one.style.visibility") == "hidden"
    page.keyboard.press("o")
    assert page.locator(".heat").first.evaluate("one => one.style.visibility") == ""
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("o")
    assert page.locator(".heat").first.evaluate("one => one.style.visibility") == ""
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"


def test_keys_rest_while_something_is_typed_and_with_modifiers(opened, gallery):
    page = opened(gallery)
    before = page.locator(".card .picture").first.get_attribute("viewBox")

    page.keyboard.press("Control+o")
    page.keyboard.press("/")
    page.keyboard.type("o+1?j/")

    assert page.get_by_role("searchbox").input_value() == "o+1?j/"
    assert page.locator("dialog").count() == 0
    assert page.locator(".card .picture").first.get_attribute("viewBox") == before
    assert page.locator(".heat").first.evaluate("one => one.style.visibility") == ""


def test_a_tile_is_enlarged_with_its_channel_statistics_and_loss(opened, grid):
    page = opened(grid)

    page.get_by_role("link", name="block3/conv1, 7", exact=True).click()

    tile = page.get_by_role("dialog", name="block3/conv1 · 7")
    text = tile.inner_text()
    assert "Channel" in text
    assert "activation" in text
    assert "100.0% of the tile" in text
    assert tile.get_by_role("img", name="What was maximised over 3 steps: from 0 to 3.00").is_visible()
    assert fragment(page) == "#f=block3/conv1:7"
    tile.get_by_role("button", name="Next").click()
    assert page.get_by_role("dialog", name="block3/conv1 · 8").is_visible()
    page.keyboard.press("Escape")
    assert fragment(page) == ""


def test_an_enlarged_tile_is_the_tile_itself(opened, grid, seen):
    page = opened(grid)
    sheet = seen(page.locator("div.drawing svg").first)
    small = page.locator(".spot").nth(5).bounding_box()
    origin = page.locator("div.drawing svg").first.bounding_box()
    expected = sheet[
        int(small["y"] - origin["y"]) + 2 : int(small["y"] - origin["y"] + small["height"]) - 2,
        int(small["x"] - origin["x"]) + 2 : int(small["x"] - origin["x"] + small["width"]) - 2,
    ].mean(axis=(0, 1))

    page.locator(".spot").nth(5).click()
    large = seen(page.locator(".tile > svg")).mean(axis=(0, 1))

    np.testing.assert_allclose(large, expected, atol=6)


def test_back_closes_what_was_opened_and_closing_leaves_no_step(opened, grid, three):
    page = opened(grid)
    page.get_by_role("link", name="block3/conv1, 7", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Next").click()
    assert fragment(page) == "#f=block3/conv1:8"
    page.go_back()
    page.locator("dialog").wait_for(state="detached")
    assert fragment(page) == ""
    page.go_forward()
    assert page.get_by_role("dialog", name="block3/conv1 · 8").is_visible()

    page = opened(three)
    page.get_by_role("button", name="Compare all").click()
    assert "matrix=" in fragment(page)
    page.go_back()
    page.locator("dialog").wait_for(state="detached")
    assert fragment(page) == ""
    page.get_by_role("button", name="Compare all").click()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert fragment(page) == ""


def test_an_address_without_a_view_shows_the_first_one(opened, gallery):
    page = opened(gallery, "#q=dog&p=gray&img=000000000002")
    assert len(listed(page)) == 3

    page.evaluate("location.hash = ''")
    page.wait_for_timeout(200)

    assert len(listed(page)) == 9
    assert page.locator(".image.current").count() == 0
    assert page.locator(".tools").first.get_by_label("Palette").input_value() == "run"
    page.go_back()
    page.wait_for_timeout(200)
    assert len(listed(page)) == 3


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("block3/conv1:99", "The layer block3/conv1 has no tile 99 here."),
        ("<b>:0", "There are no tiles of a layer <b> here."),
    ],
)
def test_a_link_to_a_tile_that_is_not_there_says_so(opened, grid, asked, words):
    page = opened(grid, f"#f={asked}")

    assert page.get_by_role("dialog", name="Not in this report").get_by_text(words).is_visible()


def test_a_link_opens_its_tile_and_a_dead_one_says_so(opened, grid):
    page = opened(grid, "#f=block3/conv1:3")

    assert page.get_by_role("dialog", name="block3/conv1 · 3").locator(".dead").inner_text() == "dead"


def test_the_command_is_copied(opened, one):
    page = opened(one, permissions=["clipboard-read", "clipboard-write"])

    page.get_by_role("button", name="Copy").click()

    page.get_by_role("status").filter(has_text="opied").or_(page.get_by_text("Selected")).first.wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "xcnn explain net cat.jpg --with gradcam"


def test_doubts_stand_beside_each_result(opened, three):
    page = opened(three)

    assert page.locator(".trust").count() == 9
    saliency = page.locator('.card[data-explainer="saliency"] .foot').first
    assert "4 of 7 non-linearities are rectifiers" in saliency.inner_text()
    assert "non-linearities" not in " ".join(saliency.locator(".trust li").all_inner_texts()), "that is no doubt"
    cam = page.locator('.card[data-explainer="gradcam"] .trust').first
    cam.locator("summary").click()
    assert "The preprocessing is a guess" in cam.inner_text()


def test_without_a_script_there_are_pictures_and_tables_and_nothing_that_does_nothing(opened, three, grid):
    page = opened(three, java_script_enabled=False)
    assert page.locator(".card .picture:visible").count() == 9
    assert page.locator("table.predictions").is_visible()
    assert page.locator("button:visible, input:visible, select:visible").count() == 0

    page = opened(grid, java_script_enabled=False)
    assert page.locator("a.drawing").first.get_attribute("href").endswith(".png")


def test_print_shows_one_image_per_page_and_no_controls(opened, gallery):
    page = opened(gallery)
    page.emulate_media(media="print")

    assert page.locator(".bar, .tools, button").locator("visible=true").count() == 0
    assert page.locator(".image").nth(1).evaluate("one => getComputedStyle(one).breakBefore") == "page"
    assert page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [1300, 1000, 700, 390, 320])
def test_a_fact_of_a_card_is_never_apart_from_its_number(opened, three, width):
    page = opened(three, viewport={"width": width, "height": 844})

    facts = page.locator(".card .kept")
    assert re.fullmatch(r"· \d\.\d+ s", facts.last.inner_text())
    lines = "(all) => all.map((one) => new Set([...one.getClientRects()].map((box) => Math.round(box.bottom))).size)"
    assert facts.evaluate_all(lines) == [1] * facts.count()


def test_less_motion_is_respected(opened, one):
    page = opened(one, reduced_motion="reduce")

    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_the_focus_is_seen_on_everything_that_takes_it(opened, three):
    page = opened(three)

    for _ in range(25):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


@pytest.mark.parametrize("width", [390, 768])
def test_a_small_window_never_scrolls_sideways(opened, three, grid, width):
    for report in (three, grid):
        page = opened(report, viewport={"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_light_and_dark_are_in_the_address(opened, one):
    page = opened(one, color_scheme="light")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Light / dark").click()
    dark = page.evaluate(colour)
    assert dark != light
    assert fragment(page) == "#theme=dark"

    page.reload()
    assert page.evaluate(colour) == dark
    page.get_by_role("button", name="Light / dark").click()
    assert fragment(page) == "#theme=light"
    assert page.evaluate(colour) == light
