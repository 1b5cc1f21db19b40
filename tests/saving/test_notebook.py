"""A run in a notebook: one small piece of HTML that needs nothing and obeys nobody."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeNetwork, pictures

import xcnn

STRINGS = (
    '"><img src=x onerror=alert(1)>', "</div></script><script>alert(1)</script>", "<!--", "&lt;b&gt;", "' onmouseover='x",
    "javascript:alert(1)", "\u202egpj.exe", "a\0b", "\udcff\ud800", "x" * 300, "{{ 7 * 7 }}", "]]>", "\x1b[31m",
)  # fmt: skip


class Seen(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def seen(run):
    parser = Seen()
    parser.feed(run._repr_html_())
    return parser


def test_a_run_shows_its_maps_and_classes():
    run = xcnn.explain(FakeNetwork(np.ones((1, 2, 2, 1))), pictures((6, 8), (9, 7)), "gradcam")

    found = seen(run)

    assert found.tags.count("img") == 2
    assert "Grad-CAM array-0" in re.sub(r"\s+", " ", found.text)
    assert run.results[0].target.label in found.text
    assert all(value.startswith("data:image/jpeg;base64,") for name, value in found.attributes if name == "src")
    assert len(run._repr_html_()) < 60_000


@pytest.mark.parametrize("name", ["kernels", "activations", "saliency"])
def test_every_kind_of_picture_is_shown(name):
    run = xcnn.explain(FakeNetwork(), None if name == "kernels" else pictures((6, 8)), name)

    assert "img" in seen(run).tags


def test_of_many_results_the_first_are_shown_and_the_others_counted():
    run = xcnn.explain(FakeNetwork(), pictures(*[(4, 4)] * 15), "saliency")

    found = seen(run)

    assert found.tags.count("img") == 12
    assert "and 3 more results" in found.text


@pytest.mark.parametrize("text", STRINGS)
def test_whatever_names_hold_is_text(text):
    run = xcnn.explain(FakeNetwork(), pictures((4, 4)), "saliency")
    plain = seen(run).tags
    result = run.results[0]
    hostile = replace(
        run,
        results=(replace(result, image=replace(result.image, path=text), target=replace(result.target, label=text)),),
        warnings=(text,),
    )

    found = seen(hostile)

    assert found.tags == [*plain[:2], "p", *plain[2:]]
    assert {name for name, _ in found.attributes} <= {"style", "src", "alt", "width", "height"}
    found.text.encode()


def test_a_picture_that_is_gone_is_a_line(photo):
    run = xcnn.explain(FakeNetwork(), photo(), "saliency")
    Path("photo.png").unlink()

    found = seen(run)

    assert "img" not in found.tags
    assert "photo.png" in found.text
