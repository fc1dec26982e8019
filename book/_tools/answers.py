"""Write ``ddgp_lib/answers.json`` from ``book/answers.yml``: hashes in the place of answers.

``python -m book._tools.answers``. The salt of an exercise follows from its label, so that the same answers
always give the same file: the hashes keep an answer out of a reader's sight, and are no secret.
"""

import hashlib
import json
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from book._tools.repository import ROOT
from ddgp_lib.answers import FILE, digest, interval, numbers

SOURCE = ROOT / "book" / "answers.yml"


def hashes(label: str, salt: str, answer: Any, width: float) -> list[str]:
    """Return the hashes of an answer's interval and of the two beside it, for each of its numbers."""
    found = numbers(answer)
    if found is None:
        raise ValueError(f"{label}: answer={answer!r}: expected numbers")
    if width == 0:
        return [digest(label, salt, tuple(interval(value, 0) for value in found))]
    sides = [{interval(value * factor, width) for factor in (1 - width, 1, 1 + width)} for value in found]
    return sorted(digest(label, salt, names) for names in product(*map(sorted, sides)))


def entry(label: str, stated: dict[str, Any]) -> dict[str, Any]:
    """Return what the library keeps of one exercise."""
    salt, width = hashlib.sha256(label.encode()).hexdigest()[:16], stated["width"]
    return {
        "salt": salt,
        "width": width,
        "right": hashes(label, salt, stated["answer"], width),
        "wrong": [
            {"hashes": hashes(label, salt, wrong["answer"], width), "says": wrong["says"]}
            for wrong in stated.get("wrong", [])
        ],
        "hint": stated["hint"],
    }


def text(source: Path = SOURCE) -> str:
    """Return the text of the library's file."""
    stated = yaml.safe_load(source.read_text(encoding="utf-8"))
    made = {label: entry(label, stated[label]) for label in sorted(stated)}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
