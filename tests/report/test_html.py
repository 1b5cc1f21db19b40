import base64
import copy
import hashlib
import itertools
import json
import re
from html.parser import HTMLParser

import pytest

from xcnn.errors import OutputError
from xcnn.report.html import write

# One grey pixel.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////"
    "////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAI"
    "AQEAAD8AP//Z"
)
CAT, TABBY, TIGER = (
    {"index": 285, "label": "Egyptian cat", "score": 10.7, "probability": 0.809, "coefficients": [[285, 1.0]]},
    {"index": 281, "label": "tabby", "score": 8.83, "probability": 0.125, "coefficients": [[281, 1.0]]},
    {"index": 282, "label": "tiger cat", "score": 8.11, "probability": 0.0607, "coefficients": [[282, 1.0]]},
)
HOSTILE = [
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}",
    "</title><svg onload=alert(1)>",
    "--><iframe src=x>",
    "<!--",
    "{{ 7 * 7 }}{% for %}",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "../../etc/passwd",
    "cat\u202egpj.exe",
    "n\x00l",
    "\x1b[31mred\x9b",
    "line\nbreak",
    "caf\udce9.jpg",
    "\ud83d alone",
    "x" * 300,
]


class Pictures:
    def source(self, _image):
        return JPEG

    def heat(self, _panel):
        return JPEG

    def drawn(self, _file):
        return JPEG

    def glance(self, panel):
        return {"above": "upper centre", "below": "lower left", "share": 0.14} if panel["maximum"] else {}

    def categories(self, panel):
        return {"places": ["upper centre"] * len(panel["legend"]), "runs": [[15, int(next(iter(panel["names"])))]]}

    def statistics(self, panel):
        return [[-1.0, 0.5, 2.0, 0.25]] * panel["count"]

    def series(self, panel):
        return {name: [0.0, 1.5] for name in panel["names"]}


class Page(HTMLParser):
    """What a browser would make of the page: its elements, their attributes and the text people read."""

    def __init__(self, html):
        super().__init__()
        self.html, self.elements, self.words, self.raw, self.within = (
            html,
            [],
            [],
            {"style": [], "script": [], "json": []},
            "",
        )
        self.feed(html)
        self.close()
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.within = "json" if ("type", "application/json") in attrs else tag if tag in self.raw else ""

    def handle_endtag(self, _tag):
        self.within = ""

    def handle_data(self, data):
        (self.raw[self.within] if self.within else self.words).append(data)

    def all(self, tag, **attributes):
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]

    def skeleton(self):
        """The elements with the names of their attributes: what data must not change."""
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]


def result(stem="cat", target=CAT, **panel):
    drawn = {
        "kind": "map",
        "title": "",
        "layer": "top_act",
        "height": 7,
        "width": 7,
        "sign": "positive",
        "unit": "score per position",
        "minimum": 0.0,
        "maximum": 1.62,
        "scale": [0.0, 1.62],
        "clipped": False,
        "fine": False,
        "threshold": 0.0,
        "notes": [],
        "files": {
            kind: f"{stem}.gradcam{end}"
            for kind, end in (("values", ".npy"), ("figure", ".png"), ("overlay", ".overlay.png"))
        },
    }
    return {
        "explainer": "gradcam",
        "image": {
            "path": f"samples/{stem}.jpg",
            "sha256": "ab" * 32,
            "height": 300,
            "width": 451,
            "notes": [],
            "file": f"{stem}.source.jpg",
        },
        "target": copy.deepcopy(target),
        "predictions": [CAT, TABBY, TIGER],
        "seconds": 0.03,
        "trust": [],
        "panels": [drawn | panel],
        "files": {},
    }


