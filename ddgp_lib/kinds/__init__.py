"""Kinds of methods: each says how its solver is built, what of it is tuned, and on which values.

A :class:`~ddgp_lib.tasks.Preset` has them by name.  Those that learn no preconditioner are here; what a preset
distils becomes a :class:`Fista` with what was distilled.
"""

from .base import SCHEDULE, Kind, Settings, require_values
from .fista import DECAYS, MOMENTA, Fista, PolynomialFista, PolynomialSetting, Setting
from .pulled import PulledFista, PulledSetting
from .rivals import ADMMSetting, AnnealedFista, AnnealedSetting, ExactADMM, VariationFista, VariationSetting
from .tikhonov import IteratedTikhonov, NoPrior, TikhonovSetting

__all__ = [
    "DECAYS",
    "MOMENTA",
    "SCHEDULE",
    "ADMMSetting",
    "AnnealedFista",
    "AnnealedSetting",
    "ExactADMM",
    "Fista",
    "IteratedTikhonov",
    "Kind",
    "NoPrior",
    "PolynomialFista",
    "PolynomialSetting",
    "PulledFista",
    "PulledSetting",
    "Setting",
    "Settings",
    "TikhonovSetting",
    "VariationFista",
    "VariationSetting",
    "require_values",
]
