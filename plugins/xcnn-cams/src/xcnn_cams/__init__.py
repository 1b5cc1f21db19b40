"""Class activation maps as explainers of xcnn: each module holds one method, with its formula."""

from xcnn_cams.ablationcam import AblationCAM
from xcnn_cams.eigencam import EigenCAM
from xcnn_cams.gradcampp import GradCAMPlusPlus
from xcnn_cams.hirescam import HiResCAM
from xcnn_cams.layercam import LayerCAM
from xcnn_cams.scorecam import ScoreCAM
from xcnn_cams.xgradcam import XGradCAM

__all__ = ["AblationCAM", "EigenCAM", "GradCAMPlusPlus", "HiResCAM", "LayerCAM", "ScoreCAM", "XGradCAM"]
