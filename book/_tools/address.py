"""Read the settings that more than the site uses: the address of the repository."""

from pathlib import Path

import yaml

from book._tools.repository import ROOT

CONFIG = ROOT / "_config.yml"
COLAB_TAG = "colab-install"
PLACEHOLDER = "OWNER/REPOSITORY"
"""Stands in the address until there is one: an address that anybody may own, from which nothing is installed."""
NO_ADDRESS = "# In Colab, the library is installed here, once the book has a public address."


def repository_url(config: Path = CONFIG) -> str:
    """Return the public address of the repository, which only ``_config.yml`` states."""
    return yaml.safe_load(config.read_text())["repository"]["url"]


def colab_cell(url: str) -> str:
    """Return the source of the cell that installs the library in Colab; it does nothing without an address."""
    if PLACEHOLDER in url:
        return NO_ADDRESS
    return "\n".join(
        [
            "import subprocess",
            "import sys",
            "",
            'if "google.colab" in sys.modules:',
            f'    library = "ddgp_lib[notebooks] @ git+{url}"',
            '    subprocess.run([sys.executable, "-m", "pip", "install", "-q", library], check=True)',
        ]
    )
