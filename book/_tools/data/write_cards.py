"""Write the cards of the measured data sets into ``ddgp_lib/data/README.md``, from the registry that the library has.

::

    python -m book._tools.data.write_cards
"""

from book._tools.repository import ROOT
from ddgp_lib.data.measured.cards import with_cards

PAGE = ROOT / "ddgp_lib" / "data" / "README.md"


def main() -> None:
    """Replace the cards."""
    PAGE.write_text(with_cards(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
