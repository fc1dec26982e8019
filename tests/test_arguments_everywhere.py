"""What every public call does with values that are no use: it refuses them, and names the argument.

A table gives each argument a kind, and each kind has values that must be refused.  A function that is added to the
public ones, or an argument that is added to a function, fails here until it has a kind.
"""

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from ddgp_lib import (
    Identity,
    PreconditionedPGD,
    State,
    analysis,
    answers,
    checks,
    denoisers,
    eigenvalues,
    exporting,
    figures,
    filters,
    gradient_step,
    kinds,
    linear,
    metrics,
    networks,
    operators,
    preconditioners,
    presets,
    recipes,
    scanner,
    stability,
    widgets,
    wipes,
)
from ddgp_lib.data import measured
from ddgp_lib.data.measured import Measured, NamedArray
from ddgp_lib.experiments import heldout, noise_level
from ddgp_lib.operators import (
    FourierDownsampling,
    FramedDownsampling,
    HaarCamera,
    HadamardCamera,
    LenslessCamera,
    MultiCoilCartesianMRI,
    SenseMRI,
    birdcage_maps,
)
from ddgp_lib.preconditioners import probing, quasi_newton, structures
from ddgp_lib.preconditioners.polynomial import chebyshev_coefficients, l2_coefficients
from ddgp_lib.presets import deblurring, mri, multicoil_mri, single_pixel, super_resolution
from ddgp_lib.training import schedules

NAN, INF, HUGE = math.nan, math.inf, 10**12
NO_NUMBER = (None, "x", NAN, INF, -INF, True, [], {}, (1.0, 2.0), np.ones(2), np.nan, 1j, object())
NO_TENSOR = (None, "x", 1.5, True, [], [[1.0]], {}, np.ones((1, 1, 8, 8)), object())
NO_OBJECT = ("x", NAN, -1, True, [], {}, object())
NO_MAPPING = ("x", NAN, -1, True, [1], object())
INTEGERS = torch.ones(1, 1, 8, 8, dtype=torch.int64)
FLAT = torch.ones(1, 1, 1, 8)
COMPLEX = torch.randn(2, 8, 8, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))

REFUSED: Mapping[str, tuple[Any, ...]] = {
    "number": NO_NUMBER,
    "positive": (*NO_NUMBER, 0, 0.0, -1),
    "not negative": (*NO_NUMBER, -1, -1e-9),
    "share": (*NO_NUMBER, -1, 1.5),
    "open share": (*NO_NUMBER, 0, 1, -1, 1.5),
    "fraction": (*NO_NUMBER, 0, -1, 1.5),
    "count": (*NO_NUMBER, 0, -1, 1.5, 1.0),
    "size": (*NO_NUMBER, 0, -1, 1.5, 1.0, HUGE),
    "whole": (*NO_NUMBER, -1, 1.5),
    "integer": (*NO_NUMBER, 1.5),
    "seed": (*NO_NUMBER, -1, 1.5, 2**63),
    "choice": (None, "x", NAN, -1, True, [], ["unet"], {}, object(), np.ones(2)),
    "flag": (None, "x", NAN, -1, 1.5, [], {}, object(), np.ones(2)),
    "text": (None, NAN, -1, True, [], {}, object()),
    "images": (*NO_TENSOR, torch.ones(1, 8, 8), torch.ones(0, 1, 8, 8), INTEGERS, INTEGERS * NAN),
    "batch": (*NO_TENSOR, INTEGERS),
    "sides": (*NO_TENSOR, INTEGERS, torch.ones(()), FLAT, FLAT.mT),
    "values": (*NO_TENSOR, INTEGERS, torch.tensor([NAN, 1.0]), torch.tensor([INF, 1.0])),
    "spectrum": (*NO_TENSOR, torch.ones(0), torch.tensor([NAN, 1.0]), torch.tensor([INF, 1.0])),
    "places": (*NO_TENSOR, INTEGERS, torch.zeros(0, dtype=torch.bool)),
    "tensor": NO_TENSOR,
    "names": (None, "x", NAN, -1, True, [], {}, object(), ("a", "b"), (1, 2, 3, 4), ("a", "a", "b", "c")),
    "pixels": (*(value for value in NO_TENSOR if value is not None), INTEGERS, FLAT > 0, INTEGERS < 0),
    "img_size": (
        *(None, "x", 8, NAN, [], {}, object(), (1, 8), (1, 8, -8), (1, 0, 8), (1, 8.0, 8), (1, "8", 8)),
        *((1, True, 8), (1, HUGE, HUGE), (1, 8, HUGE)),
    ),
    "sides or img_size": (
        "x",
        8,
        NAN,
        [],
        {},
        object(),
        (8,),
        (8, -8),
        (0, 8),
        (8.0, 8),
        (True, 8),
        (HUGE, 8),
    ),
    "levels": ("x", NAN, -1, True, {}, (NAN,), ("a",), (2.0, 1.0), object()),
    "side": ("x", 0, -1, NAN, 1.5, True, [], {}, (8, -8), (8.0, 8), HUGE, object()),
    "shape": (None, "x", 8, NAN, [], {}, object(), (1, -1), (1, 0), (1, 8.0), (HUGE, 8)),
    "function": (None, "x", NAN, -1, True, [], {}),
    "object": (None, *NO_OBJECT),
    "optional object": NO_OBJECT,
    "pair": ("x", NAN, -1, True, {}, (1.0,), ("a", "b"), (NAN, 1.0), object()),
    "mapping": (None, {}, [], *NO_MAPPING),
    "optional mapping": (*NO_MAPPING, {1: 1}),
    "array": (None, "x", True, {}, object(), [], "numbers", 1.0),
    "sequence": (None, "x", -1, NAN, True, [], {}, object(), (NAN,), ("a",), (None,)),
    "kspace": (*NO_TENSOR, torch.ones(2, 8, 8), COMPLEX[0], COMPLEX[:0], COMPLEX * NAN, COMPLEX * INF),
    "coil noise": (*NO_TENSOR, torch.ones(2, 80), COMPLEX, COMPLEX[:, 0, :2], COMPLEX[:, 0] * NAN),
    "matrix": (*NO_TENSOR, torch.eye(2), COMPLEX, COMPLEX[:, 0], COMPLEX[:, 0, :2] * NAN),
    "height and width": (
        *(
            None,
            "x",
            8,
            NAN,
            [],
            {},
            object(),
            (8,),
            (8, -8),
            (0, 8),
            (8.0, 8),
            (True, 8),
            (HUGE, 8),
            ("a", 8),
        ),
        *((8, 8, 8), torch.ones(2)),
    ),
    "fades": ("x", -1, NAN, True, [], {}, object(), (NAN,), ("a",), (0,)),
    "plane of places": (*NO_TENSOR, FLAT, FLAT > 0, FLAT[0, 0] > 2),
    "anything": (),
}
"""Values that are refused, by kind; an ``optional`` in front of a kind takes None out of them."""

KINDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("damping", "stepsize", "step", "scale", "learning_rate", "radius", "length"), "positive"
    ),
    **dict.fromkeys(("noise", "weight_decay", "floor", "bound", "momentum"), "not negative"),
    **dict.fromkeys(("sigma", "noise_level", "sigma_min", "sigma_max", "limit", "height"), "positive"),
    **dict.fromkeys(("perturbed", "from_truth", "ratio", "teacher_ratio", "progress", "share"), "share"),
    **dict.fromkeys(("center_fraction", "rtol", "tolerance", "lower"), "share"),
    **dict.fromkeys(("damping_noise", "ridge"), "optional positive"),
    **dict.fromkeys(("split", "tol"), "positive"),
    **dict.fromkeys(("bend", "turn"), "not negative"),
    **dict.fromkeys(("in_channels", "out_channels", "channels", "width", "depth", "coils"), "size"),
    **dict.fromkeys(("batch_size", "pool_size", "n_images", "validation_images", "jacobian_images"), "size"),
    **dict.fromkeys(("steps", "horizon", "iterations", "stride", "factor", "longest"), "count"),
    **dict.fromkeys(("embedding", "validate_every", "k", "degree"), "whole"),
    **dict.fromkeys(("unroll", "rank", "probes", "crop"), "optional count"),
    **dict.fromkeys(("columns",), "optional size"),
    **dict.fromkeys(("seed", "mask_seed", "shake"), "seed"),
    **dict.fromkeys(("form", "inputs", "after", "structure", "network", "optimiser", "schedule"), "choice"),
    **dict.fromkeys(("parameters", "pairing", "ordering", "filter", "rule", "kind", "onto"), "choice"),
    **dict.fromkeys(("bias", "nested", "complex_valued", "noise_scaled", "progress_bar", "signed"), "flag"),
    **dict.fromkeys(("null_space", "descent", "share_x", "markers"), "flag"),
    **dict.fromkeys(("xlabel", "ylabel", "value_label", "label", "truth_title"), "text"),
    **dict.fromkeys(("caption", "title", "scale_label"), "optional text"),
    **dict.fromkeys(("x", "y", "v", "z", "grad", "adjoint"), "sides"),
    **dict.fromkeys(("physics", "task", "solver", "recipe", "state", "figure"), "object"),
    **dict.fromkeys(("generator", "denoiser", "images", "ax", "mask"), "optional object"),
    **dict.fromkeys(("eigenvalues", "values"), "spectrum"),
    **dict.fromkeys(("roles", "horizontal", "vertical", "points", "errors"), "optional mapping"),
    "img_size": "img_size",
    "size": "side",
    "shape": "shape",
}
"""The kind of an argument, by its name, unless a call says otherwise."""


@dataclass(frozen=True)
class Call:
    """A public function with arguments that it takes; what else is told here is not as :data:`KINDS` says."""

    function: Callable[..., Any]
    given: Mapping[str, Any]
    kinds: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    quick: bool = True

    def kind(self, argument: str) -> str:
        return self.kinds.get(argument) or KINDS[argument]

    def hostile(self, argument: str) -> list[Any]:
        kind = self.kind(argument)
        if kind not in REFUSED:
            values = REFUSED[kind.removeprefix("optional ")]
            return [value for value in values if value is not None]
        return list(REFUSED[kind])

    def names(self, argument: str, message: str) -> bool:
        name = re.escape(self.named.get(argument, argument))
        return re.match(rf"^{name}(=|\.|\[| has | gives )", message) is not None


SHAPE = (1, 1, 8, 8)
SIZE = (1, 8, 8)
IMAGES = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0))
CAMERA = HadamardCamera(0.5, SIZE)
PAIRS = torch.rand(1, 2, 8, 8, generator=torch.Generator().manual_seed(0))
COILS = MultiCoilCartesianMRI(2.0, (2, 8, 8), 2, 0.1)
SENSE = SenseMRI(birdcage_maps(2, 8, 8), COILS.columns)
SMALL = FourierDownsampling(2, SIZE)
STATE = State(IMAGES, 0, CAMERA, CAMERA.A(IMAGES))
STRUCTURE = structures.Structure("diagonal", SIZE)
MODES = analysis.modes(CAMERA, SIZE)
SPECTRUM = torch.linspace(0.1, 1, 5)
FALLING = SPECTRUM.flip(0)
TABLE = torch.rand(3, 5, generator=torch.Generator().manual_seed(0))
TABLES = {
    **dict.fromkeys(("factors", "data", "truth", "residuals"), "values"),
    **dict.fromkeys(("noise", "count", "factor"), "positive"),
}
CURVE = {"a": [1.0, 2.0, 3.0]}
LABELS = {"xlabel": "x", "ylabel": "y"}


READINGS = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
LENSLESS = Measured(
    {name: NamedArray(READINGS, ("row", "column")) for name in ("psf", "image")},
    {},
    measured.MEASURED["diffusercam"],
)
BEHIND_A_DIFFUSER = LenslessCamera(IMAGES[0])
PATTERNS = Measured(
    {"coefficients": NamedArray(torch.ones(2, 64), ("acquisition", "pattern"))},
    {"acquisition": ("Car_one_roi_9", "Car_two_roi_9"), "size": 8},
    measured.MEASURED["car"],
)
WAVELETS = Measured(
    {"coefficients": NamedArray(torch.ones(8, 8), ("row", "column"))},
    {"coarsest": 2, "detail_sign": -1},
    measured.MEASURED["jaszczak"],
)


def same(x: torch.Tensor, *others: Any) -> torch.Tensor:
    return x


def halved(x: torch.Tensor, sigma: Any = None) -> torch.Tensor:
    return 0.5 * x


def draw(value: float) -> figures.BookFigure:
    return figures.bars({"a": {"part": value}}, xlabel="x")