def manifest(*results, **changed):
    return {
        "schema_version": 1,
        "created": "2026-11-22T04:00:00+00:00",
        "seconds": 9.1,
        "command": "xcnn gradcam efficientnet-lite0 samples/cat.jpg --target top3",
        "explainers": [
            {
                "name": "gradcam",
                "title": "Grad-CAM",
                "summary": "Weigh each feature map by its mean gradient.",
                "about": "Shows the regions\nthat count.\n\nNot edges.",
                "source": {
                    "authors": "Selvaraju et al.",
                    "year": 2017,
                    "title": "Visual Explanations",
                    "url": "https://arxiv.org/abs/1610.02391",
                    "equations": "1-2",
                },
                "options": [
                    {
                        "name": "layer",
                        "value": ["top_act", "stem"],
                        "source": "environment",
                        "help": "Layers to explain.",
                    }
                ],
            }
        ],
        "options": [
            {"name": "target", "value": ["top3"], "source": "command line", "help": "Classes to explain."},
            {"name": "alpha", "value": 0.35, "source": "default", "help": "How opaque."},
            {"name": "seed", "value": 41, "source": "default", "help": ""},
        ],
        "model": {
            "name": "efficientnet-lite0",
            "path": "",
            "sha256": "d230" * 16,
            "trusted": False,
            "input_shape": [None, 224, 3],
            "classes": 1000,
            "score": "logit (before the softmax)",
            "preprocessing": {"name": "lite", "summary": "(pixels - 127) / 128", "reason": "what it was trained with"},
            "default_layer": {"path": "top_act", "reason": "the last layer with a map (7x7)"},
            "notes": ["has two outputs"],
        },
        "versions": {"xcnn": "0.1.0", "keras": "3.15.1", "intra_op_threads": "all"},
        "palette": {
            "name": "viridis",
            "stops": ["#440154", "#21918c", "#fde725"],
            "signed_stops": ["#053061", "#f7f7f7", "#67001f"],
        },
        "results": list(results),
        "failures": [],
        "warnings": [],
    } | changed


@pytest.fixture
def made(tmp_path):
    def make(of, pictures=None):
        path = tmp_path / "report.html"
        write(path, of, pictures or Pictures())
        return Page(path.read_text(encoding="utf-8"))

    return make


def replaced(value, text):
    """`value` with `text` for every string that some file, model, plugin or user could have chosen."""
    if isinstance(value, dict):
        kept = {"kind", "sign", "created", "url", "stops", "signed_stops", "colour"}
        return {key: item if key in kept else replaced(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, text) for item in value]
    return text if isinstance(value, str) else value


def everything(**changed):
    failure = {
        "path": "notes.jpg",
        "code": "image",
        "message": "notes.jpg is not a picture",
        "hint": "give a JPEG",
        "explainer": "",
    }
    noted = result(notes=["no positive evidence"])
    noted["image"]["notes"] = ["turned upright"]
    return manifest(noted, failures=[failure], warnings=["preprocessing is a guess"], **changed)


FACTS = {
    "the run": (
        "Grad-CAM · efficientnet-lite0; 1 image · 1 result · 1 failure; 22 November 2026, 04:00 UTC; made in 9.10 s; "
        "preprocessing is a guess"
    ),
    "the image": "samples/cat.jpg; 451 x 300 px; turned upright; cat.source.jpg; " + "ab" * 32,
    "the result": "Egyptian cat; class 285; probability 80.9%; score 10.70; 0.03 s; no positive evidence",
    "the map": "top_act; 7 x 7; score per position 0 1.62; 0 to 1.62",
    "the files": "cat.gradcam.npy; cat.gradcam.png; cat.gradcam.overlay.png; run.json",
    "the predictions": "Egyptian cat , explained here 285 10.70 80.9%; tabby 281 8.83 12.5%; tiger cat 282 8.11 6.1%",
    "the failure": "notes.jpg; notes.jpg is not a picture; Try: give a JPEG; Error code: image",
    "the command": "xcnn gradcam efficientnet-lite0 samples/cat.jpg --target top3",
    "the explainer": (
        "Weigh each feature map by its mean gradient.; Shows the regions that count.; Not edges.; "
        "Selvaraju et al. (2017), Visual Explanations , equations 1-2 , https://arxiv.org/abs/1610.02391"
    ),
    "the options": (
        "target Classes to explain. top3 command line; layer Layers to explain. top_act, stem environment; "
        "alpha How opaque. 0.35 default; seed 41 default"
    ),
    "the model": (
        "any x 224 x 3; Classes 1000; logit (before the softmax); lite : (pixels - 127) / 128; "
        "what it was trained with; Default layer top_act the last layer with a map (7x7); has two outputs; "
        + "d230"
        * 16
    ),
    "the software": "xcnn 0.1.0; keras 3.15.1; intra-op-threads all; palette viridis; seed 41",
}


