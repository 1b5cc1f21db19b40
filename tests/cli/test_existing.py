"""--skip-existing: what an earlier run of the same folder computed is taken over, as long as nothing has changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import keras
import nets
import numpy as np
import pytest
from PIL import Image

from xcnn.events import Silent
from xcnn.execution import execute
from xcnn.explainers.gradcam import GradCAM
from xcnn.host import Host
from xcnn.request import Request
from xcnn.saving.rebuild import join_reports, manifest_of

pytestmark = pytest.mark.keras
ONE = ("gradcam", "m.keras", "photos")
BOTH = ("explain", "m.keras", "photos", "--with", "gradcam,saliency", "--target", "top2")


def close(one, other):
    """Whether two JSON values are the same, but for the last digits, which depend on what is in a batch."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return one == pytest.approx(other, rel=1e-3, abs=1e-6) if isinstance(one, float) else one == other


def alike(one, other):
    """Whether two folders hold the same files, and run.json says the same but for what differs from run to run."""
    first, second = manifest_of(Path(one)), manifest_of(Path(other))
    for about in (first, second):
        for name in ("created", "seconds", "command", "reused", "hashes"):
            about.pop(name, None)
        for rows in (about["options"], *(explainer["options"] for explainer in about["explainers"])):
            for row in rows:
                row.pop("source")
                if row["name"] == "out":
                    row.pop("value")
        for result in about["results"]:
            result.pop("seconds")
            result.pop("together", None)
    assert close(first, second)
    for name in first["files"]:
        one_file, other_file = Path(one, name), Path(other, name)
        if name.endswith(".npy"):
            np.testing.assert_allclose(np.load(one_file), np.load(other_file), rtol=1e-3, atol=1e-6)
        elif name.endswith((".png", ".jpg")):
            pair = [np.asarray(Image.open(file)).astype(int) for file in (one_file, other_file)]
            assert pair[0].shape == pair[1].shape
            assert np.abs(pair[0] - pair[1]).mean() < 0.1, name
    assert sorted(first["files"]) == sorted(path.name for path in Path(one).iterdir())
    return True


@pytest.fixture(scope="module")
def made(tmp_path_factory, small_model):
    """A model, three photos, and what two commands made of them."""
    from xcnn.cli.main import run

    folder = tmp_path_factory.mktemp("made")
    shutil.copyfile(small_model, folder / "m.keras")
    (folder / "photos").mkdir()
    for number, name in enumerate("abc"):
        pixels = np.random.default_rng(number).integers(0, 256, (30, 40, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{name}.png")
    with contextlib.chdir(folder):
        assert run([*ONE, "--out", "run"]) == 0
        assert run([*BOTH, "--out", "both"]) == 0
    return folder


@pytest.fixture(autouse=True)
def here(own_folder, made):
    """Each test has its own copy."""
    shutil.copytree(made, own_folder, dirs_exist_ok=True)


def test_a_second_run_reuses_everything_and_makes_the_same_folder(command, made):
    code, out, err = command(*BOTH, "--out", "both", "--skip-existing")

    assert (code, out) == (0, "both/report.html\n")
    assert err.splitlines() == ["gradcam: 3 of 3 pictures reused", "saliency: 3 of 3 pictures reused"]
    assert manifest_of(Path("both"))["reused"] == 12
    assert alike("both", made / "both")


@pytest.mark.executable
def test_where_everything_is_reused_tensorflow_is_not_loaded():
    words = [*ONE, "--out", "run"]
    code = "import sys; from xcnn.cli.main import run; print(run(sys.argv[1:]), 'tensorflow' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--skip-existing"], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["run/report.html", "0 False"]


def test_the_first_run_of_a_folder_computes_everything(command):
    code, _, err = command(*ONE, "--out", "new", "--skip-existing")

    assert code == 0
    assert "reused" not in err
    assert alike("new", "run")


def test_new_changed_and_removed_pictures_make_the_folder_that_a_fresh_run_makes(command, photo):
    kept = Path("run/b.gradcam.npy").stat().st_mtime_ns
    Path("photos/c.png").unlink()
    photo("photos/a.png", seed=8)
    photo("photos/aa.png", seed=9)

    code, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert code == 0
    assert err.splitlines()[0] == "gradcam: 1 of 3 pictures reused"
    assert Path("run/b.gradcam.npy").stat().st_mtime_ns != kept  # copied, not the very file
    assert [one["image"]["path"] for one in manifest_of(Path("run"))["results"]] == [
        "photos/a.png",
        "photos/aa.png",
        "photos/b.png",
    ]
    command(*ONE, "--out", "fresh")
    assert alike("run", "fresh")


def test_an_explainer_more_computes_that_one_alone(command):
    words = (*BOTH[:4], "saliency,gradcam,guided", *BOTH[5:])

    code, _, err = command(*words, "--out", "both", "--skip-existing")

    assert code == 0
    assert err.splitlines()[:3] == [
        "saliency: 3 of 3 pictures reused",
        "gradcam: 3 of 3 pictures reused",
        "guided: nothing is reused: it was not asked for",
    ]
    command(*words, "--out", "fresh")
    assert alike("both", "fresh")


def test_an_explainer_less_leaves_its_files_out(command):
    code, _, err = command("gradcam", "m.keras", "photos", "--target", "top2", "--out", "both", "--skip-existing")

    assert (code, err.splitlines()) == (0, ["gradcam: 3 of 3 pictures reused"])
    assert not list(Path("both").glob("*saliency*"))
    assert "saliency" not in Path("both/report.html").read_text("utf-8")


def test_options_of_one_explainer_concern_that_one_alone(command):
    words = (*BOTH, "--reduce", "mean")

    code, _, err = command(*words, "--out", "both", "--skip-existing")

    assert code == 0
    assert err.splitlines()[:2] == [
        "gradcam: 3 of 3 pictures reused",
        "saliency: nothing is reused: --reduce max, not mean",
    ]
    command(*words, "--out", "fresh")
    assert alike("both", "fresh")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--target", "top2"), 'it was made with --target ["top"], not ["top2"]'),
        (("--layer", "base/act2"), '--layer [], not ["base/act2"]'),
        (("--seed", "1"), "it was made with --seed 0, not 1"),
        (("--preprocess", "tf"), "it was made with --preprocess auto, not tf"),
        (("--colormap", "magma"), "it was made with --colormap auto, not magma"),
        (("--fit", "crop"), "it was made with --fit unset, not crop"),
        (("--mosaic", "1x2"), "--mosaic draws every picture anew"),
    ],
)
def test_other_options_reuse_nothing_and_say_why(command, words, why):
    code, _, err = command(*ONE, "--out", "run", "--skip-existing", *words)

    assert code == 0
    assert why in err.splitlines()[0]
    assert (manifest_of(Path("run"))["reused"], len(list(Path("run").glob("*.npy")))) == (
        0,
        6 if "top2" in words else 3,
    )


