"""What decides the weights of a distilled preconditioner."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from functools import partial
from typing import Any, TypedDict, get_args

import torch

from .. import fields
from ..arguments import require, require_count, require_instance, require_positive
from ..names import Form, Inputs, Loss, LossTerm, Momentum, Network, Optimiser, Pairing, ScheduleName, Size
from ..networks import NETWORKS, SIZES, build_network
from ..preconditioners import FORMS, INPUTS, LearnedPreconditioner
from ..solvers import MOMENTUM
from ..training.schedules import SCHEDULES

LOSSES: tuple[Loss, ...] = get_args(Loss)
"""Losses that can be weighted, see :mod:`ddgp_lib.distillation.losses`."""

DEFAULT_LOSSES: Mapping[Loss, float] = {"gradient": 1.0, "imitation": 1.0}

TUNED_LOSSES: Mapping[Loss, float] = {"supervised": 1.0}

TUNED_SEED = 500_009
"""How far the seed of a second phase is from that of the first."""

PAIRINGS: Mapping[Pairing, int] = {"same_iterate": 1, "own_trajectories": 8}
"""Where the teacher's gradient is taken, and the default number of iterations that gradients flow through."""

OPTIMISERS: Mapping[Optimiser, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
}
"""With Adam, the weight decay is added to the gradient, as an ℓ2 penalty; with AdamW it shrinks the weights."""


class DistillationFields(TypedDict, total=False):
    """Fields of :class:`DistillationRecipe`, as keyword arguments; what each means is said there."""

    network: Network
    form: Form
    inputs: Inputs
    losses: Mapping[Loss, float]
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    pool_size: int
    horizon: int
    perturbed: float
    from_truth: float
    sigma: float | None
    sigma_noise: float | None
    momentum: Momentum
    seed: int
    pairing: Pairing
    unroll: int | None
    penalty: float
    embedding: int
    optimiser: Optimiser
    schedule: ScheduleName
    noise_range: tuple[float, float] | None
    validate_every: int
    validation_images: int
    damping: float
    damping_noise: float | None
    bias: bool
    parameters: Size
    average: float
    redraw_every: int
    operators: int
    tuned_steps: int
    tuned_unroll: int
    tuned_rate: float
    tuned_batch: int | None
    tuned_horizon: int
    tuned_fresh: float
    tuned_losses: Mapping[Loss, float]
    tuned_momentum: Momentum
    tuned_end: bool


