import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xcnn.errors import OptionError, OutputError
from xcnn.network import labels, sidecar
from xcnn.network.sidecar import Sidecar
from xcnn.plugin import Preprocessing

FULL = """
preprocessing = "tf"
labels = ["cat", "dog"]
layer = "vgg16/block5_conv3"
input_size = [96, 128]
output = "species"
fit = "crop"
notes = ["trained in 2019", "on green backgrounds"]
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(b"")
    return path


def say(model, text):
    path = sidecar.place(model)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_every_key_is_read(model):
    say(model, FULL)

    assert sidecar.read(model) == Sidecar(
        preprocessing="tf",
        labels=("cat", "dog"),
        layer="vgg16/block5_conv3",
        input_size=(96, 128),
        output="species",
        fit="crop",
        notes=("trained in 2019", "on green backgrounds"),
    )


def test_no_file_is_no_sidecar(model):
    assert sidecar.read(model) is None


def test_an_empty_file_says_nothing(model):
    say(model, "\n# nothing\n")

    assert sidecar.read(model) == Sidecar()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.h5", "a.xcnn.toml"), ("a.b.keras", "a.b.xcnn.toml"), ("a", "a.xcnn.toml"), (".h5", ".h5.xcnn.toml")],
)
def test_the_sidecar_has_the_name_of_its_model(tmp_path, name, expected):
    assert sidecar.place(tmp_path / name) == tmp_path / expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{ channels = "bgr" }', sidecar.custom(channels="bgr")),
        ("{ scale = 2, offset = -1.5 }", sidecar.custom(scale=(2.0,), offset=(-1.5,))),
        ("{ scale = 0.5, offset = [1, 2, 3] }", sidecar.custom(scale=(0.5,), offset=(1.0, 2.0, 3.0))),
    ],
)
def test_a_preprocessing_may_be_given_in_numbers(model, text, expected):
    say(model, f"preprocessing = {text}\n")

    assert sidecar.read(model).preprocessing == expected
    assert isinstance(expected, Preprocessing)


def test_a_preprocessing_in_numbers_says_them():
    mode = sidecar.custom(channels="bgr", scale=(1 / 255,), offset=(-1.0, 0.0, 2.0))

    assert mode.summary == "BGR pixels * 0.00392157 + (-1, 0, 2)"


def test_one_number_makes_a_square(model):
    say(model, "input_size = 64")

    assert sidecar.read(model).input_size == (64, 64)


BAD = {
    "typo": ('preprocesing = "tf"', "has an unknown key 'preprocesing'", "preprocessing (did you mean this?)"),
    "unknown": ('zzz = "tf"', "has an unknown key 'zzz'", "one of preprocessing, labels, layer"),
    "inner typo": ("preprocessing = { scal = 1 }", "unknown key 'scal' in preprocessing", "scale (did you mean"),
    "no TOML": ("preprocessing = tf", "is no TOML", ""),
    "key twice": ('fit = "pad"\nfit = "pad"', "is no TOML", ""),
    "Latin-1": (b'layer = "\xe9"', "is not UTF-8 text", "save it"),
    "null": (b'layer = "\0"', "is no TOML", ""),
    "deep": ("notes = " + "[" * 100_000, "is no TOML", ""),
    "long number": ("input_size = " + "9" * 5000, "is no TOML", ""),
    "large": ("#" * (4 * 2**20 + 1), "is larger than 4 MB", ""),
    "preprocessing number": ("preprocessing = 3", "has preprocessing = 3", "write a name"),
    "preprocessing empty": ('preprocessing = " "', 'has preprocessing = " "', "write a name"),
    "channels": ('preprocessing.channels = "gbr"', 'preprocessing.channels = "gbr"', '"rgb" or "bgr"'),
    "channels list": ('preprocessing.channels = ["rgb"]', "preprocessing.channels", '"rgb" or "bgr"'),
    "scale text": ('preprocessing.scale = "1"', 'preprocessing.scale = "1"', "a number"),
    "scale true": ("preprocessing.scale = true", "preprocessing.scale = true", "a number"),
    "scale zero": ("preprocessing.scale = [1, 0.0, 1]", "preprocessing.scale = [1, 0.0, 1]", "other than 0"),
    "scale infinite": ("preprocessing.scale = inf", "preprocessing.scale = Infinity", "a number"),
    "offset no number": ("preprocessing.offset = nan", "preprocessing.offset = NaN", "a number"),
    "scale overflow": ("preprocessing.scale = 1" + "0" * 400, "preprocessing.scale", "a number"),
    "scale empty": ("preprocessing.scale = []", "preprocessing.scale = []", "a number"),
    "scale many": ("preprocessing.scale = [1, 1, 1, 1, 1]", "preprocessing.scale", "a number"),
    "lengths": ("preprocessing = { scale = [1, 1, 1], offset = [0, 0, 0, 0] }", "has 3 numbers in preprocessing.scale and 4", "one number"),
    "two numbers": ("preprocessing = { scale = 1, offset = [1, 2] }", "preprocessing.offset = [1, 2]", "3 for RGB"),
    "labels number": ("labels = 3", "has labels = 3", "a list of names"),
    "labels mixed": ('labels = ["a", 3]', 'has labels = ["a", 3]', "labels = "),
    "labels empty": ("labels = []", "has labels = []", "a list of names"),
    "labels empty name": ('labels = ["a", ""]', 'has labels = ["a", ""]', "labels = "),
    "layer": ("layer = 5", "has layer = 5", 'layer = "..."'),
    "size": ("input_size = [1, 2, 3]", "has input_size = [1, 2, 3]", "[height, width]"),
    "size zero": ("input_size = 0", "has input_size = 0", "1..16384"),
    "size true": ("input_size = true", "has input_size = true", "[height, width]"),
    "size huge": ("input_size = [1, 99999]", "has input_size = [1, 99999]", "1..16384"),
    "size date": ("input_size = 2020-01-01", 'has input_size = "2020-01-01"', "[height, width]"),
    "output": ("output = []", "has output = []", 'output = "..."'),
    "fit": ('fit = "squash"', 'has fit = "squash"', "stretch, crop, pad"),
    "fit list": ("fit = [[1]]", "has fit = [[1]]", "stretch, crop, pad"),
    "notes": ('notes = "one"', 'has notes = "one"', 'notes = ["..."'),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words", "hint"), BAD.values(), ids=BAD)
def test_what_makes_no_sense_is_refused_in_one_sentence(model, text, words, hint):
    path = say(model, text)

    with pytest.raises(OptionError) as caught:
        sidecar.read(model)

    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < len(str(path)) + 160


@pytest.mark.parametrize("kind", ["folder", "dangling link", "pipe"])
def test_a_sidecar_that_is_no_file_is_refused(model, kind):
    path = sidecar.place(model)
    {"folder": path.mkdir, "dangling link": lambda: path.symlink_to("gone"), "pipe": lambda: os.mkfifo(path)}[kind]()

    with pytest.raises(OptionError, match=r"xcnn\.toml"):
        sidecar.read(model)


# Labels


def test_labels_come_from_the_list_the_file_or_imagenet(model):
    model.with_name("names.txt").write_text("0 cat\n1 dog\n")

    assert sidecar.class_names(Sidecar(), model) is None
    assert sidecar.class_names(Sidecar(labels=("a", "b")), model) == ("a", "b")
    assert sidecar.class_names(Sidecar(labels="names.txt"), model) == ("cat", "dog")
    assert sidecar.class_names(Sidecar(labels="imagenet"), model) == labels.imagenet()


@pytest.mark.parametrize(
    "name", ["../secret.txt", "..", ".", "sub/names.txt", "sub\\names.txt", "C:names.txt", "a\\u0000b"]
)
@pytest.mark.parametrize("how", ["read", "class names"])
def test_labels_outside_the_folder_of_the_model_are_refused(model, name, how):
    (model.parent.parent / "secret.txt").write_text("a\nb\n")
    say(model, f"labels = '{name}'" if "0000" not in name else f'labels = "{name}"')

    with pytest.raises(OptionError, match="outside the folder of the model"):
        sidecar.read(model) if how == "read" else sidecar.class_names(
            Sidecar(labels=name.replace("\\u0000", "\0")), model
        )


def test_an_absolute_path_to_labels_is_refused(model):
    inside = model.with_name("names.txt")
    inside.write_text("a\nb\n")
    say(model, f"labels = '{inside}'")

    with pytest.raises(OptionError, match="outside the folder of the model"):
        sidecar.read(model)


@pytest.mark.parametrize("target", ["../secret.txt", "loop.txt", "folder"])
def test_a_link_from_the_labels_out_of_the_folder_is_refused(model, target):
    (model.parent.parent / "secret.txt").write_text("a\nb\n")
    model.with_name("folder").mkdir()
    model.with_name("loop.txt").symlink_to("names.txt")
    model.with_name("names.txt").symlink_to(target)
    say(model, "labels = 'names.txt'")

    with pytest.raises(OptionError, match="outside the folder of the model"):
        sidecar.read(model)


def test_missing_labels_are_named(model):
    say(model, "labels = 'names.txt'")

    with pytest.raises(OptionError, match=r"names labels that are missing: 'names\.txt'"):
        sidecar.read(model)


# Writing

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def numbers(count):
    return st.tuples(*[NUMBER] * count)


@st.composite
def preprocessings(draw):
    counts = draw(st.sampled_from([(1, 1), (3, 3), (1, 3), (3, 1), (4, 4)]))
    scale = draw(numbers(counts[0]).filter(all))
    return sidecar.custom(channels=draw(st.sampled_from(["rgb", "bgr"])), scale=scale, offset=draw(numbers(counts[1])))


def sometimes(strategy):
    return st.none() | strategy


SIDECARS = st.builds(
    Sidecar,
    preprocessing=sometimes(TEXT | preprocessings()),
    labels=sometimes(st.lists(TEXT, min_size=1).map(tuple) | st.just("imagenet")),
    layer=sometimes(TEXT),
    input_size=sometimes(st.tuples(st.integers(1, 16384), st.integers(1, 16384))),
    output=sometimes(TEXT),
    fit=sometimes(st.sampled_from(["stretch", "crop", "pad"])),
    notes=st.lists(TEXT).map(tuple),
)


@given(said=SIDECARS)
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_read_back(tmp_path_factory, said):
    model = tmp_path_factory.mktemp("m") / "model.keras"

    assert sidecar.write(model, said) == sidecar.place(model)
    assert sidecar.read(model) == said


@pytest.mark.parametrize("code", [*range(32), 127, 0x85, 0xA0, 0x2028, 0x202E, 0xFEFF, 0xFFFF, 0xE0001, 0x10FFFF])
def test_every_odd_character_is_written_so_that_it_can_be_seen(model, code):
    said = Sidecar(notes=(f"a{chr(code)}b", f"{chr(code)}\"'\\"))

    path = sidecar.write(model, said)

    assert sidecar.read(model) == said
    assert code == 0xA0 or chr(code) not in path.read_bytes().decode().replace("\n", "" if code == 10 else "\n")


def test_labels_in_a_file_are_written_by_its_name(model):
    model.with_name("names.txt").write_text("a\nb\n")

    sidecar.write(model, Sidecar(labels="names.txt"))

    assert sidecar.read(model) == Sidecar(labels="names.txt")


def test_an_existing_sidecar_is_kept(model):
    path = say(model, FULL)

    with pytest.raises(OutputError, match="already exists"):
        sidecar.write(model, Sidecar(preprocessing="unit"))

    assert path.read_text() == FULL


def test_an_existing_sidecar_is_replaced_when_asked_and_links_are_not_followed(model):
    other = model.with_name("other.toml")
    other.write_text("keep = 1\n")
    sidecar.place(model).symlink_to(other)

    path = sidecar.write(model, Sidecar(preprocessing="unit"), overwrite=True)

    assert sidecar.read(model) == Sidecar(preprocessing="unit")
    assert not path.is_symlink()
    assert other.read_text() == "keep = 1\n"


def test_nothing_but_the_sidecar_is_left_and_others_may_read_it(model):
    before = os.umask(0o022)
    try:
        path = sidecar.write(model, Sidecar(fit="pad"))
    finally:
        os.umask(before)

    assert sorted(file.name for file in model.parent.iterdir()) == ["model.h5", "model.xcnn.toml"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("folder", ["gone", "model.h5"])
def test_a_folder_that_cannot_be_written_is_an_output_error(model, folder):
    with pytest.raises(OutputError, match="can't write"):
        sidecar.write(model.parent / folder / "model.h5", Sidecar(fit="pad"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_an_output_error(model):
    model.parent.chmod(0o555)
    try:
        with pytest.raises(OutputError, match="can't write"):
            sidecar.write(model, Sidecar(fit="pad"))
    finally:
        model.parent.chmod(0o755)


@pytest.mark.parametrize(
    "said",
    [
        Sidecar(layer="caf\udce9"),
        Sidecar(layer=""),
        Sidecar(notes=("",)),
        Sidecar(labels=("a", " ")),
        Sidecar(input_size=(0, 5)),
        Sidecar(preprocessing=sidecar.custom(scale=(0.0,))),
        Sidecar(preprocessing=sidecar.custom(scale=(float("nan"),))),
        Sidecar(fit="squash"),
        Sidecar(labels="missing.txt"),
        Sidecar(labels="../secret.txt"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(model, said):
    with pytest.raises(OptionError):
        sidecar.write(model, said)

    assert not sidecar.place(model).exists()