@pytest.mark.parametrize("words", [("--batch-size", "1"), ("--report-max-mb", "0"), ("--recursive",)])
def test_options_that_change_no_result_reuse_everything(command, words):
    code, _, err = command(*ONE, "--out", "run", "--skip-existing", *words)

    assert (code, err.splitlines()[0]) == (0, "gradcam: 3 of 3 pictures reused")
    assert Path("run/report.html").is_file()


def test_another_model_of_the_same_name_reuses_nothing(command):
    keras.utils.set_random_seed(5)
    nets.nested().save("m.keras")

    code, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert (code, err.splitlines()[0]) == (0, "nothing is reused: the model, or what files say about it, is another")


def test_what_a_file_beside_the_model_says_counts(command):
    Path("m.xcnn.toml").write_text('preprocessing = "tf"\n')

    _, _, err = command(*ONE, "--out", "run", "--skip-existing")
    _, _, second = command(*ONE, "--out", "run", "--skip-existing")

    assert err.splitlines()[0] == "nothing is reused: the model, or what files say about it, is another"
    assert second.splitlines()[0] == "gradcam: 3 of 3 pictures reused"


def test_the_names_of_classes_count(command):
    Path("names.txt").write_text("\n".join("abcde"))
    words = (*ONE, "--labels", "names.txt", "--out", "named")
    command(*words)
    Path("names.txt").write_text("\n".join("vwxyz"))

    _, _, err = command(*words, "--skip-existing")

    assert err.splitlines()[0] == "nothing is reused: the model, or what files say about it, is another"
    assert manifest_of(Path("named"))["results"][0]["target"]["label"] in "vwxyz"


def test_a_model_of_any_size_depends_on_the_first_picture(command, photo):
    keras.utils.set_random_seed(0)
    keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    ).save("any.keras")
    photo("b.png", height=40, width=40)
    command("gradcam", "any.keras", "*.png", "--out", "run", "--overwrite")
    photo("c.png", height=60, width=60, seed=1)

    _, _, err = command("gradcam", "any.keras", "*.png", "--out", "run", "--skip-existing")
    assert err.splitlines()[0] == "gradcam: 1 of 2 pictures reused"

    photo("a.png", height=60, width=60, seed=2)
    _, _, err = command("gradcam", "any.keras", "*.png", "--out", "run", "--skip-existing")
    command("gradcam", "any.keras", "*.png", "--out", "fresh")
    assert alike("run", "fresh")


