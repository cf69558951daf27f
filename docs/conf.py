"""The documentation site: ``make docs``."""

project = "pytest-llmbench"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "pytest-llmbench"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
myst_heading_anchors = 4
exclude_patterns = ["_build"]
html_extra_path = ["results.schema.json"]
