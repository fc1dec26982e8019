"""The XML header of the ISMRMRD standard."""

import pytest

from ddgp_lib.scanner.header import Header, parse_header
from tests.scanner.files import header


def test_what_places_lines_is_read():
    found = parse_header(header(10, 16, centre=4), "file")
    assert (found.trajectory, found.centre) == ("cartesian", 4)
    assert (found.encoded, found.reconstructed) == ((10, 16, 1), (10, 8, 1))
    assert found.field_of_view == (180.0, 320.0)
    assert found.about == {"vendor": "Maker", "field_strength": "2.9", "protocol": "head"}


def test_bytes_and_missing_parts_are_accepted():
    assert parse_header(b"<ismrmrdHeader/>", "file") == Header()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "path='file': its XML header is not readable"),
        ("<ismrmrdHeader>", "path='file': its XML header is not readable"),
        ("<other/>", "path='file with XML <other>': expected a header <ismrmrdHeader>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><ismrmrdHeader/>', "path='file': expected no declarations"),
        (header(10, 0), "encodedSpace/matrixSize=.*file.*expected numbers above 0"),
        (header(10, 10**9), "encodedSpace/matrixSize=.*expected numbers above 0 and at most"),
        (header(10, 16).replace("<x>16</x>", "<x>many</x>"), "encodedSpace/matrixSize is .*many"),
        (header(10, 16).replace("<x>320.0</x>", "<x>nan</x>"), "fieldOfView_mm=.*expected numbers"),
        (header(10, 16, centre="x"), "kspace_encoding_step_1/center=.*expected an integer"),
        (header(10, 16, centre=-1), "kspace_encoding_step_1/center=.*expected an integer"),
    ],
)
def test_headers_that_are_no_use_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_header(text, "file")
