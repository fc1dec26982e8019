# %% [markdown]
# # Problem set 7: a project, a camera of your own
#
# Four cameras are offered, and you choose one: a camera that moved while its shutter was open, one that lost more
# than half of its pixels, one that takes random sums of pixels, or a scanner with few projections. You build it,
# describe what it does not see, tune the methods that have no preconditioner of your making, make a preconditioner,
# and find out on test images whether it was worth it. It is no shame if it was not: a loss that is reported well
# earns all points, a gain that is reported badly does not.
#
# *Needed before:* chapters 1, 4, 8 and 15 of the book. *Time:* about nine hours, over two weeks. *Points:* 36.
#
# Run the cells from top to bottom. A cell with three dots waits for your code; a cell `grader.check(...)` tells
# what it found. The tests in this notebook look at the form of an answer and at properties that any right answer
# has. Others, which you do not see, look further when the set is graded. They accept any of the four cameras.

# %%
import deepinv as dinv
import matplotlib.pyplot as plt
import torch
from deepinv.optim.linear import conjugate_gradient

import course
import ddgp_lib
import set7
from ddgp_lib import analysis
from ddgp_lib.operators import measure, squared_norm

# %% [markdown]
# Put your number or name as the course knows it between the quotes of `student`, if your instructor asked for that.
# The numbers of the set are drawn from it.

# %%
key, student = "COURSE_KEY", ""
p = set7.parameters(key, student)
print(p)

# %% [markdown]
# Choose your camera, `"deblurring"`, `"inpainting"`, `"compressed sensing"` or `"tomography"`, and your images,
# `"faces"` (the ORL faces) or `"digits"` (MNIST). You may change your mind later: change this cell and run all
# again.

# %%
choice, pictures = "deblurring", "faces"

# %% [markdown]
# `split.train`, `split.val` and `split.test` are images of shape (N, 1, 32, 32) with values in [0, 1]. You may
# learn from the first, choose on the second and report on the third. Faces of one person are in one part only.
# `denoiser` is the library's denoiser for these images, trained for noise levels from 0.005 to 0.2 (faces) or from
# 0.01 to 0.3 (digits). It has seen training images of the same kind, and none of the other two parts.
#
# Your notebook should run through in a minute and a half on an ordinary computer. No training should take longer
# than 20 seconds; it will be repeated when the set is graded, so draw random numbers from generators with a seed.

# %%
split, denoiser = set7.images(pictures), set7.denoiser(pictures)
print({name: len(part) for name, part in split._asdict().items()})

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 4

# %% [markdown]
# ## Question 1: build your camera (4 points, 40 minutes)
#
# Write `camera(p)`: it returns the camera of your choice for drawn parameters `p`, as an operator of deepinv (a
# `deepinv.physics.LinearPhysics`, with `A` and `A_adjoint`), for images of shape `set7.SIZE`. Only the camera of
# your choice is asked for.
#
# | choice | $A x$ | in deepinv |
# |---|---|---|
# | `deblurring` | periodic convolution with `set7.kernel(p)`, its origin in the middle | `BlurFFT` |
# | `inpainting` | the pixels where `set7.mask(p)` is 1 | `Inpainting` |
# | `compressed sensing` | `p.rows` sums with Gaussian weights from `set7.generator(p)` | `CompressedSensing` |
# | `tomography` | line integrals at the angles `set7.angles(p)`, parallel beam | `Tomography` |
#
# Its `noise_model` is deepinv's `GaussianNoise` with the standard deviation `set7.noise(choice, p)` and a generator
# `rng`. With it, `measure(A, images, seed)` returns $y = A x + w$, the same noise $w$ for the same seed. You may
# scale your camera by a factor if its noise is scaled too; `set7.Scaled` does both. How the numbers of $y$ are
# arranged is up to you.
#
# Then write `stepsize(physics)`: it returns the step $\alpha = 1/\lVert A \rVert^2$ for any such operator, also for
# one that is not yours and does not say its norm.

# %% [raw]
# # BEGIN SOLUTION

# %%
def camera(p):
    # BEGIN SOLUTION
    noise = dinv.physics.GaussianNoise(set7.noise(choice, p), rng=set7.generator(p))
    return dinv.physics.BlurFFT(set7.SIZE, set7.kernel(p), noise_model=noise)
    # END SOLUTION


def stepsize(physics):
    # BEGIN SOLUTION
    return 1 / squared_norm(physics, set7.SIZE)
    # END SOLUTION


