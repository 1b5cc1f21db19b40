"""Callbacks for training with Keras."""

from xcnn.callbacks.explaining import ExplainCallback

__all__ = ["ExplainCallback"]