@pytest.mark.parametrize("subject", FACTS)
def test_the_page_tells_all_about(made, subject):
    text = made(everything()).text.replace("\N{MULTIPLICATION SIGN}", "x")
    assert [fact for fact in FACTS[subject].split("; ") if fact not in text] == []


def test_every_picture_is_described_and_the_overlay_says_what_it_shows(made):
    labels = [svg["aria-label"] for svg in made(everything()).all("svg", role="img")]
    assert labels == [
        "samples/cat.jpg, the input",
        "Grad-CAM for Egyptian cat (0.81) at top_act: strongest upper centre, 14% of the area above half",
    ]


def test_the_overlay_lays_the_map_over_the_one_copy_of_the_picture(made):
    page = made(manifest(result(), result(target=TABBY)))
    source, *heats = page.all("image")
    assert [use["href"] for use in page.all("use")] == ["#" + source["id"]] * 2
    assert [heat["class"] for heat in heats] == ["heat", "heat"]
    assert [heat["filter"] for heat in heats] == ["url(#tint-positive-over)"] * 2
    assert len(page.all("filter", id="tint-positive-over")) == 1
    assert {image["href"] for image in page.all("image")} == {
        "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
    }


def test_there_is_one_card_per_result_and_failure_and_one_heading_per_image(made):
    failures = [
        {"path": f"{i}.jpg", "code": "image", "message": "no picture", "hint": "", "explainer": ""} for i in range(2)
    ]
    page = made(manifest(result(), result(target=TABBY), result("dog"), failures=failures))
    assert [len(page.all("article", **{"class": kind})) for kind in ("image", "card", "failure")] == [2, 3, 2]
    assert "2 images · 3 results · 2 failures" in page.text


def test_the_layers_of_a_result_stand_in_one_card(made):
    two = result()
    two["panels"].append(two["panels"][0] | {"layer": "stem/conv[1]"})
    page = made(manifest(two))
    assert len(page.all("article", **{"class": "card"})) == 1
    assert len(page.all("figure")) == 2
    assert "stem/conv[1]" in page.text


def test_the_opacity_and_the_palette_of_the_run_are_in_the_style(made):
    page = made(manifest(result()))
    assert "--opacity: 0.35; --gain: 1.4; --palette: #440154, #21918c, #fde725;" in page.raw["style"][0]
    assert page.all("body")[0]["data-opacity"] == "35"


def test_a_network_without_probabilities_shows_scores_only(made):
    bare = [guess | {"probability": None} for guess in (CAT, TABBY)]
    page = made(manifest(result(target=bare[0]) | {"predictions": bare}))
    assert "class 285 · score 10.70" in page.text
    assert "tabby 281 8.83" in page.text
    assert "robability" not in page.text.split("How this was made")[0]


def test_a_class_without_a_name_is_told_once(made):
    nameless = {**CAT, "label": "class 285"}

    page = made(manifest(result(target=nameless)))

    assert "class 285 Grad-CAM · probability 80.9%" in page.text


def test_a_signed_map_has_zero_in_the_middle_of_its_scale(made):
    page = made(manifest(result(sign="signed", minimum=-0.5, maximum=2.0, scale=[-2.0, 2.0])))
    assert "-2 0 2" in page.text
    assert "-0.5 to 2" in page.text


def test_a_run_without_results_says_so(made):
    page = made(manifest())
    assert "No image was explained." in page.text
    assert "0 images · 0 results · 0 failures" in page.text
    assert not page.all("input")


def test_a_run_from_python_has_no_command_to_copy(made):
    page = made(manifest(command=""))
    assert "Made from Python" in page.text
    assert not page.all("button", **{"data-does": "copy"})


def test_the_policy_admits_exactly_the_style_and_the_script_of_the_page(made):
    page = made(everything())
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    digests = {
        kind: base64.b64encode(hashlib.sha256("".join(texts).encode()).digest()).decode()
        for kind, texts in page.raw.items()
        if kind != "json"
    }
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digests['style']}'; "
        f"script-src 'sha256-{digests['script']}'; base-uri 'none'; form-action 'none'"
    )
    assert len(page.all("style")) == 1
    assert [script.get("type") for script in page.all("script")] == ["application/json", None]


