"""The commands that are no explainers, one file each."""
