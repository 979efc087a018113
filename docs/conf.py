"""How the site is built: Sphinx reads Markdown by MyST, notebooks with the outputs that they carry, and our docstrings.

CONTRIBUTING.md has the command.
"""

import shutil
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

_DOCS = Path(__file__).parent
_ROOT = _DOCS.parent
sys.path.insert(0, str(_DOCS))

import reference  # noqa: E402

project = "secondpass"
author = "The secondpass developers"
copyright = f"2026, {author}"  # noqa: A001  # Sphinx's name
release = installed_version("secondpass")
version = ".".join(release.split(".")[:2])

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]
suppress_warnings = ["ref.python"]  # a short name in a docstring that two frameworks' adapters share

# Pages
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # tests/test_notebooks.py executes them, and holds that the stored outputs are up to date
nb_merge_streams = True

# Docstrings: Google's sections; single backticks are names, to which a link is made if they are documented.
default_role = "py:obj"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # the fields of a dataclass are described once
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

html_theme = "furo"
html_title = "secondpass"
html_static_path = ["_static"]
html_css_files = ["secondpass.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "source_repository": "https://github.com/secondpass/secondpass/",
    "source_branch": "main",
    "source_directory": "docs/",
}
copybutton_exclude = ".linenos, .gp, .go"


def setup(app):
    """Write the pages that are made from the package and its notebooks, before Sphinx looks for pages."""
    app.connect("autodoc-process-docstring", reference.before_napoleon, priority=400)
    app.connect("autodoc-process-docstring", reference.to_rst)
    app.connect("autodoc-skip-member", reference.skip_member)
    reference.write_pages(_DOCS / "reference" / "api")
    notebooks = _DOCS / "notebooks"
    for notebook in sorted((_ROOT / "notebooks").glob("*.ipynb")):
        shutil.copy(notebook, notebooks / notebook.name)
    return {"parallel_read_safe": True}