A = camera(p)

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_adjoint_of_your_camera(camera):
    import course
    import set7
    from ddgp_lib.checks import check_adjoint

    found = course.run(camera, set7.parameters("practice"), name="camera")
    course.ensure(hasattr(found, "A_adjoint"), "`camera(p)` should return an operator with A and A_adjoint.")
    check_adjoint(found, (2, *set7.SIZE))

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_camera_that_was_chosen(camera, choice):
    import course
    import deepinv
    import set7

    course.ensure(choice in set7.CHOICES, f"`choice` should be one of {', '.join(set7.CHOICES)}.")
    for name in ("COURSE_KEY graded", "another"):
        p = set7.parameters(name)
        ours = {
            "deblurring": lambda: deepinv.physics.BlurFFT(set7.SIZE, set7.kernel(p)),
            "inpainting": lambda: deepinv.physics.Inpainting(set7.SIZE, set7.mask(p)),
            "compressed sensing": lambda: deepinv.physics.CompressedSensing(
                p.rows, set7.SIZE, rng=set7.generator(p)
            ),
            "tomography": lambda: deepinv.physics.Tomography(set7.angles(p), set7.SIDE, normalize=False),
        }[choice]()
        theirs = course.run(camera, p, name="camera")
        course.ensure(
            set7.same_camera(theirs, ours),
            "This is an operator, but not the camera that was asked for: does it use the kernel, mask, "
            "rows or angles of the `p` that it is given, with the origin of the kernel in its middle?",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_noise_of_your_camera(camera, choice):
    import course
    import deepinv
    import set7
    import torch

    course.ensure(choice in set7.CHOICES, f"`choice` should be one of {', '.join(set7.CHOICES)}.")
    p = set7.parameters("COURSE_KEY graded")
    theirs = course.run(camera, p, name="camera")
    x = set7.images("faces").val[:2]
    y = theirs.A(x)
    try:
        noisy, again, other = (theirs.noise(y, seed=seed) for seed in (1, 1, 2))
    except Exception as error:
        raise AssertionError(f"measure(camera(p), x, seed) raised {type(error).__name__}: {error}") from error
    course.ensure(float((noisy - y).norm()) > 0, "The camera adds no noise: it has no noise model yet.")
    repeats = torch.equal(noisy, again) and not torch.equal(noisy, other)
    course.ensure(repeats, "The seed does not decide the noise: give GaussianNoise a generator, `rng`.")
    ours = {
        "deblurring": lambda: deepinv.physics.BlurFFT(set7.SIZE, set7.kernel(p)),
        "inpainting": lambda: deepinv.physics.Inpainting(set7.SIZE, set7.mask(p)),
        "compressed sensing": lambda: deepinv.physics.CompressedSensing(p.rows, set7.SIZE, rng=set7.generator(p)),
        "tomography": lambda: deepinv.physics.Tomography(set7.angles(p), set7.SIDE, normalize=False),
    }[choice]()
    factor = float(y.norm() / ours.A(x).norm())  # by which the camera was scaled
    many = theirs.A(torch.cat([x] * 20))
    w = theirs.noise(many, seed=3) - many
    share = float(w[w != 0].std()) / (factor * set7.noise(choice, p))
    course.ensure(
        abs(share - 1) < 0.08,
        "The noise has another standard deviation than `set7.noise(choice, p)`, times the factor by which "
        "you scaled the camera, if you did.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_stepsize_of_other_cameras(stepsize):
    import course
    import set7
    import torch
    from ddgp_lib.checks import check_stepsize
    from deepinv.physics import LinearPhysics

    p = set7.parameters("COURSE_KEY graded")
    for factor, seed in ((2.5, p.seed), (0.2, p.seed + 1)):
        weights = torch.rand(set7.SIZE, generator=torch.Generator().manual_seed(seed))
        weights[0, 0, 0] = 1.0
        d = factor * weights
        other = LinearPhysics(A=lambda x, d=d: d * x, A_adjoint=lambda y, d=d: d * y)
        step = course.number(course.run(stepsize, other, name="stepsize"), "stepsize(physics)")
        found = check_stepsize(step, other, (1, *set7.SIZE), at_least=0.95)
        course.ensure(found < 1.05, "This step is longer than 1/‖A‖²: is the norm squared?")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your camera works, the next cell shows three test images, and what one step from zero makes of their data.

# %%
if not course.is_open(A) and not course.is_open(stepsize(A)):
    shown = split.test[:3]
    first = stepsize(A) * A.A_adjoint(measure(A, shown, seed=0))
    figure, axes = plt.subplots(2, 3, figsize=(6, 4))
    for ax, picture in zip(axes.flat, [*shown, *first], strict=True):
        ax.imshow(picture[0], cmap="gray")
        ax.axis("off")

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 3

# %% [markdown]
# ## Question 2: what it sees, and what it does not (3 points, 30 minutes)
#
# Write `describe(physics, images, rtol)` for any operator of deepinv and images of up to $32 \times 32$ pixels. It
# returns three numbers: the rank of $A$; the condition number $\kappa(A)$ *on the range*; and the share of the
# images that $A$ does not see. For the last one, take from each image its own mean grey level, $\tilde x = x -
# \operatorname{mean}(x)$, and average over the images
#
# $$
# \frac{\lVert (I - A^+A)\, \tilde x \rVert^2}{\lVert \tilde x \rVert^2} .
# $$
#
# Singular values at or below `rtol` times the largest count as zero. At this size a dense matrix is no shame. Do
# not rely on `A_dagger`: for an operator without a closed form it is an iteration that stops early, and for
# `Tomography` it is filtered back-projection, which is no pseudo-inverse.

# %% [raw]
# # BEGIN SOLUTION

# %%
def describe(physics, images, rtol=1e-5):
    # BEGIN SOLUTION
    matrix = analysis.dense_matrix(physics, tuple(images.shape[1:]))
    _, s, Vt = torch.linalg.svd(matrix, full_matrices=False)
    seen = s > rtol * s[0]
    x = (images - images.mean(dim=(1, 2, 3), keepdim=True)).flatten(1).double()
    kept = (x @ Vt[seen].T).square().sum(dim=1) / x.square().sum(dim=1)
    return int(seen.sum()), float(s[0] / s[seen][-1]), float(1 - kept.mean())
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_a_camera_that_sees_all(describe):
    import course
    import torch
    from deepinv.physics import LinearPhysics

    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    found = course.run(
        describe, LinearPhysics(A=lambda x: 3 * x, A_adjoint=lambda y: 3 * y), images, name="describe"
    )
    course.ensure(
        len(found) == 3, "`describe` returns three numbers: rank, condition number, share that is not seen."
    )
    rank, kappa, share = (course.number(value, "describe(...)[i]") for value in found)
    course.ensure(rank == 64 and abs(kappa - 1) < 1e-3, "Three times the identity sees 64 pixels, all alike.")
    course.ensure(abs(share) < 1e-4, "Three times the identity loses nothing.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_rank_and_condition(describe):
    import course
    import set7
    import torch
    from deepinv.physics import LinearPhysics

    p = set7.parameters("COURSE_KEY graded")
    generator = torch.Generator().manual_seed(p.seed)
    left, right = (torch.linalg.qr(torch.randn(64, 64, generator=generator)).Q for _ in range(2))
    s = torch.cat([torch.linspace(6, 2, 40), torch.full((10,), 1e-3), torch.zeros(14)])
    M = left @ torch.diag(s) @ right.T
    other = LinearPhysics(A=lambda x: x.flatten(1) @ M.T, A_adjoint=lambda y: (y @ M).reshape(-1, 1, 8, 8))
    images = torch.rand(4, 1, 8, 8, generator=generator)
    for rtol, rank, kappa in ((1e-2, 40, 3.0), (1e-5, 50, 6000.0)):
        found = course.run(describe, other, images, rtol, name="describe")
        course.ensure(
            int(found[0]) == rank, "A singular value counts as zero at or below `rtol` times the largest one."
        )
        number = course.number(found[1], "kappa")
        course.ensure(
            abs(number / kappa**2 - 1) > 0.05,
            "This is the square, the condition number of AᵀA: the question asks for that of A.",
        )
        course.ensure(
            abs(number / kappa - 1) < 0.02,
            "On the range, the least singular value that is not zero is in the denominator.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_share_that_is_not_seen(describe):
    import course
    import set7
    import torch
    from deepinv.physics import LinearPhysics

    p = set7.parameters("COURSE_KEY graded")
    generator = torch.Generator().manual_seed(p.seed)

    def smooth(count):  # images 8 × 8 with a trend, and little detail
        return torch.nn.functional.avg_pool2d(torch.rand(count, 1, 12, 12, generator=generator), 5, stride=1)

    Q = torch.linalg.qr(smooth(24).flatten(1).T).Q
    M = torch.linspace(3, 1, 24)[:, None] * Q.T
    other = LinearPhysics(A=lambda x: x.flatten(1) @ M.T, A_adjoint=lambda y: (y @ M).reshape(-1, 1, 8, 8))
    images = smooth(5) * torch.linspace(0.3, 1, 5).reshape(-1, 1, 1, 1)

    def share(x):
        x = x.flatten(1)
        return 1 - (x @ Q).square().sum(1) / x.square().sum(1)

    centred = images - images.mean(dim=(1, 2, 3), keepdim=True)
    wanted = float(share(centred).mean())
    found = course.number(course.run(describe, other, images, 1e-5, name="describe")[2], "share")

    def near(value):
        return abs(found - float(value)) < 1e-3

    course.ensure(
        near(wanted) or not near(40 / 64),
        "Dimensions are not energy: this is the share of dimensions, not of the images.",
    )
    course.ensure(
        near(wanted) or not near(share(images).mean()), "Take from each image its mean grey level first."
    )
    course.ensure(
        near(wanted) or not near(share(centred).sqrt().mean()),
        "The share is one of squared norms: energies add up.",
    )
    course.ensure(
        near(wanted) or not near(1 - wanted), "This is what A sees: the question asks for the rest."
    )
    course.ensure(
        near(wanted), "Project each image on the range of Aᵀ, not with Aᵀ itself, and compare squared norms."
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %%
if not course.is_open(A):
    print(describe(A, split.val))

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 5

# %% [markdown]
# ## Question 3: the rivals, and how they are tuned (5 points, 100 minutes)
#
# A gain is a gain over something. Choose **two** of the following rivals, none of which has a preconditioner that
# is learned. In each of them one number waits to be tuned. In the units of $\lVert A \rVert = 1$,
#
# - *smoothing*: $\min_x \tfrac12 \lVert A x - y \rVert^2 / \lVert A \rVert^2 + \tfrac\lambda2 \lVert \nabla x
#   \rVert^2$ by conjugate gradients, with $\nabla x$ the differences of neighbouring pixels (or Tikhonov's $\lVert
#   x \rVert^2$, if question 2 lets you hope for it; what does that do where $A A^\top = I$?). It learns nothing.
# - *total variation* (TV): $\min_x \tfrac12 \lVert A x - y \rVert^2 / \lVert A \rVert^2 + \lambda \sum_i \lvert
#   (\nabla x)_i \rvert$, with a solver of your own or of deepinv. It learns nothing.
# - *plug-and-play* (PnP) without $P$: `set7.plug_and_play`, with the $\sigma$ that its denoiser is told. Its
#   denoiser has learned from images.
#
# A rival is a function `method(y, physics, value)` that returns images of shape (N, 1, 32, 32); its only knowledge
# of the camera is `physics` (as far as `A`, `A_adjoint` and the norm). Put each into the dictionary `rivals` under
# a name, as a pair of the function and the list of values to try, at most ten.
#
# Then write `tune(grid, score)`. `score(value)` returns a number, the higher the better, or NaN if a run went
# astray. `tune` returns the value of `grid` with the highest score, and never one with NaN. It *refuses an edge*:
# if the best value is the smallest or the largest of the grid, which may be in any order, it raises a `ValueError`,
# since nobody knows what lies beyond.

# %% [raw]
# # BEGIN SOLUTION

# %%
def tune(grid, score):
    # BEGIN SOLUTION
    scores = {value: score(value) for value in grid}
    known = {value: found for value, found in scores.items() if found == found}
    if not known:
        raise ValueError("no run came to an end")
    best = max(known, key=known.get)
    if best in (min(grid), max(grid)):
        raise ValueError(f"{best:g} is at the edge of the grid: extend it")
    return best
    # END SOLUTION


# %%
# BEGIN SOLUTION
def nabla(x):
    pad = torch.nn.functional.pad
    return torch.stack([pad(x.diff(dim=-1), (0, 1)), pad(x.diff(dim=-2), (0, 0, 0, 1))])


def nabla_adjoint(d):
    pad, (a, b) = torch.nn.functional.pad, (d[0][..., :-1], d[1][..., :-1, :])
    return pad(a, (1, 0)) - pad(a, (0, 1)) + pad(b, (0, 0, 1, 0)) - pad(b, (0, 0, 0, 1))


def smoothing(y, physics, weight):
    step = stepsize(physics)

    def system(x):
        return step * physics.A_adjoint(physics.A(x)) + weight * nabla_adjoint(nabla(x))

    return conjugate_gradient(system, step * physics.A_adjoint(y), max_iter=80, tol=1e-5)


def total_variation(y, physics, weight, iterations=100):
    """Condat's primal-dual method; ‖∇‖² ≤ 8."""
    step, dual_step = stepsize(physics), 0.1
    primal_step = 1 / (0.5 + 8 * dual_step)
    x = step * physics.A_adjoint(y)
    dual = 0 * nabla(x)
    for _ in range(iterations):
        before = x
        x = x - primal_step * (step * physics.A_adjoint(physics.A(x) - y) + nabla_adjoint(dual))
        dual = dual + dual_step * nabla(2 * x - before)
        dual = dual / (dual.norm(dim=0) / weight).clamp(min=1)
    return x
# END SOLUTION


# %%
rivals = {}
# BEGIN SOLUTION
rivals["smoothing"] = smoothing, [1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0]
rivals["TV"] = total_variation, [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1]
# END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_best_value_inside(tune):
    import course

    found = course.run(tune, [1.0, 2.0, 4.0, 8.0], lambda value: -abs(value - 3.9), name="tune")
    course.ensure(found == 4.0, "`tune` returns the value of the grid with the highest score.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_an_edge_is_refused(tune):
    import course

    inside = course.run(tune, [8.0, 2.0, 1.0, 4.0], lambda value: -abs(value - 2), name="tune")
    course.ensure(
        inside == 2.0, "The grid may be in any order: the score decides, and not the place in the list."
    )
    for grid, best in (
        ([1.0, 2.0, 4.0], 4),
        ([1.0, 2.0, 4.0], 1),
        ([2.0, 4.0, 1.0, 3.0], 4),
        ([2.0, 4.0, 1.0, 3.0], 1),
    ):
        try:
            tune(grid, lambda value, best=best: -abs(value - best))
        except ValueError:
            continue
        except Exception as error:
            raise AssertionError(
                f"At an edge, `tune` raises a ValueError, and not a {type(error).__name__}."
            ) from error
        in_order = grid == sorted(grid)
        raise AssertionError(
            "An edge of the grid was accepted: the best value may lie beyond it, so extend the grid."
            if in_order
            else "In a grid in another order, an edge was accepted: the edges are the smallest and the largest value."
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_nan_is_never_chosen(tune):
    import course

    for grid in ([2.0, 1.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 4.0, 3.0, 1.0, 2.0]):
        found = course.run(
            tune, grid, lambda value: float("nan") if value == 2 else -abs(value - 3.1), name="tune"
        )
        course.ensure(found != 2.0, "A run that went astray was chosen: every comparison with NaN is false.")
        course.ensure(found == 3.0, "Values with NaN are left out; the best of the others is returned.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_two_rivals(rivals, choice, pictures, student, A):
    import course
    import deepinv
    import set7
    import torch
    from ddgp_lib.checks import check_adjoint
    from ddgp_lib.operators import measure, squared_norm

    course.ensure(
        isinstance(rivals, dict) and len(rivals) >= 2,
        "Two rivals are asked for, each under a name in `rivals`.",
    )
    p = set7.parameters("COURSE_KEY", student or "")
    noise = deepinv.physics.GaussianNoise(set7.noise(choice, p), rng=torch.Generator().manual_seed(0))
    physics = {
        "deblurring": lambda: deepinv.physics.BlurFFT(set7.SIZE, set7.kernel(p), noise_model=noise),
        "inpainting": lambda: deepinv.physics.Inpainting(set7.SIZE, set7.mask(p), noise_model=noise),
        "compressed sensing": lambda: deepinv.physics.CompressedSensing(
            p.rows, set7.SIZE, rng=set7.generator(p), noise_model=noise
        ),
        "tomography": lambda: deepinv.physics.Tomography(
            set7.angles(p), set7.SIDE, normalize=False, noise_model=noise
        ),
    }[choice]()
    try:  # the student's own camera, if it is right: it may be faster
        check_adjoint(A, (2, *set7.SIZE))
        physics = A if set7.same_camera(A, physics) and float(A.noise_model.sigma) > 0 else physics
    except Exception:
        pass
    truth = set7.images(pictures).val[:6]
    y = measure(physics, truth, 11)
    start = physics.A_adjoint(y) / squared_norm(physics, set7.SIZE)
    for name, pair in rivals.items():
        course.ensure(
            isinstance(pair, tuple | list) and len(pair) == 2,
            f"`rivals[{name!r}]` is a pair: function, list of values.",
        )
        method, grid = pair
        course.ensure(len(list(grid)) >= 3, f"The grid of {name!r} needs at least three values.")
        scores = {}
        for value in grid:
            with torch.no_grad():
                x = course.run(method, y, physics, value, name=name)
            course.ensure(isinstance(x, torch.Tensor), f"{name!r} should return a tensor of images.")
            course.ensure(
                x.shape == truth.shape,
                f"{name!r} returns the shape {tuple(x.shape)}, expected that of the images.",
            )
            score = float(set7.psnr(x, truth).mean())
            scores[value] = score if score == score else -1e9
        best = max(scores, key=scores.get)
        course.ensure(
            min(grid) < best < max(grid),
            f"The best value of {name!r} on validation images is not inside its grid: extend the grid. A "
            "rival at the edge is weaker than it need be.",
        )
        course.ensure(
            scores[best] > float(set7.psnr(start, truth).mean()) + 0.3,
            f"Even at its best value {name!r} is hardly better than one step from zero, Aᵀy / ‖A‖²: is it "
            "at its end, and does it know the norm of the camera?",
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 5

# %% [markdown]
# ## Question 4: a preconditioner of your own (5 points, 120 minutes)
#
# Write `learn(physics, images)`: it returns a preconditioner $P$ for the camera `physics`, called as `P(grad,
# state)` (chapter 4), which may learn from the training images `images`. Any kind will do:
#
# - *by hand*: a Newton step, a polynomial, a circulant. Think of what question 2 said of your spectrum. The damping
#   follows the noise, `physics.noise_model.sigma`.
# - *in closed form*: second moments of images or of their errors, a ridge regression, `ddgp_lib.distill_linear`.
# - *distilled*: `ddgp_lib.distill` with a task of your own (below) and a few hundred steps.
#
# $P$ is used in `set7.plug_and_play` with the step $1/\lVert A \rVert^2$; a factor belongs into $P$. Say in the
# dictionary `claims` which of two things hold for your $P$; the tests will hold you to it, and at least one must
# hold:
#
# $$
# \texttt{"descent"}:\ \langle g, P(g) \rangle > 0, \qquad
# \texttt{"null\_space"}:\ A\, P(g) = A\, g, \qquad g = \nabla g(z) .
# $$
#
# The worth of a direction, if the step is chosen afterwards, is its cosine with the error $z - x^*$ (chapter 8).
# `set7.worth` returns it for $P$ and for the plain gradient, after three iterations without $P$. On validation
# images, yours must be larger by 0.005 or more; tune what your $P$ has until it is. If your camera has $A A^\top =
# I$, chapter 4 says why one whole family cannot be.
#
# *A task of your own* is `ddgp_lib.make_task(camera, teacher, split, denoiser, sigma)`: `teacher` sees more than your
# camera (a larger mask, more rows, more angles, a shorter kernel), and step sizes follow from both. Where only some
# images are for training, pass `split._replace(train=images)`. The library starts at $A^\top y$, which suits
# $\lVert A \rVert = 1$ only: use `set7.Scaled` for both cameras. The null-space form needs an exact projector:
# `set7.Dense(physics)` is your camera as a matrix, with one.

# %% [raw]
# # BEGIN SOLUTION

# %%
# BEGIN SOLUTION
class Believer(ddgp_lib.Preconditioner):
    """The Newton step for Gaussian images: ‖A‖² (AᵀA + σ² C⁻¹)⁻¹, with the covariance C of training images."""

    def __init__(self, physics, images, share=0.3):
        super().__init__()
        matrix = analysis.dense_matrix(physics, set7.SIZE)
        C = images.flatten(1).double().T.cov()
        eye = torch.eye(len(C), dtype=C.dtype)
        C = (1 - share) * C + share * C.diagonal().mean() * eye
        inverse = torch.linalg.inv(matrix.T @ matrix @ C + float(physics.noise_model.sigma) ** 2 * eye)
        self.register_buffer("weights", squared_norm(physics, set7.SIZE) * C @ inverse)

    def forward(self, grad, state):
        return (grad.flatten(1).double() @ self.weights.T).reshape(grad.shape).to(grad)
# END SOLUTION


# %%
def learn(physics, images):
    # BEGIN SOLUTION
    return Believer(physics, images)
    # END SOLUTION


claims = {"null_space": False, "descent": True}  # SOLUTION
P = None if course.is_open(A) else learn(A, split.train)

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_form_of_your_preconditioner(P, A, claims):
    import course
    import ddgp_lib
    import set7
    import torch

    course.ensure(
        not course.is_open(claims) and set(claims) == {"null_space", "descent"},
        "`claims` has the two entries of the question.",
    )
    course.ensure(
        any(claims.values()),
        "Claim at least one of the two: otherwise nothing protects the data or the descent.",
    )
    course.ensure(not course.is_open(P), "`learn` returns no preconditioner yet.")
    z = torch.rand(2, *set7.SIZE, generator=torch.Generator().manual_seed(0))
    y = A.A(torch.rand(2, *set7.SIZE, generator=torch.Generator().manual_seed(1)))
    with torch.no_grad():
        grad = A.A_adjoint(A.A(z) - y)
        direction = course.run(P, grad, ddgp_lib.State(z, 3, A, y), name="P")
    course.ensure(direction.shape == grad.shape, "P(grad, state) has the shape of the gradient.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_rules_and_claims(P, A, choice, claims, student):
    import course
    import deepinv
    import set7
    import torch
    from ddgp_lib.checks import check_adjoint, check_preconditioner

    course.ensure(not course.is_open(P), "`learn` returns no preconditioner yet.")
    course.ensure(not course.is_open(claims) and any(claims.values()), "Claim at least one of the two properties.")
    p = set7.parameters("COURSE_KEY", student or "")
    noise = deepinv.physics.GaussianNoise(set7.noise(choice, p), rng=torch.Generator().manual_seed(0))
    physics = {
        "deblurring": lambda: deepinv.physics.BlurFFT(set7.SIZE, set7.kernel(p), noise_model=noise),
        "inpainting": lambda: deepinv.physics.Inpainting(set7.SIZE, set7.mask(p), noise_model=noise),
        "compressed sensing": lambda: deepinv.physics.CompressedSensing(
            p.rows, set7.SIZE, rng=set7.generator(p), noise_model=noise
        ),
        "tomography": lambda: deepinv.physics.Tomography(
            set7.angles(p), set7.SIDE, normalize=False, noise_model=noise
        ),
    }[choice]()
    try:  # the student's own camera, if it is right: P may need its scale and arrangement
        check_adjoint(A, (2, *set7.SIZE))
        physics = A if set7.same_camera(A, physics) else physics
    except Exception:
        pass
    promised = {name: True for name in ("null_space", "descent") if claims.get(name)}
    check_preconditioner(P, physics, (3, *set7.SIZE), tolerance=2e-3, **promised)

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_a_direction_that_is_worth_it(P, A, choice, pictures, student):
    import course
    import ddgp_lib
    import deepinv
    import set7
    import torch
    from ddgp_lib.checks import check_adjoint
    from ddgp_lib.operators import measure, squared_norm

    course.ensure(not course.is_open(P), "`learn` returns no preconditioner yet.")
    p = set7.parameters("COURSE_KEY", student or "")
    noise = deepinv.physics.GaussianNoise(set7.noise(choice, p), rng=torch.Generator().manual_seed(0))
    physics = {
        "deblurring": lambda: deepinv.physics.BlurFFT(set7.SIZE, set7.kernel(p), noise_model=noise),
        "inpainting": lambda: deepinv.physics.Inpainting(set7.SIZE, set7.mask(p), noise_model=noise),
        "compressed sensing": lambda: deepinv.physics.CompressedSensing(
            p.rows, set7.SIZE, rng=set7.generator(p), noise_model=noise
        ),
        "tomography": lambda: deepinv.physics.Tomography(
            set7.angles(p), set7.SIDE, normalize=False, noise_model=noise
        ),
    }[choice]()
    try:  # the student's own camera, if it is right: P may need its scale and arrangement
        check_adjoint(A, (2, *set7.SIZE))
        physics = A if set7.same_camera(A, physics) and float(A.noise_model.sigma) > 0 else physics
    except Exception:
        pass
    truth, step = set7.images(pictures).val, 1 / squared_norm(physics, set7.SIZE)
    y = measure(physics, truth, 12)
    z = set7.plug_and_play(y, physics, step, sigma=0.05, pictures=pictures, iterations=3)[-1]
    with torch.no_grad():
        grad = physics.A_adjoint(physics.A(z) - y)
        direction = course.run(P, grad, ddgp_lib.State(z, 3, physics, y), name="P")
    course.array(direction, "P(grad, state)", tuple(grad.shape))
    fit = (direction * grad).sum() / grad.square().sum()
    rest = float((direction - fit * grad).norm() / direction.norm().clamp(min=1e-30))
    course.ensure(
        rest > 1e-4,
        "Your P is a step size in disguise: P(g) is a multiple of g. Where A Aᵀ = I this is so for every "
        "function of AᵀA; there only knowledge of images helps.",
    )
    mine, plain = course.run(set7.worth, P, y, physics, step, truth, pictures, name="set7.worth")
    course.ensure(mine > 0, "Your direction points away from the error: the solver itself subtracts P(g).")
    course.ensure(
        mine > plain + 0.003,
        "On validation images your direction is no closer to the error than the plain gradient is: what "
        "does your camera lose, by question 2, and can a P of this kind restore it? Does its damping "
        "follow the noise?",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %%
if not course.is_open(P) and not course.is_open(stepsize(A)):
    y = measure(A, split.val, seed=1)
    print("worth of P and of the gradient:", set7.worth(P, y, A, stepsize(A), split.val, pictures))

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 5

# %% [markdown]
# ## Question 5: the experiment (5 points, 80 minutes)
#
# (a) Write `evaluate(mine, rival, person)`. `mine`, shape (K, N), holds the PSNRs of your method on N test images
# after each of K iterations; `rival`, shape (N,), those of a rival at its end; `person`, shape (N,), says whose
# image each one is (every person has equally many). Images of one person are not independent, so persons are what
# is counted. With the differences $d_i$ = `mine[-1, i] - rival[i]` and their mean $D_q$ over the images of person
# $q = 1, \dots, Q$, it returns a dictionary with the numbers
#
# - `"gain"`: the mean of the $d_i$, at the *last* iteration, which was fixed before;
# - `"error"`: the standard error of the mean of the $D_q$, with $Q - 1$ in the variance;
# - `"worst"`: the smallest $d_i$;
# - `"drop"`: by how much the mean PSNR of your method at the last iteration is below its highest over the K
#   iterations.
#
# (b) Write `experiment(physics, split)`, the whole way from training to test images, as a function: so it can be
# repeated, and so anybody can see what it has used. It learns $P$ from `split.train`, chooses every number on
# `split.val` with `tune`, then measures `split.test` and runs everything on it once. It returns a dictionary with
#
# - `"P"`: the preconditioner;
# - `"chosen"`: the number that was chosen, by name of the method;
# - `"best"`: the name of the rival with the highest score on validation images;
# - `"mine"`: PSNRs (K, N) of plug-and-play with $P$ on the test images;
# - `"rivals"`: PSNRs (N,) at the end by name: your two rivals, and `"no P"`, the same solver without $P$, with as
#   many iterations, its own $\sigma$, and momentum if that serves it better.

# %% [raw]
# # BEGIN SOLUTION

# %%
def evaluate(mine, rival, person):
    # BEGIN SOLUTION
    d = mine[-1] - rival
    by_person = torch.stack([d[person == q].mean() for q in person.unique()])
    along = mine.mean(dim=1)
    return {
        "gain": float(d.mean()),
        "error": float(by_person.std() / len(by_person) ** 0.5),
        "worst": float(d.min()),
        "drop": float(along.max() - along[-1]),
    }
    # END SOLUTION


# %%
def experiment(physics, split):
    # BEGIN SOLUTION
    step, found = stepsize(physics), {"chosen": {}, "rivals": {}}
    found["P"] = learn(physics, split.train)

    def path(y, sigma, P):
        options = {"sigma": sigma, "pictures": pictures, "momentum": P is None, "iterations": 10}
        return set7.plug_and_play(y, physics, step, P, **options)

    sigmas = [0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32]
    methods = {
        name: (lambda y, v, method=method: method(y, physics, v), grid)
        for name, (method, grid) in rivals.items()
    }
    methods["no P"] = (lambda y, sigma: path(y, sigma, None)[-1]), sigmas
    methods["mine"] = (lambda y, sigma: path(y, sigma, found["P"])[-1]), sigmas

    images = split.val
    y, scores = measure(physics, images, seed=1), {}
    for name, (method, grid) in methods.items():
        tried = {value: float(set7.psnr(method(y, value), images).mean()) for value in grid}
        found["chosen"][name] = tune(grid, tried.get)
        scores[name] = tried[found["chosen"][name]]
    found["best"] = max(scores.keys() - {"mine"}, key=scores.get)

    y = measure(physics, split.test, seed=2)
    for name in methods.keys() - {"mine"}:
        found["rivals"][name] = set7.psnr(methods[name][0](y, found["chosen"][name]), split.test)
    found["mine"] = set7.psnr(path(y, found["chosen"]["mine"], found["P"]), split.test)
    return found
    # END SOLUTION


results = None if course.is_open(A) else experiment(A, split)

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_equal_methods_have_no_gain(evaluate):
    import course
    import torch

    rival = 20 + torch.rand(6, generator=torch.Generator().manual_seed(0))
    found = course.run(evaluate, torch.stack([rival - 1, rival]), rival, torch.arange(6) % 3, name="evaluate")
    course.ensure(
        set(found) == {"gain", "error", "worst", "drop"}, "`evaluate` returns a dictionary with four entries."
    )
    for name, value in found.items():
        course.ensure(
            abs(course.number(value, name)) < 1e-4, f"Where both methods end alike, `{name}` is zero."
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_error_of_the_gain(evaluate):
    import course
    import set7
    import torch

    p = set7.parameters("COURSE_KEY graded")
    generator = torch.Generator().manual_seed(p.seed)
    person = torch.arange(18) % 6
    rival = 22 + 3 * torch.randn(18, generator=generator)
    d = (
        0.5
        + torch.tensor([0.7, -0.6, 0.3, -0.2, 0.5, -0.4])[person]
        + 0.05 * torch.randn(18, generator=generator)
    )
    by_person = torch.stack([d[person == q].mean() for q in range(6)])
    wanted = float(by_person.std() / 6**0.5)
    found = course.number(
        course.run(evaluate, (rival + d)[None], rival, person, name="evaluate")["error"], "error"
    )

    def near(value):
        return abs(found / float(value) - 1) < 0.02

    unpaired = [((rival + d).var() / n + rival.var() / n) ** 0.5 for n in (18, 6)]
    groups = [torch.stack([v[person == q].mean() for q in range(6)]) for v in (rival + d, rival)]
    unpaired.append(sum(group.var() / 6 for group in groups) ** 0.5)
    course.ensure(
        not any(map(near, unpaired)),
        "This error is unpaired: both methods saw the same images, so the spread of the images is in both "
        "and cancels in the differences.",
    )
    course.ensure(
        not near(d.std() / 18**0.5),
        "Images of one person are not independent: average by person first, and count persons.",
    )
    course.ensure(
        not near(by_person.std()), "This is the spread of the persons, and not yet the error of their mean."
    )
    course.ensure(
        not near(by_person.std(correction=0) / 6**0.5),
        "The mean was estimated from the same persons: divide by one less than their number.",
    )
    course.ensure(
        near(wanted), "The standard error of the mean of the differences, one difference for each person."
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_whole_run(evaluate):
    import course
    import set7
    import torch

    p = set7.parameters("COURSE_KEY graded")
    generator = torch.Generator().manual_seed(p.seed + 1)
    person = torch.arange(8) % 4
    rival = 22 + torch.randn(8, generator=generator)
    last = rival + 0.4 + 0.3 * torch.randn(8, generator=generator)
    mine = last + torch.tensor([-2.0, 0.5, 1.5, 0.6, 0.0])[:, None]
    found = course.run(evaluate, mine, rival, person, name="evaluate")
    gain, worst, drop = (course.number(found[name], name) for name in ("gain", "worst", "drop"))
    d = last - rival
    course.ensure(
        abs(gain - float(d.mean()) - 1.5) > 1e-3,
        "The gain is that of the best iteration, which was chosen on the test images: report the last one, "
        "fixed before.",
    )
    course.ensure(
        abs(gain - float(d.mean())) < 1e-4, "The gain is the mean difference at the last iteration."
    )
    course.ensure(
        abs(worst - float(d.min())) < 1e-4,
        "The worst image is the one with the smallest difference at the last iteration.",
    )
    course.ensure(
        abs(drop - 1.5) < 1e-4,
        "The drop is the highest mean PSNR of the run less the last one, above or at zero.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_nothing_is_chosen_on_test_images(experiment, results, split, A, choice, student):
    import course
    import ddgp_lib
    import deepinv
    import set7
    import torch
    from ddgp_lib.checks import check_adjoint

    p = set7.parameters("COURSE_KEY", student or "")
    noise = deepinv.physics.GaussianNoise(set7.noise(choice, p), rng=torch.Generator().manual_seed(0))
    physics = {
        "deblurring": lambda: deepinv.physics.BlurFFT(set7.SIZE, set7.kernel(p), noise_model=noise),
        "inpainting": lambda: deepinv.physics.Inpainting(set7.SIZE, set7.mask(p), noise_model=noise),
        "compressed sensing": lambda: deepinv.physics.CompressedSensing(
            p.rows, set7.SIZE, rng=set7.generator(p), noise_model=noise
        ),
        "tomography": lambda: deepinv.physics.Tomography(
            set7.angles(p), set7.SIDE, normalize=False, noise_model=noise
        ),
    }[choice]()
    try:  # with the student's own camera, if it is right, the experiment is there already
        check_adjoint(A, (2, *set7.SIZE))
        right = set7.same_camera(A, physics)
    except Exception:
        right = False
    if right and isinstance(results, dict):
        physics = A
    else:
        results = course.run(experiment, physics, split, name="experiment")
    course.ensure(isinstance(results, dict), "`experiment(A, split)` returned no dictionary yet.")
    missing = {"P", "chosen", "best", "mine", "rivals"} - set(results)
    course.ensure(not missing, f"The result of `experiment` lacks {sorted(missing)}.")
    course.ensure(
        "no P" in results["rivals"] and len(results["rivals"]) >= 3,
        "The rivals are your two, and the same solver without P.",
    )
    course.ensure(results["best"] in results["rivals"], "`best` is the name of a rival.")
    N = len(split.test)
    course.array(results["mine"], "mine", (len(results["mine"]), N))
    for name, values in results["rivals"].items():
        course.array(values, f"rivals[{name!r}]", (N,))
    course.ensure(len(results["mine"]) > 1, "`mine` holds the whole run: one row for each iteration.")
    # the same experiment, with noise in the place of the test images: nothing that is learned or chosen may change
    exchanged = torch.rand(split.test.shape, generator=torch.Generator().manual_seed(0))
    try:
        again = experiment(physics, split._replace(test=exchanged))
    except Exception as error:
        raise AssertionError(
            f"`experiment` stops ({type(error).__name__}) once the test images are exchanged for others: "
            "something was chosen or learned from the test images before they were reported."
        ) from error
    z = torch.rand(2, *set7.SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        y = physics.A(split.val[:2])
        grad = physics.A_adjoint(physics.A(z) - y)
        state = ddgp_lib.State(z, 3, physics, y)
        before, after = (found["P"](grad, state) for found in (results, again))
    course.ensure(
        float((after - before).norm()) < 2e-3 * float(before.norm()),
        "With other test images the preconditioner is another one: it was trained on test images, or its "
        "training cannot be repeated because it draws numbers without a seed.",
    )
    chosen, later = (
        {name: course.number(value, f"chosen[{name!r}]") for name, value in found["chosen"].items()}
        for found in (results, again)
    )
    same = chosen.keys() == later.keys() and all(
        abs(later[name] - value) <= 1e-6 * abs(value) for name, value in chosen.items()
    )
    course.ensure(
        same,
        "With other test images other values were chosen: they were tuned on test images, not on "
        "validation images.",
    )
    course.ensure(
        again["best"] == results["best"],
        "With other test images another rival is the best one: choose it on validation images.",
    )
    changed = (torch.as_tensor(again["mine"]) - torch.as_tensor(results["mine"])).abs().max()
    course.ensure(
        float(changed) > 1e-3, "With other test images the PSNRs stay the same: report on `split.test`."
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your experiment works, this is its result. A 95 % interval is the gain ± 2.36 errors for the eight persons of
# the faces (seven degrees of freedom), ± 2.07 errors for the 24 digits.

# %%
if not course.is_open(results):
    print(results["chosen"], "best rival by validation:", results["best"])
    for name, values in results["rivals"].items():
        print(f"against {name}:", evaluate(results["mine"], values, set7.persons(pictures)))

# %% [raw]
# # BEGIN QUESTION
# name: q6
# manual: true
# points: 2

# %% [markdown]
# ## Question 6: the figure (2 points, 40 minutes)
#
# Draw one figure of the whole run on the test images: the mean PSNR of your method against the iteration, the
# rivals, the paired difference to the best rival with its error, and the worst image. Add the reconstructions of
# one image that you did not pick because it looks well. Write a caption of at most six lines with which the figure
# can be read alone.

# %% [raw]
# # BEGIN SOLUTION

# %%
# BEGIN SOLUTION
mine, best = results["mine"], results["best"]
persons = set7.persons(pictures)
rows = [evaluate(mine[: k + 1], results["rivals"][best], persons) for k in range(len(mine))]
gain, error, worst = (torch.tensor([row[name] for row in rows]) for name in ("gain", "error", "worst"))
k = torch.arange(1, len(mine) + 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5))
left.plot(k, mine.mean(dim=1), label="with P")
for number, (name, values) in enumerate(results["rivals"].items()):
    left.axhline(float(values.mean()), color=f"C{number + 1}", linestyle="--", label=f"{name}, at its end")
left.set(xlabel="iteration", ylabel="mean PSNR (dB)")
left.legend()
right.plot(k, gain, label="mean difference")
right.fill_between(k, gain - 2.36 * error, gain + 2.36 * error, alpha=0.3, label="95 %, 8 persons")
right.plot(k, worst, ":", label="worst image")
right.axhline(0, color="grey", linewidth=0.8)
right.set(xlabel="iteration", ylabel=f"PSNR with P less that of {best} (dB)", ylim=(-4, 4))
right.legend()

value = results["chosen"]["mine"]
images = split.test[:1]
y = measure(A, images, seed=2)
x = set7.plug_and_play(y, A, stepsize(A), results["P"], sigma=value, pictures=pictures, iterations=len(mine))[-1]
panels = {"truth": images, "one step": stepsize(A) * A.A_adjoint(y), "with P": x}
panels |= {name: method(y, A, results["chosen"][name]) for name, (method, _) in rivals.items()}
figure, axes = plt.subplots(1, len(panels), figsize=(2 * len(panels), 2.2))
for ax, (name, picture) in zip(axes, panels.items(), strict=True):
    ax.imshow(picture[0, 0], cmap="gray", vmin=0, vmax=1)
    ax.set_title(name, fontsize=9)
    ax.axis("off")
# END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# *A caption.* Deblurring of 24 test faces of 8 persons, simulated motion and white noise. Left: mean PSNR of
# plug-and-play with $P$ after each iteration; dashed, the rivals at their end, all tuned on 8 validation images
# inside their grids. Right: the mean over persons of the paired difference to the rival that was best on validation
# images, with its 95 % interval (7 degrees of freedom), at each iteration by itself, and the worst image at that
# iteration. The number to report is that at the last iteration, which was fixed before. Below: the first test
# image.
#
# *Rubric.* 1 point: the whole run with rivals, and the paired difference with its error (persons or images, as
# stated), and the worst image. Two bands around two means in the place of the paired difference: half. 1 point: the
# caption says what the bands are, how many images and persons, where the numbers were tuned, and that the data are
# simulated; axes have labels with units; the example image was chosen by a rule. Two of these missing: half.
# *Typical answers.* One bar for each method: no point for the first. An axis of PSNR that is cut so that 0.1 dB
# looks large, without a word: half a point less. "A representative image": not a rule.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q7
# manual: true
# points: 3

# %% [markdown]
# ## Question 7: break it (3 points, 60 minutes)
#
# Find a condition under which your preconditioner does harm: it is behind the same solver without $P$, or behind
# its rival, by more than the error of the comparison. More noise than was expected, another kernel or mask than the
# solver is told, other images, a longer run: what your $P$ believes is where to look. Show it in numbers on test
# images, *with a control* that tells whether it is $P$ that does the harm. Then write in at most ten lines: what
# the condition is, what the control says, what the cause is, and whether anything that can be observed without the
# truth would have warned you.

# %% [raw]
# # BEGIN SOLUTION

# %% tags=["study"]
# BEGIN SOLUTION
import dataclasses

noisy = camera(dataclasses.replace(p, noise=3 * p.noise))
y = measure(noisy, split.test, seed=3)
told = learn(noisy, split.train)
for words, factor in (("σ as tuned", 1), ("σ three times as large", 3)):
    for name, method in {"no P": None, "P": results["P"], "P told of the noise": told}.items():
        sigma = factor * results["chosen"]["no P" if method is None else "mine"]
        options = {"sigma": sigma, "pictures": pictures, "momentum": method is None, "iterations": 10}
        x = set7.plug_and_play(y, noisy, stepsize(noisy), method, **options)[-1]
        residual = float((noisy.A(x) - y).square().mean().sqrt() / noisy.noise_model.sigma)
        print(f"{words:26s}{name:22s}{float(set7.psnr(x, split.test).mean()):6.2f} dB, misfit {residual:.2f} σ_w")
# END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# *A typical answer* (numbers of one key). With three times the noise, and nobody told, the solver with $P$ falls to
# 11.6 dB, the one without to 17.9 dB: $P$ does harm, by 6 dB. But two things are stale, the $\sigma$ of the
# denoiser, which both solvers have, and the variance inside $P$. Controls: with $\sigma$ three times as large, no
# $P$ comes back to 23.8 dB and $P$ to 22.5; with the variance in $P$ told and $\sigma$ as it was, $P$ comes back to
# 23.6. So the collapse is that of a $P$ which divides weak modes by the old variance and lets their noise in; the
# denoiser at its old level cannot remove it. What remains with each solver at its better setting is a loss of 0.3
# dB: here $P$ earns nothing. (Its error comes from the paired differences, as in question 5. These settings were
# compared on test images: good enough for a diagnosis, not for a result.) A warning without the truth: the misfit
# $\lVert A x - y \rVert$ is 0.63 of what the noise accounts for, so noise is fitted; told, it is 0.94. That needs a
# noise level which can be measured, for example from a record of nothing.
#
# *Rubric.* 1 point: a condition in numbers, with the paired difference or its error, and harm (not: a smaller
# gain). 1 point: a control that could have come out otherwise: the same condition without $P$, the same $P$ without
# the condition, a $P$ that is told. "Before and after" with $P$ alone is no control: no point. 1 point: a cause
# that fits the control, and the question of a warning answered for this condition. *Typical answers.* "With more
# noise the PSNR falls" (it falls for all): no point for the first. Harm at a $\sigma$ that was tuned for $P$ and
# not for the rival: half of the second. "It does not generalise" in the place of a cause: nothing for the third. If
# nothing harmful was found after three honest tries, each with its control: 2 points.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q8
# manual: true
# points: 9

# %% [markdown]
# ## Question 8: the report (9 points, 90 minutes)
#
# Write a report of one page, about 500 words, for a reader who knows the book and not your notebook. It has six
# parts, each of which counts 1.5 points:
#
# 1. *The problem.* Which camera, images and noise; what the camera loses, in numbers of question 2.
# 2. *The baseline.* The strongest method that has no learned preconditioner, how it was tuned, and what it reaches.
# 3. *The method.* Your $P$ in one formula or three sentences: why this kind for this camera, what it promises, what
#    it costs.
# 4. *The evidence.* The gain with its error, the worst image, the drop, against the best rival *and* against no
#    $P$.
# 5. *A failure.* What you found in question 7, with its control.
# 6. *What it does not show.* The claims that a reader might be tempted to make, and must not.
#
# Each part is judged in four levels: *excellent* (1.5: complete, exact, and a reader could repeat it or refute it),
# *good* (1: right, one thing that matters is missing), *partial* (0.5: a start, or right and without a number),
# *missing* or wrong (0). It does not count whether your $P$ won.
#
# *Measured data, if you like.* The questions are graded on simulated records. If you have a record of a real camera
# in a file of your own, you may add it to questions 7 and 8: load it yourself, or with the library as soon as it
# reads measured records; read images of your own with `ddgp_lib.data.load_folder`. There is no truth then, and so
# no PSNR. Keep some of the measurements back, reconstruct without them, and compare how well each method predicts
# them. Keep the file out of the notebook, say where it comes from, and leave the notebook so that it runs without
# it.

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# *A report that gets all points* (the reference's camera; your numbers differ with the key).
#
# **The problem.** Faces of 32 × 32 pixels (ORL, 28 persons to learn from, 4 to choose on, 8 to report on) are
# blurred by a motion of six pixels and get white noise of standard deviation 0.025. The camera has full rank,
# 1,024, so it deletes nothing; but $\kappa(A) = 276$, and in 350 modes $s_i$ is below 0.05, where the noise after
# inversion has a standard deviation above 0.5. What is lost is drowned and not deleted.
#
# **The baseline.** Smoothing, TV and plug-and-play without $P$, one number each, chosen on 8 validation images
# inside its grid. The best on validation images was plug-and-play without $P$, with momentum and $\sigma = 0.01$:
# 26.1 dB on test images (smoothing 25.9, TV 25.7). Smoothing and TV learn nothing; the denoiser has learned from
# faces.
#
# **The method.** $P = \lVert A \rVert^2 (A^\top A + \sigma_w^2 C^{-1})^{-1}$ is the Newton step of the data term
# with a Gaussian prior: $C$ is 0.7 of the covariance of the training faces and 0.3 of a multiple of the identity,
# which keeps it invertible. The 0.3 was not tuned in this experiment. It is symmetric and positive, so descent is
# promised, and $P A^\top A$ has no eigenvalue above $\lVert A \rVert^2$, so the step $1/\lVert A \rVert^2$ is
# stable on the data term alone. It changes the measured part, so no null-space form is claimed. It costs one
# product with a 1,024 × 1,024 matrix in each iteration, and one inverse; at 256 × 256 pixels neither could be
# stored.
#
# **The evidence.** On 24 test faces of 8 persons, after 10 iterations that were fixed before: +0.49 dB over
# plug-and-play without $P$, which is the best rival and the control at once; standard error by person 0.13, 95 %
# interval 0.2 to 0.8 dB (7 degrees of freedom). Over smoothing +0.7, over TV +0.9, with the same error. Worst image
# −0.6 dB. With $P$ the mean is highest after three iterations and falls by 0.3 dB until the last. Both solvers call
# the denoiser ten times. Where one stops decides: after 20 iterations, looked at afterwards, the difference is −0.1
# ± 0.1 dB.
#
# **A failure.** At three times the noise with nothing told, $P$ loses 6 dB against no $P$. Controls: telling $P$
# the noise restores 23.6 dB; no $P$ at a $\sigma$ that follows has 23.8. The misfit of 0.6 of the noise would have
# warned.
#
# **What it does not show.** The records are simulated with the very kernel that is inverted, with a periodic
# border, and with the noise level known. One kernel, one draw of noise, eight persons of one database in one light,
# 32 × 32 pixels; $C$ comes from the same database. PSNR is not recognition. It is not shown that a network would do
# worse, that $P$ helps another solver, or that it helps in a longer run.
#
# *Rubric.* Six parts at 1.5 points; levels as in the question.
#
# | part | excellent (1.5) | good (1) | partial (0.5) |
# |---|---|---|---|
# | problem | rank, $\kappa$ and share with what they mean here; split by person; noise level | one of them missing, or numbers without their meaning | camera named, no numbers |
# | baseline | strongest rival, chosen on validation images, values inside the grid, its PSNR; says which rivals learn | tuned, but weaker than the best one in the notebook, or grid not mentioned | an untuned rival, or gradient descent |
# | method | formula, why for this camera, promise (and what is not promised), cost | promise or cost missing | "we used a U-Net / Newton" |
# | evidence | paired gain with error and its count, worst image, drop; against best rival and no $P$; no larger claim than the interval | one of these missing | two means without an error |
# | failure | condition, number, control, cause | no cause, or control not discussed | condition without a control |
# | not shown | at least four limits that bite *here*, simulated data among them | two or three | general phrases ("more data are needed") |
#
# *Typical weaknesses.* The gain is reported over the rival that was best on *test* images: evidence at most good.
# The best iteration instead of the last: evidence at most partial. "Significant" from 24 images as if independent:
# 0.5 less. A gain of 0.1 ± 0.2 dB called an improvement: evidence at most partial; called "no difference": 0.5
# less, since the interval does not show equality. A negative result with all of this: full points. Gain over
# back-projection or over no $P$ alone although TV or smoothing is better: baseline partial. The PSNR of digits,
# mostly black, without a word on the foreground: 0.5 less in "not shown". PnP without $P$ called a method that
# learns nothing: 0.5 less in the baseline. A null-space claim for a $P$ that changes the measured part: method at
# most partial. Much more than a page: 1 point less in all.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION
