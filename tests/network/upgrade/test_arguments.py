import inspect

import pytest

from xcnn.network.upgrade.arguments import ARGUMENTS, COMMON
from xcnn.network.upgrade.keras2 import ACTIVATIONS

pytestmark = pytest.mark.keras

# What Keras 3 takes but a trained model can do without, or what is no data.
BEYOND = {"InputLayer": {"input_tensor"}}
# What Keras 3 writes and takes without naming it in its signature.
UNNAMED = {"LayerNormalization": {"rms_scaling"}}


@pytest.mark.parametrize("kind", sorted(ARGUMENTS))
def test_the_table_says_what_a_layer_takes(kind):
    import keras

    signature = inspect.signature(getattr(keras.layers, kind).__init__).parameters
    taken = {name for name, of in signature.items() if of.kind is not of.VAR_KEYWORD} - COMMON - {"self"}

    assert (taken - BEYOND.get(kind, set())) | UNNAMED.get(kind, set()) == ARGUMENTS[kind]


def test_the_activations_are_those_of_keras():
    import keras

    for name in ACTIVATIONS:
        assert callable(keras.activations.get(name))
