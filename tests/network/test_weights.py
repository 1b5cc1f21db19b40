import h5py
import numpy as np
import pytest

from xcnn.errors import ModelError, UnsafeModelError

pytestmark = pytest.mark.keras


def nested(names=("one", "two"), frozen=(), classes=3):
    """A model with two equal convolutions in a nested one, some of them frozen."""
    import keras

    base = keras.Sequential(
        [keras.Input((6, 6, 2)), *(keras.layers.Conv2D(2, 1, name=name) for name in names)], name="base"
    )
    for name in frozen:
        base.get_layer(name).trainable = False
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), base, keras.layers.Flatten(), keras.layers.Dense(classes, name="dense")]
    )
    for n, weight in enumerate(model.weights):
        weight.assign(np.full(weight.shape, n + 1, np.float32))
    return model


def values(model):
    return {"/".join(weight.path.split("/")[-2:]): float(np.asarray(weight).ravel()[0]) for weight in model.weights}


def wiped(model):
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape, np.float32))
    return model


@pytest.fixture
def stored(tmp_path):
    """Save a model's weights as .h5 in the old layout, let a test edit the file, and open it."""
    files = []

    def store(model, edit=None):
        path = tmp_path / f"weights{len(files)}.h5"
        model.save(path)
        with h5py.File(path, "a") as file:
            if edit:
                edit(file["model_weights"])
        files.append(h5py.File(path))
        return files[-1]

    yield store
    for file in files:
        file.close()


def assign(model, file):
    from xcnn.network import weights

    return weights.assign(model, file, name="weights.h5")


def named(group, layer, names):
    """Rename the weights of a layer in a file, in their order."""
    before = list(group[layer].attrs["weight_names"])
    for old, new in zip(before, names, strict=True):
        if old != new:
            group[layer].move(old, f"moved/{new}")
    for new in names:
        if f"moved/{new}" in group[layer]:
            group[layer].move(f"moved/{new}", new)
    group[layer].attrs["weight_names"] = [name.encode() for name in names]


def test_weights_come_back_as_they_were(stored):
    model = nested()
    wanted = values(model)

    other = wiped(nested())

    assert assign(other, stored(model)) == ()

    assert values(other) == wanted


def test_frozen_weights_that_a_file_lists_last_go_where_their_names_say(stored):
    model = nested(frozen=("one",))
    other = wiped(nested())

    notes = assign(other, stored(model))

    kernels = [float(np.asarray(layer.kernel).ravel()[0]) for layer in other.get_layer("base").layers]
    assert kernels == [float(np.asarray(layer.kernel).ravel()[0]) for layer in model.get_layer("base").layers]
    assert notes == ()


def test_layers_that_a_file_lists_in_another_order_are_found_by_name(stored):
    def turn(group):
        group.attrs["layer_names"] = group.attrs["layer_names"][::-1]

    model = nested()
    other = wiped(nested())

    assert assign(other, stored(model, turn)) == ()
    np.testing.assert_array_equal(other.get_layer("dense").kernel, model.get_layer("dense").kernel)


def test_the_numbers_that_keras_2_added_to_names_do_not_matter(stored):
    def number(group):
        named(group, "base", ["two_1/kernel:0", "two_1/bias:0", "one_1/kernel:0", "one_1/bias:0"])

    model = nested()
    other = wiped(nested())

    assign(other, stored(model, number))

    assert float(np.asarray(other.get_layer("base").get_layer("two").kernel).ravel()[0]) == 1
    assert float(np.asarray(other.get_layer("base").get_layer("one").kernel).ravel()[0]) == 3


def test_names_that_say_nothing_leave_the_order_and_a_note(stored):
    def rename(group):
        named(group, "base", ["a/kernel:0", "a/bias:0", "b/kernel:0", "b/bias:0"])

    model = nested()
    other = wiped(nested())

    notes = assign(other, stored(model, rename))

    assert values(other) == values(model)
    assert notes == (
        "matched weights by their order, since the file names them otherwise than the model (a/kernel -> base/one/kernel)",
    )


def test_missing_weights_are_named(stored):
    def drop(group):
        group["base"].attrs["weight_names"] = group["base"].attrs["weight_names"][:2]

    with pytest.raises(ModelError, match=r"weights.h5 lacks weights of its model: base/two/kernel, base/two/bias"):
        assign(nested(), stored(nested(), drop))


def test_weights_without_a_place_are_named(stored):
    with pytest.raises(
        ModelError, match=r"weights.h5 has weights that its model has no place for: three/kernel, three/bias"
    ):
        assign(nested(), stored(nested(("one", "two", "three"))))


def test_weights_of_another_shape_are_named_with_both(stored):
    with pytest.raises(
        ModelError, match=r"a weight dense/kernel of 72 x 4 where its model wants dense/kernel of 72 x 3"
    ):
        assign(nested(), stored(nested(classes=4)))


def test_a_weight_that_is_announced_but_absent_is_named(stored):
    def delete(group):
        del group["dense"]

    with pytest.raises(ModelError, match="announces the weight dense, which is not there"):
        assign(nested(), stored(nested(), delete))


def test_a_link_to_another_file_is_never_followed(stored, tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["kernel"] = np.zeros((72, 3), np.float32)

    def link(group):
        names = list(group["dense"].attrs["weight_names"])
        del group["dense"][names[0]]
        group["dense"][names[0]] = h5py.ExternalLink(str(secret), "/kernel")

    with pytest.raises(UnsafeModelError, match="links to another file"):
        assign(nested(), stored(nested(), link))


def test_a_model_that_does_not_say_its_size_takes_what_its_dense_layer_fits(stored):
    import keras

    def unbuilt():
        return keras.Sequential(
            [
                keras.layers.Conv2D(4, 3, name="conv"),
                keras.layers.MaxPooling2D(name="pool"),
                keras.layers.Flatten(name="flat"),
                keras.layers.Dense(2, name="dense"),
            ]
        )

    model = unbuilt()
    model.build((None, 28, 28, 1))
    other = unbuilt()

    notes = assign(other, stored(model))

    assert other.input_shape == (None, 28, 28, 1)
    assert notes == (
        "gave the model pictures of 28 x 28, since it does not say which: its first dense layer takes as much",
    )
    np.testing.assert_array_equal(other.get_layer("dense").kernel, model.get_layer("dense").kernel)


def test_a_normalization_divides_by_what_the_file_says(stored):
    import keras

    def model():
        return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Normalization(name="norm")])

    first = model()
    first.get_layer("norm").adapt(np.arange(32, dtype=np.float32).reshape(2, 4, 4, 1))
    other = model()

    assign(other, stored(first))

    pixels = np.ones((1, 4, 4, 1), np.float32)
    np.testing.assert_allclose(other(pixels), first(pixels), rtol=1e-6)