SOLVER = PreconditionedPGD(halved, stepsize=1.0, sigma=0.1, max_iter=1)
NETWORK = {"in_channels": 1, "out_channels": 1, "width": 8, "bias": False}
MRI = {
    "acceleration": 2.0,
    "img_size": (2, 8, 8),
    "center_fraction": 0.1,
    "noise": 0.0,
    "seed": 0,
    "mask_seed": 0,
}
OF_SEVERAL = {"seed": 0, "tolerance": 1e-4, "dtype": None, "device": None}
OF_A_MAP = {"dtype": "optional object", "device": "optional object", "shape": "shape", "function": "function"}
SPECIAL_LINEAR = {"inputs": "affine", "form": "free", "after": "last", "damping": 0.1, "damping_noise": None}


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of a function that have defaults, with them."""
    parameters = inspect.signature(function).parameters.values()
    factories = {"losses": {"gradient": 1.0}}
    return {
        p.name: factories.get(p.name, p.default)
        for p in parameters
        if p.default is not inspect.Parameter.empty
    }


PLACES = torch.ones(8, 8, dtype=torch.bool)
HELD_OUT = {"measured": PAIRS[0], "held_out": PLACES}
HELD_OUT_KINDS = {
    **{"measured": "values", "held_out": "places", "dim": "optional integer"},
    **{"sigma_rtol": "not negative", "confidence": "open share"},
}

EXPORTED = exporting.Exported(torch.nn.Identity(), {"x": IMAGES}, "y")
MEASURED = scanner.KSpace(COMPLEX, PLACES, "simulated")
SETTING = {"sigma": 0.1, "momentum": "none", "prior_decay": None, "update_decay": 10}
FADES = ("prior_decay", "update_decay")
ENDS = {"sigma_first": 0.3, "sigma_last": 0.1}
POSITIVE_ENDS = dict.fromkeys(ENDS, "positive")

DRAWN = {"acceleration": 2.0, "calibration": 2, "generator": torch.Generator().manual_seed(0)}
OF_A_DRAW = {
    "acceleration": "positive",
    "calibration": "whole",
    "generator": "object",
    "sides": "height and width",
}

OF_A_TASK = {"sigma": "anything", "denoiser": "anything"}
"""``make_task`` refuses these, after all else: tests/test_tasks.py."""

CALLS: dict[str, Call] = {
    # recipes: their fields are tried in tests/test_fields.py
    "build_preconditioner": Call(
        recipes.build_preconditioner,
        {"recipe": recipes.DistillationRecipe(network="mlp"), "channels": 1, "img_size": SIZE},
        {"img_size": "sides or img_size"},
        quick=False,
    ),
    "first_phase": Call(recipes.first_phase, {"recipe": recipes.DistillationRecipe()}),
    "second_phase": Call(recipes.second_phase, {"recipe": recipes.DistillationRecipe(tuned_steps=1)}),
    "build_alternative": Call(
        recipes.build_alternative,
        {"recipe": recipes.AlternativeRecipe("direct", 1, 1), "channels": 1},
    ),
    "build_linear_preconditioner": Call(
        recipes.build_linear_preconditioner,
        {"recipe": recipes.LinearRecipe(structure="diagonal"), "img_size": SIZE},
    ),
    # networks
    "build_network": Call(
        networks.build_network,
        {"name": "cnn", **NETWORK, "parameters": "small", "img_size": None},
        {"name": "choice", "width": "optional size", "img_size": "anything"},
    ),
    "MLP": Call(networks.MLP, {**NETWORK, "img_size": (8, 8)}, {"img_size": "sides or img_size"}),
    "AttentionCNN": Call(networks.AttentionCNN, {**NETWORK, "depth": 1}),
    "ConvNeXt": Call(networks.ConvNeXt, {**NETWORK, "depth": 1}),
    "MultiDepthCNN": Call(
        networks.MultiDepthCNN, {**NETWORK, "branches": ((3, 1),)}, {"branches": "sequence"}
    ),
    "PatchCNN": Call(networks.PatchCNN, {**NETWORK, "depth": 2}),
    "PatchUNet": Call(
        networks.PatchUNet,
        {"in_channels": 1, "out_channels": 1, "widths": (8, 8), "bias": False},
        {"widths": "sequence"},
    ),
    "TimedUNet": Call(networks.TimedUNet, NETWORK),
    "TimedUNet()": Call(
        networks.TimedUNet(1, 1, 8), {"v": IMAGES, "s": torch.zeros(1)}, {"v": "batch", "s": "batch"}
    ),
    "ViT": Call(networks.ViT, {**NETWORK, "depth": 1}),
    "PatchCNN()": Call(networks.PatchCNN(1, 1, 8, depth=2), {"v": IMAGES}, {"v": "batch"}),
    "MLP()": Call(networks.MLP(1, 1, SIZE, 8), {"v": IMAGES}),
    "Homogeneous": Call(networks.Homogeneous, {"network": torch.nn.Identity()}, {"network": "object"}),
    "Homogeneous()": Call(networks.Homogeneous(torch.nn.Identity()), {"v": IMAGES}, {"v": "batch"}),
    "iteration_progress": Call(networks.iteration_progress, {"k": 1, "longest": 5}),
    "iteration_features": Call(
        networks.iteration_features, {"k": 1, "count": 2, "longest": 5}, {"count": "size"}
    ),
    "with_iteration": Call(
        networks.with_iteration,
        {"v": IMAGES, "k": 1, "count": 2, "longest": 5},
        {"v": "batch", "count": "whole"},
    ),
    # raw data of scanners
    "remove_oversampling": Call(
        scanner.remove_oversampling,
        {"kspace": COMPLEX, "size": 4, "axis": "width"},
        {"kspace": "kspace", "axis": "choice"},
    ),
    "without_oversampling": Call(
        scanner.without_oversampling,
        {"measured": scanner.KSpace(COMPLEX, COMPLEX[0] != 0, "scan", readout="width", size=(8, 4))},
        {"measured": "object"},
    ),
    "mix_coils": Call(
        scanner.mix_coils,
        {"matrix": COMPLEX[:, 0, :2], "kspace": COMPLEX},
        {"matrix": "matrix", "kspace": "kspace"},
    ),
    "root_sum_of_squares": Call(scanner.root_sum_of_squares, {"images": COMPLEX}, {"images": "kspace"}),
    "combine_coils": Call(
        scanner.combine_coils, {"images": COMPLEX, "maps": COMPLEX}, {"images": "kspace", "maps": "kspace"}
    ),
    "noise_covariance": Call(scanner.noise_covariance, {"noise": COMPLEX[:, 0]}, {"noise": "coil noise"}),
    "corner_noise": Call(
        scanner.corner_noise,
        {"kspace": COMPLEX, "fraction": 0.5},
        {"kspace": "kspace", "fraction": "fraction"},
    ),
    "prewhitening_matrix": Call(
        scanner.prewhitening_matrix, {"covariance": torch.eye(2) + 0j, "sigma": 1.0}, {"covariance": "matrix"}
    ),
    "prewhiten": Call(
        scanner.prewhiten,
        {"kspace": COMPLEX, "covariance": torch.eye(2) + 0j, "sigma": 1.0},
        {"kspace": "kspace", "covariance": "matrix"},
    ),
    "compression_matrix": Call(
        scanner.compression_matrix, {"kspace": COMPLEX, "coils": 1}, {"kspace": "kspace"}
    ),
    "compress_coils": Call(scanner.compress_coils, {"kspace": COMPLEX, "coils": 1}, {"kspace": "kspace"}),
    "compress_coils_geometrically": Call(
        scanner.compress_coils_geometrically,
        {"kspace": COMPLEX, "coils": 1, "axis": "width"},
        {"kspace": "kspace", "axis": "choice"},
    ),
    "calibration_region": Call(
        scanner.calibration_region,
        {"mask": COMPLEX[0] != 0, "largest": 4},
        {"mask": "plane of places", "largest": "optional count"},
    ),
    "low_resolution": Call(
        scanner.low_resolution, {"kspace": COMPLEX, "width": 4}, {"kspace": "kspace", "width": "count"}
    ),
    **{
        function.__name__: Call(
            function,
            {"kspace": COMPLEX, "percentile": 90.0, "width": 4},
            {"kspace": "kspace", "percentile": "positive", "width": "count"},
        )
        for function in (scanner.brightness, scanner.scale_to_unit)
    },
    "espirit_maps": Call(
        scanner.espirit_maps,
        {"kspace": COMPLEX, "region": None, "kernel": 2, "threshold": 0.1, "crop": 0.5, "soft": 0.0},
        {"kspace": "kspace", "region": "optional object", "kernel": "count", "threshold": "share"}
        | {"crop": "share", "soft": "not negative"},
    ),
    "column_mask": Call(
        scanner.column_mask, {"width": 16, **DRAWN, "power": 3.0}, {**OF_A_DRAW, "power": "not negative"}
    ),
    "random_mask": Call(
        scanner.random_mask, {"sides": (8, 8), **DRAWN, "power": 3.0}, {**OF_A_DRAW, "power": "not negative"}
    ),
    "poisson_disc_mask": Call(
        scanner.poisson_disc_mask,
        {"sides": (8, 8), **DRAWN, "slope": 2.0},
        {**OF_A_DRAW, "slope": "not negative"},
    ),
    "draw_mask": Call(
        scanner.draw_mask,
        {"name": "random", "size": 8, "acceleration": 2.0, "calibration": 0.1, "seed": 0, "power": 3.0},
        {"name": "choice", "acceleration": "positive", "calibration": "share", "power": "not negative"},
    ),
    "ScanFamily": Call(
        scanner.ScanFamily,
        defaults(scanner.ScanFamily),
        {
            **dict.fromkeys(
                ("coils", "accelerations", "calibration", "power", "noise", "bend", "turn"), "pair"
            ),
            **{"teacher": "fraction", "masks": "sequence"},
        },
    ),
    "ScanFamily.draw": Call(
        scanner.ScanFamily(coils=(2, 2)).draw,
        {"size": 8, "generator": torch.Generator().manual_seed(0)},
        {"generator": "object"},
    ),
    "prepare_scan": Call(
        scanner.prepare_scan,
        {
            **{"measured": MEASURED, "mask": None, "maps": COMPLEX, "noise": 0.1, "percentile": 99.0},
            **{"bright": 1.0, "split": 0.1, "tol": 1e-3, "seed": 0},
        },
        {"measured": "object", "maps": "optional object", "percentile": "positive", "bright": "positive"},
    ),
    # operators
    "HaarCamera": Call(
        HaarCamera,
        {"ratio": 0.5, "img_size": SIZE, "coarsest": 4, "order": 1, "noise": 0.1, "seed": 0},
        {"coarsest": "size", "order": "seed"},
    ),
    "HadamardCamera": Call(
        HadamardCamera, {"ratio": 0.5, "img_size": SIZE, "ordering": "xy", "noise": 0.1, "seed": 0}
    ),
    "FourierDownsampling": Call(
        FourierDownsampling,
        {
            "factor": 2,
            "img_size": SIZE,
            "std": 1.0,
            "noise": 0.0,
            "seed": 0,
            "rtol": 1e-3,
            "filter": "gaussian",
        },
        {"std": "optional positive"},
    ),
    "FramedDownsampling": Call(
        FramedDownsampling,
        {
            "factor": 2,
            "img_size": (1, 32, 32),
            "std": 1.0,
            "noise": 0.0,
            "seed": 0,
            "rtol": 1e-3,
            "filter": "gaussian",
        },
        {"std": "optional positive"},
    ),
    "LenslessCamera": Call(
        LenslessCamera,
        {"psf": IMAGES[0], "noise": 0.1, "seed": 0, "used": None},
        {"psf": "values", "used": "optional object"},
    ),
    "gaussian_noise": Call(operators.gaussian_noise, {"noise": 0.1, "seed": 0}),
    "CartesianMRI": Call(operators.CartesianMRI, {**MRI, "mask": None}, {"acceleration": "positive"}),
    "MultiCoilCartesianMRI": Call(
        MultiCoilCartesianMRI,
        {**MRI, "mask": None, "coils": 2, "rtol": 1e-3},
        {"acceleration": "positive"},
    ),
    "SenseMRI": Call(
        SenseMRI,
        {
            **{"maps": birdcage_maps(2, 8, 8), "mask": torch.ones(8), "noise": 0.1, "seed": 0},
            **{"split": 0.1, "tol": 1e-3},
        },
        {"maps": "kspace", "mask": "object"},
    ),
    "SenseMRI.newton": Call(
        SENSE.newton,
        {"x": PAIRS, "damping": 0.1, "start": None, "tol": None},
        {"start": "optional object", "tol": "optional positive"},
    ),
    "SenseMRI.hidden": Call(SENSE.hidden, {"x": PAIRS, "split": None}, {"split": "optional positive"}),
    "SenseMRI.cg_sense": Call(
        SENSE.cg_sense,
        {"y": SENSE.A(PAIRS), "damping": 0.1, "start": None, "tol": 1e-3},
        {"start": "optional object"},
    ),
    "normalise_maps": Call(
        operators.normalise_maps,
        {"maps": COMPLEX, "support": None, "floor": 1e-3},
        {"maps": "kspace", "support": "optional object", "floor": "share"},
    ),
    "birdcage_maps": Call(
        operators.birdcage_maps, {"coils": 2, "height": 8, "width": 8, "radius": 1.5}, {"height": "size"}
    ),
    "gaussian_columns": Call(
        operators.gaussian_columns,
        {"width": 16, "acceleration": 2.0, "center_fraction": 0.1, "seed": 0},
        {"acceleration": "positive"},
    ),
    "Counted": Call(operators.Counted, {"physics": CAMERA, "img_size": SIZE}),
    "normal": Call(operators.normal, {"physics": CAMERA, "x": IMAGES}),
    "gradient": Call(
        operators.gradient, {"physics": CAMERA, "z": IMAGES, "adjoint": IMAGES}, {"adjoint": "batch"}
    ),
    "noise_of": Call(operators.noise_of, {"physics": CAMERA}),
    "newton": Call(operators.newton, {"physics": SMALL, "x": IMAGES, "damping": 0.1}),
    "squared_norm": Call(
        operators.squared_norm, {"physics": CAMERA, "img_size": SIZE}, {"img_size": "anything"}
    ),
    "range_projection": Call(operators.range_projection, {"physics": CAMERA, "x": IMAGES}),
    "null_projection": Call(operators.null_projection, {"physics": COILS, "x": PAIRS}),
    "norms": Call(operators.norms, {"batch": IMAGES}, {"batch": "object"}),
    "largest_eigenvalue": Call(
        operators.largest_eigenvalue,
        {
            "symmetric": halved,
            "img_size": SIZE,
            "max_iter": 3,
            "rtol": 1e-3,
            "dtype": torch.float32,
            "device": "cpu",
        },
        {"symmetric": "function", "max_iter": "count", "rtol": "not negative"}
        | {"dtype": "anything", "device": "anything"},
    ),
    # kinds
    "Setting": Call(kinds.Setting, SETTING, {"momentum": "choice", **dict.fromkeys(FADES, "optional count")}),
    "PolynomialSetting": Call(
        kinds.PolynomialSetting,
        {**SETTING, "degree": 2},
        {"momentum": "choice", **dict.fromkeys(FADES, "optional count")},
    ),
    "VariationSetting": Call(kinds.VariationSetting, {"sigma": 0.1}),
    "AnnealedSetting": Call(
        kinds.AnnealedSetting,
        {**ENDS, "momentum": "none", "update_decay": 15},
        {**POSITIVE_ENDS, "momentum": "choice", "update_decay": "optional count"},
    ),
    "ADMMSetting": Call(kinds.ADMMSetting, {**ENDS, "tau": 10.0}, {**POSITIVE_ENDS, "tau": "positive"}),
    "Fista": Call(
        kinds.Fista,
        {"preconditioner": None, "on_teacher": False, "stop_after": None},
        {"preconditioner": "optional function", "on_teacher": "flag", "stop_after": "optional count"},
    ),
    "PolynomialFista": Call(
        kinds.PolynomialFista,
        {"degrees": (1, 2), "sigmas": (0.1,)},
        {"degrees": "sequence", "sigmas": "optional sequence"},
    ),
    "PulledSetting": Call(
        kinds.PulledSetting,
        {**SETTING, "weight": 0.5, "decay": 0.9},
        {"momentum": "choice", **dict.fromkeys(FADES, "optional count")}
        | dict.fromkeys(("weight", "decay"), "positive"),
    ),
    "PulledFista": Call(
        kinds.PulledFista,
        {"sigmas": (0.1,), "weights": (0.5,), "decays": (1.0,), "momenta": ("none",)},
        {"sigmas": "optional sequence", **dict.fromkeys(("weights", "decays", "momenta"), "sequence")},
    ),
    "TikhonovSetting": Call(
        kinds.TikhonovSetting, {"damping": 0.1, "update_decay": 10}, {"update_decay": "optional count"}
    ),
    "IteratedTikhonov": Call(
        kinds.IteratedTikhonov,
        {"dampings": (0.1,), "fades": (None, 5)},
        {"dampings": "sequence", "fades": "fades"},
    ),
    "VariationFista": Call(kinds.VariationFista, {"sigmas": (0.1,), "iterations": 3}, {"sigmas": "sequence"}),
    "AnnealedFista": Call(
        kinds.AnnealedFista,
        {"firsts": (0.3,), "lasts": (0.1,), "momenta": ("none",), "fades": (None, 15)},
        {**dict.fromkeys(("firsts", "lasts", "momenta"), "sequence"), "fades": "levels"},
    ),
    "ExactADMM": Call(
        kinds.ExactADMM,
        {"firsts": (0.3,), "lasts": (0.1,), "taus": (10.0,), "follows": False},
        {**dict.fromkeys(("firsts", "lasts", "taus"), "sequence"), "follows": "flag"},
    ),
    # preconditioners
    "Scalar": Call(preconditioners.Scalar, {"scale": 1.0}),
    "Newton": Call(preconditioners.Newton, {"damping": 0.1, "noise": None}, {"noise": "optional positive"}),
    "Newton.damping_of": Call(
        preconditioners.Newton(0.1).damping_of, {"noise": torch.ones(1)}, {"noise": "values"}
    ),
    "Newton.damping_for": Call(preconditioners.Newton(0.1).damping_for, {"physics": CAMERA}),
    "InexactNewton": Call(
        preconditioners.InexactNewton,
        {"damping": 0.1, "tolerance": 0.1},
        {"damping": "positive", "tolerance": "open share"},
    ),
    "Jacobi": Call(
        preconditioners.Jacobi,
        {"diagonal": torch.ones(SIZE), "damping": 0.1, "scale": 1.0},
        {"diagonal": "values"},
    ),
    "Circulant": Call(
        preconditioners.Circulant,
        {"spectrum": torch.ones(SIZE), "damping": 0.1, "scale": 1.0, "complex_valued": False},
        {"spectrum": "values"},
    ),
    "Jacobi.of": Call(
        preconditioners.Jacobi.of,
        {"physics": CAMERA, "img_size": SIZE, "damping": 0.1, "probes": 2, "generator": torch.Generator()},
    ),
    "Circulant.of": Call(
        preconditioners.Circulant.of,
        {"physics": CAMERA, "img_size": SIZE, "damping": 0.1, "probes": 2, "generator": torch.Generator()},
    ),
    "normal_diagonal": Call(
        probing.normal_diagonal,
        {"physics": CAMERA, "img_size": SIZE, "probes": 2, "generator": torch.Generator()},
    ),
    "LearnedPreconditioner": Call(
        preconditioners.LearnedPreconditioner,
        {"network": torch.nn.Identity(), **defaults(preconditioners.LearnedPreconditioner)},
        {"network": "object"},
    ),
    "NullSpacePull": Call(
        preconditioners.NullSpacePull,
        {"predictor": halved, "teacher": CAMERA, "weight": 0.5, "decay": 1.0},
        {"predictor": "function", "teacher": "optional object", "weight": "fraction", "decay": "fraction"},
    ),
    "LinearPreconditioner": Call(
        preconditioners.LinearPreconditioner,
        {"structure": STRUCTURE, "iterations": 2, "rank": None, **SPECIAL_LINEAR},
        {"structure": "object", "iterations": "size"},
    ),
    "LinearPreconditioner.fill": Call(
        preconditioners.LinearPreconditioner(STRUCTURE, 1, inputs="gradient_only").fill,
        {"k": 0, "weights": torch.zeros(64, 1, 1), "bias": torch.zeros(SIZE)},
        {"weights": "values", "bias": "values"},
    ),
    "Polynomial": Call(
        preconditioners.Polynomial, {"coefficients": (1.0, 2.0)}, {"coefficients": "sequence"}
    ),
    "Polynomial.of": Call(preconditioners.Polynomial.of, {"kind": "chebyshev", "degree": 2, "lower": 0.1}),
    "chebyshev_coefficients": Call(chebyshev_coefficients, {"degree": 2, "lower": 0.1}),
    "l2_coefficients": Call(l2_coefficients, {"degree": 2}),
    "SR1": Call(
        preconditioners.SR1, {"theta_1": 1e-6, "theta_2": 200.0}, {"theta_1": "share", "theta_2": "positive"}
    ),
    "rank_one_direction": Call(
        quasi_newton.rank_one_direction,
        {"grad": IMAGES, "s": IMAGES, "m": IMAGES, "theta_1": 1e-6, "theta_2": 200.0},
        {"grad": "batch", "s": "sides", "m": "sides", "theta_1": "share", "theta_2": "positive"},
    ),
    "State": Call(
        State,
        {"z": IMAGES, "k": 0, "physics": CAMERA, "y": IMAGES, "noise": None, "prepared": None},
        {
            "z": "batch",
            "physics": "anything",
            "y": "optional object",
            "noise": "optional object",
            "prepared": "optional object",
        },
    ),
    "Structure": Call(
        structures.Structure,
        {"name": "convolution", "img_size": SIZE, "stride": 2},
        {"name": "choice"},
        {"name": "structure"},
    ),
    "Structure.blocks": Call(STRUCTURE.blocks, {"images": IMAGES}, {"images": "sides"}),
    "Structure.images": Call(STRUCTURE.images, {"blocks": torch.ones(64, 1, 1)}, {"blocks": "batch"}),
    "Structure.features": Call(STRUCTURE.features, {"channels": 1}),
    # linear
    "Ridge": Call(
        linear.Ridge,
        {"X": torch.ones(1, 3, 2), "Y": torch.ones(1, 3, 2), "scale": None},
        {"X": "values", "Y": "values", "scale": "optional positive"},
    ),
    "Ridge.weights": Call(
        linear.Ridge(torch.ones(1, 3, 2), torch.ones(1, 3, 2)).weights,
        {"ridge": 0.1},
        {"ridge": "not negative"},
    ),
    "Ridge.low_rank_weights": Call(
        linear.Ridge(torch.ones(1, 3, 2), torch.ones(1, 3, 2)).low_rank_weights,
        {"ridge": 0.1, "rank": 1},
        {"ridge": "not negative", "rank": "count"},
    ),
    # checks
    "check_adjoint": Call(
        checks.check_adjoint,
        {"physics": CAMERA, "shape": SHAPE, "adjoint": same, **OF_SEVERAL, "tolerance": 0.99},
        OF_A_MAP | {"physics": "function", "adjoint": "optional function"},
        quick=False,
    ),
    "check_linear": Call(checks.check_linear, {"function": same, "shape": SHAPE, **OF_SEVERAL}, OF_A_MAP),
    "check_projector": Call(
        checks.check_projector,
        {"projector": same, "shape": SHAPE, "physics": None, "onto": "range", **OF_SEVERAL},
        OF_A_MAP | {"projector": "function", "physics": "optional object"},
    ),
    "check_preconditioner": Call(
        checks.check_preconditioner,
        {
            **{"preconditioner": Identity(), "physics": CAMERA, "shape": SHAPE},
            **{"null_space": True, "descent": True, **OF_SEVERAL},
        },
        OF_A_MAP | {"preconditioner": "function"},
    ),
    "check_stepsize": Call(
        checks.check_stepsize,
        {
            **{"stepsize": 1.0, "physics": CAMERA, "shape": SHAPE, "preconditioner": None},
            **{"at_least": None, "iterations": 5, **OF_SEVERAL},
        },
        OF_A_MAP
        | {"preconditioner": "optional function", "at_least": "optional positive", "stepsize": "anything"},
    ),
    "check_denoiser": Call(
        checks.check_denoiser,
        {"denoiser": halved, "images": IMAGES, "sigma": 0.1, "gain": -99.0, "seed": 0},
        {"denoiser": "function", "images": "images", "gain": "number"},
    ),
    "check_fixed_point": Call(
        checks.check_fixed_point,
        {"step": same, "x": IMAGES, "tolerance": 0.1},
        {"step": "function", "x": "values"},
    ),
    # stability
    "iteration_map": Call(
        stability.iteration_map, {"solver": SOLVER, "y": STATE.y, "physics": CAMERA, "k": 0}
    ),
    **{
        name: Call(
            getattr(stability, name),
            {
                **{"solver": SOLVER, "y": STATE.y, "physics": CAMERA, "x": IMAGES},
                **{"k": 0, "iterations": 2, "generator": None},
            },
        )
        for name in ("local_lipschitz", "spectral_radius")
    },
    # analysis
    **{
        name: Call(getattr(analysis, name), {"physics": CAMERA, "img_size": SIZE})
        for name in ("dense_matrix", "modes", "singular_values")
    },
    "Modes.analyse": Call(MODES.analyse, {"images": IMAGES}, {"images": "images"}),
    "Modes.synthesise": Call(
        MODES.synthesise, {"coefficients": torch.ones(1, 64)}, {"coefficients": "values"}
    ),
    "condition_number": Call(analysis.condition_number, {"values": SPECTRUM}),
    "split": Call(analysis.split, {"physics": CAMERA, "x": IMAGES}, {"x": "images"}),
    "gradient_factors": Call(analysis.gradient_factors, {"eigenvalues": SPECTRUM, "step": 1.0}),
    "gradient_rate": Call(analysis.gradient_rate, {"eigenvalues": SPECTRUM, "step": 1.0}),
    "best_gradient_step": Call(analysis.best_gradient_step, {"eigenvalues": SPECTRUM}),
    "momentum_radius": Call(
        analysis.momentum_radius, {"eigenvalues": SPECTRUM, "step": 1.0, "momentum": 0.5, "rule": "nesterov"}
    ),
    "best_momentum": Call(analysis.best_momentum, {"eigenvalues": SPECTRUM, "rule": "nesterov"}),
    "error_factors": Call(
        analysis.error_factors,
        {"eigenvalues": SPECTRUM, "step": 1.0, "iterations": 2, "momentum": 0.5, "rule": "nesterov"},
        {"momentum": "number", "iterations": "whole"},
    ),
    "expected_error": Call(
        analysis.expected_error,
        {"values": SPECTRUM, "coefficients": torch.ones(5), "noise": 0.1, "factors": torch.ones(3, 5)},
        {"coefficients": "values", "factors": "values"},
    ),
    # filters
    "landweber": Call(
        filters.landweber, {"values": FALLING, "step": 1.0, "iterations": 2}, {"iterations": "whole"}
    ),
    "tikhonov": Call(filters.tikhonov, {"values": FALLING, "dampings": SPECTRUM}, {"dampings": "values"}),
    "truncated": Call(
        filters.truncated, {"values": FALLING, "ranks": torch.tensor([1])}, {"ranks": "tensor"}
    ),
    "squared_residuals": Call(filters.squared_residuals, {"factors": TABLE, "data": TABLE}, TABLES),
    "squared_errors": Call(
        filters.squared_errors, {"factors": TABLE, "values": FALLING, "data": TABLE, "truth": TABLE}, TABLES
    ),
    "discrepancy_principle": Call(
        filters.discrepancy_principle, {"residuals": TABLE, "noise": 0.1, "count": 5, "factor": 1.0}, TABLES
    ),
    "cross_validation": Call(
        filters.cross_validation, {"residuals": TABLE, "factors": TABLE / 10, "count": 5}, TABLES
    ),
    # eigenvalues
    "jacobian": Call(
        eigenvalues.jacobian, {"solver": SOLVER, "y": STATE.y, "physics": CAMERA, "x": IMAGES, "k": 0}
    ),
    "momentum_growth": Call(
        eigenvalues.momentum_growth, {"eigenvalues": SPECTRUM, "momentum": 0.5}, {"momentum": "share"}
    ),
    "stable_boundary": Call(
        eigenvalues.stable_boundary, {"momentum": 0.5, "count": 8}, {"momentum": "share", "count": "count"}
    ),
    "GradientStepDenoiser": Call(
        gradient_step.GradientStepDenoiser,
        {"channels": 1, "width": 4, "strength": 0.5},
        {"strength": "fraction"},
    ),
    # figures
    "plane": Call(
        figures.plane,
        {**defaults(figures.plane), "curves": {"a": [[0.0, 1.0]]}, "points": {}},
        {"curves": "mapping", "legend": "optional choice", "xlim": "pair", "ylim": "pair"},
    ),
    "curves": Call(
        figures.curves,
        {**defaults(figures.curves), **LABELS, "x": [1.0, 2.0, 3.0], "series": CURVE},
        {"x": "array", "series": "mapping", "legend": "optional choice", "xlim": "pair", "ylim": "pair"}
        | {"xscale": "choice", "yscale": "choice"},
    ),
    "spectrum": Call(
        figures.spectrum,
        {**defaults(figures.spectrum), "singular_values": CURVE},
        {"singular_values": "mapping", "floor": "share"},
    ),
    "landscape": Call(
        figures.landscape,
        {**defaults(figures.landscape), **LABELS, "eigenvalues": (1.0, 2.0), "paths": {"a": [[0.0, 1.0]]}},
        {"eigenvalues": "pair", "paths": "mapping"},
    ),
    "heatmap": Call(
        figures.heatmap,
        {
            **{**defaults(figures.heatmap), **LABELS, "value_label": "z"},
            **{"values": [[1.0, 2.0], [3.0, 4.0]], "x": [0.0, 1.0], "y": [0.0, 1.0]},
        },
        {"values": "array", "x": "array", "y": "array", "vmin": "optional number", "vmax": "optional number"}
        | {"contours": "levels"},
    ),
    "bars": Call(
        figures.bars,
        {"parts": {"a": {"p": 1.0}}, "xlabel": "x", "roles": None},
        {"parts": "mapping"},
    ),
    "dots": Call(
        figures.dots,
        {"values": {"a": {"P": (1.0, 0.1)}}, "xlabel": "x", "roles": None, "reference": 0.0},
        {"values": "mapping", "reference": "optional number"},
    ),
    "images": Call(
        figures.images,
        {**defaults(figures.images), "pictures": {"a": IMAGES}},
        {"pictures": "mapping", "vmin": "number", "vmax": "number"},
    ),
    "reconstructions": Call(
        figures.reconstructions,
        {**defaults(figures.reconstructions), "truth": IMAGES, "estimates": {"a": IMAGES}},
        {
            **{"truth": "array", "estimates": "mapping", "error_limit": "optional positive"},
            "inset": "pair",
        },
    ),
    "comparison": Call(
        figures.comparison,
        {**defaults(figures.comparison), "truths": IMAGES, "estimates": {"a": IMAGES}},
        {"truths": "array", "estimates": "mapping", "error_limit": "optional positive", "seen": "pair"},
    ),
    "axes": Call(figures.axes, {"rows": 1, "height": 3.0, "share_x": False}, {"rows": "size"}),
    "svg": Call(figures.svg, {"figure": draw(1.0)}),
    "png": Call(
        figures.png,
        {"figure": draw(1.0), "dpi": 30, "colours": 8},
        {"dpi": "positive", "colours": "optional count"},
    ),
    # widgets and answers
    "frames": Call(
        widgets.frames,
        {**defaults(widgets.frames), "draw": draw, "values": [1.0, 2.0], "label": "a", "alt": str},
        {"draw": "function", "values": "sequence", "alt": "object", "text": "optional function"}
        | {"start": "integer", "dpi": "positive", "colours": "count"},
        quick=False,
    ),
    "continuous": Call(
        widgets.continuous,
        {**defaults(widgets.continuous), "kind": "polynomial", "figure": draw(1.0), "alt": "a", "dpi": 30}
        | {"values": {"degree": 4, "damping": 0.01, "lower": 0.03}},
        {"values": "mapping", "alt": "text", "dpi": "positive"},
    ),
    "wipe": Call(
        wipes.wipe,
        {
            **defaults(wipes.wipe),
            "before": IMAGES[0],
            "after": IMAGES[0],
            "names": ("a", "b"),
            "alt": ("a", "b"),
        },
        {"before": "array", "after": "array", "names": "object", "alt": "object"}
        | {"vmin": "number", "vmax": "number"},
    ),
    "wipe_estimates": Call(
        wipes.wipe_estimates,
        {
            "truth": IMAGES[0],
            "estimates": {"a": IMAGES[0], "b": IMAGES[0]},
            "what": "A ramp",
            "caption": None,
        },
        {"truth": "array", "estimates": "mapping", "what": "text"},
    ),
    "judge": Call(
        answers.judge, {"label": "ex-pnp-window", "answer": 2}, {"label": "choice", "answer": "anything"}
    ),
    # denoisers, schedules, metrics
    "jacobian_norms": Call(
        denoisers.jacobian_norms,
        {"denoiser": halved, "x": IMAGES, "sigma": 0.1, "iterations": 1, "generator": None},
        {"x": "images", "denoiser": "anything", "sigma": "not negative"},
    ),
    "NoiseAwareUNet": Call(denoisers.NoiseAwareUNet, {"channels": 1, "widths": (4, 8)}, {"widths": "object"}),
    "NoiseAwareDnCNN": Call(
        denoisers.NoiseAwareDnCNN, {"channels": 1, "depth": 2, "width": 4, "noise_scaled": False}
    ),
    "NoiseAwareDnCNN()": Call(
        denoisers.NoiseAwareDnCNN(depth=2, width=4),
        {"x": IMAGES, "sigma": 0.1},
        {"x": "batch", "sigma": "not negative"},
    ),
    "random_squares": Call(
        denoisers.random_squares,
        {"images": IMAGES, "side": 4, "generator": torch.Generator()},
        {"images": "images", "side": "size", "generator": "object"},
    ),
    "denoising_psnr": Call(
        denoisers.denoising_psnr,
        {"denoiser": halved, "images": IMAGES, "sigma": 0.1, "seed": 0},
        {"images": "images", "sigma": "not negative", "denoiser": "anything"},
    ),
    "pretrained_denoiser": Call(
        denoisers.pretrained_denoiser, {"name": "drunet", "channels": 1}, {"name": "choice"}, quick=False
    ),
    "build_schedule": Call(schedules.build_schedule, {"name": "constant", "steps": 2}, {"name": "choice"}),
    "Schedule": Call(schedules.Schedule, {"shape": same, "steps": 2}, {"shape": "function"}),
    "Plateau": Call(
        schedules.Plateau,
        {"steps": 2, "patience": 5, "threshold": 1e-4},
        {"patience": "whole", "threshold": "share"},
    ),
    "warm_cosine": Call(schedules.warm_cosine, {"progress": 0.5, "warm_up": 0.1}, {"warm_up": "share"}),
    "one_cycle": Call(
        schedules.one_cycle,
        {"progress": 0.5, "rise": 0.3, "first": 0.1, "last": 0.1},
        {"rise": "share", "first": "share", "last": "share"},
    ),
    "psnr": Call(
        metrics.psnr,
        {"x": IMAGES, "truth": IMAGES, "complex_valued": False, "floor": 0.0, "mask": IMAGES > 0},
        {"x": "batch", "truth": "sides", "mask": "pixels"},
    ),
    "ssim": Call(
        metrics.ssim,
        {"x": IMAGES, "truth": IMAGES, "complex_valued": False, "mask": IMAGES > 0},
        {"truth": "sides", "mask": "pixels"},
    ),
    "ssim_map": Call(
        metrics.ssim_map,
        {"x": IMAGES, "truth": IMAGES, "complex_valued": False},
        {"truth": "sides"},
    ),
    # what is exported
    "Correction": Call(
        exporting.Correction,
        {
            "preconditioner": preconditioners.LearnedPreconditioner(
                networks.build_network("cnn", 2, 1, width=4)
            )
        },
        {"preconditioner": "object"},
    ),
    "Exported": Call(
        exporting.Exported,
        {"module": torch.nn.Identity(), "inputs": {"x": IMAGES}, "output": "y"},
        {"module": "object", "inputs": "mapping", "output": "text"},
    ),
    "described": Call(
        exporting.described,
        {"form": "free", "inputs": "state_aware", "damping": 0.1, "settings": {"none": {"sigma": 0.1}}},
        {"form": "text", "damping": "optional positive", "settings": "mapping"},
    ),
    "model_bytes": Call(exporting.model_bytes, {"exported": EXPORTED}, {"exported": "object"}, quick=False),
    "difference_from_pytorch": Call(
        exporting.difference_from_pytorch,
        {"content": b"", "exported": EXPORTED},
        {"content": "text", "exported": "object"},
        quick=False,
    ),
    # measurements that were held out
    "hold_out": Call(
        heldout.hold_out,
        {"measured": PLACES, "count": 2, "generator": torch.Generator(), "dim": -1, "kept": None},
        {"measured": "places", "count": "count", "generator": "object", "dim": "optional integer"}
        | {"kept": "optional places"},
    ),
    "held_out_error": Call(
        heldout.held_out_error,
        {**defaults(heldout.held_out_error), **HELD_OUT, "prediction": PAIRS[0], "sigma": 0.1},
        {**HELD_OUT_KINDS, "prediction": "values"},
    ),
    "held_out_difference": Call(
        heldout.held_out_difference,
        {**defaults(heldout.held_out_difference), **HELD_OUT, "first": PAIRS[0], "second": PAIRS[0]},
        {**HELD_OUT_KINDS, "first": "values", "second": "values", "sigma": "optional positive"},
    ),
    "used_residual": Call(
        heldout.used_residual,
        {"prediction": PAIRS[0], "measured": PAIRS[0], "sigma": 0.1, "used": PLACES},
        {"prediction": "values", "measured": "values", "used": "places"},
    ),
    "noise_by_line": Call(
        noise_level.noise_by_line,
        {"values": PAIRS, "side": 2, "dim": -2, "robust": False},
        {"values": "values", "side": "size", "dim": "integer", "robust": "flag"},
    ),
    "noise_from_scan": Call(noise_level.noise_from_scan, {"scan": PAIRS}, {"scan": "values"}),
    "noise_from_repeats": Call(noise_level.noise_from_repeats, {"repeats": PAIRS[0]}, {"repeats": "values"}),
    "noise_from_corners": Call(
        noise_level.noise_from_corners,
        {"values": PAIRS, "side": 2, "robust": False},
        {"values": "values", "side": "size", "robust": "flag"},
    ),
    "load_measured": Call(
        measured.load_measured,
        {"name": "car", "download": False},
        {"name": "choice", "download": "flag"},
        quick=False,
    ),
    "prepare_lensless": Call(
        measured.prepare_lensless,
        {"psf": READINGS, "image": READINGS + 1, "factor": 2},
        {"psf": "values", "image": "values"},
    ),
    "lensless_camera": Call(
        measured.lensless_camera, {"measured": LENSLESS, "factor": 2}, {"measured": "object"}
    ),
    "diameters_of": Call(measured.diameters_of, {"measured": PATTERNS}, {"measured": "object"}),
    "hadamard_coefficients": Call(
        measured.hadamard_coefficients,
        {"measured": PATTERNS, "diameter": 9},
        {"measured": "object", "diameter": "count"},
    ),
    "haar_coefficients": Call(measured.haar_coefficients, {"measured": WAVELETS}, {"measured": "object"}),
    "NamedArray": Call(
        NamedArray,
        {"values": PAIRS, "axes": ("image", "part", "row", "column")},
        {"values": "tensor", "axes": "names"},
    ),
    "head": Call(mri.head, {"truth": PAIRS}, {"truth": "images"}),
    # cameras of the book
    "single_pixel": Call(
        single_pixel.single_pixel,
        defaults(single_pixel.single_pixel),
        {**OF_A_TASK, "size": "size"},
        quick=False,
    ),
    "mri": Call(
        mri.mri,
        defaults(mri.mri),
        {**OF_A_TASK, "acceleration": "positive", "teacher_acceleration": "positive"},
        quick=False,
    ),
    "multicoil_mri": Call(
        multicoil_mri.multicoil_mri,
        defaults(multicoil_mri.multicoil_mri),
        {
            **OF_A_TASK,
            **{"acceleration": "positive", "teacher_acceleration": "positive"},
            **{"mask": "choice", "calibration": "share"},
        },
        quick=False,
    ),
    "with_phases": Call(
        multicoil_mri.with_phases,
        {"magnitudes": IMAGES, "generator": torch.Generator().manual_seed(0), "rough": 0.5},
        {"magnitudes": "images", "generator": "object", "rough": "share"},
    ),
    "super_resolution": Call(
        super_resolution.super_resolution,
        defaults(super_resolution.super_resolution),
        {
            **OF_A_TASK,
            "factor": "size",
            "teacher_factor": "size",
            "blur": "positive",
            "teacher_blur": "positive",
            "framed": "flag",
            "persons": "optional integer",
        },
        quick=False,
    ),
    "deblurring": Call(
        deblurring.deblurring,
        defaults(deblurring.deblurring),
        {**OF_A_TASK, "teacher_exposure": "share"},
        quick=False,
    ),
    "MotionBlur": Call(
        deblurring.MotionBlur,
        {"img_size": SIZE, "kernel": torch.ones(3, 3) / 9, "noise": 0.1, "seed": 0, "rtol": 0.1},
        {"kernel": "values"},
    ),
    "shaken_path": Call(deblurring.shaken_path, {"length": 3.0, "seed": 0, "points": 10}, {"points": "size"}),
    "exposed": Call(deblurring.exposed, {"path": torch.rand(9, 2), "share": 1.0}, {"path": "values"}),
    "preset_of": Call(
        presets.preset_of,
        {"task": "mri", "argument": "name"},
        {"task": "choice", "argument": "anything"},
        {"task": "name"},
    ),
}
CALLS |= {
    f"{type(physics).__name__}.{method}": Call(
        getattr(physics, method),
        {argument: value} | ({"damping": 0.1} if method == "newton" else {}),
    )
    for physics, x in (
        (CAMERA, IMAGES),
        (SMALL, IMAGES),
        (COILS, PAIRS),
        (operators.CartesianMRI(**MRI), PAIRS),
    )
    for argument, value, methods in (
        ("x", x, ("A", "A_adjoint_A", "range_projection", "newton")),
        ("y", physics.A(x), ("A_adjoint", "A_dagger")),
    )
    for method in methods
    if hasattr(physics, method)
}
CALLS |= {
    f"LenslessCamera.{method}": Call(getattr(BEHIND_A_DIFFUSER, method), {argument: value})
    for argument, value, methods in (
        ("x", torch.ones(1, 1, 16, 16), ("A", "A_adjoint_A", "blur", "blur_adjoint", "crop")),
        ("y", IMAGES, ("A_adjoint", "pad")),
    )
    for method in methods
}
CALLS |= {
    f"{type(P).__name__}()": Call(P, {"grad": IMAGES, "state": STATE})
    for P in (
        preconditioners.Scalar(1.0),
        preconditioners.Newton(0.1),
        preconditioners.InexactNewton(0.1),
        preconditioners.SR1(),
        preconditioners.LinearPreconditioner(STRUCTURE, 1),
        preconditioners.LearnedPreconditioner(networks.PatchCNN(2, 1, 8, depth=2)),
        preconditioners.Jacobi(torch.ones(SIZE), 0.1),
        preconditioners.Circulant(torch.ones(SIZE), 0.1),
        preconditioners.Polynomial((1.0, 2.0)),
        preconditioners.NullSpacePull(lambda y, physics: physics.A_adjoint(y), HadamardCamera(0.8, SIZE)),
    )
}

PUBLIC: tuple[ModuleType, ...] = (
    analysis,
    checks,
    deblurring,
    eigenvalues,
    exporting,
    figures,
    filters,
    gradient_step,
    heldout,
    kinds,
    linear,
    measured,
    metrics,
    mri,
    multicoil_mri,
    networks,
    noise_level,
    operators,
    preconditioners,
    recipes,
    scanner,
    schedules,
    single_pixel,
    stability,
    super_resolution,
    widgets,
    wipes,
)

ELSEWHERE = {
    **dict.fromkeys(
        ("AlternativeRecipe", "DenoiserRecipe", "DistillationRecipe", "LinearRecipe"),
        "every field is tried in test_fields.py",
    ),
    **dict.fromkeys(("DistillationFields", "LinearFields", "LinearOperator"), "a type"),
    **dict.fromkeys(
        ("HeldOut", "HeldOutDifference", "HeldOutError", "NoiseEstimate", "UsedResidual"), "a result"
    ),
    **dict.fromkeys(
        ("ArraySpec", "DataFile", "Measured", "MeasuredSet"), "of the registry: tests/data/measured"
    ),
    "data_folder": "no arguments of its own",
    **dict.fromkeys(
        ("Identity", "NoPrior", "Picklable", "Preconditioner", "BookFigure"), "no arguments of its own"
    ),
    **dict.fromkeys(("Kind", "Settings"), "no arguments of its own"),
    "require_values": "a check, as those of ddgp_lib.arguments",
    **dict.fromkeys(
        (
            "CheckFailed",
            "Continuous",
            "ErrorCurve",
            "Frames",
            "LinearDistillation",
            "LineStyle",
            "Modes",
            "Wipe",
        ),
        "a result",
    ),
    **dict.fromkeys(("learn_linear", "distill_linear"), "of a task: below"),
    **dict.fromkeys(("export_task", "exported_networks"), "of a task: below"),
    **dict.fromkeys(
        (
            "complex_brains",
            "complex_heads",
            "faces_of",
            "only_persons",
            "perturb_face",
            "times",
            "turn_phase",
        ),
        "of a preset, for its images",
    ),
    **dict.fromkeys(
        ("change_view", "heads_and_others", "redraw_scan", "suited_sigma"), "of a preset, for its training"
    ),
    **dict.fromkeys(("signed_patterns", "four_coils"), "of a preset, for a study"),
    "mean_over": "of values that the measures have looked at",
    **dict.fromkeys(("run_longer", "edges_in_words"), "of what a choice has found"),
    "single_precision": "a decorator of functions of tensors",
    **dict.fromkeys(("load_array", "load_fastmri_coils"), "reads files: tests/scanner"),
    **dict.fromkeys(("load_ismrmrd", "load_siemens"), "reads files: tests/scanner"),
    "KSpace": "a record, whose checks are in tests/scanner/test_kspace.py",
    **dict.fromkeys(("DrawnScanner", "PreparedScan", "Region", "Sensitivities"), "a result"),
    "read_alternative": "reads a file, whose damages are in tests/fuzz",
    "measure": "refuses what the operator refuses, in tests/operators/test_algebra.py",
    "live": "the twin of frames, with the same checks",
}
"""Public callables that are not in the table, and why."""


def public(module: ModuleType) -> set[str]:
    """Return the callables that a package exports, or that a module defines."""
    if hasattr(module, "__all__"):
        return {name for name in module.__all__ if callable(getattr(module, name))}
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    }


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_every_public_call_is_tried_or_has_a_reason(module):
    assert public(module) - CALLS.keys() - ELSEWHERE.keys() == set()


@pytest.mark.parametrize("label", CALLS)
def test_every_argument_of_a_call_has_a_kind(label):
    call = CALLS[label]
    module = isinstance(call.function, torch.nn.Module)
    parameters = inspect.signature(call.function.forward if module else call.function).parameters.values()
    named = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    optional = {"expand", "mask"}  # the factor of a rank; deepinv's masks, which are fixed at construction
    assert named - optional == call.given.keys() - optional


@pytest.mark.parametrize("label", [label for label, call in CALLS.items() if call.quick])
def test_what_is_given_in_the_table_is_accepted(label):
    CALLS[label].function(**CALLS[label].given)


def failures(call: Call) -> list[str]:
    """Return the values that a call takes, or refuses without the argument's name."""
    found = []
    for argument in call.given:
        for value in call.hostile(argument):
            tried = f"{argument}={value!r}"
            try:
                call.function(**{**call.given, argument: value})
            except ValueError as error:
                if not call.names(argument, str(error)):
                    found.append(f"{tried}: {error}")
            except Exception as error:
                found.append(f"{tried}: {error!r}")
            else:
                found.append(f"{tried}: accepted")
    return found


