"""The documentation site: ``make docs``."""

project = "pytest-llmbench"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "pytest-llmbench"
myst_heading_anchors = 4
exclude_patterns = ["_build"]
html_extra_path = ["results.schema.json"]
# Python code blocks show parts of files, and shell sessions what a program prints.
suppress_warnings = ["misc.highlighting_failure"]