def test_another_version_of_a_plugin_or_a_library_reuses_nothing(command):
    path = Path("run/run.json")
    about = json.loads(path.read_text())
    about["versions"]["pillow"] = "12.0"
    path.write_text(json.dumps(about))

    _, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert err.splitlines()[0] == f"nothing is reused: pillow was 12.0, not {metadata.version('pillow')}"


def test_equal_pictures_of_one_name_in_two_folders_stay_two(command, photo):
    photo("p/a/x.png")
    photo("p/b/x.png")
    words = ("gradcam", "m.keras", "p", "--recursive")
    shutil.rmtree("run")
    command(*words, "--out", "run")
    command(*words, "--out", "fresh")

    _, _, err = command(*words, "--out", "run", "--skip-existing")

    assert err.splitlines() == ["gradcam: 2 of 2 pictures reused"]
    assert alike("run", "fresh")


def test_a_picture_that_was_renamed_is_explained_under_its_new_name(command):
    Path("photos/b.png").rename("photos/d.png")

    _, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert err.splitlines()[0] == "gradcam: 2 of 3 pictures reused"
    assert Path("run/d.gradcam.png").is_file()
    assert not Path("run/b.gradcam.png").exists()


def test_a_folder_that_was_moved_with_its_pictures_is_reused(command):
    Path("photos").rename("pictures")

    _, _, err = command("gradcam", "m.keras", "pictures", "--out", "run", "--skip-existing")

    assert err.splitlines() == ["gradcam: 3 of 3 pictures reused"]
    assert manifest_of(Path("run"))["results"][0]["image"]["path"] == "pictures/a.png"


# --- damaged folders ---------------------------------------------------------------------------------------------


def _cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def _linked(path):
    elsewhere = path.parent.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (_cut, "b.gradcam.npy"),
        (Path.unlink, "b.gradcam.overlay.png"),
        (_linked, "b.gradcam.png"),
        (_cut, "b.source.jpg"),
    ],
)
def test_what_is_damaged_is_computed_again(command, made, damage, name):
    damage(Path("run", name))

    code, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert code == 0
    assert err.splitlines()[:2] == [
        "gradcam: 2 of 3 pictures reused",
        f"computed again: run/{name} is not what it was",
    ]
    assert alike("run", made / "run")


def test_a_run_json_that_is_none_of_ours_reuses_nothing(command):
    about = json.loads(Path("run/run.json").read_text())
    Path("run/run.json").write_text(json.dumps({"files": about["files"]}))

    code, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert code == 0
    assert err.startswith("nothing is reused: run/run.json is no run.json of xcnn: ")
    assert len(manifest_of(Path("run"))["results"]) == 3


def test_a_folder_whose_list_of_files_is_gone_is_left_as_it_is(command):
    Path("run/run.json").write_text("{")
    before = sorted(path.name for path in Path("run").iterdir())

    code, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert (code, err.splitlines()[0]) == (5, "error: run was not written by xcnn, so it is not overwritten")
    assert sorted(path.name for path in Path("run").iterdir()) == before


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "b.gradcam.html"])
def test_a_hostile_folder_hands_nothing_over(command, own_folder, name):
    Path("secret.png").write_bytes(b"secret")
    path = Path("run/run.json")
    about = json.loads(path.read_text())
    target = Path("run", name)
    about["hashes"][name] = hashlib.sha256(target.read_bytes() if target.is_file() else b"").hexdigest()
    about["results"][1]["panels"][0]["files"]["figure"] = name
    path.write_text(json.dumps(about))

    code, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert code == 0
    assert b"secret" not in b"".join(path.read_bytes() for path in Path("run").iterdir())
    assert "2 of 3 pictures reused" in err or "nothing is reused" in err


def test_a_report_made_again_is_no_run(command):
    join_reports(["run"], Path("again"))

    _, _, err = command(*ONE, "--out", "again", "--skip-existing")

    assert err.splitlines()[0] == "nothing is reused: it was not written by a run"


# --- with other options of a run ---------------------------------------------------------------------------------


def test_it_needs_the_name_of_the_folder(command):
    code, _, err = command(*ONE, "--skip-existing")

    assert (code, err.splitlines()[0]) == (2, "error: --skip-existing needs the folder of the earlier run")