@pytest.mark.parametrize("label", CALLS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_values_that_are_no_use_are_refused_by_the_name_of_the_argument(label):
    assert failures(CALLS[label]) == []


@pytest.mark.parametrize("name", ["learn_linear", "distill_linear"])
def test_fits_to_a_task_refuse_them_too(own, name):
    learn = {**defaults(linear.learn_linear), "task": own.load(), "structure": "scalar"}
    calls = {
        "learn_linear": Call(
            linear.learn_linear,
            learn,
            {"kernel_size": "count", "momentum": "choice", "sigma": "optional positive", "progress": "flag"}
            | {"iterations": "size"},
        ),
        "distill_linear": Call(
            linear.distill_linear,
            {"task": own.load(), "recipe": None, "progress": False},
            {"recipe": "optional object", "progress": "flag"},
        ),
    }
    assert failures(calls[name]) == []


@pytest.mark.parametrize("name", ["export_task", "exported_networks"])
def test_exports_of_a_task_refuse_them_too(own, tmp_path, name):
    task, kinds = own.load(), {"kind": "choice"}
    calls = {
        "export_task": Call(
            exporting.export_task,
            {"source": task, "folder": tmp_path, "kind": "distilled"},
            {**kinds, "source": "choice", "folder": "text"},
        ),
        "exported_networks": Call(exporting.exported_networks, {"task": task, "kind": "distilled"}, kinds),
    }
    assert failures(calls[name]) == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_tried_uses_the_global_generator():
    before = torch.get_rng_state()
    for label, call in CALLS.items():
        if call.quick and not label.startswith(("build_", "GradientStep", "NoiseAware", *networks.__all__)):
            call.function(**call.given)
            assert torch.equal(before, torch.get_rng_state()), label
