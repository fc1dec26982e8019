"""Hostile inputs by family, drawn by hypothesis."""

import contextlib
import io
import math
import shutil
import tempfile
import typing
from pathlib import Path
from typing import Any, get_args

import torch
from hypothesis import strategies as st

from ddgp_lib import DistillationRecipe, PreconditionedFISTA, distill, names
from ddgp_lib.__main__ import main
from ddgp_lib.operators import newton, norms, null_projection, range_projection, squared_norm
from ddgp_lib.recipes import LOSSES
from tests import own_camera
from tests.fuzz.damage import (
    DAMAGE,
    DATA,
    SAME_ANSWER_ALLOWED,
    damaged_data,
    damaged_weights,
    kept_meaning,
    weights_folder,
    weights_names,
)
from tests.fuzz.examples import called, camera, targets
from tests.fuzz.outcomes import Case, answered, unfinite
from tests.fuzz.values import ACCEPTABLE, SPOILT, UNFINITE, VALUES, excluded
from tests.operators_of_deepinv import OPERATORS
from tests.own_camera import QUICK

Cases = st.SearchStrategy[Case]
WHERE = st.integers(0, 1 << 20)
RIGHT = frozenset({("jacobian_norms", "sigma", "zero")})
"""What would be wrong elsewhere: a denoiser at σ = 0 has a Jacobian."""


@st.composite
def arguments(draw: st.DrawFn) -> Case:
    """Give one argument of a public callable a hostile value."""
    target = draw(st.sampled_from(list(targets().values())))
    name = draw(st.sampled_from(target.parameters or ["none"]))
    # Without a recipe, a training takes the whole default one: hours.
    long = {"None"} if name == "recipe" else set()
    shown = draw(st.sampled_from(sorted(set(VALUES) - long)))
    value = VALUES[shown]
    wrong = name in target.parameters and excluded(name, target.hints.get(name, Any), value)
    wrong = wrong and not (value is None and target.optional(name))
    wrong = wrong and (target.name, name, shown) not in RIGHT
    changed = dict(target.good) | ({name: value} if name in target.parameters else {})
    return Case(
        "arguments of constructors, functions and recipes",
        f"{target.name}({name}={shown})",
        lambda: target.call(**changed),
        (name, "images"),
        answered if wrong else lambda result: False,
    )


FITTING = {("evaluate(images)", "nothing"), ("make_task(images)", "three channels")}
"""Spoilt tensors that one call takes: None is its default; a blur takes any number of channels."""


@st.composite
def tensors(draw: st.DrawFn) -> Case:
    """Spoil the tensor of a call."""
    label = draw(st.sampled_from(sorted(called())))
    call, good = called()[label]
    name, *_ = good
    shown = draw(st.sampled_from(sorted(SPOILT)))
    spoilt = SPOILT[shown](good[name])
    fits = shown in ACCEPTABLE or (label, shown) in FITTING
    silent = lambda result: not unfinite(result) if shown in UNFINITE else not fits  # noqa: E731
    return Case(
        "calls with hostile tensors",
        f"{label}: {shown}",
        lambda: call(**{**good, name: spoilt}),
        (name, "images", "direction", "grad"),
        silent,
    )


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "network": st.sampled_from(get_args(names.Network)),
    "form": st.sampled_from(get_args(names.Form)),
    "inputs": st.sampled_from(get_args(names.Inputs)),
    "momentum": st.sampled_from(get_args(names.Momentum)),
    "optimiser": st.sampled_from(get_args(names.Optimiser)),
    "schedule": st.sampled_from(get_args(names.ScheduleName)),
    "pairing": st.sampled_from(get_args(names.Pairing)),
    "losses": st.dictionaries(st.sampled_from(LOSSES), st.floats(0.1, 10), min_size=1),
    "learning_rate": st.floats(1e-6, 1e-2),
    "weight_decay": st.floats(0, 0.1),
    "perturbed": st.floats(0, 1),
    "sigma": st.none() | st.floats(0.01, 0.2),
    "seed": st.integers(0, 2**31),
    "unroll": st.none() | st.integers(1, 3),
    "embedding": st.integers(0, 4),
    "sigma_noise": st.none() | st.floats(0.001, 0.1),
    "noise_range": st.none() | st.just((0.01, 0.1)),
    "validate_every": st.integers(0, 2),
    "bias": st.booleans(),
}
"""Fields of a recipe that a training of two steps goes through, and what they may be."""


def recipes() -> st.SearchStrategy[dict[str, Any]]:
    """Draw the fields of a recipe that trains in a fraction of a second."""
    return st.fixed_dictionaries({}, optional=FIELDS).map(
        lambda fields: {**QUICK, "steps": 2, "validation_images": 2, **fields}
    )


@st.composite
def trainings(draw: st.DrawFn) -> Case:
    """Train two steps by a random recipe, of which one field may be hostile."""
    fields = draw(recipes())
    hints = typing.get_type_hints(DistillationRecipe)
    name = draw(st.sampled_from(sorted(hints)))
    hostile = draw(st.booleans())
    shown = draw(st.sampled_from(sorted(set(VALUES) - {"huge"})))
    if hostile:
        fields[name] = VALUES[shown]

    def run() -> Any:
        found = distill(camera(), progress=False, **fields)
        return list(found.preconditioner.state_dict().values())

    wrong = hostile and excluded(name, hints[name], VALUES[shown])
    changed = f"{name}={shown}" if hostile else "a random recipe"
    named = (name, "loss") if hostile else ("from_truth", "loss", "network")
    return Case("trainings", f"distill({changed}) of {fields}", run, named, answered if wrong else unfinite)


