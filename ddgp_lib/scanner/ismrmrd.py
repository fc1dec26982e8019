"""Raw data in the format of the ISMRMRD, which converters of all vendors write."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import require, require_integer
from ..data.hdf5 import open_hdf5, own_dataset
from ..files import reading
from .header import Header, parse_header
from .kspace import KSpace
from .lines import Line, assemble, matched
from .records import require_path

OWNER = "ISMRMRD's files"
NOISE = "ACQ_IS_NOISE_MEASUREMENT"
REVERSED = "ACQ_IS_REVERSE"
NO_IMAGE = (
    "ACQ_IS_PARALLEL_CALIBRATION",
    "ACQ_IS_NAVIGATION_DATA",
    "ACQ_IS_PHASECORR_DATA",
    "ACQ_IS_HPFEEDBACK_DATA",
    "ACQ_IS_DUMMYSCAN_DATA",
    "ACQ_IS_RTFEEDBACK_DATA",
    "ACQ_IS_SURFACECOILCORRECTIONSCAN_DATA",
    "ACQ_IS_PHASE_STABILIZATION_REFERENCE",
    "ACQ_IS_PHASE_STABILIZATION",
)
"""Flags of readouts that are no lines of an image."""


def load_ismrmrd(
    path: str | Path, *, dataset: str = "dataset", contrast: int = 0, repetition: int = 0
) -> KSpace:
    """Load two-dimensional Cartesian k-space from an ISMRMRD file.

    Lines are put where the header's counters say; places that were measured several times hold the mean.  Calibration
    lines that do not belong to the image, navigators and corrections are left out.  Readouts of noise are
    kept apart, scaled to the time of a sample of the image.

    Parameters
    ----------
    path : str or Path
        An HDF5 file of the format.
    dataset : str
        Name of the group that holds ``xml`` and ``data``.
    contrast, repetition : int
        Which of several to take, from 0.

    Returns
    -------
    KSpace
        The readout runs along the width.

    Raises
    ------
    ImportError
        If the packages ``ismrmrd`` or h5py are not installed.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, its trajectory is not Cartesian, it has several partitions, phases or sets, lines
        that run backwards, or none of the chosen contrast and repetition.

    References
    ----------
    Inati et al., "ISMRM Raw data format: a proposed standard for MRI raw datasets", 2017.
    """
    require_path("path", path)
    require(isinstance(dataset, str) and dataset != "", "dataset", dataset, "the name of a group")
    require_integer("contrast", contrast, lowest=0)
    require_integer("repetition", repetition, lowest=0)
    try:
        import ismrmrd
    except ImportError as error:
        raise ImportError(f"{OWNER} need the package ismrmrd: `pip install ismrmrd`") from error
    path = Path(path)
    header, count = _header(path, dataset)
    sides = _sides(header, path)
    chosen = (contrast, repetition)
    with reading(path), ismrmrd.File(str(path), "r") as file:
        readouts = file[dataset].acquisitions
        lines, noise = _sorted((readouts[k] for k in range(count)), header, sides, chosen, path)
    size = None if header.reconstructed is None else header.reconstructed[:2]
    known = {"field_of_view": header.field_of_view, "size": size, "about": header.about}
    return assemble(lines, sides, str(path), noise=noise, **known)


def _header(path: Path, name: str) -> tuple[Header, int]:
    """Return the header, and the number of readouts."""
    with open_hdf5(path, OWNER) as file:
        text = own_dataset(file, path, f"{name}/xml")
        require(text.shape == (1,), "xml", f"shape {text.shape}, in {path}", "one text")
        content = text[0]
        require(isinstance(content, str | bytes), "xml", f"{type(content).__name__}, in {path}", "text")
        data = own_dataset(file, path, f"{name}/data")
        fits = data.ndim == 1 and {"head", "traj", "data"} <= set(data.dtype.names or ())
        require(
            fits,
            "data",
            f"{data.dtype} of shape {data.shape}, in {path}",
            "readouts with head, traj and data",
        )
        return parse_header(content, str(path)), len(data)


def _sides(header: Header, path: Path) -> tuple[int, int]:
    """Return height and width of the encoded k-space, of one partition and Cartesian."""
    require(header.encoded is not None, "path", str(path), "a header with encodedSpace/matrixSize")
    assert header.encoded is not None
    cartesian = header.trajectory in (None, "cartesian")
    require(cartesian, "trajectory", f"{header.trajectory!r}, in {path}", "'cartesian'")
    height, width, partitions = header.encoded
    require(partitions == 1, "matrixSize/z", f"{partitions}, in {path}", "1: two-dimensional slices")
    return height, width


def _sorted(
    readouts: Iterable[Any], header: Header, sides: tuple[int, int], chosen: tuple[int, int], path: Path
) -> tuple[list[Line], list[np.ndarray]]:
    """Return the lines of the chosen contrast and repetition, and the readouts of noise, as strong as in these."""
    lines, noise, dwell = [], [], 0.0
    for readout in readouts:
        if _has(readout, NOISE):
            noise.append((np.array(readout.data, dtype=np.complex64), float(readout.sample_time_us)))
        elif (readout.idx.contrast, readout.idx.repetition) == chosen and not _has(readout, *NO_IMAGE):
            _require_plain(readout, path)
            lines.append(_line(readout, header, sides))
            dwell = float(readout.sample_time_us)
    found = f"{path} without lines of contrast {chosen[0]}, repetition {chosen[1]}"
    require(len(lines) > 0, "path", found, "lines of an image")
    return lines, [matched(samples, time, dwell) for samples, time in noise]


def _has(readout: Any, *flags: str) -> bool:
    """Say whether a readout has one of some flags; those that an older package does not know are on none."""
    import ismrmrd

    return any(readout.is_flag_set(getattr(ismrmrd, flag)) for flag in flags if hasattr(ismrmrd, flag))


def _require_plain(readout: Any, path: Path) -> None:
    """Refuse what would need more than to be put in its place."""
    place = readout.idx
    several = (place.kspace_encode_step_2, place.phase, place.set)
    found = f"partition, phase and set {several}, in {path}"
    require(several == (0, 0, 0), "idx", found, "0 each: one image of each slice")
    backwards = _has(readout, REVERSED)
    require(
        not backwards,
        "path",
        f"{path} with lines read backwards",
        "lines of one direction, no echo-planar ones",
    )


def _line(readout: Any, header: Header, sides: tuple[int, int]) -> Line:
    """Return a line without the samples that are to be discarded."""
    first, last = readout.discard_pre, readout.number_of_samples - readout.discard_post
    samples = np.array(readout.data[:, first:last], dtype=np.complex64)
    middle = sides[0] // 2 if header.centre is None else header.centre
    row = readout.idx.kspace_encode_step_1 - middle
    return Line(samples, row, readout.center_sample - first, readout.idx.slice)
