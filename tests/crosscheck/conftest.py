"""The scripts in this folder are no tests, and one of them needs torch."""

collect_ignore = ["comparison.py", "torch_numbers.py", "weights.py"]
