"""RISE, LIME and KernelSHAP: explainers for xcnn that hide parts of a picture and watch the score."""