def test_overwriting_is_implied_and_a_folder_of_the_user_is_refused(command):
    assert command(*ONE, "--out", "run", "--skip-existing", "--overwrite")[2] == "gradcam: 3 of 3 pictures reused\n"
    Path("run/thesis.txt").touch()

    code, _, err = command(*ONE, "--out", "run", "--skip-existing", "--overwrite")

    assert code == 5
    assert err.startswith("error: run holds thesis.txt, which xcnn did not write, so it is not overwritten\n")


def test_a_dry_run_writes_nothing(command):
    before = Path("run/run.json").read_bytes()

    code, out, _ = command(*ONE, "--out", "run", "--skip-existing", "--dry-run")

    assert (code, out.splitlines()[-1]) == (0, "folder: run, nothing was written")
    assert Path("run/run.json").read_bytes() == before


def test_the_answer_in_json_says_how_many(command):
    _, out, err = command(*ONE, "--out", "run", "--skip-existing", "--json")

    assert (json.loads(out)["reused"], err) == (3, "")


def test_what_pictures_show_is_told_anew(command):
    Path("truth.csv").write_text("a.png,1\nb.png,2\nc.png,3\n")
    words = (*ONE, "--truth", "truth.csv")

    _, _, err = command(*words, "--out", "run", "--skip-existing")
    assert "gradcam: 3 of 3 pictures reused" in err
    command(*words, "--out", "fresh")
    assert alike("run", "fresh")
    command(*ONE, "--out", "run", "--skip-existing")
    assert "truth" not in manifest_of(Path("run"))["results"][0]


def test_a_failure_is_tried_again_and_told_again(command):
    Path("photos/bad.png").write_bytes(b"no picture")

    code, _, err = command(*ONE, "--out", "run", "--skip-existing")

    assert code == 1
    assert err.splitlines()[0] == "gradcam: 3 of 4 pictures reused"
    assert [one["path"] for one in manifest_of(Path("run"))["failures"]] == ["photos/bad.png"]


def test_explainers_of_the_model_are_reused_too(command):
    nets.flat().save("flat.keras")
    words = ("explain", "flat.keras", "photos", "--with", "kernels,gradcam")
    shutil.rmtree("run")
    command(*words, "--out", "run")
    command(*words, "--out", "fresh")

    _, _, err = command(*words, "--out", "run", "--skip-existing")
    assert err.splitlines() == ["kernels: reused", "gradcam: 3 of 3 pictures reused"]
    assert alike("run", "fresh")

    command("gradcam", "flat.keras", "photos", "--out", "run", "--overwrite")
    _, _, err = command(*words, "--out", "run", "--skip-existing")
    assert "kernels: nothing is reused: it was not asked for" in err
    assert alike("run", "fresh")


class Stopping(Silent):
    """Events that interrupt the run when the second picture is written."""

    def __init__(self):
        self.seen = 0

    def working(self, _):
        self.seen += 1
        if self.seen == 2:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_where_it_was(command, photo):
    for number, name in enumerate("defg"):
        photo(f"photos/{name}.png", seed=10 + number)
    command("gradcam", "m.keras", "photos/f.png", "--out", "run", "--overwrite")
    request = Request(model="m.keras", images=("photos",), batch_size=1, out="run")

    run = execute(request, [GradCAM()], host=Host(), events=Stopping(), keep_partial=True, skip_existing=True)

    assert run.stopped == "interrupted"
    about = manifest_of(Path("run"))
    assert [one["image"]["path"] for one in about["results"]] == ["photos/a.png", "photos/f.png"]
    assert "interrupted before the end: 2 of 7 pictures were explained" in about["warnings"]
    assert set(about["files"]) == {path.name for path in Path("run").iterdir()}
    _, _, err = command(*ONE, "--out", "run", "--skip-existing")
    assert err.splitlines()[0] == "gradcam: 2 of 7 pictures reused"
    command(*ONE, "--out", "fresh")
    assert alike("run", "fresh")


def test_an_interrupted_run_that_keeps_nothing_leaves_the_folder_as_it_was(command):
    for name in "ab":
        shutil.copyfile("photos/c.png", f"photos/{name}.png")
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    listed = sorted(Path().iterdir())
    request = Request(model="m.keras", images=("photos",), batch_size=1, out="run")

    with pytest.raises(KeyboardInterrupt):
        execute(request, [GradCAM()], host=Host(), events=Stopping(), skip_existing=True)

    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before
    assert sorted(Path().iterdir()) == listed
