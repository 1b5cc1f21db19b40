"""Help that fits, and what a slip of the fingers is taken for."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

import pytest

from xcnn.cli.configured import LOOKS
from xcnn.cli.main import run
from xcnn.errors import closest
from xcnn.host import Host

PAGES = [
    "",
    *Host().builtin,
    "explain",
    *LOOKS,
    "models",
    "plugins",
    "plugins new",
    "plugins check",
    "config",
    "config show",
]
VGG16 = [
    "input_1",
    *(f"block{block}_{what}" for block in (1, 2) for what in ("conv1", "conv2", "pool")),
    *(f"block{block}_{what}" for block in (3, 4, 5) for what in ("conv1", "conv2", "conv3", "pool")),
    "flatten",
    "fc1",
    "fc2",
    "predictions",
]


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("page", PAGES)
def test_help_fits_the_terminal_and_starts_with_an_example(page, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))

    assert run([*page.split(), "--help"]) == 0

    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= columns
    said = [line for line in lines if line]
    assert said[0].startswith(f"Usage: xcnn {page}".strip())
    first = next(number for number, line in enumerate(said[1:], 1) if line.startswith("Example: xcnn"))
    assert first <= 2  # the usage may take two lines


def typos(word):
    """Every word that one slip makes of another: a letter left out, added, exchanged, or two swapped."""
    letters = string.ascii_lowercase + string.digits + "_"
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    yield from (left + right[1:] for left, right in cuts if right)
    yield from (left + letter + right for left, right in cuts for letter in letters)
    yield from (left + letter + right[1:] for left, right in cuts if right for letter in letters if letter != right[0])
    yield from (left + right[1] + right[0] + right[2:] for left, right in cuts if right[1:2] not in {"", right[:1]})


def share(known, sample=None):
    """How many slips are understood: the first suggestion is the word that was meant."""
    # One that makes another known word is none that anybody could tell.
    slips = [(typed, word) for word in known for typed in typos(word) if typed not in known]
    if sample:
        slips = random.Random(0).sample(slips, sample)  # noqa: S311 (a sample, not a secret)
    return sum(closest(typed, known) == word for typed, word in slips) / len(slips)


def test_of_all_slips_in_the_names_of_the_layers_of_vgg16_95_percent_are_understood():
    assert share(VGG16, sample=4000) >= 0.95  # of all 18,882 it is 95.4%, in half a minute


@pytest.mark.parametrize("kind", ["commands", "options", "colormaps", "labels", "keys"])
def test_slips_in_other_names_are_understood_as_well(kind, capsys):
    import matplotlib as mpl

    from xcnn.network import labels

    assert run(["config", "show", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["options"]
    known = {
        "commands": [page for page in PAGES if page and " " not in page],
        "options": ["--" + row["option"].replace("_", "-") for row in rows if row["command"] in {"", "gradcam"}],
        "keys": [row["option"] for row in rows if row["command"] in {"", "gradcam"}],
        # matplotlib has viridis and viridis_r, and tab20, tab20b and tab20c: a slip may be as near to either.
        "colormaps": [name for name in mpl.colormaps if not name.endswith("_r")],
        "labels": list(labels.imagenet())[::10],
    }[kind]

    assert share(known, sample=1000) >= (0.9 if kind == "colormaps" else 0.95)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("gradcma", "m", "p"), "gradcam (did you mean this?)"),
        (("gradcam", "m", "p", "--lyaer", "x"), "--layer (did you mean this?)"),
        (("layers", "m", "--spatail"), "--spatial (did you mean this?)"),
        (("explain", "m", "p", "--with", "gradcam,gided"), "guided (did you mean this?)"),
        (("gradcam", "efficientnet-lite0", "p.png", "--colormap", "virdiis"), "viridis (did you mean this?)"),
        (("gradcam", "m", "p", "--on", "lgoit"), "logit (did you mean this?)"),
        (("config", "shwo"), "show (did you mean this?)"),
        (("layers", "vgg61"), "vgg16 (did you mean this?)"),
    ],
)
def test_a_slip_on_the_command_line_is_answered_with_what_was_meant(words, told, command, photo):
    photo("p.png")

    code, out, err = command(*words)

    assert (code, out) == (3 if words[0] == "layers" and words[1] != "m" else 2, "")
    assert f"try: {told}" in err


def test_what_is_no_slip_of_any_option_is_answered_with_the_help(command):
    _, _, err = command("gradcam", "m", "p", "--bogus")

    assert err == "error: no such option: --bogus\n  try: xcnn gradcam --help\n"


@pytest.mark.parametrize(
    ("name", "what"),
    [("-lead.png", "no image was given"), ("-zoo.png", "no such option: -z"), ("--x", "no such option: --x")],
)
def test_a_picture_whose_name_looks_like_options_is_answered_with_its_path(command, own_folder, name, what):
    (own_folder / name).touch()

    _, _, err = command("gradcam", "m", name)

    assert err == f"error: {what}\n  try: ./{name}, if the file is meant\n"


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("gradcma",), 2, "usage"),
        (("gradcam",), 2, "usage"),
        (("gradcam", "m", "p", "--layr", "x"), 2, "usage"),
        (("gradcam", "m", "p", "--alpha", "2"), 2, "option"),
        (("gradcam", "gone.keras", "p.png"), 3, "model"),
        (("gradcam", "efficientnet-lite0", "gone.png"), 2, "usage"),
        (("gradcam", "efficientnet-lite0", "p.png", "--out", "."), 5, "output"),
        (("predict", "efficientnet-lite0", "gone.png"), 2, "usage"),
        (("layers", "gone.keras"), 3, "model"),
        (("doctor", "gone.keras"), 3, "model"),
        (("config", "show", "gradcma"), 2, "usage"),
    ],
)
def test_whatever_goes_wrong_is_json_where_json_is_asked_for(words, code, name, command, photo):
    photo("p.png")

    found, out, err = command(*words, "--json")

    told = json.loads(out)
    assert (found, err, told["schema_version"]) == (code, "", 1)
    assert (told["error"]["code"], told["error"]["exit_code"]) == (name, code)


def test_a_broken_configuration_is_told_as_json(command):
    Path("xcnn.toml").write_text("colormp = 1")

    code, out, _ = command("layers", "m.keras", "--json")

    assert (code, json.loads(out)["error"]["code"]) == (2, "configuration")
