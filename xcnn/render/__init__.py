"""Numbers to RGB pixels. Scaling happens here, once, and the legend prints the numbers."""

import logging

# Matplotlib tells where it could not keep its cache; without a handler that would be a stray line on standard error.
logging.getLogger("matplotlib").addHandler(logging.NullHandler())
