"""Reports that are folders: pages with photographs beside them, which do what one file does."""

import re

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.browser

CARD = '.image[data-key="000000000000"]'


def fragment(page):
    """The address's fragment once it has been written."""
    page.wait_for_timeout(200)
    return page.evaluate("decodeURIComponent(location.hash)")


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without one"])
def test_a_photograph_beside_the_page_is_shown_and_lies_below_its_map(opened, folder, seen, script):
    page = opened(folder, java_script_enabled=script)
    photo = cv2.imread(str(folder.with_name("cat0.source.jpg")))[..., ::-1]
    page.wait_for_timeout(200)

    bare = seen(page.locator(f"{CARD} .input .picture"))
    laid = seen(page.locator(f'{CARD} .card[data-explainer="gradcam"] .picture'))

    # In the middle and at the right end, where the test picture differs.
    for x in (0.5, 0.97):
        expected = photo[int(0.5 * photo.shape[0]), int(x * photo.shape[1])].astype(int)
        at = bare[int(0.5 * bare.shape[0]), int(x * bare.shape[1])].astype(int)
        assert np.abs(at - expected).max() <= 10
    # Half of the picture is below the darkest and below the brightest colour of the map.
    corner = bare[20, 20].astype(int)
    np.testing.assert_allclose(laid[20, 20], (corner + np.array([68, 1, 84])) / 2, atol=12)


def test_photographs_far_below_are_not_asked_for_until_they_come_near(opened, folder):
    page = opened(folder)
    page.wait_for_timeout(300)
    loaded = "[...document.images].filter((one) => one.complete && one.naturalWidth).map((one) => one.src)"
    assert 0 < len(set(page.evaluate(loaded))) < 20
    assert not any("cat150." in source for source in page.evaluate(loaded))

    page.locator('.image[data-key="000000000096"]').scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    assert any("cat150." in source for source in page.evaluate(loaded))


def test_the_views_the_zoom_and_the_reading_work_on_photographs_beside_the_page(opened, folder, seen):
    page = opened(folder)
    card, tools = page.locator(f"{CARD} .card").first, page.locator(f"{CARD} .tools")
    source = seen(page.locator(f"{CARD} .input .picture"))

    tools.get_by_role("button", name="Original").click()
    np.testing.assert_allclose(seen(card.locator(".picture"))[60:120, 60:120], source[60:120, 60:120], atol=30)
    fine = page.locator(f'{CARD} .card[data-explainer="saliency"] .picture')
    assert fine.locator(".photo img").get_attribute("src") == "./cat0.source.jpg"

    tools.get_by_role("button", name="Side by side").click()
    assert card.locator(".picture.before .photo img").count() == 1
    tools.get_by_role("button", name="Swipe").click()
    page.get_by_role("slider", name="Where the picture ends").first.press("End")
    tools.get_by_role("button", name="Overlay").click()

    card.locator(".picture").dblclick(position={"x": 30, "y": 30})
    assert card.locator(".picture").get_attribute("viewBox").endswith("200 150")
    box = card.locator(".picture").bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"])
    page.locator(f"{CARD} .reading").first.filter(has_text="score").wait_for()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without one"])
def test_pages_lead_to_each_other(opened, folder, second, script):
    page = opened(folder, java_script_enabled=script)
    assert "Page 1 of 2: images 1 to 200 of 203" in page.get_by_role("navigation", name="Pages").first.inner_text()

    page.get_by_role("link", name="Next").first.click()
    assert page.url.endswith("/report-2.html")
    assert page.locator(".image").count() == 3
    page.get_by_role("link", name="Page 1").last.click()
    assert page.url.endswith("/report.html")
    page.goto(second.as_uri())
    page.get_by_role("link", name="Failures").click()
    assert page.url.endswith("/report.html#failures")
    page.get_by_text("broken.jpg is damaged").wait_for()


def test_the_arrows_go_on_to_the_next_page_and_back(opened, folder):
    page = opened(folder, "#img=0000000000c7")

    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("report-2.html"))
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "photos/dog200.jpg"
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile("report.html"))


def test_the_first_page_finds_what_is_on_the_others_and_leads_there(opened, folder):
    page = opened(folder)

    page.get_by_role("searchbox").fill("dog")

    told = "2 of 200 images on this page, 3 of 3 on other pages, 0 of 1 failed"
    assert page.locator(".count").inner_text() == told
    links = page.locator(".others a")
    assert links.all_inner_texts() == ["photos/dog200.jpg", "photos/dog201.jpg", "photos/dog202.jpg"]
    links.nth(1).click()
    page.wait_for_url(re.compile("report-2.html"))
    assert page.evaluate("document.activeElement.textContent") == "photos/dog201.jpg"

    page.goto(folder.as_uri())
    page.get_by_role("searchbox").fill("conf:<0.1 !dog202")
    assert page.locator(".others a").all_inner_texts() == ["photos/dog201.jpg"]
    page.get_by_role("searchbox").fill("")
    assert page.locator(".others a").count() == 0


