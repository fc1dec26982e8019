"""Where the repository lies: the one place from which every tool finds its files."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
