"""Reports of what people we don't know have named, in a real browser."""

import json

import pytest

from xcnn.render.style import Style
from xcnn.report import html
from xcnn.saving.pictures import Pictures

pytestmark = pytest.mark.browser

HOSTILE = [
    '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)' x='", "</script><script>alert(1)</script>", "</style><style>*{display:none}",
    "</title><svg onload=alert(1)>", "--><iframe src=x>", "<!--", "<![CDATA[", "{{ 7 * 7 }}{% for %}", "${alert(1)}", "`;alert(1)//",
    "');alert(1)//", '");alert(1)//', '\\";alert(1)//', "&lt;b&gt;", "&#60;script&#62;", "javascript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:x", "//example.org/x.png", "https://example.org/x.png", "../../etc/passwd", "C:\\CON", "cat\u202egpj.exe", "\u2066rtl\u2069", "n\x00l",
    "\x1b[31mred\x9b", "line\nbreak", "line\u2028separator", "caf\udce9.jpg", "\ud83d alone", "\ufeffbom", "x" * 300, "猫 & قط", "e\u0301" * 50,
    "url(#tint-positive)", "#f=a:b&img=c", "__proto__", "constructor", "%00%E0%A4%A", "=cmd|' /C calc'!A0", "</bdi></h3><h1>", "<math><mtext></mtext></math>",
]  # fmt: skip
KEPT = {"kind", "sign", "created", "url", "stops", "signed_stops", "colour", "file", "files", "scaling"}
OURS = "document.querySelectorAll('script').length + document.querySelectorAll('iframe, img, object, embed, link[rel=stylesheet]').length * 1000"


def replaced(value, text, key=""):
    """`value` with `text` for every string that some file, model, plugin or user could have chosen."""
    if isinstance(value, dict):
        return {name: item if name in KEPT else replaced(item, text, name) for name, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, text) for item in value]
    return text if isinstance(value, str) else value


@pytest.fixture(params=["three", "grid", "every", "gallery"])
def told(request):
    path = request.getfixturevalue(request.param)
    return path, json.loads(path.with_name("run.json").read_text("utf-8"))


def exercised(page):
    """Use what a page has, as a reader would."""
    page.evaluate(
        "window.addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective))"
    )
    for key in ("ArrowRight", "2", "2", "+", "o", "o", "?"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    for opener in (page.get_by_role("button", name="Compare all"), page.locator(".spot")):
        if opener.count():
            opener.first.click()
            page.keyboard.press("Escape")
    if page.get_by_role("searchbox").count():
        page.get_by_role("searchbox").fill('label:"<img" x')
    if page.locator(".card .picture:visible").count():
        page.locator(".card .picture:visible").first.hover()
        page.mouse.move(0, 0)


def test_hostile_strings_change_nothing_but_the_words(opened, told, tmp_path):
    path, manifest = told
    plain = path.with_name("harmless.html")
    html.write(plain, replaced(manifest, "harmless"), Pictures(path.parent, Style()))
    page = opened(plain)
    tags = "[...document.querySelectorAll('*')].map((one) => one.tagName).join(' ')"
    expected = page.evaluate(tags)
    for text in HOSTILE:
        odd = path.with_name("odd.html")
        html.write(odd, replaced(manifest, text), Pictures(path.parent, Style()))
        page.goto(odd.as_uri())
        assert page.evaluate(tags) == expected, text
        if HOSTILE.index(text) % 9 == 0:
            exercised(page)
            assert page.evaluate(OURS) == 2, text


def test_no_policy_is_violated_by_using_everything(opened, three, grid, every):
    for report in (three, grid, every):
        page = opened(report)
        exercised(page)
        page.get_by_role("button", name="Light / dark").click()
