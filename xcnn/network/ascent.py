"""Gradient ascent on the input: many patterns at once, a few steps per call, so that it can be interrupted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from xcnn.errors import LayerError
from xcnn.network import ascent_gradient, ascent_recipes, graph, trace
from xcnn.network.ascent_choice import chosen, roomy
from xcnn.network.ascent_precision import computing_in, has_bfloat16
from xcnn.plugin import Patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xcnn.network.ascent_goal import Goal
    from xcnn.network.ascent_recipes import Steps
    from xcnn.network.keras_network import KerasNetwork
    from xcnn.plugin import Recipe

CALL = 0.5
"""How many seconds a call should take: Ctrl-C is heard between calls."""
PIXELS = 16 * 64 * 64
"""How many a call works on at a time: enough to fill the processors, few enough for their caches."""
ROWS = 16
FAINT = 1e-6
"""What a channel answers with, as a part of what the strongest does, is nothing: rounding leaves more."""
ATTEMPTS = 3
"""How often another noise is tried where a channel does not answer."""


def ascend(
    network: KerasNetwork,
    layer: str,
    channels: Sequence[int | str],
    recipe: Recipe,
    *,
    rng: np.random.Generator,
    progress: Callable[[int, int], None],
) -> Patterns:
    """Find the inputs that excite channels of a layer most; see `xcnn.plugin.Network.ascend`."""
    choice = chosen(network, layer, channels)
    precision = recipe.precision if recipe.precision == "float32" or has_bfloat16() else "float32"
    notes = () if precision == recipe.precision else ("this CPU has no bfloat16 arithmetic: computed in float32",)
    climb, note = _prepared(choice.goal, recipe, precision)
    found = climb.all(choice.channels, seed=int(rng.integers(2**31)), progress=progress)
    return Patterns(
        pictures=climb.shown(found),
        losses=found.losses,
        starts=found.means[:, 0],
        activations=found.means[:, -1],
        channels=choice.channels,
        names=choice.names,
        states=found.states,
        notes=(climb.recipe.words, *note, *notes, *found.notes),
    )


def _prepared(goal: Goal, recipe: Recipe, precision: str) -> tuple[Climb, tuple[str, ...]]:
    """Trace for the size asked for; else for one that suits the layer, or the network's own where no other will do."""
    network = goal.network
    colours = 3 if network.input_shape[2] in {3, 4} else 1

    def traced(size: tuple[int, int]) -> Climb:
        climb = Climb(goal, ascent_recipes.of(recipe.kind, size, colours, recipe.steps), precision)
        climb.function  # noqa: B018 (traces)
        return climb

    own = network.input_size
    size = recipe.size or roomy(network, goal)
    words = f"{size[0]}x{size[1]}"
    if recipe.size or size == own:
        return traced(size), ()
    try:
        return traced(size), (f"pictures of {words}, because nobody asked for another size",)
    except LayerError:
        return traced(own), (f"pictures of {own[0]}x{own[1]}: the layer can't be reached with smaller ones",)


