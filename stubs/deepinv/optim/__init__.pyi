from .data_fidelity import L2 as L2
from .data_fidelity import DataFidelity as DataFidelity
from .optimizers import FISTA as FISTA
from .optimizers import BaseOptim as BaseOptim
from .prior import PnP as PnP
from .prior import Prior as Prior