@dataclass(frozen=True)
class DistillationRecipe:
    """Everything, besides the task, that decides the weights of a distilled preconditioner.

    Attributes
    ----------
    network, form, inputs : str
        See :func:`~ddgp_lib.networks.build.build_network` and
        :class:`~ddgp_lib.preconditioners.learned.LearnedPreconditioner`.
    losses : mapping of str to float
        Weights ρ of the losses ``"gradient"`` (L_G), ``"imitation"`` (L_I), ``"supervised"`` (L_S), ``"decibels"``
        (L_dB), ``"scale"`` (L_R) and ``"row_space"`` (L_⊥), see :mod:`ddgp_lib.distillation.losses`; one that is left
        out is off.
    steps, batch_size : int
        Optimisation steps, and states in each.
    learning_rate, weight_decay : float
        Of the optimiser; the rate is the largest of the schedule.
    pool_size, horizon : int
        States kept in the pool, and the iteration count after which one is started afresh at the latest; own
        trajectories need neither.
    perturbed : float
        Fraction of fresh images that are changed a little, in [0, 1], by the task's ``augment``.
    from_truth : float
        Fraction of fresh states, in [0, 1], that start at the true image instead of the back-projection: they teach
        P to hold a good image against the denoiser's pull.  Zero for own trajectories.
    sigma : float or None
        Noise level for the denoiser while training; None takes the task's, which ``redraw`` may choose for each of
        its operators.
    sigma_noise : float or None
        Noise of the measurements that ``sigma`` suits; where a state has more, its level for the denoiser is that of
        :func:`~ddgp_lib.solvers.following.followed_sigma`.  None keeps one level for all.
    momentum : str
        Rule for β_k, see :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA`.
    seed : int
        Seed of the initial weights, the pool and the simulated noise.
    pairing : str
        ``"same_iterate"``: ∇g_t is taken at the student's z, on states from a pool.  ``"own_trajectories"``, as in
        the paper: student and teacher run their own iterates from their own Aᵀy, and are paired at equal k.
    unroll : int or None
        Consecutive iterations of one optimisation step, over which losses are averaged and through which gradients
        flow; None takes 1 for the pool and 8 for own trajectories.
    penalty : float
        Weight ρ_N of L_N, which only the form ``"penalised"`` is trained with.
    embedding : int
        Number of features of the iteration k that the network is told, see
        :class:`~ddgp_lib.preconditioners.learned.LearnedPreconditioner`; 0 is none.
    optimiser : str
        ``"adamw"`` or ``"adam"``.
    schedule : str
        ``"warm_cosine"``, ``"one_cycle"``, ``"plateau"`` or ``"constant"``, see
        :func:`~ddgp_lib.training.schedules.build_schedule`.
    noise_range : pair of float or None
        Lowest and highest standard deviation of the measurement noise, which is drawn log-uniformly for each fresh
        state and is the same for student and teacher; None takes each operator's own.  The damping follows it too,
        where ``damping_noise`` is given.
    validate_every : int
        Steps between validations, of which the best decides the weights that are kept; 0 keeps the last weights.
    validation_images : int
        Number of validation images.
    damping : float
        λ of the Newton step in the form ``"newton_null_space"``.
    damping_noise : float or None
        Noise level that λ suits, from which it grows with the noise of the operator, see
        :class:`~ddgp_lib.preconditioners.classical.Newton`; None keeps it constant.
    bias : bool
        Whether the network has biases; without, it is positively homogeneous.
    parameters : str
        Size of the network: ``"small"``, about 0.1 million weights, or ``"medium"``, about 0.5 million.
    average : float
        Share that an exponential moving average of the weights keeps at every step, in [0, 1); the average is what
        a training gives.  0 gives the last weights.
    redraw_every : int
        Steps after which the oldest of the training's operators, with its solver states, gives way to one that the
        preset's ``redraw`` draws, so that one P serves many; 0 keeps the task's own.  Validation stays with the
        task's own.
    operators : int
        Operators at hand at a time, see :class:`~ddgp_lib.distillation.members.Members`; each has an equal share of
        the pool, and a step looks at one of them.  More than 1 takes ``redraw_every``.
    tuned_steps : int
        Steps of a second phase that follows the distillation and tunes the run as a whole, see
        :mod:`ddgp_lib.distillation.run_tuning`; 0 is none, and the fields below then mean nothing.
    tuned_unroll : int
        Its consecutive iterations of one step, through which gradients flow; losses are averaged over them.
    tuned_rate : float
        Its largest learning rate; the schedule is the same.
    tuned_batch : int or None
        Its states in each step; None takes ``batch_size``.
    tuned_horizon : int
        Its longest run in the pool, as ``horizon`` is that of the distillation.
    tuned_fresh : float
        Fraction of its batch, in [0, 1], that is at k = 0; the others come from the pool and are late.  With 1 and
        ``tuned_end``, a solver that is loaded with what was trained stops after ``tuned_unroll`` iterations.
    tuned_losses : mapping of str to float
        Its losses, as ``losses``.
    tuned_momentum : str
        Its momentum, as ``momentum``.
    tuned_end : bool
        Whether it looks at the last of its consecutive iterations alone, and not at the mean of all.
    """

    network: Network = "unet"
    form: Form = "null_space"
    inputs: Inputs = "state_aware"
    losses: Mapping[Loss, float] = field(default_factory=lambda: dict(DEFAULT_LOSSES))
    steps: int = 20000
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    pool_size: int = 512
    horizon: int = 50
    perturbed: float = 0.5
    from_truth: float = 0.0
    sigma: float | None = None
    sigma_noise: float | None = None
    momentum: Momentum = "chambolle_dossal"
    seed: int = 0
    pairing: Pairing = "same_iterate"
    unroll: int | None = None
    penalty: float = 1.0
    embedding: int = 0
    optimiser: Optimiser = "adamw"
    schedule: ScheduleName = "warm_cosine"
    noise_range: tuple[float, float] | None = None
    validate_every: int = 0
    validation_images: int = 16
    damping: float = 1e-3
    damping_noise: float | None = None
    bias: bool = False
    parameters: Size = "medium"
    average: float = 0.0
    redraw_every: int = 0
    operators: int = 1
    tuned_steps: int = 0
    tuned_unroll: int = 6
    tuned_rate: float = 3e-4
    tuned_batch: int | None = None
    tuned_horizon: int = 300
    tuned_fresh: float = 0.5
    tuned_losses: Mapping[Loss, float] = field(default_factory=lambda: dict(TUNED_LOSSES))
    tuned_momentum: Momentum = "none"
    tuned_end: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        fields.check_fields(self, DISTILLATION_FIELDS)
        drawn = self.operators == 1 or self.redraws
        require(drawn, "operators", self.operators, "1 where redraw_every is 0")
        shared = "" if self.operators == 1 else f" // operators={self.operators}"
        if self.pairing == "same_iterate":
            fits = self.batch_size <= self.own_pool
            require(fits, "batch_size", self.batch_size, f"at most pool_size={self.pool_size}{shared}")
        else:
            unheld = self.from_truth == 0
            require(unheld, "from_truth", self.from_truth, "0 with pairing='own_trajectories'")
        if self.tuned_batch is not None:
            fits = self.tuned_batch <= self.own_pool
            require(fits, "tuned_batch", self.tuned_batch, f"at most pool_size={self.pool_size}{shared}")

    @property
    def weights(self) -> dict[LossTerm, float]:
        """Weights of all losses that are on, ``losses`` and the ``"penalty"`` of the penalised form."""
        return dict(self.losses) | ({"penalty": self.penalty} if self.form == "penalised" else {})

    @property
    def unrolled(self) -> int:
        """The number of iterations of one optimisation step."""
        return PAIRINGS[self.pairing] if self.unroll is None else self.unroll

    @property
    def own_pool(self) -> int:
        """The number of states of each operator."""
        return self.pool_size // self.operators

    @property
    def longest(self) -> int:
        """The number of iterations that a state goes through at most."""
        return self.unrolled if self.pairing == "own_trajectories" else max(self.horizon, self.unrolled)

    @property
    def redraws(self) -> bool:
        """Whether operators are drawn anew as the training goes on."""
        return self.redraw_every > 0

    @property
    def stop_after(self) -> int | None:
        """The iterations after which a run stops: those tuned, where it was from its start and by its end alone.

        What comes later was then never seen.  None where it may go on.
        """
        from_start_to_end = self.tuned_steps > 0 and self.tuned_fresh == 1 and self.tuned_end
        return self.tuned_unroll if from_start_to_end else None

    @property
    def last_momentum(self) -> Momentum:
        """The momentum that the last phase of the training has known."""
        return self.tuned_momentum if self.tuned_steps else self.momentum