def test_the_page_loads_nothing_and_carries_no_inline_style_or_handler(made):
    page = made(everything())
    names = {name for _, attributes in page.elements for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in {"style", "src", "srcset"}}
    assert not page.all("base") + page.all("iframe") + page.all("object")
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    assert not re.search(r"@import|url\(", page.raw["style"][0])


def test_headings_are_in_order_and_ids_are_unique(made):
    page = made(everything())
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(later <= before + 1 for before, later in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes}
    assert named <= set(ids)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_adds_no_element_and_no_attribute(made, text):
    page = made(replaced(everything(), text))
    assert page.skeleton() == made(replaced(everything(), "harmless")).skeleton()
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert all(re.fullmatch("[a-z0-9-]+", name) for name in ids)
    assert all(re.match(r"https://|\./|#", link["href"]) for link in page.all("a"))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page.html)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat\u202egpj.exe", r"cat\u202egpj.exe"),
        ("n\x00l", r"n\x00l"),
        ("a\nb", r"a\nb"),
        ("caf\udce9.jpg", r"caf\xe9.jpg"),
        ("\ud83d alone", r"\ud83d alone"),
        ("<b>猫 & قط</b>", "<b>猫 & قط</b>"),
    ],
)
def test_a_file_name_is_shown_as_it_is_with_what_is_unseen_spelled_out(made, text, shown):
    odd = result()
    odd["image"]["path"] = text
    assert shown in made(manifest(odd)).text


def test_links_to_files_are_percent_encoded_and_stay_in_the_folder(made):
    odd = result(files={"values": "50% #1?/../..\\a b.npy", "figure": "javascript:alert(1)"})
    links = [link["href"] for link in made(manifest(odd)).all("a")]
    assert "./50%25%20%231%3F%2F..%2F..%5Ca%20b.npy" in links
    assert "./javascript%3Aalert%281%29" in links


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "http://example.org", "data:text/html,x", "arXiv:1610.02391", " https://x"]
)
def test_a_reference_is_a_link_only_when_it_is_https(made, url):
    told = manifest()
    told["explainers"][0]["source"]["url"] = url
    page = made(told)
    assert url.strip() in page.text
    assert all(re.match(r"\./|#", link["href"]) for link in page.all("a"))


def test_an_explainer_without_a_reference_or_a_model_without_a_default_layer_is_no_error(made):
    told = manifest()
    told["explainers"][0] |= {"source": None, "about": ""}
    told["model"]["default_layer"] = None
    assert "Weigh each feature map" in made(told).text


def test_an_object_that_calls_itself_html_is_text_like_any_other(made):
    class Marked(str):
        __slots__ = ()

        def __html__(self):
            return "<img src=x onerror=alert(1)>"

    class Foreign:
        def __html__(self):
            return "<img src=x onerror=alert(1)>"

        def __str__(self):
            return "<i>foreign</i>"

    for text, shown in ((Marked("<i>marked</i>"), "<i>marked</i>"), (Foreign(), "<i>foreign</i>")):
        told = manifest(result(layer=text, notes=[text]), warnings=[text])
        told["model"]["name"] = text
        page = made(told)
        assert page.text.count(shown) >= 4
        assert not page.all("img") + page.all("i")


@pytest.mark.parametrize("stop", ["red", "#fff", "#000000; } * { display: none", "</style>", "#00000g", "#000000\n"])
@pytest.mark.parametrize("which", ["stops", "signed_stops"])
def test_a_palette_with_a_colour_that_is_none_is_refused(made, stop, which):
    palette = {"name": "odd", "stops": ["#000000"], "signed_stops": ["#000000"]}
    with pytest.raises(OutputError, match="must be written #rrggbb"):
        made(manifest(palette=palette | {which: ["#000000", stop]}))


def test_a_signed_map_has_the_diverging_palette_on_its_bar(made):
    page = made(manifest(result(), result(sign="signed", scale=[-2.0, 2.0])))
    assert len(page.all("div", **{"class": "colours"})) == 1
    assert len(page.all("div", **{"class": "colours signed"})) == 1
    assert "--signed: #053061, #f7f7f7, #67001f" in page.raw["style"][0]