def test_any_page_finds_what_is_on_the_others(opened, second):
    page = opened(second)

    page.get_by_role("searchbox").fill("cat")  # all are predicted as a cat
    assert page.locator(".count").inner_text() == "3 of 3 images on this page, 200 of 200 on other pages"
    assert page.locator(".others li").count() == 50
    assert page.locator(".others").get_by_text("and 150 more").count() == 1

    page.get_by_role("searchbox").fill("dog conf:>0.103")
    assert page.locator(".count").inner_text() == "0 of 3 images on this page, 2 of 200 on other pages"
    links = page.locator(".others li a")
    assert links.all_inner_texts() == ["photos/dog198.jpg", "photos/dog199.jpg"]
    links.nth(1).click()
    page.wait_for_url(re.compile(r"/report\.html"))
    assert page.evaluate("document.activeElement.textContent") == "photos/dog199.jpg"
    # The question came along.
    assert page.get_by_role("searchbox").input_value() == "dog conf:>0.103"
    assert page.locator(".image:visible").count() == 2


def test_what_failed_is_found_on_the_first_page(opened, second):
    page = opened(second)

    page.get_by_role("searchbox").fill("broken")
    assert page.locator(".count").inner_text() == "0 of 3 images on this page, 0 of 200 on other pages"
    page.get_by_role("link", name="Find among the failures, on the first page").click()
    page.wait_for_url(re.compile("report.html"))
    assert page.get_by_role("searchbox").input_value() == "broken"
    assert "1 of 1 failed" in page.locator(".count").inner_text()


def test_the_view_of_a_page_is_in_its_address(opened, second):
    page = opened(second)
    image = page.locator(".image").first
    image.get_by_label("Palette").select_option("jet")
    image.get_by_role("button", name="Zoom in").click()

    address = fragment(page)
    again = opened(second, page.evaluate("location.hash"))

    assert "p:jet" in address
    assert fragment(again) == address


@pytest.mark.parametrize("way", ["Next", "Page 2", "the arrow key", "found"])
def test_what_is_chosen_for_the_page_holds_on_the_next_one(opened, folder, way):
    page = opened(folder, "#img=0000000000c7")
    page.get_by_text("Colours and views").click()
    look = page.locator(".look")
    look.get_by_label("Palette").select_option("jet")
    look.get_by_label("View").select_option("swipe")
    look.get_by_label("Opacity of all maps").fill("80")
    look.get_by_label("Hide below").fill("20")
    page.get_by_text("Colours and views").click()
    page.get_by_label("Sort").select_option("name")  # the order of the run is that of the names

    if way == "the arrow key":
        page.locator("h1").click()
        page.keyboard.press("ArrowRight")
    elif way == "found":
        page.get_by_role("searchbox").fill("dog202")
        page.locator(".others li a").click()
    else:
        page.get_by_role("link", name=way, exact=True).first.click()
    page.wait_for_url(re.compile("report-2.html"))

    address = fragment(page)
    for part in ("p=jet", "v=swipe", "o=80", "t=20", "sort=name"):
        assert part in address
    assert page.locator(".look").get_by_label("Palette").input_value() == "jet"
    assert page.locator(".image .tools").first.get_by_label("Opacity").input_value() == "80"
    assert page.locator(".handle").count() >= 3
    assert page.get_by_label("Sort").input_value() == "name"
    # And back again.
    page.get_by_role("link", name="Page 1", exact=True).first.click()
    page.wait_for_url(re.compile(r"/report\.html"))
    assert page.locator(".look").get_by_label("Palette").input_value() == "jet"


def test_a_page_says_that_it_sorts_itself_alone_and_lists_the_others_in_that_order(opened, second):
    page = opened(second)
    assert page.locator(".others a").count() == 0

    page.get_by_label("Sort this page").select_option(label="most confident")

    assert page.locator(".others li:visible").count() == 0  # they would stand in the way
    page.get_by_text("Sorted within this page. On the other pages, most confident first").click()
    assert page.locator(".others li:visible").count() == 50
    assert page.locator(".others li a").all_inner_texts()[:3] == [
        "photos/cat0.jpg",
        "photos/cat1.jpg",
        "photos/cat2.jpg",
    ]
    page.get_by_label("Sort this page").select_option(label="least confident")
    assert page.locator(".others li a").first.text_content() == "photos/dog199.jpg"
    page.get_by_label("Sort this page").select_option(label="as given")
    assert page.locator(".others").inner_text() == ""


def test_printing_asks_for_all_photographs(opened, folder):
    page = opened(folder)
    missing = "[...document.images].filter((one) => !one.naturalWidth).length"
    assert page.evaluate(missing) > 300

    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # as browsers do before they lay out the paper
    page.wait_for_timeout(1500)

    assert page.evaluate(missing) == 0


def test_a_page_is_printed_without_links_to_the_others(opened, second):
    page = opened(second)

    assert page.pdf().count(b"/Type /Page\n") >= 3
    page.emulate_media(media="print")
    assert page.locator(".pages").locator("visible=true").count() == 0


def test_no_map_is_a_file_beside_the_page_so_that_its_values_can_be_read(folder):
    text = folder.read_text("utf-8")

    assert not re.search(r'<image [^>]*href="(?!data:)', text)
    assert "img-src data: 'self'; style-src 'sha256-" in text


@pytest.mark.parametrize("width", [390, 768])
def test_a_page_never_scrolls_sideways(opened, folder, width):
    page = opened(folder, viewport={"width": width, "height": 844})
    page.get_by_role("searchbox").fill("dog")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
