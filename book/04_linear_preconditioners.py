# %% [markdown]
# (linear-preconditioners)=
# # Linear preconditioners: what a few products buy, and what algebra forbids
#
# Gradient descent is slow along weak modes and blind to silent ones: [conditioning](conditioning) showed both. A
# preconditioner $P$ stands between the gradient and the step, and may turn it into a better direction. This chapter
# builds the linear ones that need nothing but the operator: no training, no images. It asks of each what it gains for
# the work that it costs, where it can gain nothing, and what it does to noise. They are the bar that every learned
# preconditioner of the later chapters has to clear.
#
# After this chapter you can
#
# 1. read a preconditioner off its residual polynomial, and predict its gain before running it;
# 2. compare methods by products with $A^\top A$, the currency in which each of them pays;
# 3. prove in two lines where every function of $A^\top A$ is a step size in disguise;
# 4. choose a damping by the noise, and a scale that cannot diverge;
# 5. say what a preconditioner changes inside plug-and-play besides the speed.

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import math

import torch
from deepinv.physics import LinearPhysics

import ddgp_lib
from ddgp_lib import PreconditionedFISTA, State, analysis, answers, figures, operators, widgets
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments import study
from ddgp_lib.operators import Counted, gradient, normal, norms, squared_norm
from ddgp_lib.preconditioners import Circulant, Identity, Jacobi, Newton, Polynomial, Scalar
from ddgp_lib.preconditioners.probing import circulant_spectrum
from ddgp_lib.solvers import chambolle_dossal, descend

# %% [markdown]
# ## One preconditioner, two scanners
#
# With a linear, symmetric and positive $P$, descent on the data term $g(x) = \tfrac12 \lVert A x - y \rVert^2$ from
# $z_0 = A^\top y$ is
#
# $$z_{k+1} = z_k - \frac{1}{\lVert A \rVert^2}\, P\, \nabla g(z_k).$$ (eq-lp-step)
#
# In these units $P = I$ is the plain method with the step $1/\lVert A \rVert^2$. The library's `descend` repeats this
# step (and adds momentum, if it is told to). The gradient costs one **product** with $A^\top A$. What $P$ costs on top
# of it, it says itself, in `P.products`. So a budget of products decides the number of steps:


# %%
def step(A, y, P):
    z = A.A_adjoint(y)
    direction = P(gradient(A, z, z), State(z, 0, A, y))
    return z - direction / squared_norm(A, tuple(z.shape[1:]))


