"""Going on from an earlier run: a method that averages random numbers."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pytest
from fakes import pictures

import xcnn
from xcnn.errors import OptionError, PluginError, UsageError
from xcnn.execution import execute
from xcnn.host import Host
from xcnn.plugin import RESUME, Attribution, Explainer, Option
from xcnn.request import Request

pytestmark = pytest.mark.keras


@dataclass(frozen=True, kw_only=True)
class Noise(Explainer):
    """Average random maps."""

    name: ClassVar[str] = "noise"
    samples: Annotated[int, Option("How many.", minimum=1, extends=True)] = 4
    size: Annotated[int, Option("How large.", minimum=1)] = 3
    resume: Annotated[str | None, RESUME] = None

    def explain(self, network, batch):
        network.predict(batch)
        return [
            (self._mean(batch, image, target),)
            for image in range(batch.images)
            for target in batch.targets[batch.rows_of(image)]
        ]

    def _mean(self, batch, image, target):
        rng = batch.rng_of(image)
        every = rng.uniform(size=(self.samples, self.size, self.size))
        earlier = batch.earlier(image, target)
        done = int(earlier["count"]) if earlier else 0
        total = (earlier["total"] if earlier else 0) + every[done:].sum(axis=0)
        state = {"total": total, "count": np.array(max(done, self.samples))}
        note = f"{len(every[done:])} new"
        values = (total / state["count"]).astype(np.float32)
        return Attribution(values, sign="positive", unit="noise", state=state, notes=(note,))


def explained(model, photos, **options):
    out = options.pop("out")
    settings = {name: options.pop(name) for name in ("seed", "preprocess", "target") if name in options}
    return xcnn.explain(model, photos, Noise(**options), out=str(out), **{"preprocess": "unit", **settings})


def maps(run):
    return [result.panels[0] for result in run.results]


def test_going_on_gives_what_one_long_run_gives(small_model, photo, tmp_path):
    photos = [photo("a.png", seed=1), photo("b.png", seed=2)]
    explained(small_model, photos, samples=4, out=tmp_path / "four", target=["0", "1"])

    on = explained(
        small_model, photos, samples=9, resume=str(tmp_path / "four"), out=tmp_path / "nine", target=["1", "0", "2"]
    )
    whole = explained(small_model, photos, samples=9, out=tmp_path / "whole", target=["1", "0", "2"])

    for got, wanted in zip(maps(on), maps(whole), strict=True):
        np.testing.assert_allclose(got.values, wanted.values, rtol=1e-6)
    # A class that the earlier run did not explain starts anew.
    assert [panel.notes for panel in maps(on)][:3] == [("5 new",), ("5 new",), ("9 new",)]


def test_a_chain_of_runs_goes_on_from_the_last(small_model, photo, tmp_path):
    for samples, before in ((2, None), (5, "2"), (6, "5")):
        explained(
            small_model,
            [photo()],
            samples=samples,
            resume=before and str(tmp_path / before),
            out=tmp_path / str(samples),
        )

    run = json.loads((tmp_path / "6" / "run.json").read_text())

    assert run["results"][0]["panels"][0]["notes"] == ["1 new"]
    assert run["results"][0]["panels"][0]["files"]["state"] in run["files"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 4}, "--size 3, not 4"),
        ({"seed": 1}, "--seed 0, not 1"),
        ({"preprocess": "tf"}, "--preprocess unit, not tf"),
    ],
)
def test_other_settings_are_refused_before_anything_is_opened(change, words, small_model, photo, tmp_path):
    explained(small_model, [photo()], out=tmp_path / "run")

    with pytest.raises(OptionError, match=words):
        explained("no such model.h5", [photo()], resume=str(tmp_path / "run"), out=tmp_path / "next", **change)


def test_another_model_is_refused(small_model, photo, tmp_path):
    import nets

    explained(small_model, [photo()], out=tmp_path / "run")
    nets.mnist().save(tmp_path / "other.keras")

    for model, words in ((str(tmp_path / "other.keras"), "another model"), (nets.flat(), "from memory")):
        with pytest.raises(OptionError, match=words):
            explained(model, [photo()], resume=str(tmp_path / "run"), out=tmp_path / "next")
    assert not (tmp_path / "next").exists()


def test_a_folder_that_is_no_such_run_is_refused(small_model, photo, tmp_path):
    xcnn.explain(small_model, [photo()], "gradcam", out=str(tmp_path / "gradcam"))

    for folder, words in (("gradcam", "holds nothing of noise"), ("nowhere", r"holds no run\.json")):
        with pytest.raises(UsageError, match=words):
            explained(small_model, [photo()], resume=str(tmp_path / folder), out=tmp_path / "next")


def _truncated(path):
    path.write_bytes(path.read_bytes()[:40])


def _pickled(path):
    with zipfile.ZipFile(path, "w") as archive, archive.open("total.npy", "w") as file:
        np.lib.format.write_array(file, np.array([{}], dtype=object), allow_pickle=True)


def _infinite(path):
    np.savez(path, total=np.array([np.inf]))


def _linked(path):
    elsewhere = path.with_name("elsewhere.npz")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize("damage", [_truncated, _pickled, _infinite, _linked, Path.unlink])
def test_a_damaged_state_is_refused(damage, small_model, photo, tmp_path):
    explained(small_model, [photo()], out=tmp_path / "run")
    damage(next((tmp_path / "run").glob("*.state.npz")))

    with pytest.raises(OptionError, match=r"\.state\.npz"):
        explained(small_model, [photo()], resume=str(tmp_path / "run"), out=tmp_path / "next")


def test_what_skip_existing_keeps_can_be_gone_on_from(small_model, photo, tmp_path):
    photos, out = (photo("a.png", seed=1), photo("b.png", seed=2)), tmp_path / "run"

    def kept(**options):
        request = Request(model=small_model, images=photos, preprocess="unit", out=str(out))
        return execute(request, [Noise(**options)], host=Host(), skip_existing=True).about["reused"]

    assert [kept(samples=4), kept(samples=4), kept(samples=9, resume=str(out))] == [0, 2, 0]

    told = json.loads((out / "run.json").read_text())
    assert [result["panels"][0]["notes"] for result in told["results"]] == [["5 new"], ["5 new"]]


def test_a_report_made_again_is_no_run_to_go_on_from(small_model, photo, tmp_path):
    from xcnn.saving.rebuild import join_reports

    explained(small_model, [photo()], out=tmp_path / "run")

    join_reports([str(tmp_path / "run")], tmp_path / "again")

    assert not list((tmp_path / "again").glob("*.npz"))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"../x": np.zeros(2)}, "a state named"),
        ({"x": np.array([None])}, "no array of finite numbers"),
        ({"x": [1, 2]}, "no array of finite numbers"),
        ({"x": np.array([np.nan])}, "no array of finite numbers"),
    ],
)
def test_a_state_that_could_not_be_read_again_is_the_plugins_fault(state, words, small_model):
    class Bad(Noise):
        name = "bad"

        def explain(self, network, batch):
            network.predict(batch)
            return [(Attribution(np.ones((2, 2), np.float32), sign="positive", unit="", state=state),)]

    with pytest.raises(PluginError, match=words):
        xcnn.explain(small_model, pictures((24, 24)), Bad())
