"""Small Keras networks with fixed weights, the shapes they come in, and Grad-CAM computed in another way."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

SIZE = 24
CLASSES = 5


def body(name="body", size=SIZE, channels=3, seed=0):
    """Conv, pool, conv, batch norm, ReLU, 1x1 bottleneck map: what all twins share."""
    keras.utils.set_random_seed(seed)
    pixels = keras.Input((size, size, channels), name="pixels")
    x = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1")(pixels)
    x = keras.layers.MaxPooling2D(name="pool1")(x)
    x = keras.layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv2")(x)
    x = keras.layers.BatchNormalization(name="bn2")(x)
    x = keras.layers.ReLU(max_value=6, name="act2")(x)
    model = keras.Model(pixels, x, name=name)
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        low, high = (0.5, 1.5) if weight.name in {"gamma", "moving_variance"} else (-0.5, 0.5)
        weight.assign(rng.uniform(low, high, weight.shape))
    return model


def head(activation="softmax", classes=CLASSES, seed=1):
    """Global average pooling and a dense layer."""
    rng = np.random.default_rng(seed)
    dense = keras.layers.Dense(classes, activation=activation, name="predictions")
    dense.build((None, 8))
    dense.set_weights([rng.uniform(-0.3, 1, (8, classes)), rng.uniform(-1, 1, classes)])
    return [keras.layers.GlobalAveragePooling2D(name="gap"), dense]


def flat(activation="softmax", classes=CLASSES):
    """The plain functional twin: every layer at the top."""
    base = body()
    x = base.output
    for layer in head(activation, classes):
        x = layer(x)
    return keras.Model(base.input, x, name="flat")


def nested(activation="softmax", classes=CLASSES):
    """A base inside a Sequential, as transfer learners build it."""
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), body("base"), *head(activation, classes)], name="nested")


def doubly_nested():
    """A base inside a model inside a Sequential."""
    pixels = keras.Input((SIZE, SIZE, 3))
    middle = keras.Model(pixels, body("base")(pixels), name="middle")
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), middle, *head()], name="doubly_nested")


class Subclassed(keras.Model):
    """The same computation, written by hand, with a tf.function and without a training argument."""

    def __init__(self):
        super().__init__(name="subclassed")
        self.base = body("base")
        self.gap, self.dense = head(None)

    @tf.function
    def features(self, pixels):
        return self.base(pixels)

    def call(self, pixels):
        return tf.nn.softmax(self.dense(self.gap(self.features(pixels))))


def subclassed():
    """A built subclassed model."""
    model = Subclassed()
    model(np.zeros((1, SIZE, SIZE, 3), np.float32))
    return model


def siamese():
    """Two inputs, one shared tower; the two branches meet in a difference and a sum."""
    left, right = keras.Input((SIZE, SIZE, 3), name="left"), keras.Input((SIZE, SIZE, 3), name="right")
    tower = body("tower")
    mirrored = keras.layers.Permute((2, 1, 3), name="transposed")(right)
    pool = keras.layers.GlobalAveragePooling2D(name="gap")
    a, b = pool(tower(left)), pool(tower(mirrored))
    _, dense = head()
    return keras.Model([left, right], dense(keras.layers.Average(name="merged")([a, b])), name="siamese")


def siamese_flat():
    """The siamese net with each branch written out: layers of the second have names that end in _right."""
    left = keras.Input((SIZE, SIZE, 3), name="left")
    right = keras.Input((SIZE, SIZE, 3), name="right")
    tower = body("tower")

    def branch(x, suffix):
        for layer in tower.layers[1:]:
            twin = layer.__class__.from_config({**layer.get_config(), "name": layer.name + suffix})
            twin.build(x.shape)
            twin.set_weights(layer.get_weights())
            x = twin(x)
        return keras.layers.GlobalAveragePooling2D(name="gap" + suffix)(x)

    a = branch(left, "_left")
    b = branch(keras.layers.Permute((2, 1, 3), name="transposed")(right), "_right")
    _, dense = head()
    return keras.Model([left, right], dense(keras.layers.Average(name="merged")([a, b])), name="siamese_flat")


def mnist():
    """The classic gray 28x28 net."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(6, 3, activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(name="pool1"),
            keras.layers.Conv2D(8, 3, activation="relu", name="conv2"),
            keras.layers.MaxPooling2D(name="pool2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dropout(0.5, name="dropout"),
            keras.layers.Dense(10, activation="softmax", name="digits"),
        ],
        name="mnist",
    )


