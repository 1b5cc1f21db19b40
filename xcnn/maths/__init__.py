"""Pure functions on arrays: the formulas of the methods, without a network and without a picture.

NumPy loads at the first use of a function.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
