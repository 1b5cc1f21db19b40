"""Reports for everybody: no violation that axe knows, light and dark, and names that say what is seen."""

import pytest

pytestmark = pytest.mark.browser

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def violations(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=RULES).response["violations"]
    return [
        (
            one["id"],
            [node["html"][:160] for node in one["nodes"]][:3],
            [node["failureSummary"][:300] for node in one["nodes"]][:1],
        )
        for one in found
    ]


@pytest.fixture
def report(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("report", ["one", "three", "gallery", "grid", "every", "second", "training"], indirect=True)
def test_a_report_violates_no_rule(opened, report, scheme):
    page = opened(report, color_scheme=scheme, bypass_csp=True)

    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_can_be_opened_violates_no_rule(opened, three, grid, scheme):
    page = opened(three, "#v=swipe&p=jet", color_scheme=scheme, bypass_csp=True)
    page.get_by_text("Colours and views").click()
    for summary in page.locator(".trust summary").all():
        if summary.evaluate("one => !one.parentElement.open"):
            summary.click()
    page.locator(".card .picture").first.hover(position={"x": 20, "y": 20})
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator(".card .stage").first.focus()
    page.keyboard.press("ArrowRight")
    assert violations(page) == []
    page.get_by_text("Colours and views").click()
    page.get_by_role("button", name="Compare all").click()
    page.locator(".matrix .picture").first.hover(position={"x": 20, "y": 20})
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert violations(page) == []

    page = opened(grid, "#f=block3/conv1:3", color_scheme=scheme, bypass_csp=True)
    assert violations(page) == []
    page.keyboard.press("Home")  # where there is no tile before
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_small_window_and_what_it_opens_violate_no_rule(opened, three, grid, second, training, scheme):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": scheme, "bypass_csp": True}
    page = opened(three, **phone)
    page.get_by_role("button", name="Compare all").tap()
    page.locator(".matrix .picture").first.tap()
    assert violations(page) == []
    page = opened(grid, "#f=block3/conv1:3", **phone)
    assert violations(page) == []
    page.keyboard.press("Escape")
    assert violations(page) == []
    page = opened(training, "#epoch=4", **phone)
    assert violations(page) == []
    page = opened(second, "#q=conf:<abc cat&sort=name", **phone)
    assert page.locator(".odd").is_visible()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_training_without_its_script_violates_no_rule(opened, training, scheme):
    # axe is a script itself: it looks at the page as it is without ours.
    text = training.read_text("utf-8")
    start = text.rindex("<script>")
    bare = training.with_name("bare.html")
    bare.write_text(text[:start] + text[start:].partition("</script>")[2], "utf-8")
    page = opened(bare, color_scheme=scheme, bypass_csp=True)

    assert page.locator("[data-epoch]").locator("visible=true").count() == 5
    assert violations(page) == []


def test_a_map_is_named_by_its_method_class_layer_and_what_it_shows(opened, one):
    page = opened(one)

    name = "Grad-CAM for Egyptian cat (0.80) at top: strongest lower right, 25% of the area above half"
    assert page.get_by_role("img", name=name).is_visible()