@st.composite
def weights(draw: st.DrawFn, folder: Path) -> Case:
    """Damage a file of weights or settings."""
    kind, damage = draw(st.sampled_from(weights_names())), draw(st.sampled_from(sorted(DAMAGE)))
    where = draw(WHERE)
    run, whole = damaged_weights(kind, damage, where, folder)
    label = f"{kind}: {damage} ({where})"
    silent = lambda found: not kept_meaning(kind, damage, found, whole)  # noqa: E731
    return Case("weights and settings in files", label, run, ("own_camera",), silent)


@st.composite
def datasets(draw: st.DrawFn, folder: Path) -> Case:
    """Damage a file of data or results."""
    kind, damage = draw(st.sampled_from(sorted(DATA))), draw(st.sampled_from(sorted(DAMAGE)))
    where = draw(WHERE)
    place = Path(tempfile.mkdtemp(dir=folder))
    load, name = damaged_data(kind, damage, where, place)

    def run() -> Any:
        try:
            found = load()
            return list(found) if isinstance(found, tuple) else found
        finally:
            shutil.rmtree(place)

    # Formats without a checksum cannot tell a flipped bit of a pixel.
    silent = unfinite if damage in SAME_ANSWER_ALLOWED | {"cut short"} else answered
    return Case(
        "data and results in files", f"{kind}: {damage} ({where})", run, (name, "train", "img_align"), silent
    )


@st.composite
def operators(draw: st.DrawFn) -> Case:
    """Try the laws of projections and of Newton's step on an operator of deepinv."""
    name = draw(st.sampled_from(sorted(OPERATORS)))
    law = draw(st.sampled_from(["projection", "Newton", "solver"]))
    seed, scale = draw(st.integers(0, 2**31)), draw(st.sampled_from([1e-2, 1.0, 1e2]))

    def run() -> float:
        physics, size = OPERATORS[name]()
        x = scale * torch.rand(2, *size, generator=torch.Generator().manual_seed(seed))
        if law == "projection":
            kept = range_projection(physics, x)
            unseen = norms(physics.A(kept - x)).norm() / squared_norm(physics, size) ** 0.5
            return float((unseen + (null_projection(physics, x) + kept - x).norm()) / x.norm())
        if law == "Newton":
            step = newton(physics, x, 0.1)
            left = 0.1 * step + physics.A_adjoint(physics.A(step)) / squared_norm(physics, size) - x
            return float(left.norm() / x.norm())
        y = physics.A(x / scale)
        solver = PreconditionedFISTA(camera().denoiser, sigma=0.05, max_iter=2)
        return 0.0 if solver(y, physics).shape == x.shape else math.inf

    label = f"{law} of {name}, {scale:g} × seed {seed}"
    return Case("deepinv's own operators", label, run, (), lambda error: not error < 1e-2)


COMMANDS = {
    "train": ("--kind", "--steps", "--seed", "--output", "--checkpoints", "--device", "--threads"),
    "tune": ("--iterations", "--sigmas", "--output", "--threads"),
    "evaluate": ("--iterations", "--images", "--seed", "--threads", "--weights"),
    "study": ("--seeds", "--only", "--output", "--threads"),
    "benchmark": ("--long", "--images", "--parts", "--seed", "--output"),
}
QUICK_OPTIONS = {
    "train": ["--kind", "distilled"],
    "tune": ["--iterations", "20", "--sigmas", "0.1"],
    "evaluate": ["--iterations", "2"],
    "study": ["--seeds", "0", "--only", "free"],
    "benchmark": ["--images", "2", "--parts", "seeds"],
}
"""What makes a command short where the hostile word does not stop it; the last of two equal options counts."""
NO_OUTPUT = {"evaluate"}
"""Commands that write no file."""
BAD_WORDS = ("-1", "0", "nan", "", "seven", "/dev/null", "1e9999", "../..", "é", "0.5")
PLACES = ("--output", "--checkpoints", "--only", "--weights")


@st.composite
def commands(draw: st.DrawFn, folder: Path) -> Case:
    """Give an option of a command a hostile word; nothing is trained for long, for the camera is tiny."""
    command = draw(st.sampled_from(sorted(COMMANDS)))
    option, word = draw(st.sampled_from(COMMANDS[command])), draw(st.sampled_from(BAD_WORDS))
    own = ["--task", f"{own_camera.__file__}:PRESET", "--weights", str(weights_folder(folder))]
    output = [] if command in NO_OUTPUT or option == "--output" else ["--output", str(folder / "out")]
    line = [
        command,
        *(["forms"] if command == "study" else []),
        *own,
        *output,
        *QUICK_OPTIONS[command],
        option,
        word,
    ]

    def run() -> None:
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                status = main(line)
        except SystemExit as error:
            status = int(error.code or 0)
        if status:
            raise ValueError(said.getvalue().splitlines()[-1])

    allowed = option in PLACES or (option, word) in {("--seed", "0"), ("--threads", "0"), ("--seeds", "0")}
    names_of = (option, option.strip("-"), *(["own_camera"] if allowed else []))
    label = f"{command} {option} {word!r}"
    return Case("command line", label, run, names_of, (lambda _: False) if allowed else answered)


def families(folder: Path) -> list[tuple[int, Cases]]:
    """Return the share of each family in hundredths, and what draws it; files go into ``folder``."""
    return [
        (40, arguments()),
        (25, tensors()),
        (4, trainings()),
        (12, weights(folder)),
        (12, datasets(folder)),
        (4, operators()),
        (3, commands(folder)),
    ]
