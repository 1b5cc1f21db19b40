"""The Keras callback that explains a model while it is trained."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import keras

from xcnn.callbacks.board import Board
from xcnn.callbacks.recording import Recording
from xcnn.callbacks.untouched import untouched
from xcnn.errors import OptionError, XcnnError
from xcnn.host import Host
from xcnn.run import understood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.plugin import BaseExplainer, Run

DEFAULT = "training"
"""The folder in xcnn-out that is made when none is named."""


class ExplainCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Explain pictures after every epoch of a training; at its end, write one report with a slider over the epochs.

    The training is left as it would be without: no random number is drawn from Keras, TensorFlow, NumPy or Python, and
    neither the model nor its optimizer is changed. The model is traced once, and each epoch computes maps only; figures
    are drawn when the training has ended.

    What can't work is an error before the first epoch. Later, nothing ends the training: an explanation that fails is a
    warning and a failure of the run. When `fit` is interrupted or fails, Keras tells no callback of it: call `close`,
    or use the callback as a context manager around `fit`. Even of a process that is killed, the epochs so far are left
    in ``OUT.partial``, of which ``xcnn report OUT.partial/*`` makes a report.

    Parameters
    ----------
    images : path, str, (h, w, 3) uint8 ndarray, or a sequence of these
        Pictures, as `xcnn.explain` takes them. None for explainers of the model alone.
    explainer : str, Explainer, ModelExplainer or a sequence of these
        As for `xcnn.explain`.
    out : path, optional
        The folder to make when the training ends. Default: xcnn-out/training, numbered.
    every : int
        After how many epochs; the last one is explained, too.
    overwrite : bool
        Replace the folder, and what a training that did not end has left beside it, if xcnn wrote it.
    common_scale : bool
        Draw the maps of one image with one colour scale over all epochs: strong ones are bright, those of the first
        epochs may be dark. Without, each epoch has a scale of its own. TensorBoard's pictures always have.
    log_dir : path, optional
        Where TensorBoard finds the first map of each result over its picture, after each epoch that is explained.
    target : str, int or a sequence of these
        "top", "top3", a class index, or a class name. "top" may be another class after each epoch.
    preprocess : str
        What pixels become; "auto" decides by evidence, so say it where the model does not tell.
    **values
        Options of the explainer and of every run, as for `xcnn.explain`: ``layer="conv2"``, ``labels=["cat", "dog"]``.

    Attributes
    ----------
    out : Path or None
        The folder, once a training has begun.
    report : Path or None
        The report, once it is written.

    Raises
    ------
    XcnnError
        If an option is none or has a value that it can't have; when a training begins, if a picture, a layer, a class
        or the folder is not as it must be.

    Examples
    --------
    ::

        watching = ExplainCallback("photos/", layer="conv2", labels=["cat", "dog"], out="xcnn-out/cats")
        model.fit(data, epochs=10, callbacks=[watching])
        watching.report
    """

    def __init__(  # noqa: PLR0913 (its options)
        self,
        images: Any,
        explainer: str | BaseExplainer | Sequence[str | BaseExplainer] = "gradcam",
        *,
        out: str | Path | None = None,
        every: int = 1,
        overwrite: bool = False,
        common_scale: bool = False,
        log_dir: str | Path | None = None,
        target: str | int | Sequence[str | int] = "top",
        preprocess: str = "auto",
        **values: Any,
    ) -> None:
        super().__init__()
        if not isinstance(every, int) or every < 1:
            raise OptionError(f"every is {every!r}; it must be a whole number from 1")
        if values.get("mosaic"):
            raise OptionError("a mosaic shows one map of each picture, and a training makes many", hint="leave it out")
        options = {**values, "target": target, "preprocess": preprocess, "overwrite": overwrite}
        self._host = Host()
        self._asked = understood(images, explainer, options, host=self._host)
        self._every = every
        self._common_scale = common_scale
        self._named = None if out is None else Path(out)
        self._log_dir = None if log_dir is None else Path(log_dir)
        self._recording: Recording | None = None
        self._training = False
        self._board: Board | None = None
        self.out: Path | None = None
        self.report: Path | None = None

    @property
    def run(self) -> Run:
        """What has been explained so far: shows itself in a notebook, and can be saved.

        Raises
        ------
        OptionError
            If no training has begun.
        """
        if self._recording is None or not self._recording.opened:
            raise OptionError("nothing is explained before a training begins", hint="give the callback to model.fit")
        return self._recording.run()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 (of Keras)
        """Check everything that could fail later, and explain once for a trial."""
        self.report = None
        self._recording = Recording(
            self._asked, self.model, host=self._host, out=self._named or DEFAULT, common_scale=self._common_scale
        )
        self._training = True
        self.out = self._recording.out
        self._board = Board(self._log_dir) if self._log_dir else None
        self._open(self._recording)

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 (of Keras)
        """Look at a model that its first batch has built."""
        if self._recording and not self._recording.opened:
            self._open(self._recording)

    def _open(self, recording: Recording) -> None:
        if self.model.built and not recording.opened:
            with untouched(self.model):
                recording.open()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Explain, and keep what the epoch logged."""
        recording = self._recording
        if recording is None or not self._training:  # closed before the end
            return
        self._open(recording)
        number = epoch + 1
        recording.log(number, logs or {})
        last = self.model.stop_training or number == (self.params or {}).get("epochs")
        if last or number % self._every == 0:
            self._explain(recording, number)

    def _explain(self, recording: Recording, number: int) -> None:
        try:
            with untouched(self.model):
                results = recording.explain(number)
            if self._board:
                self._board.write(number, recording.glimpses(results))
        except Exception as error:  # noqa: BLE001 (hours of training are worth more)
            recording.fail(number, error)
        try:
            recording.keep(number)
        except (XcnnError, OSError) as error:
            warnings.warn(f"xcnn could not keep epoch {number}: {error}", RuntimeWarning, stacklevel=2)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 (of Keras)
        """Write the run; where that can't be, the history of the training is worth more than an error."""
        recording = self._recording
        if recording and self._training and (last := recording.unexplained):  # a callback behind this one stopped it
            self._explain(recording, last)
        self._attempt(stopped="")

    def close(self) -> Path | None:
        """Write the run of a training that did not come to its end.

        Returns
        -------
        Path or None
            The report; None when no epoch was explained.

        Raises
        ------
        OutputError
            If the folder can't be written.
        """
        return self._finish(stopped="interrupted")

    def _finish(self, stopped: str) -> Path | None:
        if self._training and self._recording and self._recording.epochs:
            self.report = self._recording.write(stopped)
            self._training = False
        return self.report

    def _attempt(self, stopped: str) -> None:
        try:
            self._finish(stopped)
        except (XcnnError, OSError) as error:
            rest = f"the epochs are there: xcnn report {self.out}.partial/*"
            warnings.warn(f"xcnn could not write the run: {error}; {rest}", RuntimeWarning, stacklevel=3)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:  # what ended the training is worth more than another error
            self._attempt(stopped="failed" if issubclass(kind, Exception) else "interrupted")