def last(A, y, P, products):
    *_, z = descend(A, y, P, products // (1 + P.products))
    return z


# %% [markdown]
# Two MRI scanners measure the same 12 of 48 columns of k-space. One has a single coil, the other four, each with its
# own smooth sensitivity. Both get the same three methods and 60 products. (Newton's step has a closed form here and
# adds no product, so it may take 60 steps.) There is no noise. Which images does $P$ change?

# %%
size = (2, 48, 48)
brains = ddgp_lib.load_task("mri", size=48)
brain = brains.test_images[2:3]
scanners = {
    "1 coil": operators.CartesianMRI(4, size),
    "4 coils": operators.MultiCoilCartesianMRI(4, size, coils=4),
}
methods = {"no $P$": Identity(), "polynomial": Polynomial.of("l2", 4), "Newton": Newton(1e-3)}

# %% [markdown]
# Each method runs on each scanner. (The last line compares the library's first step with ours.)


# %%
found = {
    (name, label): last(A, A.A(brain), P, 60) for name, A in scanners.items() for label, P in methods.items()
}
A, P = scanners["4 coils"], methods["Newton"]
torch.testing.assert_close(step(A, A.A(brain), P), next(descend(A, A.A(brain), P, 1)))

# %% mystnb={"figure": {"name": "fig-lp-scanners", "caption": "The same slice, the same columns of k-space, the same gradient, three preconditioners. With one coil they make no difference. With four they do."}, "image": {"alt": "Two rows of three brain slices with their PSNR. Upper row, one coil: three equal images, blurred and with ghosts beside the brain. Lower row, four coils: sharper images; without P faint ghosts remain, fewer with the polynomial, and with Newton's step hardly any."}} tags=["hide-input"]
quality = {key: float(brains.psnr(x, brain)) for key, x in found.items()}
titles = {key: f"{', '.join(key)}\n{value:.1f} dB" for key, value in quality.items()}
figures.images({titles[key]: brains.picture(x) for key, x in found.items()}, columns=3)

# %%
one, four = ([quality[name, label] for label in methods] for name in scanners)
assert max(one) - min(one) < 0.05
assert four[0] + 1.5 < four[1] < four[2] - 1
assert all(int(A.columns.sum()) == 12 for A in scanners.values())

# %% [markdown]
# Nothing in the upper row, decibels in the lower one. The scanners differ in their spectra: with one coil
# $A A^\top = I$; with four, eigenvalues fall from large to tiny. To see why that decides everything, look at what $P$
# does to one eigenvalue.
#
# ## What an ideal $P$ would do
#
# Let $P = p(A^\top A / \lVert A \rVert^2)$ be a function of the operator, and
# $t = \lambda_i / \lVert A \rVert^2 \in [0, 1]$ an eigenvalue. The modes do not mix, and without noise a step
# {eq}`eq-lp-step` multiplies the error in this one by
#
# $$r(t) = 1 - t\, p(t), \qquad r(0) = 1.$$ (eq-lp-residual)
#
# Everything about $P$ is in this one curve. Without $P$, $r(t) = 1 - t$. The **ideal** is $r(t) = 0$ wherever the
# operator has an eigenvalue: then one step is enough. It asks for $p(t) = 1/t$, the pseudo-inverse, and the price is
# work and noise. The affordable choices:
#
# - **Newton**, damped by Tikhonov's $\lambda$: $p(t) = 1/(t + \lambda)$, so $r(t) = \lambda / (t + \lambda)$. It
#   treats all modes with $t \gg \lambda$ alike, and asks for a linear system to be solved.
# - **Polynomials**: $p(t) = \sum_{j=0}^d c_j t^j$, at the price of $d$ further products. $r$ has degree $d + 1$, and
#   the rules differ in how they choose it {cite}`johnson1983polynomial,iyer2024polynomial`. $\ell_2$ makes
#   $\int_0^1 r^2 dt$ smallest. Chebyshev's makes $\max_{l \le t \le 1} |r|$ smallest, for a bound $l$ that we choose.
#   *ifista* takes $r(t) = (1 - t)^{d+1}$: plain steps, $d + 1$ of them at once.
# - **Jacobi** and **circulant** invert what $A^\top A$ has on its diagonal, in pixels or in frequencies. They cost
#   next to nothing. In general they are *not* functions of $A^\top A$, and have no $r$.
#
# Does {eq}`eq-lp-residual` predict a real run? The super-resolution camera of this book, at $32 \times 32$ pixels,
# takes 64 measurements. We compare 12 steps of $\ell_2$ with $r(t)^{12}$, mode by mode.

# %%
faces = ddgp_lib.load_task("super_resolution", size=32)
face, modes = faces.test_images[:1], analysis.modes(faces.student, faces.img_size)
t = modes.eigenvalues / modes.eigenvalues[0]


def residual(P, t):
    return 1 - t * sum(c * t**j for j, c in enumerate(P.coefficients))


# %% [markdown]
# The prediction, and the run:


# %%
y, P = faces.student.A(face), methods["polynomial"]
at_start = modes.analyse(faces.student.A_adjoint(y) - face)
predicted = face + modes.synthesise(residual(P, t) ** 12 * at_start)
assert (last(faces.student, y, P, 60) - predicted).abs().max() < 1e-4
assert Polynomial.of("l2", 1).coefficients == (4, -10 / 3)  # as published

# %% [markdown]
# It does, so the curves can be studied instead of images. In the next control, raise the degree. How far to the left
# does each rule push its fall, and what does it pay for that at the right?

# %%
axis = torch.logspace(-3, 0, 400, dtype=torch.float64)
names = ("ifista", "ℓ2", "Chebyshev")


def rule(name, degree):
    lower = 0.03 if name == "Chebyshev" else None
    return Polynomial.of(name.lower().replace("ℓ", "l"), degree, lower=lower)


# %% tags=["hide-input"]
def draw_residuals(degree):
    left = {name: residual(rule(name, degree), axis).abs() for name in names}
    return figures.curves(
        axis,
        {"no P": 1 - axis} | left,
        xlabel="eigenvalue $t = \\lambda_i / \\Vert A \\Vert^2$",
        ylabel="error left, $|r(t)|$",
        xscale="log",
        ylim=(0, 1.05),
        legend="lower left",
    )


# %% tags=["hide-input"]
def describe_residuals(degree):
    halves = {name: axis[residual(rule(name, degree), axis).abs() < 0.5][0] for name in names}
    words = ", ".join(f"{value:.3f} with {name}" for name, value in halves.items())
    return f"Degree {degree}: one step halves the error from t = {words}; without P from t = 0.5."


degrees = {
    "draw": draw_residuals,
    "values": [0, 1, 2, 3, 4, 6, 8],
    "label": "Degree d of the polynomial",
    "alt": describe_residuals,
    "text": lambda d: f"{d}: {d + 1} product{'s' if d else ''} per step",
    "start": 4,
    "caption": "What one step leaves of the error in each mode; Chebyshev with l = 0.03.",
}
widgets.frames(**degrees)

# %% [markdown]
# In a running kernel, the twin of this control draws anew at each move; edit `rule` above, for instance `lower`.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**degrees)

# %% [markdown]
# All curves hang at $r(0) = 1$, and no degree frees them: a polynomial is continuous, so the weakest modes stay slow,
# and a silent mode stays silent for ever. Near $t = 0$ only the slope counts, $r(t) \approx 1 - c_0 t$. There one
# step is worth $c_0$ plain ones, so what a *product* is worth in slow modes is
#
# $$\text{gain} = \frac{c_0}{d + 1} = \begin{cases}
# 1 & \text{ifista,} \\
# (d + 3)/2 & \ell_2,
# \end{cases}$$ (eq-lp-gain)
#
# and no rule that keeps $|r| \le 1$ can have more than $2(d+1)$ ({ref}`ex-lp-markov`). ifista buys nothing: its steps
# are plain ones, tied into bundles. Chebyshev's gain depends on $l$.

# %%
print(f"{'gain per product':18s}" + "".join(f"d = {d:<4d}" for d in (0, 1, 2, 4, 6, 8)))
gain = {}
for name in names:
    gain[name] = {d: rule(name, d).coefficients[0] / (d + 1) for d in (0, 1, 2, 4, 6, 8)}
    print(f"{name:18s}" + "".join(f"{value:<8.2f}" for value in gain[name].values()))
assert all(gain["ifista"][d] == 1 for d in gain["ifista"])
assert all(abs(gain["ℓ2"][d] - (d + 3) / 2) < 1e-6 for d in gain["ℓ2"])

# %% [markdown]
# ## Count products, not iterations
#
# An iteration with a polynomial of degree 4 does the work of five. A fair comparison counts products, and the library's
# `Counted` does count them, wherever they occur. If the operator has Newton's step in closed form, that is passed on.
# Without it, the library solves the system by conjugate gradients {cite}`hestenes1952methods`, whose products count.
#
# Four operators with a real spectrum: super-resolution; the scanner with four coils; a single-pixel camera whose 205
# patterns of $16 \times 16$ pixels are random signs, $\pm 1/16$; and the same one with a shadow that dims the image
# from top to bottom, down to a tenth. Each sees one image without noise, and 200 plain steps set the goal: a misfit
# $\lVert A z_k - y \rVert$. How many products does each method need to reach it?


# %%
def single_pixel(patterns):
    return LinearPhysics(
        A=lambda x: x.flatten(1) @ patterns.T,
        A_adjoint=lambda y: (y @ patterns).reshape(-1, 1, 16, 16),
    )


signs = (2.0 * torch.randint(2, (205, 256), generator=torch.Generator().manual_seed(0)) - 1) / 16
digits = ddgp_lib.load_task("single_pixel")
digit = torch.nn.functional.avg_pool2d(digits.test_images[8:9], 2)
cameras = {
    "SR": (faces.student, face),
    "coils": (scanners["4 coils"], brain),
    "signs": (single_pixel(signs), digit),
    "shadow": (single_pixel(signs * 10 ** -torch.linspace(0, 1, 256)), digit),
}

# %% [markdown]
# A run stops where the misfit is reached, and says what it has cost:


# %%
def products_to(target, A, x, P, momentum="none"):
    A.count, y = 0, A.A(x)
    for z in descend(A, y, P, 500, momentum):
        if norms(A.A(z) - y) <= target:
            return A.count


# %% [markdown]
# These are the methods, Chebyshev's with $l = 0.03$:


# %%
def by_hand(A, shape):
    chosen = [("ifista", 4), ("ℓ2", 2), ("ℓ2", 4), ("ℓ2", 8), ("Chebyshev", 4), ("Chebyshev", 6)]
    found = {f"{name}, d = {d}": rule(name, d) for name, d in chosen}
    found |= {f"Newton, λ = {damping:g}": Newton(damping) for damping in (0.1, 0.01)}
    return found | {"Jacobi": Jacobi.of(A, shape), "circulant": Circulant.of(A, shape)}


# %% [markdown]
# Newton's step is tried with its closed form, and without it by conjugate gradients (CG).


# %%
needed = {}
for name, (A, x) in cameras.items():
    shape, y = tuple(x.shape[1:]), A.A(x)
    without_newton = LinearPhysics(A=A.A, A_adjoint=A.A_adjoint)
    counted, solved = Counted(A, shape), Counted(without_newton, shape)
    target = 1.001 * norms(A.A(last(A, y, Identity(), 200)) - y)  # beyond rounding
    column = {"momentum": products_to(target, counted, x, Identity(), "chambolle_dossal")}
    for label, P in by_hand(A, shape).items():
        column[label] = products_to(target, counted, x, P)
        if label.startswith("Newton"):
            column[label + ", CG"] = products_to(target, solved, x, P)
    needed[name] = column

# %% [markdown]
# The last column is the prediction of {eq}`eq-lp-gain`, 200 over the gain, made without running anything. (The random
# signs have no closed form; there, all of Newton's rows are conjugate gradients.)

# %%
forecast = {f"{name}, d = {d}": 200 / gain[name][d] for name in names for d in gain[name]}
print(f"{'products for 200 plain steps':30s}", *(f"{name:>6s}" for name in needed), " predicted")
for label in needed["SR"]:
    counts = [f"{column[label]:6d}" for column in needed.values()]
    print(f"{label:30s}", *counts, f"{forecast[label]:9.0f}" if label in forecast else "")

# %%
for column in needed.values():
    for label in column.keys() & forecast.keys():
        assert abs(column[label] / forecast[label] - 1) < 0.15
    for label in ("ℓ2, d = 4", "ℓ2, d = 8", "Chebyshev, d = 4", "Chebyshev, d = 6"):
        assert column[label] <= 200 / 3
    assert column["momentum"] < column["ℓ2, d = 4"]
    assert min(column["ifista, d = 4"], column["Newton, λ = 0.1, CG"]) > 190
assert min(needed[name]["Jacobi"] for name in ("SR", "coils", "signs")) > 190
assert needed["shadow"]["Jacobi"] <= 200 / 3
assert max(3 * needed[name]["Newton, λ = 0.1"] for name in ("SR", "coils")) <= 200 / 3
assert needed["SR"]["circulant"] < 5
assert min(needed[name]["circulant"] for name in ("coils", "signs", "shadow")) > 190

# %% [markdown]
# Read the table in groups.
#
# **What gains.** $\ell_2$ from degree 4 on and Chebyshev's polynomials need less than a third of the products, on all
# four operators and as predicted: the goal is decided in slow modes, where only the gain counts. Newton's step in
# closed form needs fewest. Its work is that of one or two products more, which the count leaves out; with all three
# charged, $\lambda = 0.1$ still stays below a third.
#
# **What does not.** ifista, as its gain of 1 says. Newton by conjugate gradients at $\lambda = 0.1$: every step
# solves a system to six digits and then moves by what the damping allows. (With less damping there are fewer systems
# to solve, and the count depends on the spectrum.) Jacobi, wherever all pixels are seen alike: then the diagonal is
# constant. The circulant one, where $A^\top A$ is far from a convolution.
#
# **What suits one operator.** Jacobi evens out the shadow, and only that. The circulant $P$ is Newton's equal in
# super-resolution, whose wide blur nearly is a convolution.
#
# **What was there before.** Momentum alone beats $\ell_2$ of degree 4, and costs no product. $k$ steps with momentum
# also are a polynomial in $A^\top A$, of a degree that grows with $k$. On the data term alone there is little reason
# for a fixed polynomial. The reason is a denoiser; we come to it last.
#
# ## Where algebra forbids it
#
# Back to the upper row of {numref}`fig-lp-scanners`. Let $A A^\top = I$, as for one coil and for Hadamard patterns.
# For every polynomial, and so for every function on a spectrum,
#
# $$\begin{aligned}
# & p(A^\top A)\, A^\top = A^\top p(A A^\top) = p(1)\, A^\top, \\
# & \text{so}\quad p(A^\top A)\, \nabla g(z) = p(1)\, \nabla g(z).
# \end{aligned}$$ (eq-lp-flat)
#
# That is a step size. And for *any* $A$: the gradient lies in the range of $A^\top$, a function of $A^\top A$ maps
# this range to itself, so $(I - A^+A)\, p(A^\top A) \nabla g = 0$. No such $P$ moves the null space, however clever
# $p$ is. The first column below is the $c$ that fits $P \nabla g \approx c \nabla g$ best, the second what this
# leaves, the third the share of $P \nabla g$ in the null space.

# %%
flat = {
    "Hadamard": (digits.student, digits.test_images[8:9]),
    "1 coil": (scanners["1 coil"], brain),
}
shown = ("ℓ2, d = 4", "Chebyshev, d = 4", "Newton, λ = 0.01", "Jacobi", "circulant")
gaps = {}
print(f"{'':28s}{'scalar':>8s}{'the rest':>10s}{'null space':>12s}")
for name, (A, x) in flat.items():
    grad, P = normal(A, x), by_hand(A, tuple(x.shape[1:]))
    for label in shown:
        direction = P[label](grad, State(x, 0, A, A.A(x)))
        c = (direction * grad).sum() / grad.square().sum()
        parts = (direction - c * grad, operators.null_projection(A, direction))
        gaps[name, label] = [float(part.norm() / direction.norm()) for part in parts]
        print(f"{name:10s}{label:18s}{c:8.3f}" + "{:10.3f}{:12.3f}".format(*gaps[name, label]))

# %%
odd = ("Hadamard", "circulant")
assert max(max(pair) for key, pair in gaps.items() if key != odd) < 1e-3
assert min(gaps[odd]) > 0.8
exact = operators.FourierDownsampling(4, faces.img_size)  # faces.student counts weak modes as null
for A, x in (exact, face), cameras["coils"]:  # a real spectrum, and still nothing in the null space
    z = last(A, A.A(x), Newton(0.01), 60)
    assert operators.null_projection(A, z).norm() < 1e-3 * z.norm()

# %% [markdown]
# One row breaks the pattern. Hadamard patterns are no convolution, so the circulant $P$ is not a function of
# $A^\top A$, and most of its direction lies in the null space. Is that not what we wanted? We start from zero, since
# $A^\top y$ fits the data of this camera and leaves no gradient:

# %%
A, x = digits.student, digits.test_images[:32]
path = list(descend(A, A.A(x), Circulant.of(A, digits.img_size), 50, start=torch.zeros_like(x)))
plain = digits.psnr(A.A_dagger(A.A(x)), x).mean()
later = [f"{digits.psnr(path[k - 1], x).mean():.1f} dB at k = {k}" for k in (1, 5, 50)]
print(f"one plain step: {plain:.1f} dB; circulant: {', '.join(later)}")
assert digits.psnr(path[49], x).mean() < plain - 5

# %% [markdown]
# It moves the null space in a wrong direction, ever further. The inverse of a filter boosts the frequencies that the
# camera sees least. So it guesses that a digit is strongest where nothing was measured, and the opposite is true.
# {ref}`ex-lp-covariance` shows which guess every $P$ stands for, and a better one. The lesson: **leaving the range is
# easy; to leave it in the right direction takes knowledge of images**.
#
# ## How large may $P$ be?
#
# $P A^\top A$ has the eigenvalues of the symmetric $P^{1/2} A^\top A P^{1/2}$. The step {eq}`eq-lp-step` converges if
# and only if
#
# $$\lambda_{\max}(P A^\top A) < 2 \lVert A \rVert^2,$$ (eq-lp-scale)
#
# and with momentum the bound is lower ({ref}`ex-lp-overshoot`). Textbooks write Jacobi's $P$ as one over the diagonal
# and the circulant one as one over the mean spectrum. Both ignore what $A^\top A$ has beside its diagonal.
# `Jacobi.of` and `Circulant.of` measure the eigenvalue and scale $P$ down to $\lVert A \rVert^2$. Here is the scanner with four coils, without
# that care, from $z_0 = 0$.


# %%
def bare_circulant(A, shape, damping=1e-2):
    kind = {"complex_valued": shape[0] == 2}
    spectrum = circulant_spectrum(A, shape, **kind) / squared_norm(A, shape)
    return Circulant(spectrum, damping, **kind)


def largest(P, A, shape):
    root, top = P.gains.sqrt(), squared_norm(A, shape)

    def symmetric(v):
        return P.filtered(normal(A, P.filtered(v, root)), root) / top

    return operators.algebra.largest_eigenvalue(symmetric, shape)


# %% mystnb={"figure": {"name": "fig-lp-scale", "caption": "Misfit of the scanner with four coils, relative to the data, under preconditioners of different size. Past the bound of twice the squared norm the iteration diverges."}, "image": {"alt": "Relative misfit against the step on a logarithmic axis, 30 steps. Without P it drops to 0.07 in one step and goes on falling slowly. With the scaled circulant P and with 1.9 times the identity it falls steadily, to about 0.03. With 2.1 times the identity it rises steadily to 17. With the bare circulant P it leaves the picture within six steps."}} tags=["hide-input"]
A, bare = scanners["4 coils"], bare_circulant(scanners["4 coils"], size)
scaled = {"no P": Identity(), "$P = 1.9\\, I$": Scalar(1.9), "$P = 2.1\\, I$": Scalar(2.1)}
scaled |= {"circulant, bare": bare, "circulant, scaled": Circulant.of(A, size)}
y = A.A(brain)
misfit = {}
for name, P in scaled.items():
    path = [torch.zeros_like(brain), *descend(A, y, P, 30, start=torch.zeros_like(brain))]
    misfit[name] = [float((A.A(z) - y).norm() / y.norm()) for z in path]
figures.curves(
    range(31),
    misfit,
    xlabel="step $k$",
    ylabel="misfit $\\Vert A z_k - y \\Vert \\,/\\, \\Vert y \\Vert$",
    yscale="log",
    ylim=(3e-3, 1e2),
    legend="above",
)

# %%
eigenvalue = largest(bare, A, size)
print(f"bare circulant: largest eigenvalue {eigenvalue:.1f} ‖A‖²")
assert eigenvalue > 2
below, above = misfit["$P = 1.9\\, I$"], misfit["$P = 2.1\\, I$"]
assert misfit["no P"][30] < below[30] < 0.1 < 5 < above[30]
assert misfit["circulant, bare"][30] > 1e6

# %% [markdown]
# Scaled, the circulant $P$ is safe and useless: it has to shrink by its largest eigenvalue, and takes the modes that
# it treated well down with it. In super-resolution the same happens by **aliasing**. Keeping one pixel of
# $4 \times 4$ folds 16 frequencies onto one. Let $\hat b$ hold the Fourier transform of the blur at these 16. Within
# the group $A^\top A$ is the rank-one matrix $\hat b \hat b^*/16$, and the circulant approximation keeps its diagonal,
# $|\hat b_j|^2 / 16$. Without damping the eigenvalue of $P A^\top A$ is therefore
# $\sum_j |\hat b_j|^2 / |\hat b_j|^2 = 16$, whatever the blur. Damping, or a blur that leaves one frequency per
# group, hides it:

# %%
shape = faces.img_size
for std in (4.0, 2.0, 1.0, 0.5):
    A = operators.FourierDownsampling(4, shape, std=std)
    values = [largest(bare_circulant(A, shape, lam), A, shape) for lam in (1e-2, 1e-4)]
    print(f"blur {std:3.1f} pixels: {values[0]:5.2f} with damping 0.01, {values[1]:5.2f} with 1e-4")
    assert (values[0] < 1) == (std == 4)
assert abs(values[1] - 16) < 0.1

# %% [markdown]
# ## What a Newton step does to noise
#
# So far there was no noise, and the less damping the better. Now $y = A x^* + w$ with white noise of standard
# deviation $\sigma$. One Newton step from zero lets in the share $t/(t + \lambda)$ of a mode: of its signal, and of
# its noise $u_i^\top w / s_i$. Let $S$ be the signal variance in the mode. With $s_i^2 = t \lVert A \rVert^2$, the expected
# squared error is
#
# $$\begin{aligned}
# & \Bigl(\frac{\lambda}{t + \lambda}\Bigr)^2 S
# + \Bigl(\frac{t}{t + \lambda}\Bigr)^2 \frac{\sigma^2}{t \lVert A \rVert^2}, \\
# & \text{smallest for}\quad \lambda = \frac{\sigma^2}{S \lVert A \rVert^2}.
# \end{aligned}$$ (eq-lp-damping)
#
# (Set the derivative to zero; $t$ cancels.) **The damping is a ratio of noise to signal variance**, as in Wiener's
# filter. One $\lambda$ has to serve all modes, whose $S$ differ; `expected_error`, met under [conditioning](conditioning), takes the sum,
# over the test faces.

# %% mystnb={"figure": {"name": "fig-lp-noise", "caption": "Expected squared error per pixel of one Newton step from zero, super-resolution, for three noise levels; the points mark the best damping. With more noise it lies further right, and too little damping costs more."}, "image": {"alt": "Squared error per pixel against the damping, both logarithmic, for noise 0.001, 0.01 and 0.03. Each curve falls, has a flat minimum and rises to a common level near damping one. The minima lie near 0.0002, 0.006 and 0.04. Left of them the curves rise, the more steeply the more noise there is."}} tags=["hide-input"]
damping = torch.logspace(-5, 0, 61, dtype=torch.float64)
left = damping[:, None] / (t + damping[:, None])  # (λ / (t + λ)), a row for each λ
coefficients = modes.analyse(faces.test_images[:40])
error = {
    noise: analysis.expected_error(modes.values, coefficients, noise, left).total / 1024
    for noise in (0.001, 0.01, 0.03)
}
best = {noise: int(curve.argmin()) for noise, curve in error.items()}
figures.curves(
    damping,
    {f"noise {noise}": curve for noise, curve in error.items()},
    xlabel="damping $\\lambda$",
    ylabel="squared error (grey levels²)",
    xscale="log",
    yscale="log",
    ylim=(3e-3, 1),
    points={f"best at {s}": (float(damping[k]), float(error[s][k])) for s, k in best.items()},
    legend="above",
)

# %%
for noise, curve in error.items():
    following = 1e-3 * (noise / 1e-3) ** 2
    at = {lam: 10 * math.log10(curve[(damping - lam).abs().argmin()]) for lam in (1e-3, following)}
    floor = 10 * math.log10(curve.min())
    costs = ", ".join(f"λ = {lam:.3g} costs {value - floor:.1f} dB" for lam, value in at.items())
    print(f"noise {noise}: best λ {damping[best[noise]]:.4f}; {costs}")
assert 20 < damping[best[0.01]] / damping[best[0.001]] < 50
assert abs(at[1e-3] - floor - 7.8) < 0.1

# %% [markdown]
# At the noise of this task, 0.001, $\lambda = 10^{-3}$ is good. At 0.03 it costs 7.8 dB: the step divides weak modes
# by little more than their eigenvalue, and what it divides is noise. `Newton(damping, noise=σ_0)` lets the damping
# follow, $\lambda(\sigma) = \lambda\,(\sigma/\sigma_0)^2$, as {eq}`eq-lp-damping` says for each mode. For all
# together and a single step this is too cautious: the best $\lambda$ in the figure grows more slowly, since with more
# noise the modes on the edge are stronger ones, with a larger $S$. But steps are repeated, and then too much damping
# is made up for, while noise is let in again and again ({ref}`ex-lp-damping`). Here are both inside plug-and-play,
# with the tuned setting of the shipped Newton solver and nothing tuned again, on four test faces of $64 \times 64$
# pixels.

# %%
tuned = ddgp_lib.load_tuning("super_resolution")["newton"]["setting"]
candidates = {"no P": Identity(), "fixed": Newton(1e-3), "following": Newton(1e-3, noise=1e-3)}
robust = {}
print(f"{'PSNR (dB) at k = 10':22s}" + "".join(f"{name:>11s}" for name in candidates))
for noise in (0.001, 0.01, 0.03):
    task = ddgp_lib.load_task("super_resolution", noise=noise)
    for name, P in candidates.items():
        solver = PreconditionedFISTA(task.denoiser, P, stepsize=task.stepsize, **tuned)
        curve = psnr_curves(task, solver, task.test_images[:4], task.student, 10)
        robust[noise, name] = float(curve[-1].mean())
    print(f"noise {noise:<16g}" + "".join(f"{robust[noise, name]:11.1f}" for name in candidates))

# %%
assert abs(robust[0.001, "fixed"] - robust[0.001, "following"]) < 0.01
assert robust[0.001, "fixed"] > robust[0.001, "no P"] + 2
assert robust[0.01, "following"] > robust[0.01, "fixed"] + 6
assert robust[0.03, "following"] > robust[0.03, "fixed"] + 12
assert all(robust[noise, "following"] > robust[noise, "no P"] - 0.1 for noise in error)

# %% [markdown]
# With a fixed damping the image is lost in spite of the denoiser. With a following one the gain over no $P$ shrinks,
# to nothing at 0.03, and does not become a loss. That is all that can be asked. There $\lambda = 0.9$, and $P$ weighs
# the weakest mode only $(1 + \lambda)/\lambda \approx 2.1$ times as much as the strongest.
#
# ## Inside plug-and-play
#
# A denoiser $D_\sigma$ now acts after each step, $x_{k+1} = D_\sigma(z_k - \alpha P \nabla g(z_k))$. It changes the
# account in two ways.
#
# **The denoiser wants to be called in between.** Modes now mix, and five plain steps are no longer the same as one ifista step
# of degree 4: the denoiser sees five images in the one case and one in the other. A polynomial saves four calls of
# five. Whether the result suffers is a question for a measurement.
#
# **$P$ changes the result, not only the speed.** Suppose $D_\sigma$ is the proximal map of a function $f$. Then
#
# $$\begin{aligned}
# & x = D_\sigma\bigl(x - \alpha P \nabla g(x)\bigr) \\
# \iff\quad & {-\alpha} P \nabla g(x) \in \partial f(x),
# \end{aligned}$$ (eq-lp-fixed-point)
#
# so $P$ stays in the equation of the fixed point. With $P = p(A^\top A)$ one has
# $P \nabla g = A^\top p(A A^\top)(A x - y)$, the gradient of $\tfrac12 \lVert p(A A^\top)^{1/2} (A x - y) \rVert^2$:
# **the preconditioned method solves another problem**, whose data term trusts weak modes more. (To keep the problem,
# $f$ would need a proximal map in the metric of $P^{-1}$ {cite}`becker2019quasi`. A denoiser comes with none.) Four
# methods, run until they stand still:


# %%
def fixed_point(task, y, x, P, sigma, iterations=120):
    A, adjoint = task.student, task.student.A_adjoint(y)
    with torch.no_grad():
        for k in range(iterations):
            x_old, u = x, x - task.stepsize * P(gradient(A, x, adjoint), State(x, k, A, y))
            x = task.denoiser(u, sigma)
    return x, float((x - x_old).norm() / x.norm())


y = faces.measure(faces.test_images[:3])
start, rest = faces.student.A_adjoint(y), {}
trials = {"no P": Identity(), "1/2": Scalar(0.5), "ℓ2": rule("ℓ2", 4), "Newton": Newton(0.01)}
for name, P in trials.items():
    rest[name], moved = fixed_point(faces, y, start, P, 0.1)
    score = float(faces.psnr(rest[name], faces.test_images[:3]).mean())
    print(f"{name:10s} PSNR {score:.2f} dB")
    assert moved < 1e-4

# %% [markdown]
# Are these other points, or slower ways to the same one? Start without $P$ where Newton's step has come to rest:


# %%
back, _ = fixed_point(faces, y, rest["Newton"], Identity(), 0.1)
apart = float((rest["Newton"] - rest["no P"]).norm() / rest["no P"].norm())
print(f"Newton's fixed point is {apart:.3f} away from the plain one; without P, it goes back")
assert apart > 0.05
assert (back - rest["no P"]).norm() < 1e-4 * rest["no P"].norm()

# %% [markdown]
# Four methods, four images, same data and same denoiser. Even a shorter step changes the result. So a better PSNR
# with $P$ may come from speed, or from a balance of data and prior that another $\sigma$ would have given as well. A
# fair comparison has to choose $\sigma$ for each method. The next cell does, on two validation images, with a budget
# of 40 products for plug-and-play FISTA; then it runs test images. To Newton's step we charge three products: one for
# the gradient, and two for its closed form. Its damping is larger in MRI, where there is more noise.


# %%
def run(task, P, cost, sigma, images):
    solver = PreconditionedFISTA(task.denoiser, P, stepsize=task.stepsize, sigma=sigma)
    return psnr_curves(task, solver, images, task.student, 40 // cost).mean(dim=1)


def compare(task, damping):
    trials = {"no P": (Identity(), 1), "Newton": (Newton(damping), 3)}
    trials |= {f"{name}, d = 4": (rule(name, 4), 5) for name in ("ℓ2", "Chebyshev")}
    curves, levels = {}, (0.005, 0.01, 0.02, 0.03)
    val, test = task.val_images[::30][:2], task.test_images[:: len(task.test_images) // 5][:5]
    for name, (P, cost) in trials.items():
        scores = {s: run(task, P, cost, s, val)[-1] for s in levels}
        sigma = max(scores, key=scores.get)
        curves[name] = (sigma, cost, run(task, P, cost, sigma, test))
    return curves


# %% [markdown]
# The two tasks, with one table for each:


# %%
plug = {
    "super-resolution": compare(ddgp_lib.load_task("super_resolution"), damping=0.01),
    "MRI, 4 coils": compare(ddgp_lib.load_task("mri", coils=4, size=64), damping=0.1),
}
for name, curves in plug.items():
    print(f"{name:26s}{'σ':>6s}{'dB at 40 products':>20s}{'denoisers':>11s}")
    for label, (sigma, _, psnr) in curves.items():
        print(f"  {label:24s}{sigma:6g}{psnr[-1]:20.2f}{len(psnr):11d}")

# %% mystnb={"figure": {"name": "fig-lp-plug", "caption": "Mean PSNR over five test images against products with the operator, each method at the noise level of the denoiser that suits it after 40 of them. Upper: super-resolution. Lower: MRI with four coils."}, "image": {"alt": "Two panels of PSNR against products, from 1 to 40. Super-resolution: Newton is highest throughout; the other three run close together from 20 products on, near 24 to 25 dB, the polynomials slightly above no P. MRI: the polynomials lead at first; from 20 products on Newton leads and ends near 33 dB, no P flattens near 32 dB, and the polynomials end lowest, still rising."}} tags=["hide-input"]
figure, panels = figures.axes(2, height=3.4)
for ax, (name, curves) in zip(panels, plug.items(), strict=True):
    figures.curves(
        {label: range(cost, 41, cost) for label, (_, cost, _) in curves.items()},
        {label: psnr for label, (_, _, psnr) in curves.items()},
        xlabel="products with $A^T A$",
        ylabel="PSNR (dB)",
        title=name,
        legend="lower right",
        ax=ax,
    )
figure

# %% [markdown]
# At equal products the polynomials gain one to three tenths of a decibel in super-resolution and *lose* more in MRI,
# where their curves are still rising after eight calls of the denoiser. Those calls are what they save: 8 where no
# $P$ takes 40 of them. Where the denoiser is the expensive part, that is a good trade, otherwise not. Newton's step,
# with a closed form to rely on, gains in both, with 13 calls. (Five images per task: close curves may change their
# order with others. Without $P$, validation chose the least of the four noise levels, which is also the least that
# the denoisers were trained for: where the data term is slow, a weak prior is the better balance.)

# %%
won = {
    name: {label: float(psnr[-1] - curves["no P"][2][-1]) for label, (_, _, psnr) in curves.items()}
    for name, curves in plug.items()
}
assert min(found["Newton"] for found in won.values()) > 0.3
least = {ddgp_lib.presets.PRESETS[name].denoiser.sigma_min for name in ("super_resolution", "mri")}
assert least == {curves["no P"][0] for curves in plug.values()} == {0.005}
for label in ("ℓ2, d = 4", "Chebyshev, d = 4"):
    late = plug["MRI, 4 coils"][label][2]
    assert 0.05 < won["super-resolution"][label] < 0.35 < -won["MRI, 4 coils"][label] < 1
    assert late[-1] - late[-2] > 0.1

# %% [markdown]
# ### All of them, operator by operator
#
# Two tasks and four methods fit on a page. `python -m ddgp_lib study linear` compares all methods on four operators,
# and its results ship with the library. The operators are the single-pixel camera, one with 410 patterns of random signs,
# super-resolution, and the scanner with four coils. Each run has 60 products; $\sigma$ is the best of six levels on
# validation images. Beside the mean PSNR over three seeds, each with eight test images and noise of its own, stands the
# mean number of products that the data term alone needs for the misfit of 200 plain steps, as above, or for one of
# $10^{-5} \lVert y \rVert$ where that is reached first. Three rows belong to the next chapters: SR1, a convolution that
# is learned from the data term, and the distilled maps in [closed form](closed-form). Where would you have expected a
# gain?

# %%
lines = [
    line for name in ("single_pixel", "super_resolution", "mri") for line in study.compare(name)["linear"]
]
table = {}
for line in lines:
    operator, method = line["row"].split(": ")
    table.setdefault(method, {})[operator] = line["psnr"]["60"], line["products"]
names_of = list(table["none"])
print(
    f"{'PSNR in dB (products)':22s}" + "".join(f"{name:>13s}" for name in ("pixel", "signs", "SR", "coils"))
)
for method, row in table.items():
    pairs = [row.get(name) for name in names_of]
    cells = ["" if pair is None else f"{pair[0]:.2f} ({pair[1]:.0f})" for pair in pairs]
    print(f"{method:22s}" + "".join(f"{cell:>13s}" for cell in cells))
assert names_of == ["single_pixel", "random signs", "super_resolution", "mri, 4 coils"]
assert {line["seeds"] for line in lines} == {3}

# %%
psnr_of = {method: {name: value[0] for name, value in row.items()} for method, row in table.items()}
flat = {method: row["single_pixel"] - psnr_of["none"]["single_pixel"] for method, row in psnr_of.items()}
by_hand_on_flat = [gain for method, gain in flat.items() if method != "distilled_linear"]
assert max(by_hand_on_flat) < 0.5 < flat["distilled_linear"]
assert {row["single_pixel"][1] for row in table.values()} == {0}
for operator in ("super_resolution", "mri, 4 coils"):
    assert table["newton, 0.01"][operator][1] <= 200 / 3 > table["l2, degree 4"][operator][1]
    assert psnr_of["newton, 0.01"][operator] > psnr_of["none"][operator] + 0.3
assert psnr_of["newton, 0.01"]["random signs"] < psnr_of["none"]["random signs"] - 5
polynomials = [method for method in table if "degree" in method]
best = {operator: max(psnr_of[method][operator] for method in polynomials) for operator in names_of}
assert all(psnr_of["momentum"][operator] > value - 0.6 for operator, value in best.items())
edge = {run["row"] for run in study.load_study("linear")["runs"] if run["sigma"]["60"] == 0.005}
print("σ at the lower edge:", "; ".join(sorted(edge)))

# %% [markdown]
# On the flat spectrum the data are fitted from the start, no method that knows the operator alone gains half a decibel,
# and what little a scalar of 1.5 gains is a step size. Only the distilled maps gain more: they know images. With a real
# spectrum, a method that needs few products is not always ahead in PSNR, for the reason given above: what it saves are
# also calls of the denoiser. Momentum costs nothing, and no polynomial is ahead of it by as much as 0.6 dB. Newton's
# step without a closed form, for random signs, spends its budget on conjugate gradients, and falls far behind. The
# circulant $P$ is Newton's equal in super-resolution, where the operator nearly is a convolution, and harmful on the
# single-pixel camera and on the scanner.
#
# (Twenty-four images: differences of a tenth may be the images'. The least of the six levels was chosen for the few
# rows in the last line, to which a still lower one might do good. Chebyshev's $l$ is 0.01 in the study and 0.03 in the
# table of products further up, and the random signs are other patterns, so these counts differ.)
#
# One more classical idea needs no closed form and no extra products: to learn the curvature along the run from the
# change of the gradient. The rank-one quasi-Newton step of P²nP {cite}`hong2024p2np`, here `SR1`, does so inside
# plug-and-play. It is not a fixed linear map, and belongs to the next chapter.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 04_linear_preconditioners
# ```
#
# ## Exercises
#
# ```{exercise} The most that a degree can buy
# :label: ex-lp-markov
#
# Let $r$ be a polynomial of degree $n = d + 1$ with $r(0) = 1$ and $|r| \le 1$ on $[0, 1]$. Markov's inequality says
# that a polynomial $q$ of degree $n$ has $|q'| \le n^2 \max |q|$ on $[-1, 1]$. Show that no product gains more than
# $2(d + 1)$ in slow modes. What is this for $d = 4$, and which rule comes close to it? At what price?
# ```

# %%
answer = None  # put the bound for d = 4 here
answers.check("ex-lp-markov", answer)

# %% [markdown]
# ```{solution-start} ex-lp-markov
# :label: sol-lp-markov
# :class: dropdown
# ```
# Put $t = (1 + x)/2$: as a function of $x \in [-1, 1]$, $r$ has half the slope. So $|r'(0)| \le 2 n^2$, and
# $c_0 = p(0) = -r'(0)$. A step costs $n$ products, so the gain is at most $2n$, which is 10. Equality holds for
# $r(t) = T_n(1 - 2t)$, Chebyshev's rule with $l \to 0$. Its price is that $|r|$ returns to 1 inside the interval:
# there, nothing shrinks. A bound $l$ above zero trades gain for speed elsewhere.

# %%
for lower in (0.03, 1e-2, 1e-3, 1e-6):
    P = Polynomial.of("chebyshev", 4, lower=lower)
    peak = residual(P, torch.linspace(lower, 1, 1001, dtype=torch.float64)).abs().max()
    print(f"l = {lower:<6g} gain {P.coefficients[0] / 5:5.2f}, largest |r| from l on {peak:.3f}")
assert abs(P.coefficients[0] / 5 - 10) < 0.01
assert peak > 0.999

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Overshooting with momentum
# :label: ex-lp-overshoot
#
# With Nesterov's momentum $\beta$, the error of a mode follows the matrix {eq}`eq-companion` with
# $q = r(t) = 1 - t\, p(t)$. For which values of $t\,p(t)$ does it shrink, as $\beta \to 1$? Which of the $\ell_2$
# polynomials, and which of Chebyshev's with $l = 0.03$, exceed that?
# ```

# %%
answer = None  # put the largest value of t p(t) here
answers.check("ex-lp-overshoot", answer)

# %% [markdown]
# ```{solution-start} ex-lp-overshoot
# :label: sol-lp-overshoot
# :class: dropdown
# ```
# The eigenvalues $\rho$ solve $\rho^2 - (1 + \beta) q \rho + \beta q = 0$. Below $q = 0$ the first to leave the unit
# circle passes through $\rho = -1$, where $1 + (1 + 2\beta) q = 0$. So $q > -1/(1 + 2\beta)$ is needed, and
# $t\,p(t) < 1 + 1/(1 + 2\beta) \to 4/3$. Without momentum the bound is 2. Of the $\ell_2$ polynomials only that of
# degree 0, a step of $3/2$, exceeds it. Chebyshev's do up to degree 4, and that one by a hair, which matters late in
# a run, when $\beta_k$ is close to 1:

# %%
grid = torch.linspace(0.03, 1, 2001, dtype=torch.float64)
peaks = {}
for name in ("ℓ2", "Chebyshev"):
    peaks[name] = [float(1 - residual(rule(name, d), grid).min()) for d in range(7)]
    print(f"{name:10s}", [f"{peak:.2f}" for peak in peaks[name]], "for d = 0, …, 6")
beta = (1 / (peaks["Chebyshev"][4] - 1) - 1) / 2
k = (1 + 3 * beta) / (1 - beta)  # where (k - 1) / (k + 3) is β
print(f"Chebyshev, d = 4, overshoots from momentum {beta:.3f} on, at iteration {k:.0f}")
assert [peak > 4 / 3 for peak in peaks["ℓ2"]] == [True] + 6 * [False]
assert [peak > 4 / 3 for peak in peaks["Chebyshev"]] == 5 * [True] + 2 * [False]
assert abs(chambolle_dossal(round(k)) - beta) < 1e-3

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} The guess that a $P$ stands for
# :label: ex-lp-covariance
#
# Let $P$ be symmetric and positive, $A P A^\top$ invertible and the data free of noise. Show that {eq}`eq-lp-step`
# from any $z_0$, if it converges, ends at $z_0 + P A^\top (A P A^\top)^{-1} (y - A z_0)$. For the Hadamard camera, take
# the mean digit as $z_0$ and as $P$ the covariance of 2,000 training digits, with a hundredth of its mean variance
# added on the diagonal. By how many decibels does the end improve on $P = I$?
# ```

# %%
answer = None  # put the gain in dB, averaged over 32 test digits, here
answers.check("ex-lp-covariance", answer)

# %% [markdown]
# ```{solution-start} ex-lp-covariance
# :label: sol-lp-covariance
# :class: dropdown
# ```
# Every step adds something of the form $P A^\top a$ to $z$, so the end is $z_0 + P A^\top a$ for some $a$. There the
# gradient vanishes, $A^\top (A z_0 + A P A^\top a - y) = 0$. Multiply by $A P$:
# $(A P A^\top)(A z_0 + A P A^\top a - y) = 0$, so $a = (A P A^\top)^{-1}(y - A z_0)$. With the covariance as $P$ this
# is the best linear guess of what was not measured. A preconditioner that is not a function of $A^\top A$ is a
# statement about images; the circulant one stated the opposite of what digits are like.

# %%
train, x = digits.train_images[:2000], digits.test_images[:32]
rows = analysis.dense_matrix(digits.student, digits.img_size).float()
rows, mean = rows[rows.norm(dim=1) > 0], train.mean(0, keepdim=True)
C, eye = (train - mean).flatten(1).T.cov(), torch.eye(1024)
beliefs = {"identity": eye, "covariance": C + 0.01 * C.diagonal().mean() * eye}
ends = {}
for name, P in beliefs.items():
    a = torch.linalg.solve(rows @ P @ rows.T, rows @ (x - mean).flatten(1).T)
    ends[name] = float(digits.psnr(mean + (P @ rows.T @ a).T.reshape(x.shape), x).mean())
print({name: f"{value:.2f} dB" for name, value in ends.items()})
assert abs(ends["covariance"] - ends["identity"] - 3.3) < 0.3

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Is a damping that follows the noise too cautious?
# :label: ex-lp-damping
#
# In {numref}`fig-lp-noise` the best $\lambda$ at $\sigma = 0.01$ is far below the $0.1$ of the rule
# $\lambda(\sigma)$. Inside plug-and-play, steps are repeated. Try $\lambda \in \{0.01, 0.03, 0.1, 0.3\}$ there, for
# 10 iterations, with the tuned setting used above.
# ```

# %% tags=["hide-cell"]
noisy = ddgp_lib.load_task("super_resolution", noise=0.01)
swept = {}
for lam in (0.01, 0.03, 0.1, 0.3):
    solver = PreconditionedFISTA(noisy.denoiser, Newton(lam), stepsize=noisy.stepsize, **tuned)
    curve = psnr_curves(noisy, solver, noisy.test_images[:4], noisy.student, 10).mean(dim=1)
    swept[lam] = float(curve[-1])
    print(f"λ = {lam:<5g} {curve[0]:.1f} dB after one iteration, {curve[-1]:.1f} dB after ten")
assert max(swept, key=swept.get) == 0.1

# %% [markdown]
# ```{solution} ex-lp-damping
# :class: dropdown
#
# The cell above is the experiment. After one iteration little damping is best, as the figure says. After ten the
# rule's $0.1$ is: what a cautious step leaves of the signal, the next ones fetch; the noise that a hasty step lets
# in, they let in again.
# ```
#
# ## Recap
#
# - A function of $A^\top A$ is a curve $r(t) = 1 - t\,p(t)$. Its slope at 0 over the products of a step is what it
#   gains in slow modes, and this predicted the counts of real runs within 15 %.
# - Counted in products, $\ell_2$ from degree 4 on, Chebyshev, and Newton in closed form reach the goal in less than a
#   third. ifista gains nothing by construction, Jacobi where all pixels are seen alike, the circulant $P$ where the
#   operator is no convolution, and Newton by conjugate gradients with strong damping loses. Momentum costs nothing
#   and does as well on the data term.
# - With $A A^\top = I$ every $p(A^\top A)$ is a step size, and for every $A$ it leaves the null space alone. A $P$
#   that leaves the range states a belief about images, and a wrong one does harm.
# - Keep $\lambda_{\max}(P A^\top A)$ below $2\lVert A \rVert^2$, and below $\tfrac43 \lVert A \rVert^2$ with
#   momentum.
# - The damping is noise variance over signal variance. Let it follow the noise.
# - In plug-and-play $P$ moves the fixed point. Compare methods each at its own $\sigma$, and count denoisers as well.
#
# | $P$ | costs | helps | cannot |
# |---|---|---|---|
# | $\ell_2$, Chebyshev | $d$ products | any real spectrum; few denoiser calls | flat spectra |
# | Newton | a linear system | closed forms | flat spectra; noise that $\lambda$ does not know |
# | Jacobi | a diagonal | pixels seen unequally | a constant diagonal |
# | circulant | two Fourier transforms | convolutions | aliasing, coils, random patterns |
#
# ## Further reading
#
# Saad's book {cite}`saad2003iterative` treats preconditioners for linear systems at length, polynomial ones included.
# Those of least squares and of Chebyshev are compared in {cite}`johnson1983polynomial`; Iyer and colleagues
# {cite}`iyer2024polynomial` take them to imaging with proximal methods, and publish the coefficients that we checked.
# The circulant approximation is Chan's {cite}`chan1988circulant`; Fessler and Booth {cite}`fessler1999conjugate` show
# in tomography where it fails, and how to repair it. For filter factors and the choice of damping see
# {cite}`hansen2010discrete,golub1999tikhonov`.
