import contextlib
import hashlib
import os
import random
import sys

import hostile
import pytest

from xcnn.errors import ModelError, OptionError, UnsafeModelError
from xcnn.network import preflight
from xcnn.network.sketch import sketch


@pytest.fixture
def canary(own_folder):
    """A file that dies when code from a model runs; nothing else may change either."""
    path = own_folder / "canary"
    path.write_text(hostile.ALIVE)
    environment, modules = settings(), set(sys.modules)
    yield path
    assert path.read_text() == hostile.ALIVE
    assert settings() == environment
    assert not any(name.endswith("saving_lib_test") for name in set(sys.modules) - modules)


def settings():
    """What code from a model could change outside of files."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "KERAS", "TF_"))}


def test_there_are_many_hostile_files():
    assert len(hostile.CASES) >= 30


@pytest.mark.parametrize("name", hostile.CASES)
def test_a_hostile_file_is_refused_in_one_sentence_and_nothing_runs(name, canary):
    case = hostile.CASES[name]
    path = case.build(canary.parent)

    with pytest.raises(ModelError) as caught:
        preflight.inspect(path)

    assert caught.value.exit_code == case.code
    assert case.words in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 600


@pytest.mark.parametrize("name", hostile.HARMLESS)
def test_a_harmless_lookalike_passes(name, canary):
    assert preflight.inspect(hostile.HARMLESS[name](canary.parent)).config["class_name"]


def test_training_of_nested_models_is_left_out_of_what_is_loaded(canary):
    file = preflight.inspect(hostile.loss_of_the_user_in_a_nested_model(canary.parent))

    assert file.changed
    assert "compile_config" not in str(file.config)


# Trust


def trust(path):
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@pytest.mark.parametrize("name", ["lambda_in_keras_file", "lambda_in_h5_file_cve_2025_9905", "lambda_as_activation"])
def test_code_of_a_file_with_the_very_hash_is_trusted(name, canary):
    path = hostile.CASES[name].build(canary.parent)

    file = preflight.inspect(path, trusted=trust(path))

    assert file.trusted
    assert file.sha256 == trust(path).removeprefix("sha256:")


def test_the_hint_for_python_code_says_how_to_vouch_for_it(canary):
    path = hostile.lambda_in_keras_file(canary.parent)

    with pytest.raises(UnsafeModelError) as caught:
        preflight.inspect(path)

    assert f"--trust-model {trust(path)}" in caught.value.hint
    assert "only under the Python version that saved it" in caught.value.hint


def test_the_hint_for_other_dangers_does_not(canary):
    with pytest.raises(UnsafeModelError) as caught:
        preflight.inspect(hostile.external_link_in_h5(canary.parent))

    assert "sha256" not in caught.value.hint


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, case in hostile.CASES.items()
        if case.code == 4 and name.startswith(("zip", "array", "vocabulary"))
    ],
)
def test_trust_lifts_neither_sizes_nor_reading_nor_escapes(name, canary):
    path = hostile.CASES[name].build(canary.parent)

    with pytest.raises(UnsafeModelError):
        preflight.inspect(path, trusted=trust(path))


def test_trust_for_a_model_in_two_files_covers_both(canary):
    path = hostile.lambda_in_json_beside_weights(canary.parent)
    both = path.read_bytes() + (canary.parent / "model.h5").read_bytes()

    assert preflight.inspect(path, trusted=f"sha256:{hashlib.sha256(both).hexdigest()}").trusted
    with pytest.raises(OptionError, match="is not the file with the hash"):
        preflight.inspect(path, trusted=trust(path))


@pytest.mark.parametrize("word", ["yes", "sha256:", "sha256:123", "md5:" + "0" * 64, "0" * 64, "sha256:" + "g" * 64])
def test_a_malformed_hash_is_no_trust(word, canary):
    path = hostile.lambda_in_keras_file(canary.parent)

    with pytest.raises(OptionError, match="is no hash of a model"):
        preflight.inspect(path, trusted=word)


def test_the_hash_of_another_file_is_no_trust(canary):
    path = hostile.lambda_in_keras_file(canary.parent)
    word = trust(path)
    path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(OptionError, match=f"model.keras is not the file with the hash {word}"):
        preflight.inspect(path, trusted=word)


# What the user supplies


def test_supplied_classes_are_not_unknown(canary):
    path = hostile.classes_of_other_packages(canary.parent)

    with pytest.raises(ModelError, match="a class that Keras doesn't have: Evil"):
        preflight.inspect(path, known={"Attention2D"})
    assert preflight.inspect(path, known={"Attention2D", "Evil"}).kind == "keras"


def test_supplying_a_lambda_does_not_make_it_safe(canary):
    with pytest.raises(UnsafeModelError):
        preflight.inspect(hostile.lambda_in_keras_file(canary.parent), known={"Lambda", "__lambda__", "function"})


# The limit of memory


@pytest.mark.parametrize(("most", "passes"), [(1e-7, False), (1, True)])
def test_the_limit_of_memory_is_the_users(most, passes, canary):
    path = hostile.keras_file(canary.parent, hostile.GOOD)

    if passes:
        assert preflight.inspect(path, most_gigabytes=most)
    else:
        with pytest.raises(UnsafeModelError, match=r"the limit is 1e-07 GB"):
            preflight.inspect(path, most_gigabytes=most)


# Damage


def damaged(value, rng, places):
    """Change one of the values of a config to something else."""
    if not places:
        return rng.choice(
            [None, -1, 10**12, "", "Lambda", [], {}, [[]], 0.5, True, {"class_name": "Dense"}, [None] * 4]
        )
    key, *rest = places
    if isinstance(value, dict):
        return {**value, key: damaged(value[key], rng, rest)}
    return [damaged(inner, rng, rest) if index == key else inner for index, inner in enumerate(value)]


def places_in(value, before=()):
    yield before
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from places_in(inner, (*before, key))


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_config_is_never_a_bug(seed, canary):
    rng = random.Random(seed)  # noqa: S311 (no secret)
    graph = hostile.functional(
        hostile.operation("TrueDivide", args=[255.0]),
        hostile.conv(strides=[1, 1], activation="relu", groups=1),
        hostile.layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=[2, 2], padding="same"),
        hostile.layer("Concatenate", "joined", axis=-1),
        hostile.layer("Reshape", "flat", target_shape=[-1]),
        hostile.layer("Dense", "dense", units=3),
    )
    config = hostile.sequential(graph, hostile.layer("BatchNormalization", "norm", axis=-1))
    everywhere = list(places_in(config))
    for _ in range(60):
        path = hostile.keras_file(canary.parent, damaged(config, rng, rng.choice(everywhere[1:])))
        with contextlib.suppress(ModelError):
            sketch(preflight.inspect(path, hashed=False))


# The real thing


@pytest.mark.keras
def test_the_canary_would_die_if_a_file_were_loaded_without_care(own_folder):
    import keras

    (own_folder / "canary").write_text(hostile.ALIVE)
    path = hostile.lambda_in_keras_file(own_folder)

    keras.saving.load_model(path, safe_mode=False, compile=False)

    assert (own_folder / "canary").read_text() == "dead"


@pytest.mark.keras
def test_hostile_files_end_a_run_in_words_and_nothing_runs(canary, photo, capsys):
    from xcnn.cli.main import run

    picture, wrong = photo(), []
    for name, case in hostile.CASES.items():
        folder = canary.parent / name
        folder.mkdir()
        (folder / "canary").write_text(hostile.ALIVE)
        code = run(["gradcam", str(case.build(folder)), picture])
        said = capsys.readouterr().err
        alive = (folder / "canary").read_text() == hostile.ALIVE
        if code != case.code or "Traceback" in said or said.count("error:") != 1 or not alive:
            wrong.append((name, code, said))

    assert wrong == []