def _weighted_losses(name: str, losses: Any) -> None:
    """Accept a mapping of at least one loss to its weight, above zero."""
    accepted = isinstance(losses, Mapping) and bool(losses)
    require(accepted, name, losses, f"a mapping of at least one of {LOSSES} to its weight")
    for loss, weight in losses.items():
        require(loss in LOSSES, name, loss, f"names among {LOSSES}")
        require_positive(f"{name}[{loss!r}]", weight)


DISTILLATION_FIELDS: Mapping[str, fields.Check] = {
    "network": fields.one_of(NETWORKS),
    "form": fields.one_of(FORMS),
    "inputs": fields.one_of(INPUTS),
    "losses": _weighted_losses,
    "steps": fields.count,
    "batch_size": fields.size,
    "learning_rate": fields.positive,
    "weight_decay": fields.not_negative,
    "pool_size": fields.size,
    "horizon": fields.count,
    "perturbed": fields.share,
    "from_truth": fields.share,
    "sigma": fields.positive_or_none,
    "sigma_noise": fields.positive_or_none,
    "momentum": fields.one_of(MOMENTUM),
    "seed": fields.seed,
    "pairing": fields.one_of(PAIRINGS),
    "unroll": fields.count_or_none,
    "penalty": fields.positive,
    "embedding": partial(require_count, lowest=0),
    "optimiser": fields.one_of(OPTIMISERS),
    "schedule": fields.one_of(SCHEDULES),
    "noise_range": fields.range_or_none,
    "validate_every": fields.whole,
    "validation_images": fields.size,
    "damping": fields.positive,
    "damping_noise": fields.positive_or_none,
    "bias": fields.flag,
    "parameters": fields.one_of(SIZES),
    "average": fields.share_below_one,
    "redraw_every": fields.whole,
    "operators": fields.count,
    "tuned_steps": fields.whole,
    "tuned_unroll": fields.count,
    "tuned_rate": fields.positive,
    "tuned_batch": fields.size_or_none,
    "tuned_horizon": fields.count,
    "tuned_fresh": fields.share,
    "tuned_losses": _weighted_losses,
    "tuned_momentum": fields.one_of(MOMENTUM),
    "tuned_end": fields.flag,
}
"""What each field accepts."""


