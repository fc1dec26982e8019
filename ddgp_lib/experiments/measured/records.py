"""What an experiment on measured data returns: rows of a table, with standard errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A method on measured data after some iterations.

    Attributes
    ----------
    condition : str
        What all rows of a comparison share, such as an acceleration.
    method : str
        The method, with its setting.
    iteration : int
        Iterations.
    residual : float
        ‖A x̂ − y‖/‖y‖ on the measurements that were used.
    error, standard_error : float
        Root of the mean squared error on measurements that were held out, less the energy of their noise, relative
        to the root of their energy; and its standard error over other places.  NaN where the estimate is not above 0.
    gain, gain_error : float or None
        By how many decibels the error is below that of the first method of the condition at the same iteration, from
        paired differences, with its standard error; None for the first, or where it cannot be told.
    seconds : float
        Time of the processor.
    transforms : int
        Fourier transforms.
    psnr : float or None
        PSNR against the picture of the full measurement, in dB, where there is one: mean over acquisitions.  The full
        measurement has noise of its own.
    simulated : float or None
        Mean PSNR of the same setting in the simulation that it was chosen in, in dB.
    setting : tuple of float
        The values of the setting, where one was chosen.
    """

    condition: str
    method: str
    iteration: int
    residual: float
    error: float
    standard_error: float
    seconds: float
    transforms: int
    gain: float | None = None
    gain_error: float | None = None
    psnr: float | None = None
    simulated: float | None = None
    setting: tuple[float, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """An experiment on one measured data set.

    Attributes
    ----------
    title : str
        What is compared.
    data : str
        Name of the data set, a key of ``MEASURED``, or of several, with a comma between them.
    iterations : tuple of int
        At which iterations rows are written, by default.
    run : callable
        Takes ``iterations`` and ``seed``; returns what is the same for all rows, by name, and the rows.
    """

    title: str
    data: str
    iterations: tuple[int, ...]
    run: Callable[[tuple[int, ...], int], tuple[Mapping[str, Any], list[Row]]]
