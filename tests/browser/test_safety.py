"""Reports of what people we don't know have named, in a real browser."""

import base64
import json
import re

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
from fakes import FakeNetwork

import xcnn
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


@pytest.fixture(params=["three", "grid", "every"])
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


def test_hostile_strings_change_nothing_in_a_folder_of_pages_either(opened, folder):
    manifest = json.loads(folder.with_name("run.json").read_text("utf-8"))
    few = {*(result["image"]["file"] for result in manifest["results"][:3]), manifest["results"][-1]["image"]["file"]}
    manifest["results"] = [result for result in manifest["results"] if result["image"]["file"] in few]
    pictures = Pictures(folder.parent, Style())
    tags = "[...document.querySelectorAll('*')].map((one) => one.tagName).join(' ')"
    html.write(folder.with_name("odd.html"), replaced(manifest, "harmless"), pictures, most_mb=0)
    page = opened(folder.with_name("odd.html"))
    expected = page.evaluate(tags)
    for text in HOSTILE[::3]:
        html.write(folder.with_name("odd.html"), replaced(manifest, text), pictures, most_mb=0)
        page.goto(folder.with_name("odd.html").as_uri())
        assert page.evaluate(tags) == expected, text
    exercised(page)


@pytest.mark.parametrize("number", range(0, len(HOSTILE), 6))
def test_what_the_first_page_finds_on_others_is_text_too(opened, folder, number):
    manifest = json.loads(folder.with_name("run.json").read_text("utf-8"))
    text = HOSTILE[number]
    for result in manifest["results"][-3:]:
        result["image"]["path"] = text
        result["target"]["label"] = result["predictions"][0]["label"] = text
    html.write(folder.with_name("odd.html"), manifest, Pictures(folder.parent, Style()), most_mb=0)
    page = opened(folder.with_name("odd.html"))

    page.get_by_role("searchbox").fill("conf:<0.101")

    found = page.locator(".others li")
    assert found.count() == 3
    assert {
        tag
        for item in found.all()
        for tag in item.evaluate("(one) => [...one.querySelectorAll('*')].map((one) => one.tagName)")
    } == {"A", "BDI", "SPAN"}
    assert found.first.locator("a").get_attribute("href").startswith("./odd-2.html#img=")


GPS = b"SECRET-PLACE"


def disguised(path):
    """A picture that tells in every corner of its metadata where it was taken, and worse."""
    exif = PIL.Image.Exif()
    exif[0x010E] = '"><img src=x onerror=alert(1)>' + GPS.decode()
    exif[0x9C9B] = "</script><script>alert(1)</script>".encode("utf-16-le") + GPS
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.6), 29: GPS.decode()})
    pixels = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8))
    told = {"exif": exif.tobytes()}
    if path.suffix == ".png":
        text = PIL.PngImagePlugin.PngInfo()
        text.add_text("Comment", "<svg onload=alert(1)>" + GPS.decode())
        text.add_itxt("XML:com.adobe.xmp", "<x>" + GPS.decode() + "</x>")
        told["pnginfo"] = text
    elif path.suffix == ".jpg":
        told |= {"comment": GPS + b"<script>alert(1)</script>", "xmp": b"<x>" + GPS + b"</x>", "icc_profile": GPS * 20}
    pixels.save(path, **told)
    with path.open("ab") as file:
        file.write(b"<script>alert(1)</script>" + GPS)
    return path


@pytest.mark.parametrize("most", [25, 0])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_nothing_but_the_pixels_of_a_picture_is_in_the_report_and_its_files(opened, own_folder, suffix, most):
    photo = disguised(own_folder / f"photo{suffix}")
    assert GPS in photo.read_bytes()

    xcnn.explain(FakeNetwork(), str(photo), "saliency", report_max_mb=most).save("out")

    for file in (own_folder / "out").iterdir():
        data = file.read_bytes()
        carried = [base64.b64decode(found) for found in re.findall(rb";base64,([A-Za-z0-9+/=]+)", data)]
        for part in (data, *carried):
            assert GPS not in part, file
            assert b"alert(1)" not in part, file
            assert b"Exif\0" not in part, file
    page = opened(own_folder / "out" / "report.html")
    assert page.locator(".card .picture").count() == 1


def test_no_policy_is_violated_by_using_everything(opened, three, grid, every):
    for report in (three, grid, every):
        page = opened(report)
        exercised(page)
        page.get_by_role("button", name="Light / dark").click()
