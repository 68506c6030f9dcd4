"""Sphinx's settings. The folder is copied beside the sources, so what stands here goes along."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Seq2Seq Under Test"
author = "The Seq2Seq Under Test authors"
copyright = author
language = "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
extensions += ["mathml", "images", "docstrings", "finish"]  # beside this file
highlight_language = "none"  # what is Python says so
exclude_patterns = ["_files/**"]

# Stored outputs are shown, and nothing is run.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}
nb_code_prompt_show = "Open: the {type} of this cell"
nb_code_prompt_hide = "Fold the {type} of this cell"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4

# Formulas become MathML when the site is built: no script, no fonts, and readable aloud.
html_math_renderer = "mathml"
myst_update_mathjax = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "code"
suppress_warnings = ["ref.python"]  # one class under two names, where a package offers it again

html_theme = "furo"
html_title = project
html_favicon = "_static/favicon.svg"
html_theme_options = {"navigation_with_keys": False}  # arrow keys move what is wider than the page
html_static_path = ["_static"]
html_css_files = ["panel.css", "site.css"]
html_js_files = [("site.js", {"type": "module"})]
html_extra_path = ["../extra"]
html_copy_source = False
html_show_sourcelink = False
