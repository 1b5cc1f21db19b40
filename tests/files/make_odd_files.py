"""Make the files in old/ that are old ones a little changed: renamed, cut down, or with leftovers in their config.

Run with h5py 3 after all the other scripts; the files are committed.
"""

import json
import shutil

import h5py
from corpus import OLD

POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 99384752
"""


def copy(source, target, *, answer=True):
    shutil.copyfile(OLD / source, OLD / target)
    if answer:
        shutil.copyfile(OLD / f"{source.split('.')[0]}.npz", OLD / f"{target.split('.')[0]}.npz")


def add_to(stem, class_name, entries):
    """Add `entries` to the config of every layer of a class in a flat model."""
    with h5py.File(OLD / f"{stem}.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == class_name:
                layer["config"].update(entries)
        file.attrs["model_config"] = json.dumps(config).encode()


def main():
    # Entries that TensorFlow's own layers of other versions and forks of Keras leave in a config.
    copy("tf115_sequential.h5", "odd_fused.h5")
    add_to("odd_fused", "BatchNormalization", {"fused": True, "renorm": False, "virtual_batch_size": None})
    add_to("odd_fused", "SpatialDropout2D", {"noise_shape": None, "seed": None, "trainable": True})

    copy("k22_functional.h5", "odd_suffix.model")
    copy("tf24_functional.h5", "odd_hdf5.keras")
    copy("tf215_zip_functional.keras", "odd_zip.h5")
    copy("k22_pair.json", "odd_same_stem.json")
    copy("k22_pair_weights.h5", "odd_same_stem.h5", answer=False)
    copy("k20_pair_weights.h5", "odd_weights_only.h5", answer=False)
    copy("tf215_pair_weights.h5", "odd_weights_only.hdf5", answer=False)
    copy("k22_pair.json", "odd_architecture_only.json", answer=False)

    (OLD / "odd_lfs_pointer.h5").write_text(POINTER)
    (OLD / "odd_lfs_pointer.keras").write_text(POINTER)
    (OLD / "odd_empty.h5").write_bytes(b"")
    (OLD / "odd_web_page.h5").write_text("<!DOCTYPE html>\n<html><body>404: Not Found</body></html>\n")
    whole = (OLD / "tf24_functional.h5").read_bytes()
    (OLD / "odd_cut_short.h5").write_bytes(whole[: len(whole) // 2])


if __name__ == "__main__":
    main()
