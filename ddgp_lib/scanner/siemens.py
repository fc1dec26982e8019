"""Raw data of Siemens' scanners (``meas_*.dat``, "twix"), by the package twixtools."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import is_integer, is_number, require, require_integer
from ..files import reading
from .kspace import KSpace
from .lines import Line, assemble, matched
from .records import require_path

LONGEST_BLOCKS = 2**22
"""Blocks of a measurement that are accepted."""
OTHERS = ("cPar", "cPhs", "cSet")
"""Counters that have to be zero: partition, phase, set."""


def load_siemens(path: str | Path, *, contrast: int = 0, repetition: int = 0) -> KSpace:
    """Load two-dimensional Cartesian k-space from Siemens' raw data.

    The last measurement of the file is read; an earlier one, or readouts that are marked so, give the noise,
    scaled to the time of a sample of the image.  Lines
    are put where their counters say; places that were measured several times hold the mean.

    Parameters
    ----------
    path : str or Path
        A file ``.dat`` of software VB, VD, VE or later.
    contrast, repetition : int
        Which of several to take, from 0.

    Returns
    -------
    KSpace
        The readout runs along the width.

    Raises
    ------
    ImportError
        If the package ``twixtools`` is not installed.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged or cut short, has several partitions, phases or sets, lines that run backwards, or
        none of the chosen contrast and repetition.

    References
    ----------
    Ehses, "twixtools: reading and limited writing of Siemens MRI raw data", https://pypi.org/project/twixtools.
    """
    require_path("path", path)
    require_integer("contrast", contrast, lowest=0)
    require_integer("repetition", repetition, lowest=0)
    try:
        import twixtools
    except ImportError as error:
        raise ImportError("Siemens' files need the package twixtools: `pip install twixtools`") from error
    path = Path(path)
    with reading(path), _quiet():
        _require_whole(path)
        scans = _read(twixtools, path)
        noise = _noise(scans)
        image = [
            block
            for block in scans[-1]["mdb"]
            if block.is_image_scan() and (block.cEco, block.cRep) == (contrast, repetition)
        ]
        chosen = f"{path} without lines of contrast {contrast}, repetition {repetition}"
        require(len(image) > 0, "path", chosen, "lines of an image")
        protocol = _protocol(scans[-1])
        sides, size, view = _geometry(protocol, image)
        lines = [_line(block, path) for block in image]
    return assemble(
        lines, sides, str(path), noise=noise, size=size, field_of_view=view, about=_about(protocol)
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what twixtools prints from the reader."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _noise(scans: list[Any]) -> list[np.ndarray]:
    """Return the readouts of noise; those of earlier measurements as strong as in the last one."""
    dwells = [_number(_protocol(scan), "sRXSPEC", "alDwellTime", 0) for scan in scans]
    return [
        matched(np.array(block.data), dwell, dwells[-1])
        for scan, dwell in zip(scans, dwells, strict=True)
        for block in scan["mdb"]
        if block.is_flag_set("NOISEADJSCAN") and not block.is_flag_set("SYNCDATA")
    ]


def _protocol(scan: Any) -> Any:
    return scan.get("hdr", {}).get("MeasYaps", {})


def _read(twixtools: Any, path: Path) -> list[Any]:
    try:
        scans: list[Any] = twixtools.read_twix(
            os.fspath(path.resolve()), parse_pmu=False, parse_geometry=False, verbose=False
        )
    except (NameError, AttributeError) as error:  # what its parser raises at a damaged header
        raise ValueError(f"path={str(path)!r}: not readable ({error})") from error
    require(len(scans) > 0, "path", str(path), "a file with a measurement")
    return scans


def _require_whole(path: Path) -> None:
    """Walk through the blocks of all measurements, each of which must end with ACQEND inside of the file.

    twixtools prints a warning where a file is cut short, and goes on forever where a block's length is zero.
    """
    from twixtools import hdr_def
    from twixtools.helpers import idea_version_check

    length = path.stat().st_size
    require(
        path.suffix.lower() == ".dat" and length > 8, "path", str(path), "a file .dat of Siemens' raw data"
    )
    with open(path, "rb") as file:
        newer, count = idea_version_check(file)
        starts = [0]
        if newer:
            need = hdr_def.MultiRaidFileHeader.itemsize
            require(
                count > 0 and length >= need, "path", str(path), "a file .dat with a list of measurements"
            )
            entries = np.frombuffer(file.read(need), hdr_def.MultiRaidFileHeader)[0]["entry"]
            starts = [int(entries[k]["off_"]) for k in range(int(count))]
        for start in starts:
            require(start + 8 <= length, "path", str(path), "a file .dat that is not cut short")
            file.seek(start)
            header = int.from_bytes(file.read(4), "little")
            _walk(file, start + header, length, bool(newer), path)


def _walk(file: Any, place: int, length: int, newer: bool, path: Path) -> None:
    from twixtools.mdb import Mdb_base

    whole = "a file .dat of whole blocks that ends with ACQEND: this one is damaged or cut short"
    for _ in range(LONGEST_BLOCKS):
        block = Mdb_base(newer)
        file.seek(place)
        require(file.readinto(block.mdh) == len(bytes(block.mdh)), "path", str(path), whole)
        if block.is_flag_set("ACQEND"):
            return
        step = int(block.dma_len)
        require(step > 0 and place + step <= length, "path", str(path), whole)
        place += step
    require(False, "path", str(path), f"at most {LONGEST_BLOCKS} blocks")


def _geometry(
    protocol: Any, image: list[Any]
) -> tuple[tuple[int, int], tuple[int, int] | None, tuple[float, float] | None]:
    """Return the encoded sides, those of the image, and the field of view; what the protocol lacks is None."""
    base = _number(protocol, "sKSpace", "lBaseResolution")
    rows = _number(protocol, "sKSpace", "lPhaseEncodingLines")
    longest = max(2 * max(b.mdh.CenterCol, b.mdh.SamplesInScan - b.mdh.CenterCol) for b in image)
    highest = 2 * max(max(int(b.mdh.CenterLin), b.cLin + 1 - b.mdh.CenterLin) for b in image)
    width = longest if base is None else max(longest, 2 * int(base) if longest > base else int(base))
    height = highest if rows is None else int(rows)
    size = None if base is None else (height, int(base))
    read = _number(protocol, "sSliceArray", "asSlice", 0, "dReadoutFOV")
    phase = _number(protocol, "sSliceArray", "asSlice", 0, "dPhaseFOV")
    if read is None or phase is None or base is None:
        return (height, width), size, None
    more = _number(protocol, "sKSpace", "dPhaseOversamplingForDialog") or 0.0
    return (height, width), size, (phase * (1 + more), read * width / base)


def _number(tree: Any, *names: str | int) -> float | None:
    """Return a positive number of the protocol, or None where it has none."""
    for name in names:
        try:
            tree = tree[name]
        except (LookupError, TypeError):
            return None
    return float(tree) if is_number(tree) and 0 < tree < 1e7 else None


def _about(protocol: Any) -> dict[str, Any]:
    about = {"vendor": "SIEMENS", "field_strength": _number(protocol, "sProtConsistencyInfo", "flNominalB0")}
    name = protocol.get("tProtocolName") if isinstance(protocol, dict) else None
    about["protocol"] = name if isinstance(name, str) else None
    return {key: value for key, value in about.items() if value is not None}


def _line(block: Any, path: Path) -> Line:
    """Return a line without the samples that are to be cut off."""
    others = tuple(getattr(block, name) for name in OTHERS)
    found = f"partition, phase and set {others}, in {path}"
    require(others == (0, 0, 0), "counters", found, "0 each: one image of each slice")
    backwards = block.is_flag_set("REFLECT")
    require(
        not backwards,
        "path",
        f"{path} with lines read backwards",
        "lines of one direction, no echo-planar ones",
    )
    first, last = int(block.mdh.CutOff.Pre), block.mdh.SamplesInScan - int(block.mdh.CutOff.Post)
    samples = np.array(block.data[:, first:last], dtype=np.complex64)
    assert is_integer(block.cLin)
    return Line(samples, block.cLin - int(block.mdh.CenterLin), int(block.mdh.CenterCol) - first, block.cSlc)
