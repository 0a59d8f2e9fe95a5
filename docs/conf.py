"""How the site is built: ``sphinx-build -W -n -b html docs docs/_build``, without a network."""

import os
import sys
from functools import partial
from pathlib import Path

from jupyter_cache.executors import utils as executors

import simulate

sys.path.insert(0, str(Path(__file__).parent))
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
"""The tutorial calls `simulate`; it means the one that stands beside this Python."""

project = "simulate"
author = "the authors of simulate"
copyright = "the authors, Apache-2.0"
version = release = simulate.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "generators.pages", "generators.equations"]
exclude_patterns = ["_build", "generators"]
html_theme = "furo"
html_title = f"simulate {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_dmath_allow_space = False
myst_dmath_allow_digits = False
"""Else $5.6M and $5.87M would be an equation."""
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True
executors.executenb = partial(executors.executenb, coalesce_streams=True, startup_timeout=300)
"""What a command prints comes in pieces; myst-nb's own `nb_merge_streams` breaks lines between
them. A busy machine is no fault."""

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
nitpick_ignore_regex = [
    ("py:.*", r"(pd|xr|pandas|xarray|np|numpy|collections|pathlib|simulate\.(results|summary))\..*")
]
"""Of other packages, which are documented elsewhere, and of what a reader does not meet."""
