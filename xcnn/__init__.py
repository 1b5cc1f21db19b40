"""Show what a trained Keras image model looks at.

The public names are listed in ``__init__.pyi`` and load when first used: importing xcnn costs nothing.
"""

import lazy_loader

from xcnn._version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
