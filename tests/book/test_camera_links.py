"""Links from the chapters to the page with a camera: what they ask for is understood by the page's own code."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from book._tools.notebooks import sources
from book._tools.npm import find_npm
from book._tools.repository import ROOT

LINK = re.compile(r'href="camera\.html#([^"]+)"')
LINKS = [
    (source.stem, html.unescape(asked))
    for source in sources()
    for asked in LINK.findall(source.read_text(encoding="utf-8"))
]
STATE = ROOT / "book" / "camera" / "state.js"


def understood(asked: str, folder: Path) -> tuple[dict[str, object], dict[str, object]]:
    """Return the choices that the page takes from an address, and those that it starts with."""
    node = str(Path(find_npm()).with_name("node"))
    shutil.copy(STATE, folder / "state.mjs")
    (folder / "ask.mjs").write_text(
        "import {DEFAULTS, fromAddress} from './state.mjs';"
        "process.stdout.write(JSON.stringify([fromAddress(process.argv[2]), DEFAULTS]));"
    )
    done = subprocess.run([node, "ask.mjs", asked], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    taken, usual = json.loads(done.stdout)
    return taken, usual


def lost(asked: str, folder: Path) -> list[str]:
    """Return what a link asks for and the page does not do: unknown names, refused values, and what is so anyway."""
    taken, usual = understood(f"#{asked}", folder)
    found = []
    for name, text in parse_qsl(asked, keep_blank_values=True, strict_parsing=True):
        value: object = taken.get(name)
        wanted: object = float(text) if isinstance(value, int | float) else text
        if name not in usual or value != wanted or value == usual[name]:
            found.append(name)
    return found


@pytest.mark.parametrize(("chapter", "asked"), LINKS)
def test_the_page_understands_every_choice_of_a_link(tmp_path: Path, chapter: str, asked: str) -> None:
    allowed = ["iterations"] if asked.startswith("iterations=20") else []  # said although it is so anyway
    assert lost(asked, tmp_path) == allowed


def test_the_chapters_lead_to_the_camera() -> None:
    assert {chapter[:2] for chapter, _ in LINKS} >= {"02", "08", "10", "11"}
    assert len(LINKS) == sum(source.read_text(encoding="utf-8").count("camera.html") for source in sources())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("camera=blur&noise=0", []),
        ("camera=blurred", ["camera"]),
        ("nosie=0.1", ["nosie"]),
        ("strength=1000", ["strength"]),
        ("noise=0.01", ["noise"]),
        ("fading=off&step=1.5", ["fading"]),
    ],
)
def test_a_link_that_is_not_understood_is_noticed(tmp_path: Path, asked: str, expected: list[str]) -> None:
    assert lost(asked, tmp_path) == expected
