"""Options from files and the environment: what counts, what is refused, and what is told of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import xcnn
from xcnn import configuration

FILES = ("xcnn.toml", "pyproject.toml", "config/xcnn/config.toml")


@pytest.fixture
def user(own_folder, monkeypatch):
    """The user's configuration folder."""
    folder = own_folder / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    (folder / "xcnn").mkdir(parents=True)
    return folder / "xcnn" / "config.toml"


def shown(command, *words):
    code, out, err = command("config", "show", *words, "--json")
    assert (code, err) == (0, ""), out
    return {
        (f"{row['command']}." if row["command"] else "") + row["option"]: (row["value"], row["source"])
        for row in json.loads(out)["options"]
    }


def refused(command, text, *, name="xcnn.toml", words=("config", "show")):
    Path(name).write_text(text)
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    return err


def test_each_place_is_overruled_by_a_nearer_one(command, own_folder, user, monkeypatch):
    (own_folder / "below").mkdir()
    monkeypatch.chdir(own_folder / "below")
    user.write_text("seed = 1\nalpha = 0.1\nbatch_size = 1\ncolormap = 'jet'\n")
    (own_folder / "pyproject.toml").write_text("[tool.xcnn]\nseed = 2\nalpha = 0.2\nbatch_size = 2\n")
    (own_folder / "xcnn.toml").write_text("seed = 3\nalpha = 0.3\n")
    monkeypatch.setenv("XCNN_SEED", "4")

    values = shown(command)

    assert values["seed"] == (4, "environment")
    assert values["alpha"] == (0.3, "xcnn.toml")
    assert values["batch_size"] == (2, "pyproject.toml")
    assert values["colormap"] == ("jet", "user file")
    assert values["mosaic"] == (None, "default")


def test_only_the_nearest_xcnn_toml_counts(command, own_folder, monkeypatch):
    (own_folder / "xcnn.toml").write_text("seed = 1\nalpha = 0.1\n")
    (own_folder / "below").mkdir()
    (own_folder / "below" / "xcnn.toml").write_text("seed = 2\n")
    monkeypatch.chdir(own_folder / "below")

    values = shown(command)

    assert values["seed"] == (2, "xcnn.toml")
    assert values["alpha"] == (0.5, "default")


def test_a_table_counts_for_its_command_alone_and_beats_the_top_of_its_file(command):
    Path("xcnn.toml").write_text("alpha = 0.3\n[gradcam]\nalpha = 0.7\nlayer = 'block5'\n")

    values = shown(command)

    assert values["alpha"] == (0.3, "xcnn.toml")
    assert values["gradcam.alpha"] == (0.7, "xcnn.toml")
    assert values["gradcam.layer"] == (["block5"], "xcnn.toml")
    assert values["guided-gradcam.layer"] == ([], "default")


def test_a_table_of_a_farther_file_does_not_beat_a_nearer_file(command, user):
    user.write_text("[gradcam]\nalpha = 0.7\n")
    Path("xcnn.toml").write_text("alpha = 0.3\n")

    assert shown(command, "gradcam")["gradcam.alpha"] == (0.3, "xcnn.toml")


def test_keys_may_be_written_like_flags(command):
    Path("xcnn.toml").write_text("batch-size = 3\n[filters]\nin-channels = 0\n".replace("[filters]", "[kernels]"))

    assert shown(command)["batch_size"] == (3, "xcnn.toml")


def test_a_folder_in_the_place_of_the_file_is_told(command):
    Path("xcnn.toml").mkdir()

    status, _, err = command("config", "show")

    assert (status, err.splitlines()[0].endswith("xcnn.toml is a folder")) == (2, True), err


