"""Cards: what stands in the page is what the registry says, and nothing else of the page changes."""

from pathlib import Path

import pytest

from ddgp_lib.data import measured
from ddgp_lib.data.measured import MEASURED
from ddgp_lib.data.measured.cards import BEGIN, END, card_of, cards, with_cards
from tests.data.measured.published import sets_of

PAGE = Path(measured.__file__).parent.parent / "README.md"


def test_the_page_has_the_cards_of_the_registry():
    text = PAGE.read_text(encoding="utf-8")
    assert with_cards(text) == text, "run `python -m book._tools.data.write_cards`"
    for card in MEASURED.values():
        for part in (card.title, card.licence, card.credit, *card.known, *card.unknown):
            assert part in text
        for file in card.files:
            assert file.url in text
            assert file.sha256 in text


def test_a_card_names_axes_sizes_and_how_a_file_was_made(server):
    found = sets_of(server)
    text = card_of(found["made_npz"])
    assert "`coefficients`: real numbers (row 2, column 3), numbers" in text
    assert "SHA-256 of its arrays" in text
    assert "pack it; from [who/what @ 0000000000: a folder/made.npz](https://" in text
    assert "SHA-256 of its arrays" not in card_of(found["scan_npy"])
    assert card_of(found["two"]).count("| File |") == 2


def test_cards_replace_what_is_between_the_lines_and_leave_the_rest(server):
    sets = sets_of(server)
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    found = with_cards(page, sets)
    assert found == f"before\n{BEGIN}\n\n{cards(sets)}\n{END}\nafter\n"
    assert with_cards(found, sets) == found


@pytest.mark.parametrize(
    "page", ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{END}\n{END}\n", f"{BEGIN}\n{BEGIN}\n{END}\n"]
)
def test_a_page_without_both_lines_once_is_refused(page):
    with pytest.raises(ValueError, match="expected the lines"):
        with_cards(page)
