from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .models import Reconstructor
from .optim import DataFidelity, Prior

def unfolded_builder(
    iteration: Any,
    params_algo: Mapping[str, Any] = ...,
    data_fidelity: DataFidelity | list[DataFidelity] | None = None,
    prior: Prior | Sequence[Prior] | None = None,
    max_iter: int = 5,
    trainable_params: Sequence[str] = ("lambda", "stepsize"),
    device: torch.device | str = ...,
    cost_fn: Callable[..., Tensor] | None = None,
    g_first: bool = False,
    bregman_potential: Any = None,
    **kwargs: Any,
) -> Reconstructor: ...
