"""Names that arguments take, as a type checker knows them; what each name means is said by the registry beside it.

Registries that only list names are made from these with ``typing.get_args``; those that map a name to what it
stands for have the same keys.
"""

from typing import Literal

TaskName = Literal["single_pixel", "mri", "super_resolution", "deblurring"]
"""The book's cameras, ``ddgp_lib.presets.PRESETS``."""

Ordering = Literal["cake_cutting", "sequency", "zig_zag", "xy"]
"""Orders of Hadamard patterns, ``ddgp_lib.operators.ORDERINGS``."""

Basis = Literal["hadamard", "haar"]
"""Patterns of a single-pixel camera, ``ddgp_lib.presets.photographs.BASES``."""

Filter = Literal["gaussian", "bicubic", "sinc"]
"""Kernels of a blur, ``ddgp_lib.operators.FILTERS``."""

Network = Literal["mlp", "cnn", "cbam", "unet", "mdcnn", "indi", "vit", "convnext"]
"""Networks N_θ, ``ddgp_lib.networks.NETWORKS``."""

Size = Literal["small", "medium"]
"""Sizes of a network, ``ddgp_lib.networks.SIZES``."""

LinearForm = Literal["null_space", "newton_null_space", "free"]
"""What a preconditioner makes of its correction, ``ddgp_lib.preconditioners.linear.LINEAR_FORMS``."""

Form = Literal[LinearForm, "penalised"]
"""Those and the free form that is trained with a penalty, ``ddgp_lib.preconditioners.FORMS``."""

Inputs = Literal["state_aware", "gradient_only"]
"""What a network sees, ``ddgp_lib.preconditioners.INPUTS``."""

LinearInputs = Literal["affine", "gradient_only"]
"""What a linear map sees, ``ddgp_lib.preconditioners.linear.LINEAR_INPUTS``."""

After = Literal["last", "identity"]
"""What follows the last fitted iteration, ``ddgp_lib.preconditioners.linear.AFTER``."""

StructureName = Literal["full", "rows", "convolution", "diagonal", "scalar"]
"""Structures of a matrix, ``ddgp_lib.preconditioners.structures.STRUCTURES``."""

FittedStructure = Literal["scalar", "diagonal", "convolution", "full"]
"""Those that are learned from the data term alone, ``ddgp_lib.linear.data_term.FITS``."""

Momentum = Literal["chambolle_dossal", "deepinv", "none"]
"""Rules for β_k, ``ddgp_lib.solvers.MOMENTUM``."""

Constraint = Literal["none", "nonnegative", "clipped"]
"""All images; x ≥ 0, projected in the metric; negative pixels set to zero: ``ddgp_lib.solvers.CONSTRAINTS``."""

Loss = Literal["gradient", "imitation", "supervised", "decibels", "scale", "row_space"]
"""Losses that a recipe weights, ``ddgp_lib.recipes.LOSSES``."""

LossTerm = Literal[Loss, "penalty"]
"""Those and the one that belongs to a form, ``ddgp_lib.distillation.losses.LOSS_OF_A_PAIR``."""

Pairing = Literal["same_iterate", "own_trajectories"]
"""Where the teacher's gradient is taken, ``ddgp_lib.recipes.PAIRINGS``."""

Optimiser = Literal["adamw", "adam"]
"""Optimisers, ``ddgp_lib.recipes.OPTIMISERS``."""

ScheduleName = Literal["warm_cosine", "one_cycle", "plateau", "constant"]
"""Schedules of the learning rate, ``ddgp_lib.training.schedules.SCHEDULES``."""

Alternative = Literal["direct", "null_space_network", "unfolded", "modl", "npn"]
"""Networks that a user would pick instead, ``ddgp_lib.recipes.ALTERNATIVES``."""

DenoiserNetwork = Literal["dncnn", "unet"]
"""Denoisers that are trained here, ``ddgp_lib.networks.denoising.DENOISERS``."""

PretrainedDenoiser = Literal["dncnn", "dncnn_lipschitz", "drunet"]
"""deepinv's pretrained denoisers, ``ddgp_lib.denoisers.PRETRAINED``."""

PixelAxis = Literal["height", "width"]
"""Axes of the pixels of k-space, ``ddgp_lib.scanner.kspace.PIXEL_AXES``."""

Domain = Literal["kspace", "image"]
"""What an array of a file holds, ``ddgp_lib.scanner.arrays.DOMAINS``."""

MaskName = Literal["columns", "random", "poisson_disc"]
"""Masks of variable density, ``ddgp_lib.scanner.family.MASKS``."""
