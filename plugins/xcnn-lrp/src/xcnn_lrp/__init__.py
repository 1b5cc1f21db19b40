"""Layer-wise relevance propagation for xcnn."""

from xcnn_lrp.explainer import LRP

__all__ = ["LRP"]
