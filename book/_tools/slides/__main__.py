"""Write slides of every chapter into ``dist/slides``."""

import argparse
import time
from pathlib import Path

from book._tools.slides import deck
from book._tools.slides.references import chapters, references


def main() -> None:
    """Write the slides of the chapters named on the command line, or of all, and say where they are."""
    parser = argparse.ArgumentParser(description="Write slides of every chapter.")
    parser.add_argument("names", nargs="*", help="chapters, as 02_conditioning (all by default)")
    parser.add_argument("--output", type=Path, default=deck.OUTPUT)
    arguments = parser.parse_args()
    start = time.monotonic()
    every = chapters()
    chosen = [chapter for chapter in every if not arguments.names or chapter.name in arguments.names]
    if unknown := set(arguments.names) - {chapter.name for chapter in chosen}:
        parser.error(f"no such chapters: {', '.join(sorted(unknown))}")
    for one in deck.build(chosen, references(every), arguments.output):
        print(f"{one.path.name:32s}{one.slides:4d} slides{one.path.stat().st_size / 2**20:6.1f} MB")
    print(f"\nThe slides were made in {time.monotonic() - start:.0f} s.")
    print(f"Open {(arguments.output.resolve() / 'index.html').as_uri()}")


if __name__ == "__main__":
    main()