def test_a_pyproject_without_a_word_of_xcnn_is_passed_over_even_when_it_is_broken(command, own_folder, monkeypatch):
    (own_folder / "pyproject.toml").write_text("[tool.xcnn]\nseed = 5\n")
    (own_folder / "below").mkdir()
    (own_folder / "below" / "pyproject.toml").write_text("[project\n")
    monkeypatch.chdir(own_folder / "below")

    assert shown(command)["seed"] == (5, "pyproject.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colormp = 'jet'", "there is no option 'colormp'\n  try: colormap (did you mean this?)"),
        ("[gradcam]\nlayr = 'a'", "there is no option 'gradcam.layr'\n  try: layer (did you mean this?)"),
        ("[gradcm]\nlayer = 'a'", "[gradcm] is no command\n  try: gradcam (did you mean this?)"),
        ("layer = 'a'", "'layer' is no option of every command\n  try: write it under [gradcam]"),
        ("model = 'vgg16'", "'model' can't be configured\n  try: name it on the command line"),
        ("images = ['a']", "'images' can't be configured"),
        ("alpha = 3", "'alpha' is 3.0; it must be in 0..1"),
        ("alpha = true", "'alpha' is True; it must be a number"),
        ("overwrite = 1", "'overwrite' is 1; it must be true or false"),
        ("colormap = {a = 1}", "'colormap' is {'a': 1}; it must be a text"),
        ("target = [[1]]", "'target' is [[1]]; it must be a text"),
        ("fit = 'crob'", "'fit' is 'crob', which is not one of its choices\n  try: crop (did you mean this?)"),
        ("seed = ", "can't be read: Invalid value"),
        ("seed = 1\nseed = 2", "can't be read: Cannot overwrite a value"),
    ],
)
def test_what_a_file_may_not_say_is_refused_with_the_file_and_the_key(command, own_folder, text, told):
    err = refused(command, text)

    assert err.startswith(f"error: {own_folder / 'xcnn.toml'}")
    assert told in err


@pytest.mark.parametrize("name", ["xcnn.toml", "pyproject.toml"])
@pytest.mark.parametrize("key", sorted(configuration.TRUSTING))
@pytest.mark.parametrize("table", ["", "gradcam"])
def test_a_project_can_not_trust_a_model_run_code_or_add_plugins(command, name, key, table):
    top = "tool.xcnn" if name == "pyproject.toml" else ""
    place = ".".join(filter(None, (top, table)))

    err = refused(command, f"{f'[{place}]' if place else ''}\n{key} = 'x'\n", name=name, words=("gradcam", "m", "p"))

    assert f"{key!r} {configuration.TRUSTING[key]}, which a project may not decide" in err


def test_the_users_own_file_may_name_classes_to_load(command, user):
    user.write_text("custom_objects = ['mine:Layer']\n")

    assert shown(command)["custom_objects"] == (["mine:Layer"], "user file")


def test_a_broken_variable_is_named_with_what_it_must_be(command, monkeypatch):
    monkeypatch.setenv("XCNN_ALPHA", "3")

    code, _, err = command("config", "show")

    assert (code, err) == (2, "error: XCNN_ALPHA is 3.0; it must be in 0..1\n")


def test_a_variable_that_is_a_slip_away_is_refused_and_others_are_left_alone(command, monkeypatch):
    monkeypatch.setenv("XCNN_OF_SOMEONE_ELSE", "1")
    assert command("config", "show")[0] == 0
    monkeypatch.setenv("XCNN_COLORMP", "jet")

    code, _, err = command("config", "show")

    assert code == 2
    assert err == (
        "error: the environment has XCNN_COLORMP, which is no option\n"
        "  try: XCNN_COLORMAP (did you mean this?), or unset it\n"
    )


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False)])
def test_a_variable_switches_an_option(command, monkeypatch, text, value):
    monkeypatch.setenv("XCNN_OVERWRITE", text)

    assert shown(command)["overwrite"] == (value, "environment")


def test_an_error_is_json_where_json_is_configured(command):
    Path("xcnn.toml").write_text("json = true\n")

    code, out, err = command("layers", "missing.keras")

    assert (code, err) == (3, "")
    assert json.loads(out)["error"]["code"] == "model"
    assert command("layers", "missing.keras", "--no-json")[1] == ""