def first_phase(recipe: DistillationRecipe) -> DistillationRecipe:
    """Return the recipe of the distillation alone, the same for every second phase.

    Parameters
    ----------
    recipe : DistillationRecipe
        Of one phase or two.
    """
    require_instance("recipe", recipe, DistillationRecipe, "a DistillationRecipe")
    if recipe.tuned_steps == 0:
        return recipe
    tuned = [field for field in fields_of(recipe) if field.name.startswith("tuned_")]
    plain = DistillationRecipe()
    return replace(recipe, **{field.name: getattr(plain, field.name) for field in tuned})


def second_phase(recipe: DistillationRecipe) -> DistillationRecipe:
    """Return the second phase as a recipe of its own, with its random choices from another seed.

    Parameters
    ----------
    recipe : DistillationRecipe
        One with ``tuned_steps`` above 0.

    Raises
    ------
    ValueError
        If it has no second phase.
    """
    require_instance("recipe", recipe, DistillationRecipe, "a DistillationRecipe")
    require(recipe.tuned_steps > 0, "tuned_steps", recipe.tuned_steps, "1 or above, for a second phase")
    return replace(
        first_phase(recipe),
        seed=(recipe.seed + TUNED_SEED) % 2**63,
        pairing="same_iterate",
        steps=recipe.tuned_steps,
        unroll=recipe.tuned_unroll,
        learning_rate=recipe.tuned_rate,
        batch_size=recipe.tuned_batch or recipe.batch_size,
        horizon=recipe.tuned_horizon,
        tuned_fresh=recipe.tuned_fresh,
        tuned_end=recipe.tuned_end,
        losses=recipe.tuned_losses,
        momentum=recipe.tuned_momentum,
    )


def build_preconditioner(
    recipe: DistillationRecipe, channels: int, img_size: tuple[int, ...] | None = None
) -> LearnedPreconditioner:
    """Build an untrained preconditioner; its weights depend on ``recipe.seed`` alone.

    Parameters
    ----------
    recipe : DistillationRecipe
        What decides its network and its form.
    channels : int
        Image channels.
    img_size : tuple of int, optional
        (C, H, W), which the network ``"mlp"`` needs.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the network cannot be built for such images.
    """
    require_instance("recipe", recipe, DistillationRecipe, "a DistillationRecipe")
    require_count("channels", channels)
    inputs = 2 * channels if recipe.inputs == "state_aware" else channels
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build_network(
            recipe.network,
            (1 + recipe.embedding) * inputs,
            channels,
            parameters=recipe.parameters,
            bias=recipe.bias,
            img_size=img_size,
        )
    return LearnedPreconditioner(
        network,
        form=recipe.form,
        inputs=recipe.inputs,
        embedding=recipe.embedding,
        longest=recipe.longest,
        damping=recipe.damping,
        damping_noise=recipe.damping_noise,
    )
