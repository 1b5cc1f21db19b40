"""The scripts in this folder are no tests, and one of them needs torch."""

collect_ignore = ["cams_comparison.py", "pytorch_grad_cam_numbers.py", "settings.py"]