def one_conv(conv_bias=(-50.0, -75.0)):
    """The net of the golden values: every weight is written down."""
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(2, 3, padding="valid", name="conv"),
            keras.layers.ReLU(name="relu"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(4, name="dense"),
            keras.layers.ReLU(name="out"),
        ],
        name="one_conv",
    )
    model.get_layer("conv").set_weights([np.ones((3, 3, 1, 2)), np.array(conv_bias)])
    column = np.array([1, 1, 1, -1, 1, -1, 1, -1])
    model.get_layer("dense").set_weights([np.tile(column[:, None], (1, 4)), np.zeros(4)])
    return model


def logits_twin(model):
    """A flat model without its softmax or sigmoid, for checking by another route."""
    last = model.layers[-1]
    config = {**last.get_config(), "activation": "linear", "name": "logits"}
    linear = last.__class__.from_config(config)
    before = last.input
    twin = keras.Model(model.inputs, linear(before))
    linear.set_weights(last.get_weights())
    return twin


def reference_gradcam(model, layer, inputs, index):
    """Grad-CAM of a flat model by sub-model and GradientTape, summed pixel by pixel."""
    twin = logits_twin(model)
    both = keras.Model(twin.inputs, [twin.get_layer(layer).output, twin.outputs[0]])
    with tf.GradientTape() as tape:
        features, scores = both(inputs, training=False)
        score = scores[:, index]
    gradients = np.asarray(tape.gradient(score, features))
    features = np.asarray(features)
    maps = np.zeros(features.shape[:3])
    for n in range(len(features)):
        alpha = [gradients[n, :, :, k].sum() / gradients[n, :, :, k].size for k in range(features.shape[3])]
        for y in range(features.shape[1]):
            for x in range(features.shape[2]):
                total = sum(alpha[k] * features[n, y, x, k] for k in range(features.shape[3]))
                maps[n, y, x] = max(0.0, total)
    return maps


def channels_first_twin(model):
    """A flat model as it is and with the channels first, with the same weights."""
    twin = keras.Sequential([keras.Input((3, SIZE, SIZE))], name="channels_first")
    for layer in model.layers[1:]:
        config = layer.get_config()
        if "data_format" in config:
            config["data_format"] = "channels_first"
        if isinstance(layer, keras.layers.BatchNormalization):
            config["axis"] = 1
        twin.add(layer.__class__.from_config(config))
    twin.set_weights(model.get_weights())
    return twin


def segmentation(activation="softmax", classes=3, size=SIZE):
    """Down and up again: a score per class and pixel."""
    keras.utils.set_random_seed(5)
    pixels = keras.Input((size, size, 3))
    fine = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="fine")(pixels)
    coarse = keras.layers.Conv2D(8, 3, strides=4, padding="same", activation="relu", name="coarse")(fine)
    deep = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="deep")(coarse)
    up = keras.layers.UpSampling2D(4, name="up")(deep)
    both = keras.layers.Concatenate(name="both")([up, fine])
    maps = keras.layers.Conv2D(classes, 1, activation=activation, name="maps")(both)
    return keras.Model(pixels, maps, name="segmentation")


def with_numbers():
    """A picture and five numbers, and two outputs: a class and a size."""
    keras.utils.set_random_seed(6)
    pixels, numbers = keras.Input((SIZE, SIZE, 3), name="photo"), keras.Input((5,), name="patient")
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(pixels)
    both = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D(name="gap")(x), numbers])
    kind = keras.layers.Dense(3, activation="softmax", name="kind")(both)
    size = keras.layers.Dense(1, name="size")(keras.layers.Dense(4, activation="relu", name="hidden")(both))
    return keras.Model([pixels, numbers], [kind, size], name="with_numbers")