@dataclass
class Found:
    """What became of rows: (n, h, w, colours), (n, steps), (n, steps + 1), and a word on each."""

    pictures: Any
    losses: Any
    means: Any
    states: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Climb:
    """One traced loop: a goal, a recipe and a precision."""

    goal: Goal
    recipe: Steps
    precision: str

    @cached_property
    def function(self) -> Any:
        """Run some steps on a batch of rows: a concrete function of channels, first step, count, seed and state.

        Step ``recipe.steps``, after the last, changes nothing and looks at the finished pictures.
        """
        like = [tf.TensorSpec([None, *array.shape[1:]]) for array in self._start([np.random.default_rng(0)])]
        numbers = [tf.TensorSpec([None], tf.int32), *([tf.TensorSpec([], tf.int32)] * 3)]

        def whole(channels: Any, first: Any, count: Any, seed: Any, *state: Any) -> Any:
            rows = tf.shape(channels)[0]

            def body(place: Any, alive: Any, losses: Any, means: Any, _: Any, *state: Any) -> Any:
                step = first + place
                shaken = (step > 0) & (step < self.recipe.steps)
                view = self.recipe.view(state, shaken=shaken, seed=tf.stack([seed, 2 * step]))
                maps = self.goal.maps(view, channels)
                ascent_gradient.ease(maps.after.graph)
                loss = self.recipe.objective(maps)
                (gradient,) = tf.gradients(tf.reduce_sum(loss), state[0])
                if gradient is None:
                    raise LayerError(f"the output of layer {self.goal.path!r} does not depend on the picture")
                moved = self.recipe.updated(state, gradient, step)
                answers = tf.reduce_any(gradient != 0, axis=tuple(range(1, len(gradient.shape))))
                return (
                    place + 1,
                    alive | answers,
                    losses.write(place, loss),
                    means.write(place, tf.reduce_mean(maps.after, axis=1)),
                    tf.reduce_max(tf.abs(maps.after), axis=1),
                    *(tf.where(step < self.recipe.steps, new, old) for new, old in zip(moved, state, strict=True)),
                )

            series = [tf.TensorArray(tf.float32, count, element_shape=[None]) for _ in range(2)]
            start = (0, tf.zeros([rows], tf.bool), *series, tf.zeros([rows]), *state)
            _, alive, losses, means, peaks, *ended = tf.while_loop(
                lambda place, *_: place < count, body, start, parallel_iterations=1
            )
            still = tf.constant(value=False)
            pictures = self.recipe.view(ended, shaken=still, seed=tf.stack([seed, 0]))
            return alive, losses.stack(), means.stack(), peaks, pictures, *ended

        with trace.inlined(), computing_in(self.goal.network.model, self.precision):
            return tf.function(whole, [*numbers, *like], autograph=False).get_concrete_function()

    def _start(self, generators: Sequence[np.random.Generator], attempt: int = 0) -> tuple[Any, ...]:
        return self.recipe.start(generators, attempt=attempt)

    def all(self, channels: Sequence[int], *, seed: int, progress: Callable[[int, int], None]) -> Found:
        """Ascend batch by batch."""
        height, width = self.recipe.size
        rows = max(1, min(ROWS, round(PIXELS / (height * width))))
        total = len(channels) * self.recipe.steps
        done, parts = 0, []
        for start in range(0, len(channels), rows):
            some = channels[start : start + rows]
            base = done

            def heard(steps: int, base: int = base, count: int = len(some)) -> None:
                progress(base + steps * count, total)

            parts += self._parts(some, seed, heard)
            done += len(some) * self.recipe.steps
        pictures, losses, means = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("pictures", "losses", "means")
        )
        states = tuple(state for part in parts for state in part.states)
        again = sum(len(part.notes) for part in parts)
        notes = (f"{again} channels did not answer to the first noise; others were tried",) if again else ()
        return Found(pictures, losses, means, states, notes)

    def _parts(self, channels: Sequence[int], seed: int, heard: Callable[[int], None]) -> list[Found]:
        """Run all steps on some channels, half of them at a time where memory has no room for all."""
        try:
            return [self._batch(channels, seed, heard)]
        except MemoryError:
            half = len(channels) // 2
            if not half:
                raise
        return [*self._parts(channels[:half], seed, heard), *self._parts(channels[half:], seed, heard)]

    def _batch(self, channels: Sequence[int], seed: int, heard: Callable[[int], None]) -> Found:
        """Run all steps on some channels; the first step tells which answer at all."""
        # By channel, so that a channel's picture is the same in any grid.
        generators = [np.random.default_rng([seed, channel]) for channel in channels]
        start = self._start(generators)
        outcome = self._called(channels, 0, 1, seed, start)
        silent = first_silent = ~outcome[0].numpy()
        for attempt in range(1, ATTEMPTS):
            if not silent.any():
                break
            other = self._start(generators, attempt)
            start = tuple(
                np.where(silent.reshape(-1, *[1] * (old.ndim - 1)), new, old)
                for new, old in zip(other, start, strict=True)
            )
            outcome = self._called(channels, 0, 1, seed, start)
            silent = ~outcome[0].numpy()
        alive, *series, _, _ = (one.numpy() for one in outcome[:5])
        losses, means = ([one] for one in series)
        step, count, total = 1, 1, self.recipe.steps + 1
        while step < total:
            heard(step)
            begun = time.perf_counter()
            outcome = self._called(channels, step, min(count, total - step), seed, outcome[5:])
            alive |= outcome[0].numpy()
            losses.append(outcome[1].numpy())
            means.append(outcome[2].numpy())
            step += min(count, total - step)
            count = max(1, round(CALL * count / max(time.perf_counter() - begun, 1e-4)))
        heard(self.recipe.steps)
        pictures = outcome[4].numpy()
        peaks = outcome[3].numpy()
        whole = np.concatenate(means).T
        finite = np.isfinite(pictures).all(axis=(1, 2, 3)) & np.isfinite(whole).all(axis=1)
        dead = ~alive | (peaks <= FAINT * peaks[finite].max(initial=0))
        states = tuple(
            "" if fine and not gone else "dead" if fine else "diverged" for fine, gone in zip(finite, dead, strict=True)
        )
        notes = tuple("again" for again in first_silent if again)
        return Found(pictures, np.concatenate(losses).T[:, :-1], whole, states, notes)

    def _called(self, channels: Sequence[int], first: int, count: int, seed: int, state: Sequence[Any]) -> Any:
        numbers = (tf.constant(value, tf.int32) for value in (list(channels), first, count, seed))
        # TensorFlow rewrites this graph, unlike others (docs/decisions/0004): it fuses biases and rectifiers with their
        # convolutions, which pays over hundreds of steps.
        with graph.memory_errors():
            return self.function(*numbers, *(tf.convert_to_tensor(part) for part in state))

    def shown(self, found: Found) -> Any:
        """The pictures in the values that `Patterns` promises; gray where they diverged."""
        whole = np.asarray([state != "diverged" for state in found.states]).reshape(-1, 1, 1, 1)
        pictures = np.where(whole, found.pictures, 127.5)
        return np.asarray(pictures / 255 if isinstance(self.recipe, ascent_recipes.Fourier) else pictures, np.float32)
