import copy
import json
import random

import pytest

from xcnn.errors import ModelError
from xcnn.network.upgrade import upgraded
from xcnn.network.upgrade.entries import tensor
from xcnn.network.upgrade.names import renaming


def layer(kind, name, *nodes, **config):
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": list(nodes)}


def functional(*layers, start="x", end=None, name="net", kind="Model"):
    ends = end or [[layers[-1]["name"], 0, 0]]
    config = {"name": name, "layers": list(layers), "input_layers": [[start, 0, 0]], "output_layers": ends}
    return {"class_name": kind, "config": config}


def sequential(*layers, name="seq"):
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}}


def plain(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, **config}}


X = layer("InputLayer", "x", batch_input_shape=[None, 8, 8, 3])


def layers(new):
    return {entry["config"]["name"]: entry for entry in new.config["config"]["layers"]}


# Functional models


def test_a_model_is_a_functional_with_one_input_and_one_output():
    new = upgraded(functional(X, layer("Flatten", "f", [["x", 0, 0, {}]])))

    assert (new.config["class_name"], new.config["module"]) == ("Functional", "keras.src.models.functional")
    assert new.config["config"]["input_layers"] == ["x", 0, 0]
    assert new.config["config"]["output_layers"] == ["f", 0, 0]
    assert layers(new)["x"]["config"]["batch_shape"] == [None, 8, 8, 3]
    assert layers(new)["f"]["inbound_nodes"] == [{"args": [tensor("x", 0, 0)], "kwargs": {}}]


def test_several_outputs_stay_a_list():
    ends = [["a", 0, 0], ["b", 0, 0]]
    model = functional(X, layer("Flatten", "a", [["x", 0, 0]]), layer("Flatten", "b", [["x", 0, 0]]), end=ends)

    assert upgraded(model).config["config"]["output_layers"] == ends


def test_several_inputs_and_the_arguments_of_a_call_are_kept():
    model = functional(X, layer("Add", "a", [["x", 0, 0, {}], ["x", 0, 0, {"mask": None, "y": ["x", 0, 0]}]]))

    node = layers(upgraded(model))["a"]["inbound_nodes"][0]

    assert node == {"args": [[tensor("x", 0, 0)] * 2], "kwargs": {"mask": None, "y": tensor("x", 0, 0)}}


@pytest.mark.parametrize("first", [0, 1])
def test_calls_of_a_nested_model_are_numbered_from_0(first):
    inner = {**functional(X, layer("Flatten", "f", [["x", 0, 0]]), name="inner"), "name": "inner"}
    inner["inbound_nodes"] = [[["x", 0, 0, {}]], [["x", 0, 0, {}]]]
    model = functional(X, inner, layer("Add", "a", [["inner", first, 0, {}], ["inner", first + 1, 0, {}]]))

    node = layers(upgraded(model))["a"]["inbound_nodes"][0]

    assert node["args"] == [[tensor("inner", 0, 0), tensor("inner", 1, 0)]]


@pytest.mark.parametrize(("kind", "number"), [("Model", 1), ("Sequential", 0)])
def test_a_nested_model_as_output_is_numbered_as_keras_3_does(kind, number):
    inner = (
        functional(X, layer("Flatten", "f", [["x", 0, 0]])) if kind == "Model" else sequential(plain("Flatten", "f"))
    )
    inner["config"]["name"] = "inner"
    inner |= {"name": "inner", "inbound_nodes": [[["x", 0, 0, {}]]]}

    new = upgraded(functional(X, inner, end=[["inner", 1, 0]]))

    assert new.config["config"]["output_layers"] == ["inner", number, 0]


def test_fixed_batch_sizes_are_freed_and_told():
    new = upgraded(
        functional(layer("InputLayer", "x", batch_input_shape=[32, 8, 8, 3]), layer("Flatten", "f", [["x", 0, 0]]))
    )

    assert layers(new)["x"]["config"]["batch_shape"] == [None, 8, 8, 3]
    assert new.notes == ("freed the batch size, which the file fixes (32)",)


def test_names_that_keras_3_refuses_change_wherever_they_are_used():
    model = functional(
        X,
        layer("ReLU", "a/b", [["x", 0, 0]]),
        layer("ReLU", "a_b", [["a/b", 0, 0]]),
        layer("ReLU", "c d", [["a_b", 0, 0]]),
    )

    new = upgraded(model)

    assert list(layers(new)) == ["x", "a_b_1", "a_b", "c_d"]
    assert layers(new)["a_b"]["inbound_nodes"][0]["args"] == [tensor("a_b_1", 0, 0)]
    assert new.config["config"]["output_layers"] == ["c_d", 0, 0]
    assert new.notes == ("gave 2 layers a name that TensorFlow's graphs accept (a/b -> a_b_1, c d -> c_d)",)


def test_new_names_are_never_the_same():
    assert renaming(["a/b", "a b", "a_b", "a_b_1"]) == {"a/b": "a_b_2", "a b": "a_b_3"}


# Sequential models


def test_a_bare_list_gets_a_name_and_an_input():
    new = upgraded({"class_name": "Sequential", "config": [plain("Flatten", "f", batch_input_shape=[None, 4, 4, 1])]})

    assert new.config["config"]["name"] == "sequential"
    assert [entry["class_name"] for entry in new.config["config"]["layers"]] == ["InputLayer", "Flatten"]
    assert new.config["config"]["layers"][0]["config"]["batch_shape"] == [None, 4, 4, 1]
    assert "batch_input_shape" not in new.config["config"]["layers"][1]["config"]