def test_a_card_says_what_was_looked_for_where_nothing_speaks_against_it(made):
    words = "Nothing speaks against it. Checked: empty map, saturation."
    checked = {"checked": ["saturated", "no-evidence"]}
    doubt = {"trust": [{"code": "saturated", "text": "100%"}]}

    assert words in made(manifest(result() | checked)).text
    assert "How far to trust this" not in made(manifest(result() | checked)).text
    assert "Checked:" not in made(manifest(result() | checked | doubt)).text
    assert "Checked:" not in made(manifest(result(notes=["a note"]) | checked)).text


def test_a_time_that_is_the_mean_of_a_batch_says_so(made):
    assert "0.03 s, the mean of 24 computed at once" in made(manifest(result() | {"together": 24})).text.replace(
        " ,", ","
    )
    assert "mean of" not in made(manifest(result() | {"together": 1})).text


def test_the_page_carries_run_json_for_programs(made):
    told = everything()
    told["results"][0]["target"]["label"] = "</script><script>alert(1)</script>\udce9"
    page = made(told)
    assert json.loads("".join(page.raw["json"])) == told


def test_the_manifest_is_left_as_it_was(made):
    told = everything()
    before = copy.deepcopy(told)
    made(told)
    assert told == before


def test_pictures_are_asked_for_with_the_manifests_own_values(made):
    odd = result("caf\udce9")
    seen = []

    class Asked(Pictures):
        def source(self, image):
            seen.append(image)
            return JPEG

        def heat(self, panel):
            seen.append(panel)
            return JPEG

    made(manifest(odd), Asked())
    assert seen[0] is odd["image"]
    assert seen[1] is odd["panels"][0]


def test_pictures_are_asked_for_while_the_page_is_written_and_at_most_one_is_alive(tmp_path):
    path = tmp_path / "report.html"
    alive, most, written = 0, 0, []

    class Picture(bytes):
        def __new__(cls):
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            written.append(path.stat().st_size)
            return super().__new__(cls, JPEG * 100)

        def __del__(self):
            nonlocal alive
            alive -= 1

    class Counted(Pictures):
        def source(self, _image):
            return Picture()

        def heat(self, _panel):
            return Picture()

    write(path, manifest(*(result(f"cat{i}") for i in range(200))), Counted())
    size = len(JPEG) * 100
    assert len(written) == 400
    assert most == 1
    # What was asked for before has left for the file, save the last few in its buffer.
    assert all(before >= (count - 3) * size for count, before in enumerate(written))


def test_a_page_of_the_size_that_is_allowed_is_one_file_and_one_that_is_larger_leaves_its_photographs_beside(tmp_path):
    asked = []

    class Counted(Pictures):
        def source(self, image):
            asked.append(image["file"])
            return JPEG * 100

    path = tmp_path / "report.html"
    of = manifest(*(result(f"cat{i}") for i in range(3)))
    assert write(path, of, Counted()) == ""
    size = path.stat().st_size
    one = path.read_bytes()

    assert write(path, of, Counted(), most_mb=size / 1_000_000) == ""
    assert path.read_bytes() == one
    asked.clear()
    words = write(path, of, Counted(), most_mb=(size - 1) / 1_000_000)

    assert words.startswith("the report is a folder of 1 page and photographs: one file would be larger than ")
    assert asked == ["cat0.source.jpg", "cat1.source.jpg", "cat2.source.jpg"]  # before it was known
    page = Page(path.read_text("utf-8"))
    assert [image["src"] for image in page.all("img", loading="lazy", decoding="async")] == [
        f"./cat{i}.source.jpg" for i in range(3) for _ in ("the input", "below its map")
    ]
    assert all(image["href"].startswith("data:") for image in page.all("image"))
    assert page.raw["json"] == []


