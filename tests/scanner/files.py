"""Small files as scanners' tools write them."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

HEADER = """<?xml version="1.0"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
 <measurementInformation><protocolName>head</protocolName></measurementInformation>
 <acquisitionSystemInformation>
  <systemVendor>Maker</systemVendor><systemFieldStrength_T>2.9</systemFieldStrength_T>
 </acquisitionSystemInformation>
 <experimentalConditions><H1resonanceFrequency_Hz>123000000</H1resonanceFrequency_Hz></experimentalConditions>
 <encoding>
  <encodedSpace>
   <matrixSize><x>{width}</x><y>{height}</y><z>{partitions}</z></matrixSize>
   <fieldOfView_mm><x>320.0</x><y>180.0</y><z>5.0</z></fieldOfView_mm>
  </encodedSpace>
  <reconSpace>
   <matrixSize><x>{half}</x><y>{height}</y><z>1</z></matrixSize>
   <fieldOfView_mm><x>160.0</x><y>180.0</y><z>5.0</z></fieldOfView_mm>
  </reconSpace>
  <encodingLimits>
   <kspace_encoding_step_1><minimum>0</minimum><maximum>{last}</maximum><center>{centre}</center></kspace_encoding_step_1>
  </encodingLimits>
  <trajectory>{trajectory}</trajectory>
 </encoding>
</ismrmrdHeader>"""


def header(height: int, width: int, **changed: Any) -> str:
    """Write a header of the ISMRMRD standard."""
    given = {"partitions": 1, "trajectory": "cartesian", "centre": height // 2} | changed
    return HEADER.format(height=height, width=width, half=width // 2, last=height - 1, **given)


def slices(count: int = 2, coils: int = 3, height: int = 10, width: int = 16, seed: int = 0) -> np.ndarray:
    """Make k-space (S, C, H, W)."""
    parts = np.random.default_rng(seed).normal(size=(2, count, coils, height, width))
    return (parts[0] + 1j * parts[1]).astype(np.complex64)


def write_fastmri(path: Path, whole: np.ndarray, **changed: Any) -> Path:
    """Write a file as fastMRI's multi-coil ones are: the readout along the height."""
    import h5py

    given = {"kspace": whole, "ismrmrd_header": header(whole.shape[-1], whole.shape[-2])} | changed
    with h5py.File(path, "w") as file:
        for name, value in given.items():
            if value is not None:
                file[name] = value
        file.attrs["acquisition"] = "AXT2"
        file.attrs["max"] = np.float32(0.5)
    return path


def write_ismrmrd(path: Path, kspace: np.ndarray, *, xml: str | None = None, more: Any = ()) -> Path:
    """Write the lines of k-space (S, C, H, W), every other one backwards in time, then what else is given."""
    import ismrmrd

    height, width = kspace.shape[-2:]
    with closing(ismrmrd.Dataset(str(path))) as file:  # older ones are no context
        file.write_xml_header((xml or header(height, width)).encode())
        for k, slice_ in enumerate(kspace):
            for row in [*range(0, height, 2), *range(1, height, 2)]:
                if slice_[:, row].any():
                    file.append_acquisition(readout(slice_[:, row], row, k))
        for acquisition in more:
            file.append_acquisition(acquisition)
    return path


def readout(
    samples: np.ndarray, row: int, slice_: int = 0, *, flags: tuple[str, ...] = (), **changed: Any
) -> Any:
    """Make one readout (coils, samples) of ISMRMRD."""
    import ismrmrd

    acquisition = ismrmrd.Acquisition.from_array(np.ascontiguousarray(samples, dtype=np.complex64))
    acquisition.center_sample = changed.pop("center_sample", samples.shape[1] // 2)
    acquisition.sample_time_us = changed.pop("sample_time_us", 4.0)
    acquisition.discard_pre = changed.pop("discard_pre", 0)
    acquisition.idx.kspace_encode_step_1, acquisition.idx.slice = row, slice_
    for name, value in changed.items():
        setattr(acquisition.idx, name, value)
    for flag in flags:
        acquisition.set_flag(getattr(ismrmrd, flag))
    return acquisition


PROTOCOL = """### ASCCONV BEGIN ###
sKSpace.lBaseResolution = {base}
sKSpace.lPhaseEncodingLines = {height}
sSliceArray.asSlice[0].dReadoutFOV = 160
sSliceArray.asSlice[0].dPhaseFOV = 180
sRXSPEC.alDwellTime[0] = {dwell}
sProtConsistencyInfo.flNominalB0 = 2.89
tProtocolName = "head"
### ASCCONV END ###
"""


def protocol_text(height: int, width: int, dwell: int = 2000) -> str:
    """Write a protocol of Siemens' raw data."""
    return PROTOCOL.format(base=width // 2, height=height, dwell=dwell)


def protocol(text: str) -> np.ndarray:
    """Make the header of a measurement of Siemens' raw data."""
    body = b"MeasYaps\0" + len(text).to_bytes(4, "little") + text.encode()
    length = -(-(8 + len(body)) // 32) * 32
    content = length.to_bytes(4, "little") + (1).to_bytes(4, "little") + body
    return np.frombuffer(content.ljust(length, b"\0"), dtype="S1")


def block(
    samples: np.ndarray, row: int, slice_: int = 0, *, centre: int, flags: Any = (), **counters: int
) -> Any:
    """Make one readout (coils, samples) of Siemens' raw data."""
    from twixtools.mdb import Mdb_local

    made = Mdb_local(samples)
    made.mdh.Counter.Lin, made.mdh.Counter.Sli = row, slice_
    made.mdh.CenterCol, made.mdh.CenterLin = counters.pop("column", samples.shape[1] // 2), centre
    made.mdh.CutOff.Pre = counters.pop("pre", 0)
    for name, value in counters.items():
        setattr(made.mdh.Counter, name, value)
    for flag in flags:
        made.add_flag(flag)
    return made


def write_siemens(
    path: Path,
    kspace: np.ndarray,
    *,
    noise: np.ndarray | None = None,
    text: str | None = None,
    more: Any = (),
) -> Path:
    """Write the lines of k-space (S, C, H, W) as the second measurement, after one of noise."""
    import twixtools

    height, width = kspace.shape[-2:]
    text = protocol_text(height, width) if text is None else text
    blocks = [
        block(slice_[:, row], row, k, centre=height // 2)
        for k, slice_ in enumerate(kspace)
        for row in range(height)
        if slice_[:, row].any()
    ]
    scans = [{"hdr_str": protocol(text), "mdb": [*blocks, *more]}]
    if noise is not None:
        scans.insert(
            0,
            {
                "hdr_str": protocol(protocol_text(2, 2, 8000)),
                "mdb": [block(noise, 0, centre=0, flags=["NOISEADJSCAN"])],
            },
        )
    twixtools.write_twix(scans, path)
    return path