def test_a_sequential_takes_what_the_model_in_it_takes():
    inner = functional(X, layer("Flatten", "f", [["x", 0, 0]]), name="inner")

    found = upgraded(sequential(sequential(inner), plain("Dense", "d", units=1))).config["config"]["layers"]

    assert found[0]["config"]["batch_shape"] == [None, 8, 8, 3]


def test_a_sequential_takes_the_shape_it_was_built_with():
    model = sequential(plain("Flatten", "f"))
    model["config"]["build_input_shape"] = [8, 4, 4, 1]

    assert upgraded(model).config["config"]["layers"][0]["config"]["batch_shape"] == [None, 4, 4, 1]


def test_a_sequential_that_says_nothing_stays_without_an_input():
    assert [
        entry["class_name"] for entry in upgraded(sequential(plain("Flatten", "f"))).config["config"]["layers"]
    ] == ["Flatten"]


def test_names_that_are_twice_or_not_at_all_become_distinct():
    found = upgraded(sequential(plain("ReLU", "a"), plain("ReLU", "a"), {"class_name": "ReLU", "config": {}})).config

    assert [entry["config"]["name"] for entry in found["config"]["layers"]] == ["a", "a_1", "relu"]


def test_branches_that_a_merge_joins_become_a_functional():
    left = sequential(plain("Flatten", "f1", batch_input_shape=[None, 4, 4, 1]))
    right = sequential(plain("Flatten", "f2", batch_input_shape=[None, 3, 3, 1]))
    merge = plain("Merge", "m", mode="sum", layers=[left, right])

    new = upgraded({"class_name": "Sequential", "config": [merge, plain("Dense", "d", output_dim=1)]})

    assert new.config["class_name"] == "Functional"
    assert new.config["config"]["input_layers"] == [["f1_input", 0, 0], ["f2_input", 0, 0]]
    assert layers(new)["m"]["inbound_nodes"][0]["args"] == [[tensor("f1", 0, 0), tensor("f2", 0, 0)]]
    assert new.config["config"]["output_layers"] == ["d", 0, 0]


# Whatever else a file may hold


def test_a_config_of_keras_3_is_left_alone():
    dense = {"module": "keras.layers", "class_name": "Dense", "registered_name": None}
    dense["config"] = {
        "name": "d",
        "units": 1,
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}},
    }
    dense["config"]["activation"] = "hard_sigmoid"
    given = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 4], "name": "i"},
        "registered_name": None,
    }
    model = {**sequential(given, dense), "module": "keras", "registered_name": "Sequential"}

    new = upgraded(model)

    assert new.config is model
    assert not new.changed
    assert new.notes == ()


OLD = functional(
    X,
    layer("Conv2D", "a/b", [["x", 0, 0, {}]], filters=3, kernel_initializer={"class_name": "Zeros", "config": {}}),
    {
        **sequential(plain("LeakyReLU", "l", alpha={"type": "ndarray", "value": 0.1})),
        "name": "seq",
        "inbound_nodes": [[["a/b", 0, 0, {}]]],
    },
    layer("TFOpLambda", "op", ["seq", 1, 0, {"y": 2.0, "name": None}], function="math.truediv"),
    layer("BatchNormalization", "bn", [["op", 0, 0, {}]], axis=[3]),
)


def test_the_config_given_is_never_changed():
    before = copy.deepcopy(OLD)

    new = upgraded(OLD)

    assert new.changed
    assert before == OLD


def test_an_upgraded_config_needs_no_more():
    again = upgraded(upgraded(OLD).config)

    assert not again.changed


def test_models_nested_200_deep_are_no_error():
    model = sequential(plain("Flatten", "f", batch_input_shape=[None, 4, 4, 1]))
    for n in range(200):
        model = sequential(model, name=f"s{n}")

    assert upgraded(model).config["class_name"] == "Sequential"


JUNK = [
    None,
    0,
    -1,
    1e9,
    "",
    "x",
    [],
    {},
    [None],
    [[]],
    {"class_name": 3},
    {"class_name": "Dense", "config": None},
    True,
    [["x", 0]],
    ["x", 0, 0],
]


def damaged(value, chance, rng):
    """A copy with parts replaced by what should not be there, or missing."""
    if rng.random() < chance:
        return copy.deepcopy(rng.choice(JUNK))
    if isinstance(value, dict):
        return {key: damaged(inner, chance, rng) for key, inner in value.items() if rng.random() > chance}
    return [damaged(inner, chance, rng) for inner in value] if isinstance(value, list) else value


def test_damaged_configs_are_upgraded_as_far_as_they_go():
    keras1 = {
        "class_name": "Sequential",
        "config": [
            plain("Convolution2D", "c", nb_row=3, nb_col=3, dim_ordering="th"),
            plain("BatchNormalization", "b", mode=0),
        ],
    }
    for seed in range(3000):
        rng = random.Random(seed)  # noqa: S311 (no secrets)
        broken = damaged(rng.choice([OLD, keras1]), rng.choice([0.02, 0.1]), rng)
        before = json.dumps(broken)
        try:
            new = upgraded(broken)
        except ModelError:
            continue
        json.dumps(new.config)
        assert json.dumps(broken) == before
