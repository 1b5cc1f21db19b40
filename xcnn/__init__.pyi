from ._version import __version__ as __version__
from .errors import XcnnError as XcnnError
from .explainers.gradcam import GradCAM as GradCAM
from .run import explain as explain
from .run import list_explainers as list_explainers
from .run import open_network as open_network
from .values import Run as Run
