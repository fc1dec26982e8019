"""What the XML header of the ISMRMRD standard says of an acquisition; fastMRI's files carry the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from ..arguments import LARGEST_SIDE, require


@dataclass(frozen=True)
class Header:
    """The parts of a header that place lines in k-space.

    Attributes
    ----------
    trajectory : str, optional
        Such as ``"cartesian"``.
    encoded, reconstructed : tuple of int, optional
        Sides (phase, readout, partitions) of what is encoded, and of the image without oversampling.
    field_of_view : pair of float, optional
        Sides (phase, readout) of what is encoded, in millimetres.
    centre : int, optional
        Number of the line, among those of the phase encoding, that holds the zero frequency.
    about : mapping
        What else it says: vendor, model, field strength, protocol.
    """

    trajectory: str | None = None
    encoded: tuple[int, int, int] | None = None
    reconstructed: tuple[int, int, int] | None = None
    field_of_view: tuple[float, float] | None = None
    centre: int | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


ABOUT = {
    "vendor": "acquisitionSystemInformation/systemVendor",
    "model": "acquisitionSystemInformation/systemModel",
    "field_strength": "acquisitionSystemInformation/systemFieldStrength_T",
    "protocol": "measurementInformation/protocolName",
    "sequence": "sequenceParameters/sequence_type",
}
"""Places of what else is kept."""


def parse_header(text: str | bytes, source: str) -> Header:
    """Read a header; elements that it lacks are None.

    Parameters
    ----------
    text : str or bytes
        The XML.
    source : str
        The file that it is from, for messages.

    Raises
    ------
    ValueError
        If it is not such a header, declares entities, or its sides are not sensible numbers.
    """
    content = text.encode() if isinstance(text, str) else bytes(text)
    require(
        b"<!" not in re.sub(rb"<!--.*?-->", b"", content, flags=re.DOTALL),
        "path",
        source,
        "no declarations in XML",
    )
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(f"path={source!r}: its XML header is not readable ({error})") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    require(
        root.tag == "ismrmrdHeader", "path", f"{source} with XML <{root.tag}>", "a header <ismrmrdHeader>"
    )
    first = root.find("encoding")
    place = ElementTree.Element("encoding") if first is None else first
    view = _numbers(place, "encodedSpace/fieldOfView_mm", source, float)
    return Header(
        _text(place, "trajectory"),
        _numbers(place, "encodedSpace/matrixSize", source, int),
        _numbers(place, "reconSpace/matrixSize", source, int),
        None if view is None else (view[0], view[1]),
        _centre(place, source),
        {name: value for name, where in ABOUT.items() if (value := _text(root, where)) is not None},
    )


def _text(element: Any, where: str) -> str | None:
    found = element.findtext(where)
    return found.strip() if found and found.strip() else None


def _numbers(element: Any, where: str, source: str, kind: type[Any]) -> tuple[Any, Any, Any] | None:
    """Return the sides (y, x, z) of a space, which have to be positive."""
    texts = [_text(element, f"{where}/{axis}") for axis in "yxz"]
    if None in texts:
        return None
    try:
        first, second, third = (kind(text) for text in texts)
    except ValueError as error:
        raise ValueError(f"path={source!r}: {where} is {texts}, expected numbers") from error
    fits = all(0 < side <= LARGEST_SIDE for side in (first, second, third))
    require(fits, where, f"{texts}, in {source}", f"numbers above 0 and at most {LARGEST_SIDE}")
    return first, second, third


def _centre(element: Any, source: str) -> int | None:
    text = _text(element, "encodingLimits/kspace_encoding_step_1/center")
    fits = text is None or (text.isdecimal() and int(text) <= LARGEST_SIDE)
    require(
        fits,
        "kspace_encoding_step_1/center",
        f"{text!r}, in {source}",
        f"an integer from 0 to {LARGEST_SIDE}",
    )
    return None if text is None else int(text)
