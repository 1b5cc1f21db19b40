"""Numbers to RGB pixels. Scaling happens here, once, and the legend prints the numbers."""