def test_show_prints_where_each_value_is_written(command, own_folder):
    Path("xcnn.toml").write_text("seed = 7\n")

    code, out, err = command("config", "show")

    assert (code, err) == (0, "")
    row = next(line for line in out.splitlines() if line.startswith("seed"))
    assert row.split() == ["seed", "7", "xcnn.toml", str(own_folder / "xcnn.toml")]


def test_show_knows_the_command_it_is_asked_for(command):
    code, _, err = command("config", "show", "gradcm")

    assert code == 2
    assert "try: gradcam (did you mean this?)" in err


def test_nothing_is_read_where_there_is_no_home_and_no_folder(monkeypatch):
    monkeypatch.setattr("os.path.expanduser", lambda path: path)

    assert configuration.user_file({}) is None
    assert configuration.user_file({"XDG_CONFIG_HOME": "relative"}) is None


@pytest.mark.keras
def test_a_run_follows_the_files_and_says_so_and_flags_win(command, photo, small_model, own_folder):
    Path("xcnn.toml").write_text("target = 'top2'\nalpha = 0.3\noverwrite = true\n[gradcam]\nlayer = 'base/act2'\n")

    code, _, _ = command("gradcam", small_model, photo(), "--out", "run", "--alpha", "0.4", "--no-overwrite")

    about = json.loads((own_folder / "run" / "run.json").read_text("ascii"))
    rows = {row["name"]: (row["value"], row["source"]) for row in about["options"] + about["explainers"][0]["options"]}
    assert code == 0
    assert rows["target"] == (["top2"], "xcnn.toml")
    assert rows["alpha"] == (0.4, "command line")
    assert rows["overwrite"] == (False, "command line")
    assert rows["layer"] == (["base/act2"], "xcnn.toml")
    assert "--layer base/act2" in about["command"]


@pytest.mark.keras
def test_explainers_that_run_together_each_have_their_own_table(command, photo, small_model, own_folder):
    Path("xcnn.toml").write_text(
        "[explain]\nwith = ['gradcam', 'guided-gradcam']\n[guided-gradcam]\nlayer = 'base/act2'\n"
    )

    code, _, _ = command("explain", small_model, photo(), "--out", "run")

    about = json.loads((own_folder / "run" / "run.json").read_text("ascii"))
    told = {
        one["name"]: next((row["value"], row["source"]) for row in one["options"] if row["name"] == "layer")
        for one in about["explainers"]
    }
    assert code == 0
    assert told == {"gradcam": ([], "default"), "guided-gradcam": (["base/act2"], "xcnn.toml")}


@pytest.mark.keras
def test_python_reads_no_configuration(photo, small_model, monkeypatch):
    Path("xcnn.toml").write_text("target = 'top2'\n")
    monkeypatch.setenv("XCNN_SEED", "4")

    run = xcnn.explain(small_model, photo())

    assert len(run.results) == 1
    assert next(row["value"] for row in run.about["options"] if row["name"] == "seed") == 0


@pytest.mark.parametrize(
    ("written", "environment", "told"),
    [
        ("colormap = 'virids'", {}, "error: xcnn.toml: 'colormap': there is no colormap 'virids'"),
        ("", {"XCNN_COLORMAP": "virids"}, "error: XCNN_COLORMAP: there is no colormap 'virids'"),
        ("preprocess = 'tff'", {}, "error: xcnn.toml: 'preprocess': there is no preprocessing 'tff'"),
    ],
)
def test_a_value_that_only_the_run_finds_impossible_is_told_with_where_it_stands(
    command, photo, monkeypatch, written, environment, told
):
    Path("xcnn.toml").write_text(written)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    code, _, err = command("gradcam", "efficientnet-lite0", photo(), "--dry-run")

    assert code == 2
    assert err.startswith(told)


def test_a_value_of_the_command_line_is_not_blamed_on_a_file(command, photo):
    Path("xcnn.toml").write_text("colormap = 'jet'")

    _, _, err = command("gradcam", "efficientnet-lite0", photo(), "--colormap", "virids", "--dry-run")

    assert err.startswith("error: there is no colormap 'virids'")