def test_the_pages_of_a_folder_share_everything_but_their_images(tmp_path):
    of = manifest(*(result(f"cat{i}") for i in range(201)), failures=everything()["failures"])

    words = write(tmp_path / "report.html", of, Pictures(), most_mb=0)

    assert words == "the report is a folder of 2 pages and photographs: a limit of 0 MB asks for that"
    first, second = (Page((tmp_path / name).read_text("utf-8")) for name in ("report.html", "report-2.html"))
    assert "Page 2 of 2: images 201 to 201 of 201" in second.text
    for page in (first, second):
        assert "201 images · 201 results · 1 failure" in page.text
        assert page.all("nav", **{"aria-label": "Pages"})
        assert "xcnn gradcam efficientnet-lite0 samples/cat.jpg --target top3" in page.text
        (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
        assert policy["content"].startswith("default-src 'none'; img-src data: 'self'; style-src 'sha256-")
    assert len(first.all("article", **{"class": "failure"})) == 1
    assert not second.all("article", **{"class": "failure"})
    assert second.all("a", href="./report.html#failures")


def test_the_page_without_pictures_is_small(made):
    assert len(made(manifest(result())).html) < 120_000


def test_a_contrast_names_no_single_class_and_marks_none_as_explained(made):
    contrast = {"index": 285, "label": "Egyptian cat vs tabby", "score": 1.9, "probability": None}
    page = made(manifest(result(target=contrast | {"coefficients": [[285, 1.0], [281, -1.0]]}))).text

    shown = page
    assert "Egyptian cat vs tabby" in shown
    assert "class 285" not in shown
    assert "explained here" not in shown


COMMON = {"layer": "conv", "title": "A title", "notes": ["a note"]}
PANELS = {
    "map": {},
    "fine": {"fine": True, "clipped": True, "sign": "signed", "scale": [-0.5, 0.5]},
    "thresholded": {"threshold": 0.2},
    "labels": COMMON
    | {
        "kind": "labels",
        "height": 3,
        "width": 5,
        "names": {"1": "lynx"},
        "legend": [{"numbers": [1], "name": "lynx", "colour": "#CC6677", "share": 0.25}],
        "files": {"values": "winners.npy", "figure": "winners.png"},
    },
    "tiles": COMMON
    | {
        "kind": "tiles",
        "count": 64,
        "height": 14,
        "width": 15,
        "columns": 8,
        "sign": "signed",
        "unit": "activation",
        "minimum": -1.0,
        "maximum": 2.0,
        "scaling": "shared",
        "scaled": "all on one scale",
        "scale": [-2.0, 2.0],
        "captions": ["a caption"],
        "marks": ["dead"],
        "picture": [300, 500],
        "files": {"values": "grid.npy", "figure": "grid.png"},
    },
    "table": COMMON
    | {
        "kind": "table",
        "headings": ["Class", "Windows", "Share"],
        "rows": [["tabby", 12, 0.123456], ["lynx", 3, None]],
        "files": {"table": "rows.csv"},
    },
    "curve": COMMON
    | {
        "kind": "curve",
        "x": "step",
        "y": "loss",
        "names": ["a", "b"],
        "steps": 40,
        "picture": [672, 1200],
        "files": {"table": "loss.csv", "figure": "loss.png"},
    },
}
TOLD = {
    "map": "0 1.62",
    "fine": "≤ -0.5 0 ≥ 0.5",
    "thresholded": "Hidden below 20.0% of the largest value",
    "labels": "A title; lynx 25.0%; Map 5 x 3; winners.npy; winners.png; a note; conv",
    "tiles": "A title; Tiles 64 of 15 x 14; -1 to 2 activation; all on one scale; grid.png; grid.npy; a note; conv",
    "table": "A title; Class Windows Share; tabby 12 0.12; lynx 3 –; rows.csv; a note; conv",
    "curve": "A title; Series 2; Last step 39; loss.png; loss.csv; a note; conv",
}


def with_panels(*kinds, **changed):
    told = result()
    plain_map = told["panels"][0]
    told["panels"] = [plain_map | PANELS[kind] if PANELS[kind].get("kind") is None else PANELS[kind] for kind in kinds]
    return told | changed


def of_model(*kinds):
    return with_panels(*kinds) | {"image": None, "target": None, "predictions": []}


def all_kinds():
    """A page with every kind of panel: of an image with a class, of one without, and of the model."""
    failure = {"path": "", "code": "misfit", "message": "does not fit", "hint": "try another", "explainer": "gradcam"}
    side = with_panels(*PANELS, files={"layers": "cat.layers.png"})
    mosaic = {"explainer": "gradcam", "file": "gradcam.mosaic.png", "count": 3, "picture": [400, 600]}
    return manifest(of_model(*PANELS), side, with_panels(*PANELS, target=None), failures=[failure], mosaics=[mosaic])


@pytest.mark.parametrize("kind", PANELS)
@pytest.mark.parametrize("where", ["image with a class", "image", "model"])
def test_each_kind_of_panel_tells_its_numbers(made, kind, where):
    told = of_model(kind) if where == "model" else with_panels(kind, target=CAT if "class" in where else None)

    text = made(manifest(told)).text.replace("\N{MULTIPLICATION SIGN}", "x")

    assert [fact for fact in TOLD[kind].split("; ") if fact not in text] == []


def test_a_fine_map_does_not_lie_over_the_picture_and_can_not_fade(made):
    page = made(manifest(with_panels("fine")))

    assert not page.all("use")
    assert len(page.all("image", filter="url(#tint-signed)")) == 1


def test_a_signed_map_of_regions_covers_its_picture_where_it_is_strong(made):
    page = made(manifest(result(sign="signed", scale=[-2.0, 2.0]), result(), with_panels("labels")))

    assert [heat["class"] for heat in page.all("image")[1:]] == ["heat strong", "heat", "heat squares"]


def test_a_flat_map_lies_over_its_picture_with_sharp_borders(made):
    page = made(manifest(result(sign="signed", scale=[-2.0, 2.0], flat=True), result()))

    assert [heat["class"] for heat in page.all("image")[1:]] == ["heat strong squares", "heat"]


def test_a_signed_map_says_what_is_for_and_against_its_class(made):
    (name,) = [svg["aria-label"] for svg in made(manifest(result(sign="signed"))).all("svg", role="img")[1:]]

    assert name == (
        "Grad-CAM for Egyptian cat (0.81) at top_act: strongest for it: upper centre; strongest against it: lower left; "
        "14% of the area above half"
    )


def test_a_map_of_categories_is_told_in_words_and_can_be_read_cell_by_cell(made):
    page = made(manifest(with_panels("labels")))

    (name,) = [svg["aria-label"] for svg in page.all("svg", role="img")[1:]]
    assert name.endswith("over samples/cat.jpg: lynx on 25.0%, mostly upper centre")
    (drawn,) = [image for image in page.all("image") if "data-cells" in image]
    assert {key: drawn[f"data-{key}"] for key in ("rows", "columns", "cells", "names")} == {
        "rows": "3", "columns": "5", "cells": "15 0", "names": '["lynx"]',
    }  # fmt: skip


def test_labels_lie_over_the_picture_and_fade(made):
    page = made(manifest(with_panels("labels")))

    assert len(page.all("use")) == 1
    assert page.all("rect", fill="#CC6677")


@pytest.mark.parametrize(("kind", "file"), [("tiles", "grid.png"), ("curve", "loss.png")])
def test_a_drawn_picture_leads_to_its_file(made, kind, file):
    asked = []

    class Asked(Pictures):
        def drawn(self, name):
            asked.append(name)
            return JPEG

    page = made(manifest(with_panels(kind)), Asked())

    assert asked == [file]
    assert page.all("a", **{"class": "drawing", "href": f"./{file}"})


def test_a_page_of_the_model_alone_needs_no_image(made):
    page = made(manifest(of_model("tiles")))

    assert "The model itself, without a picture." in page.text
    assert "1 result · 0 failures" in page.text
    assert "0 images" not in page.text
    assert "No image was explained" not in page.text


def test_an_image_result_without_a_class_is_titled_with_its_explainer(made):
    page = made(manifest(with_panels("tiles", target=None)))

    assert "Grad-CAM 0.03 s" in page.text
    assert "probability" not in page.text.split("What the network predicts")[0]


def test_a_long_table_is_cut_and_says_how_much_is_in_the_file(made):
    told = with_panels("table")
    told["panels"] = [told["panels"][0] | {"rows": [[f"class {n}", n, 0.5] for n in range(80)]}]

    page = made(manifest(told))

    assert "class 49 " in page.text
    assert "class 50 " not in page.text
    assert "30 more rows in the file." in page.text


def test_an_explainer_that_does_not_fit_is_a_failure_with_its_name(made):
    failure = {"path": "", "code": "misfit", "message": "no rectifier", "hint": "", "explainer": "gradcam"}
    page = made(manifest(result(), failures=[failure, failure | {"path": "a.jpg", "explainer": "unheard"}]))

    assert "Grad-CAM no rectifier" in page.text
    assert "unheard : a.jpg no rectifier" in page.text


def explained_by(*names, targets=(CAT,)):
    told = manifest(*(result(target=target) | {"explainer": name} for name in names for target in targets))
    first = told["explainers"][0]
    told["explainers"] = [first | {"name": name, "title": name.title()} for name in names]
    return told


def rows_of(page):
    """Per row, the headings in it: its own, and those of its cards."""
    return re.findall(r'<h([45]) id="image-1-[^"]*"[^>]*><bdi>([^<]*)', page.html)


def test_explainers_of_one_class_stand_side_by_side_under_their_names(made):
    page = made(explained_by("one", "two", "three"))

    assert len(page.all("div", **{"class": "row"})) == 1
    assert rows_of(page) == [("4", "One"), ("4", "Two"), ("4", "Three")]


def test_classes_of_one_explainer_stand_side_by_side_under_their_labels(made):
    page = made(explained_by("one", targets=(CAT, TABBY, TIGER)))

    assert len(page.all("div", **{"class": "row"})) == 1
    assert rows_of(page) == [("4", "Egyptian cat"), ("4", "tabby"), ("4", "tiger cat")]


def test_several_explainers_are_rows_and_several_classes_their_columns(made):
    page = made(explained_by("one", "two", targets=(CAT, TABBY)))

    assert len(page.all("div", **{"class": "row"})) == 2
    assert rows_of(page) == [
        *(("4", "One"), ("5", "Egyptian cat"), ("5", "tabby")),
        *(("4", "Two"), ("5", "Egyptian cat"), ("5", "tabby")),
    ]


def test_an_explainer_is_named_once_when_one_of_its_classes_takes_the_whole_width(made):
    told = explained_by("one", "two", targets=(CAT, TABBY))
    told["results"][0]["panels"] = [PANELS["tiles"]]

    page = made(told)

    assert len(page.all("div", **{"class": "row"})) == 3
    assert rows_of(page)[:4] == [("4", "One"), ("5", "Egyptian cat"), ("5", "tabby"), ("4", "Two")]


def test_what_takes_the_whole_width_has_a_row_of_its_own(made):
    told = explained_by("one", "two", "three")
    told["results"][1]["panels"] = [PANELS["tiles"]]

    page = made(told)

    assert len(page.all("div", **{"class": "row"})) == 3
    assert len(page.all("article", **{"class": "card wide"})) == 1


def test_mosaics_stand_before_the_images(made):
    mosaic = {"explainer": "gradcam", "file": "gradcam.mosaic.png", "count": 3, "picture": [400, 600]}
    page = made(manifest(result(), mosaics=[mosaic]))

    assert page.html.index('href="./gradcam.mosaic.png"') < page.html.index('class="image"')
    assert page.all("svg", **{"aria-label": "Grad-CAM of 3 images; opens the file"})


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_in_panels_of_every_kind_adds_no_element_and_no_attribute(made, text):
    page = made(replaced(all_kinds(), text))

    assert page.skeleton() == made(replaced(all_kinds(), "harmless")).skeleton()
    assert all(re.match(r"https://|\./|#", link["href"]) for link in page.all("a"))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page.html)


def test_panels_of_every_kind_keep_headings_in_order_ids_unique_and_nothing_inline(made):
    page = made(all_kinds())

    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(later <= before + 1 for before, later in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    names = {name for _, attributes in page.elements for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in {"style", "src", "srcset"}}
    assert all(group.get("aria-label") for group in page.all("div", **{"class": "scroll"}))


@pytest.mark.parametrize(("start", "kind"), [(b"\xff\xd8", "jpeg"), (b"\x89PNG", "png"), (b"RIFF", "webp")])
def test_a_picture_is_announced_as_what_it_is(made, start, kind):
    class Odd(Pictures):
        def heat(self, _panel):
            return start + b"..."

    assert f"data:image/{kind};base64," in made(manifest(result()), Odd()).all("image", **{"class": "heat"})[0]["href"]
