# %% [markdown]
# (linear-preconditioners)=
# # Linear preconditioners: what a few products buy, and what algebra forbids
#
# A preconditioner $P$ stands between the gradient and the step, and may turn it into a better direction. This chapter
# builds the linear ones that need nothing but the operator: no training, no images. It asks of each what it gains for
# the work that it costs, where it can gain nothing, and what it does to noise. They are the bar that every learned
# preconditioner of the later chapters has to clear.
#
# ```{note}
# **Time:** 19 minutes of reading, less than a minute of computing. **Before this:** [conditioning](conditioning), for modes
# and momentum, and [plug-and-play](pnp-fista). **After it** you can
#
# 1. read a preconditioner off its residual polynomial, and predict its gain before running it;
# 2. compare methods by products with $A^\top A$, with conjugate gradients and momentum beside them;
# 3. prove in two lines where every function of $A^\top A$ is a step size in disguise;
# 4. choose a damping from the data and the noise level alone, and a scale that cannot diverge;
# 5. say what a preconditioner changes inside plug-and-play besides the speed.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import math
from collections import Counter

import torch
from deepinv.physics import LinearPhysics

import ddgp_lib
from ddgp_lib import PreconditionedFISTA, State, analysis, answers, figures, widgets
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments import study
from ddgp_lib.operators import Counted, gradient, newton, normal, norms, squared_norm
from ddgp_lib.preconditioners import Identity, InexactNewton, Newton, Polynomial, Scalar
from ddgp_lib.preconditioners.diagonal import Circulant, Jacobi
from ddgp_lib.preconditioners.probing import circulant_spectrum
from ddgp_lib.solvers import cgls, chambolle_dossal, descend, discrepancy
from ddgp_lib.tables import Column, table

# %% [markdown]
# **Key results**, computed from the study that this chapter ends with:

# %% tags=["hide-input"]
COILS, SIGNS = "mri, 4 coils", "random signs"
FLAT, SR = "single_pixel", "super_resolution"
lines = [line for name in (FLAT, "mri", SR) for line in study.compare(name)["linear"]]
studied = {line["row"]: line for line in lines}


def psnr_of(operator, method):
    return studied[f"{operator}: {method}"]["psnr"]["60"]


def products_of(operator, method):
    return studied[f"{operator}: {method}"]["products"]


def decibels(*names, best=None):
    return [Column(name, "dB", digits=1, best=best) for name in names]


others = [f"{FLAT}: {method}" for method in ("cgls", "distilled_linear")]
rows = [row for row in studied if row.startswith(FLAT) and row not in others]
by_p = max(studied[row]["psnr"]["60"] for row in rows)
flat_gain = by_p - psnr_of(FLAT, "none, momentum")

# %% tags=["hide-input"]
print(
    f"1. Without a denoiser, on a scanner with four coils: conjugate gradients need "
    f"{products_of(COILS, 'cgls'):.0f}\n   products, momentum "
    f"{products_of(COILS, 'none, momentum'):.0f}, plain steps "
    f"{products_of(COILS, 'none'):.0f}.\n"
    f"2. With a denoiser and 60 products there: momentum "
    f"{psnr_of(COILS, 'none, momentum'):.1f} dB, a polynomial of degree 2\n   with it "
    f"{psnr_of(COILS, 'l2, degree 2, momentum'):.1f} dB, Newton's step with it "
    f"{psnr_of(COILS, 'newton, 0.1, momentum'):.1f} dB.\n"
    f"3. On a flat spectrum the best P from the operator gains "
    f"{flat_gain:.1f} dB. It is a step size."
)

# %% [markdown]
# Two MRI scanners measure the same 12 of 48 columns of k-space. One has a single coil, the other four, each with its
# own smooth sensitivity. There is no noise. Each scanner gets the same three methods and 60 products with
# $A^\top A$. Which images does $P$ change?

# %% tags=["hide-input"]
size = (2, 48, 48)
brains = ddgp_lib.load_task("mri", size=48)
brain = brains.test_images[2:3]
scanners = {
    "1 coil": ddgp_lib.operators.CartesianMRI(4, size),
    "4 coils": ddgp_lib.operators.MultiCoilCartesianMRI(4, size, coils=4),
}
methods = {"no P": Identity(), "polynomial": Polynomial.of("l2", 4)}
methods["Newton"] = Newton(1e-3)
found = {}
for name, A in scanners.items():
    for label, P in methods.items():
        counted = Counted(A, size)
        for z in descend(counted, A.A(brain), P, 60):
            found[name, label] = z
            if counted.count >= 60:
                break

# %% mystnb={"figure": {"name": "fig-lp-scanners", "caption": "The same slice, the same columns of k-space, the same gradient, three preconditioners. With one coil they make no difference. With four they do."}, "image": {"alt": "Two rows of three brain slices with their PSNR. Upper row, one coil: three equal images, blurred and with ghosts beside the brain. Lower row, four coils: sharper images; without P faint ghosts remain, fewer with the polynomial, and with Newton's step hardly any."}} tags=["hide-input"]
quality = {key: float(brains.psnr(x, brain)) for key, x in found.items()}
titles = {key: f"{', '.join(key)}\n{value:.1f} dB" for key, value in quality.items()}
shown = {titles[key]: brains.picture(x) for key, x in found.items()}
figures.images(shown, columns=3)

# %%
one, four = ([quality[name, label] for label in methods] for name in scanners)
assert max(one) - min(one) < 0.05
assert four[0] + 1.5 < four[1] < four[2] - 1
assert all(int(A.columns.sum()) == 12 for A in scanners.values())

# %% [markdown]
# Nothing changes in the upper row: three times the same image. In the lower one the images differ by decibels, and the
# ghosts beside the brain fade. The scanners differ in their
# spectra: with one coil $A A^\top = I$; with four, eigenvalues fall from large to tiny. To see why that decides
# everything, we look at what $P$ does to one eigenvalue.
#
# ## What an ideal $P$ would do
#
# With a linear, symmetric and positive $P$, descent on the data term $g(x) = \tfrac12 \lVert A x - y \rVert^2$ from
# $z_0 = A^\top y$ is
#
# $$z_{k+1} = z_k - \frac{1}{\lVert A \rVert^2}\, P\, \nabla g(z_k).$$ (eq-lp-step)
#
# In these units $P = I$ is the plain method with the step $1/\lVert A \rVert^2$. The library's `descend` repeats this
# step, and adds momentum where it is told to.


# %%
def step(A, y, P):
    z = A.A_adjoint(y)
    direction = P(gradient(A, z, z), State(z, 0, A, y))
    return z - direction / squared_norm(A, tuple(z.shape[1:]))


A, P = scanners["4 coils"], methods["Newton"]
torch.testing.assert_close(step(A, A.A(brain), P), next(descend(A, A.A(brain), P, 1)))

# %% [markdown]
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
#   *ifista* {cite}`bhotto2015improved` takes $r(t) = (1 - t)^{d+1}$: plain steps, $d + 1$ of them at once.
# - **Jacobi** and **circulant** invert what $A^\top A$ has on its diagonal, in pixels or in frequencies. They cost
#   next to nothing. In general they are *not* functions of $A^\top A$, and have no $r$. (Tomography's SIRT and
#   separable surrogates use a diagonal as well, $|A|^\top |A| \mathbb{1}$, which is never too small
#   {cite}`erdogan1999ordered`.)
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
*_, last = descend(faces.student, y, P, 12)
print(f"largest difference of a pixel: {(last - predicted).abs().max():.0e}")
assert (last - predicted).abs().max() < 1e-4
assert Polynomial.of("l2", 1).coefficients == (4, -10 / 3)  # as published

# %% [markdown]
# It does, up to rounding, so the curves can be studied instead of images. The next control draws them on a spectrum
# that reaches from 0.001 to 1, and beside them what $P$ makes of each eigenvalue, $t\,p(t) = 1 - r(t)$. The flatter
# that is, the smaller the condition number of $P A^\top A$. Raise the degree. How far to the left does each rule push
# its fall, and what does it pay for that at the right? Then move $\lambda$: which degree keeps up with Newton's step?

# %%
axis = torch.logspace(-3, 0, 400, dtype=torch.float64)
names = ("ifista", "ℓ2", "Chebyshev")
roles = {"no P": "baseline", "ifista": "other", "ℓ2": "gradient_only"}
roles |= {"Chebyshev": "truth", "Newton": "newton"}


def rule(name, degree):
    lower = 0.03 if name == "Chebyshev" else None
    return Polynomial.of(name.lower().replace("ℓ", "l"), degree, lower=lower)


def left_by(degree, damping=0.01):
    left = {name: residual(rule(name, degree), axis) for name in names}
    return {"no P": 1 - axis} | left | {"Newton": damping / (axis + damping)}


# %% tags=["hide-input"]
def draw_residuals(degree):
    return figures.curves(
        axis,
        {name: r.abs() for name, r in left_by(degree).items()},
        xlabel="eigenvalue $t = \\lambda_i / \\Vert A \\Vert^2$",
        ylabel="error left, $|r(t)|$",
        xscale="log",
        ylim=(0, 1.05),
        roles=roles,
        legend="lower left",
    )


# %% tags=["hide-input"]
def describe_residuals(degree):
    halved = {name: axis[r.abs() < 0.5][0] for name, r in left_by(degree).items()}
    words = ", ".join(f"{t:.3f} with {name}" for name, t in halved.items())
    return f"Degree {degree}: one step halves the error from t = {words}."


widgets.continuous(
    "polynomial",
    draw_residuals(4),
    {"degree": 4, "damping": 0.01, "lower": 0.03},
    alt=describe_residuals(4),
    caption="What one step leaves of the error, and what P makes of the spectrum.",
)

# %% [markdown]
# In a running kernel, this twin of the control draws the figure anew; edit `rule`, for instance `lower`.

# %% tags=["remove-output", "nbval-ignore-output"]
degrees = {"draw": draw_residuals, "values": range(9), "label": "Degree d"}
widgets.live(**degrees, start=4)

# %%
kappas = {(n, d): analysis.condition_number(1 - left_by(d)[n]) for n in names for d in range(9)}
newtons = {lam: analysis.condition_number(1 - left_by(0, lam)["Newton"]) for lam in (0.1, 0.01)}
assert kappas["ℓ2", 4] < 70 < 90 < newtons[0.1] < 100
assert 10 < newtons[0.01] < 12 < 20 < min(kappas.values()) < 22

# %% [markdown]
# Every curve starts at 1, whatever the degree. A polynomial is continuous, so the weakest modes stay slow, and a silent
# mode stays silent for ever. In condition number, $\ell_2$ of degree 4 (67) is ahead of Newton's step with $\lambda =
# 0.1$ (92). With $\lambda = 0.01$ (11) no degree up to 8 keeps up: the best has 21. Near $t = 0$ only the slope counts,
# $r(t) \approx 1 - c_0 t$. There one step is worth $c_0$ plain ones, so what a *product* is worth in slow modes is
#
# $$\text{gain} = \frac{c_0}{d + 1} = \begin{cases}
# 1 & \text{ifista,} \\
# (d + 3)/2 & \ell_2,
# \end{cases}$$ (eq-lp-gain)
#
# and no rule that keeps $|r| \le 1$ can have more than $2(d+1)$ ({ref}`ex-lp-markov`). ifista buys nothing: its steps
# are plain ones, tied into bundles. Chebyshev's gain depends on $l$.

# %%
tried = (1, 2, 3, 4, 6, 8)
pairs = [(name, d) for name in names for d in tried]
gain = {pair: rule(*pair).coefficients[0] / (pair[1] + 1) for pair in pairs}
assert all(gain["ifista", d] == 1 for d in tried)
assert all(abs(gain["ℓ2", d] - (d + 3) / 2) < 1e-6 for d in tried)
assert all(gain["ℓ2", d] < gain["Chebyshev", d] < 2 * (d + 1) for d in (1, 2, 3, 4))

# %% [markdown]
# ## Count products, not iterations
#
# An iteration with a polynomial of degree 4 does the work of five. A fair comparison counts products, and the library's
# `Counted` counts them, wherever they occur. Three rules make it fair.
#
# **Newton's step pays.** Where the operator has it in closed form, it counts as two products, which is rather too
# many. Without a closed form, conjugate gradients solve the system {cite}`hestenes1952methods`, and each of their
# iterations counts. There is no point in solving it to six digits for a step that is damped anyway. So
# `InexactNewton` stops where the equation holds up to a tolerance, a third or a tenth {cite}`dembo1982inexact`.
#
# **Momentum for every method.** It costs no product, so each $P$ is tried with it and without it.
#
# **The strongest method is there.** On a linear least-squares problem, that is the method of conjugate gradients
# applied to the problem itself (CGLS). With $k$ products, no method that combines gradients can have a smaller misfit
# than it has: it finds, for each image, the best polynomial.
#
# (From the same start, and in exact arithmetic. A method that is made for one operator, such as Newton's step in
# closed form, uses more than gradients, and may well be ahead.)
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


generator = torch.Generator().manual_seed(0)
signs = (2.0 * torch.randint(2, (205, 256), generator=generator) - 1) / 16
digits = ddgp_lib.load_task("single_pixel")
digit = torch.nn.functional.avg_pool2d(digits.test_images[8:9], 2)
cameras = {
    "SR": (faces.student, face),
    "coils": (scanners["4 coils"], brain),
    "signs": (single_pixel(signs), digit),
    "shadow": (single_pixel(signs * 10 ** -torch.linspace(0, 1, 256)), digit),
}

# %% [markdown]
# A run stops where the misfit is reached, and says what it has cost. $z_k$ of CGLS costs $k + 1$ products at most.


# %%
def products_to(target, A, x, P, momentum="none"):
    counted, y = Counted(A, tuple(x.shape[1:])), A.A(x)
    for z in descend(counted, y, P, 500, momentum):
        if norms(A.A(z) - y) <= target:
            return counted.count
    return math.inf


# %%
def products_of_cgls(target, A, x):
    y = A.A(x)
    for k, z in enumerate(cgls(A, y, 500), 1):
        if norms(A.A(z) - y) <= target:
            return k + 1
    return math.inf


# %% [markdown]
# These are the methods, Chebyshev's with $l = 0.03$. On random signs and with the shadow, the library has no closed
# form for Newton's step, and solves the system to six digits.


# %%
def by_hand(A, shape):
    polynomials = {f"ℓ2, d = {d}": rule("ℓ2", d) for d in tried}
    return polynomials | {
        "Chebyshev, d = 4": rule("Chebyshev", 4),
        "Chebyshev, d = 6": rule("Chebyshev", 6),
        "ifista, d = 4": rule("ifista", 4),
        "Newton, λ = 0.1": Newton(0.1),
        "Newton, λ = 0.01": Newton(0.01),
        "inexact Newton, λ = 0.1": InexactNewton(0.1, 0.3),
        "inexact Newton, λ = 0.01": InexactNewton(0.01, 0.3),
        "Jacobi": Jacobi.of(A, shape),
        "circulant": Circulant.of(A, shape),
    }


# %%
needed = {}
for name, (A, x) in cameras.items():
    y = A.A(x)
    *_, z = descend(A, y, Identity(), 200)
    target = 1.001 * norms(A.A(z) - y)  # beyond rounding
    column = {"conjugate gradients": products_of_cgls(target, A, x), "no P": 200}
    trials = {"no P": Identity()} | by_hand(A, tuple(x.shape[1:]))
    for label, P in trials.items():
        if label != "no P":
            column[label] = products_to(target, A, x, P)
        if label in ("no P", "ℓ2, d = 2", "ℓ2, d = 4", "Jacobi"):
            column[f"{label} + m"] = products_to(target, A, x, P, "chambolle_dossal")
    needed[name] = column

# %% [markdown]
# Before reading the counts, a check of the theory. Does {eq}`eq-lp-gain` predict them, as 200 over the gain?

# %%
deviations = [
    abs(column[f"{name}, d = {d}"] * gain[name, d] / 200 - 1)
    for column in needed.values()
    for name, d in gain
    if f"{name}, d = {d}" in column
]
print(f"{len(deviations)} counts, off by {max(deviations):.0%} at most")
assert max(deviations) < 0.2

# %%
shown = [
    "conjugate gradients",
    *("no P", "no P + m", "ℓ2, d = 2", "ℓ2, d = 2 + m", "ℓ2, d = 8", "ifista, d = 4"),
    *("Newton, λ = 0.01", "inexact Newton, λ = 0.01"),
    *("Jacobi", "Jacobi + m", "circulant"),
]
rows = {label: [column[label] for column in needed.values()] for label in shown}
heads = [Column(name, best="low") for name in needed]
table("Products to the misfit of 200 plain steps; m: momentum.", heads, rows)

# %%
for column in needed.values():
    best = column["conjugate gradients"]
    polynomials = [f"{n}, d = {d}" for n, d in (("ℓ2", 4), ("ℓ2", 8), ("Chebyshev", 6))]
    assert all(column[label] <= 200 / 3 for label in polynomials)
    assert all(column[f"ℓ2, d = {d}"] > best + 10 for d in tried)
    assert all(best < column[f"ℓ2, d = {d} + m"] for d in (2, 4))
    assert all(column[f"ℓ2, d = {d} + m"] < 1.05 * column["no P + m"] for d in (2, 4))
    assert column["ifista, d = 4"] > 190
    assert column["inexact Newton, λ = 0.1"] <= 90
    assert column["inexact Newton, λ = 0.01"] < column["no P + m"]

# %%
for name in ("signs", "shadow"):
    column = needed[name]
    assert column["Newton, λ = 0.1"] > max(200, 4 * column["inexact Newton, λ = 0.1"])
    assert column["Newton, λ = 0.01"] > 120
for name in ("SR", "coils"):
    assert needed[name]["Newton, λ = 0.01"] < 10
flat_diagonal = [needed[name]["Jacobi"] for name in ("SR", "coils", "signs")]
assert min(flat_diagonal) > 190
assert needed["shadow"]["Jacobi"] <= 200 / 3
assert needed["shadow"]["Jacobi + m"] <= 1.1 * needed["shadow"]["conjugate gradients"]
assert needed["SR"]["circulant"] < 5
assert min(needed[name]["circulant"] for name in ("coils", "signs", "shadow")) > 190

# %% [markdown]
# We read the table in groups. The fewest products on each operator are in bold.
#
# **Conjugate gradients win.** They need 8 to 21 products and no step size. Every polynomial needs more. Only a $P$ that
# is made for its operator does nearly as well or better: Newton's step in closed form, the circulant $P$ in
# super-resolution, Jacobi with momentum under the shadow.
#
# **Polynomials and momentum tie.** Without momentum, $\ell_2$ from degree 4 on and Chebyshev's polynomials need less
# than a third of the plain products, as predicted. So does momentum, for no product at all: $k$ steps with momentum
# also are a polynomial in $A^\top A$, of a degree that grows with $k$. Both together gain little more, since either
# has already done what a polynomial can do.
#
# **Newton depends on how it is solved.** Without a closed form, and solved to six digits, it costs nearly as much as
# plain steps. (With $\lambda = 0.1$ it costs more.) Solved up to a third, the step with $\lambda = 0.01$ is ahead of
# momentum on each operator.
#
# **What does not gain.** ifista, as its gain of 1 says. Jacobi, wherever all pixels are seen alike: then the diagonal
# is constant. The circulant one, where $A^\top A$ is far from a convolution.
#
# ```{admonition} Why not conjugate gradients, then?
# :class: important
# Their directions are conjugate only if each point is where the last step has left it; a denoiser moves the point
# after each step, nonlinearly, and with that both the directions and the step lengths lose their meaning.
# ```
#
# They stay useful inside a step, as for Newton's system. But what stands between the gradient and a denoiser may not
# rely on where its last step ended. A fixed $P$ does not. That is the reason for the rest of this chapter, and for this
# book.
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
# this range to itself, so $(I - A^+A)\, p(A^\top A) \nabla g = 0$. No such $P$ moves the null space, whatever
# $p$ is. We measure, for five $P$ and two cameras: how far is $P \nabla g$ from a multiple of $\nabla g$, and which
# share of it lies in the null space?

# %%
orthonormal = {
    "Hadamard": (digits.student, digits.test_images[8:9]),
    "1 coil": (scanners["1 coil"], brain),
}
chosen = ("ℓ2, d = 4", "Chebyshev, d = 4", "Newton, λ = 0.01", "Jacobi", "circulant")
gaps = {}
for name, (A, x) in orthonormal.items():
    grad, P = normal(A, x), by_hand(A, tuple(x.shape[1:]))
    for label in chosen:
        direction = P[label](grad, State(x, 0, A, A.A(x)))
        c = (direction * grad).sum() / grad.square().sum()
        parts = (direction - c * grad, ddgp_lib.operators.null_projection(A, direction))
        gaps[name, label] = [float(part.norm() / direction.norm()) for part in parts]

# %%
odd = gaps.pop(("Hadamard", "circulant"))
others = max(max(pair) for pair in gaps.values())
print(f"circulant on Hadamard patterns: {odd[0]:.2f} and {odd[1]:.2f}")
print(f"all nine others: {others:.0e} at most")

# %%
assert others < 1e-3
assert min(odd) > 0.8
exact = ddgp_lib.operators.FourierDownsampling(4, faces.img_size)  # a real spectrum
for A, x in (exact, face), cameras["coils"]:  # and still nothing in the null space
    *_, z = descend(A, A.A(x), Newton(0.01), 60)
    assert ddgp_lib.operators.null_projection(A, z).norm() < 1e-3 * z.norm()

# %% [markdown]
# One of the ten breaks the pattern. Hadamard patterns are no convolution, so the circulant $P$ is not a function of
# $A^\top A$, and most of its direction lies in the null space. Is that not what we wanted? We start from zero, since
# $A^\top y$ fits the data of this camera and leaves no gradient:

# %%
A, x = digits.student, digits.test_images[:32]
P, zero = Circulant.of(A, digits.img_size), torch.zeros_like(x)
path = [A.A_dagger(A.A(x)), *descend(A, A.A(x), P, 50, start=zero)]
kept = {"one plain step": 0, "circulant, k = 1": 1, "circulant, k = 50": 50}
rows = {name: [float(digits.psnr(path[k], x).mean())] for name, k in kept.items()}
table("Mean over 32 digits.", decibels("PSNR", best="high"), rows)

# %%
assert rows["circulant, k = 50"][0] < rows["one plain step"][0] - 5

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
# `Jacobi.of` and `Circulant.of` measure the eigenvalue and scale $P$ down to $\lVert A \rVert^2$. Here is the scanner
# with four coils, without that care, from $z_0 = 0$.


# %%
def bare_circulant(A, shape, damping=1e-2):
    kind = {"complex_valued": shape[0] == 2}
    spectrum = circulant_spectrum(A, shape, **kind) / squared_norm(A, shape)
    return Circulant(spectrum, damping, **kind)


def largest(P, A, shape):
    root, top = P.gains.sqrt(), squared_norm(A, shape)

    def symmetric(v):
        return P.filtered(normal(A, P.filtered(v, root)), root) / top

    return ddgp_lib.operators.algebra.largest_eigenvalue(symmetric, shape)


# %% mystnb={"figure": {"name": "fig-lp-scale", "caption": "Misfit of the scanner with four coils, relative to the data, under preconditioners of different size. Past the bound of twice the squared norm the iteration diverges."}, "image": {"alt": "Relative misfit against the step on a logarithmic axis, 30 steps. Without P it drops to 0.07 in one step and goes on falling slowly. With the scaled circulant P and with 1.9 times the identity it falls steadily, to about 0.03. With 2.1 times the identity it rises steadily to 17. With the bare circulant P it leaves the picture within six steps."}} tags=["hide-input"]
A, bare = scanners["4 coils"], bare_circulant(scanners["4 coils"], size)
scaled = {"no P": Identity(), "1.9 times I": Scalar(1.9), "2.1 times I": Scalar(2.1)}
scaled |= {"circulant, bare": bare, "circulant, scaled": Circulant.of(A, size)}
y, zero, misfit = A.A(brain), torch.zeros_like(brain), {}
for name, P in scaled.items():
    path = [zero, *descend(A, y, P, 30, start=zero)]
    misfit[name] = [float((A.A(z) - y).norm() / y.norm()) for z in path]
looks = ("baseline", "other", "truth", "gradient_only", "linear")
figures.curves(
    range(31),
    misfit,
    xlabel="step $k$",
    ylabel="misfit $\\Vert A z_k - y \\Vert \\,/\\, \\Vert y \\Vert$",
    yscale="log",
    ylim=(3e-3, 1e2),
    roles=dict(zip(scaled, looks, strict=True)),
    legend="above",
)

# %%
eigenvalue = largest(bare, A, size)
print(f"bare circulant: largest eigenvalue {eigenvalue:.1f} ‖A‖²")
assert eigenvalue > 2
below, above = misfit["1.9 times I"], misfit["2.1 times I"]
assert misfit["no P"][30] < below[30] < 0.1 < 5 < above[30]
assert misfit["circulant, bare"][30] > 1e6

# %% [markdown]
# Scaled, the circulant $P$ is safe and useless: it has to shrink by its largest eigenvalue, and takes the modes that
# it treated well down with it.
#
# ```{warning}
# In super-resolution the same happens by **aliasing**. Keeping one pixel of $4 \times 4$ folds 16 frequencies onto one.
# Let $\hat b$ hold the Fourier transform of the blur at these 16. Within the group $A^\top A$ is the rank-one matrix
# $\hat b \hat b^*/16$, and the circulant approximation keeps its diagonal, $|\hat b_j|^2 / 16$. Without damping the
# eigenvalue of $P A^\top A$ is therefore $\sum_j |\hat b_j|^2 / |\hat b_j|^2 = 16$, whatever the blur. Damping, or a
# blur that leaves one frequency per group, hides it.
# ```

# %%
shape = faces.img_size
camera = ddgp_lib.operators.FourierDownsampling
narrow, wide = camera(4, shape, std=0.5), camera(4, shape, std=4.0)
weak, usual = bare_circulant(narrow, shape, 1e-4), bare_circulant(wide, shape)
values = largest(weak, narrow, shape), largest(usual, wide, shape)
print("narrow blur: {:.1f} ‖A‖², wide blur: {:.1f} ‖A‖²".format(*values))
assert abs(values[0] - 16) < 0.1
assert values[1] < 1

# %% [markdown]
# ## What a Newton step does to noise
#
# So far there was no noise, and the less damping the better. Now $y = A x^* + w$ with white noise of standard
# deviation $\sigma$. One Newton step from zero lets in the share $t/(t + \lambda)$ of a mode: of its signal, and of
# its noise $u_i^\top w / s_i$. Let $S$ be the signal variance in the mode. With $s_i^2 = t \lVert A \rVert^2$, the
# expected squared error is
#
# $$\begin{aligned}
# & \Bigl(\frac{\lambda}{t + \lambda}\Bigr)^2 S
# + \Bigl(\frac{t}{t + \lambda}\Bigr)^2 \frac{\sigma^2}{t \lVert A \rVert^2}, \\
# & \text{smallest for}\quad \lambda = \frac{\sigma^2}{S \lVert A \rVert^2}.
# \end{aligned}$$ (eq-lp-damping)
#
# (Set the derivative to zero; $t$ cancels.) **The damping is a ratio of noise to signal variance**, as in Wiener's
# filter. One $\lambda$ has to serve all modes, whose $S$ differ; `expected_error`, met under
# [conditioning](conditioning), takes the sum, over the test faces.

# %% mystnb={"figure": {"name": "fig-lp-noise", "caption": "Expected squared error per pixel of one Newton step from zero, super-resolution, for three noise levels; the points mark the best damping. With more noise it lies further right, and too little damping costs more."}, "image": {"alt": "Squared error per pixel against the damping, both logarithmic, for noise 0.001, 0.01 and 0.03. Each curve falls, has a flat minimum and rises to a common level near damping one. The minima lie near 0.0002, 0.006 and 0.04. Left of them the curves rise, the more steeply the more noise there is."}} tags=["hide-input"]
damping = torch.logspace(-5, 0, 61, dtype=torch.float64)
left = damping[:, None] / (t + damping[:, None])  # (λ / (t + λ)), a row for each λ
coefficients = modes.analyse(faces.test_images[:40])
error = {
    noise: analysis.expected_error(modes.values, coefficients, noise, left).total / 1024
    for noise in (0.001, 0.01, 0.03)
}
best = {noise: int(curve.argmin()) for noise, curve in error.items()}
lowest = {}
for s, k in best.items():
    lowest[f"best at {s}"] = float(damping[k]), float(error[s][k])
figures.curves(
    damping,
    {f"noise {noise}": curve for noise, curve in error.items()},
    xlabel="damping $\\lambda$",
    ylabel="squared error (grey levels²)",
    xscale="log",
    yscale="log",
    ylim=(3e-3, 1),
    points=lowest,
    legend="above",
)

# %% [markdown]
# The figure is computed from the true faces. Can a good $\lambda$ be found without them? Morozov's **discrepancy
# principle** {cite}`morozov1966solution` asks only for the noise level: do not fit the data better than the true image
# does. Its misfit is the noise, $\lVert w \rVert \approx \sigma \sqrt m$ for $m$ measurements. So take the largest
# $\lambda$, for each image, whose misfit is not above that; and stop conjugate gradients, which fit ever better, where
# they reach it.

# %%
levels = damping.flip(0)[::3].tolist()  # from the strongest


def first_that_fits(candidates, task, y, x):  # PSNR of it, of the best, of the last
    fits = torch.stack([discrepancy(z, y, task.student) <= 1 for z in candidates])
    scores = torch.stack([task.psnr(z, x) for z in candidates])
    chosen = fits.int().argmax(dim=0)
    return scores.gather(0, chosen[None]), scores.max(dim=0).values, scores[-1]


# %%
without_truth = {}
x, zero = faces.test_images[:40], torch.zeros_like(faces.test_images[:40])
for noise in error:
    task = ddgp_lib.load_task("super_resolution", size=32, noise=noise)
    A, y = task.student, task.measure(x, seed=9)
    top, adjoint = squared_norm(A, task.img_size), A.A_adjoint(y)
    tried_steps = [newton(A, adjoint, level) / top for level in levels]
    runs = {"one Newton step": tried_steps, "CGLS": list(cgls(A, y, 40, start=zero))}
    for name, candidates in runs.items():
        parts = first_that_fits(candidates, task, y, x)
        without_truth[noise, name] = [float(part.mean()) for part in parts]
rows = {f"noise {s}, {name}": v[:2] for (s, name), v in without_truth.items()}
table("Mean PSNR over 40 faces.", decibels("discrepancy", "the truth"), rows)

# %%
print(f"CGLS after 40 steps with noise 0.01: {without_truth[0.01, 'CGLS'][2]:.0f} dB")
for kept, highest, _ in without_truth.values():
    assert highest - 0.6 < kept < highest
assert without_truth[0.01, "CGLS"][2] < without_truth[0.01, "CGLS"][0] - 15

# %% [markdown]
# The principle finds $\lambda$, and the moment to stop, and loses at most half a decibel against the choice that knows
# the truth. Conjugate gradients need it: after 40 steps they have fitted the noise, and the image is lost.
#
# How much does a wrong $\lambda$ cost? At the noise of this task, 0.001, $\lambda = 10^{-3}$ is good. At 0.03 it costs
# nearly 8 dB: the step divides weak modes by little more than their eigenvalue, and what it divides is noise.
# `Newton(damping, noise=σ_0)` lets the damping follow the noise, $\lambda(\sigma) = \lambda\,(\sigma/\sigma_0)^2$, as
# {eq}`eq-lp-damping` says for each mode. For all together and a single step this is too cautious: the best $\lambda$ in
# the figure grows more slowly, since with more noise the modes on the edge are stronger ones, with a larger $S$. Inside
# plug-and-play, steps are repeated; {ref}`ex-lp-damping` asks what that changes.

# %%
cost = error[0.03][(damping - 1e-3).abs().argmin()] / error[0.03].min()
assert 7 < 10 * math.log10(cost) < 8.5
assert 20 < damping[best[0.01]] / damping[best[0.001]] < 50

# %% [markdown]
# Here are both inside plug-and-play, on faces of $64 \times 64$ pixels, for ten iterations. With more noise a stronger
# denoiser is due as well. So $\sigma$, the level that the denoiser is told, is chosen for each method and each noise on
# four validation faces, in a grid in which the best does not lie at an end.

# %%
tuned = ddgp_lib.load_tuning("super_resolution")["newton"]["setting"]
fixed, follower = Newton(1e-3), Newton(1e-3, noise=1e-3)
candidates = {"no P": Identity(), "fixed": fixed, "following": follower}


def mean_after_ten(task, P, sigma, images):
    setting = tuned | {"sigma": sigma}
    solver = PreconditionedFISTA(task.denoiser, P, stepsize=task.stepsize, **setting)
    return float(psnr_curves(task, solver, images, task.student, 10)[-1].mean())


# %%
robust, rows = {}, {}
for noise in (0.01, 0.03):
    task = ddgp_lib.load_task("super_resolution", noise=noise)
    for name, P in candidates.items():
        val = task.val_images[:4]
        grid = (0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.2, 2.0)
        tries = {s: mean_after_ten(task, P, s, val) for s in grid}
        s = max(tries, key=tries.get)
        assert grid[0] < s < grid[-1]
        robust[noise, name] = mean_after_ten(task, P, s, task.test_images[::4])
        rows[f"noise {noise:g}, {name}"] = [f"{s:g}", robust[noise, name]]
table("After ten iterations, means over 20 faces.", ["σ", *decibels("PSNR")], rows)

# %%
assert robust[0.01, "following"] > robust[0.01, "fixed"] + 0.7
assert robust[0.03, "following"] > robust[0.03, "fixed"] + 3
assert abs(robust[0.01, "fixed"] - robust[0.01, "no P"]) < 0.4
assert all(robust[s, "following"] > robust[s, "no P"] - 0.3 for s in (0.01, 0.03))
assert robust[0.01, "following"] > robust[0.01, "no P"] + 1

# %% [markdown]
# At ten times the noise a fixed damping needs a denoiser that is told to remove ten times as much, and then $P$ gains
# little. With a following damping it gains more than a decibel. At thirty times a fixed damping costs three decibels,
# with a denoiser that blurs the whole image. With a following damping the gain over no $P$ shrinks. At 0.03 the two are
# level, within a tenth or two on twenty faces. There $\lambda = 0.9$, and $P$ weighs the weakest mode only $(1 +
# \lambda)/\lambda \approx 2.1$ times as much as the strongest.
#
# ## Inside plug-and-play
#
# A denoiser $D_\sigma$ now acts after each step, $x_{k+1} = D_\sigma(z_k - \alpha P \nabla g(z_k))$. Two
# things change.
#
# **The result depends on how often the denoiser is applied.** Modes now mix, and five plain steps are no longer the
# same as one ifista step of degree 4: the denoiser sees five images in the one case and one in the other. A polynomial
# of degree 4 saves four calls of five. Whether the result suffers is a question for a measurement.
#
# **$P$ changes the result, not only the speed.** Suppose $D_\sigma$ is the proximal map of a convex function $f$. Then
#
# $$\begin{aligned}
# & x = D_\sigma\bigl(x - \alpha P \nabla g(x)\bigr) \\
# \iff\quad & {-\alpha} P \nabla g(x) \in \partial f(x),
# \end{aligned}$$ (eq-lp-fixed-point)
#
# so $P$ stays in the equation of the fixed point. With $P = p(A^\top A)$ one has
# $P \nabla g = A^\top p(A A^\top)(A x - y)$, the gradient of $\tfrac12 \lVert p(A A^\top)^{1/2} (A x - y) \rVert^2$:
# **the preconditioned method solves another problem**, whose data term trusts weak modes more. (To keep the problem,
# $f$ would need a proximal map in the metric of $P^{-1}$ {cite}`becker2019quasi`. A denoiser comes with none, unless it
# is trained to take a noise level for each pixel, which serves a diagonal $P$ {cite}`lependu2023preconditioned`.) Four
# methods, run until they stand still:


# %%
def fixed_point(task, y, x, P, sigma, iterations=120):
    A, adjoint = task.student, task.student.A_adjoint(y)
    with torch.no_grad():
        for k in range(iterations):
            direction = P(gradient(A, x, adjoint), State(x, k, A, y))
            x_old, x = x, task.denoiser(x - task.stepsize * direction, sigma)
    return x, float((x - x_old).norm() / x.norm())


# %%
y = faces.measure(faces.test_images[:3])
start, rest = faces.student.A_adjoint(y), {}
trials = {"no P": Identity(), "1/2": Scalar(0.5)}
trials |= {"ℓ2": rule("ℓ2", 4), "Newton": Newton(0.01)}
for name, P in trials.items():
    rest[name], moved = fixed_point(faces, y, start, P, 0.1)
    assert moved < 1e-4

# %%
truth = faces.test_images[:3]
rows = {name: [float(faces.psnr(x, truth).mean())] for name, x in rest.items()}
table("At rest, mean over three faces.", decibels("PSNR"), rows)

# %% [markdown]
# Are these other points, or slower ways to the same one? Start without $P$ where Newton's step has come to rest:

# %%
back, _ = fixed_point(faces, y, rest["Newton"], Identity(), 0.1)
apart = float((rest["Newton"] - rest["no P"]).norm() / rest["no P"].norm())
print(f"distance of Newton's fixed point from the plain one: {apart:.2f}")
assert apart > 0.05
assert (back - rest["no P"]).norm() < 1e-3 * rest["no P"].norm()

# %% [markdown]
# Four methods, four images, same data and same denoiser. Even a shorter step changes the result. So a better PSNR
# with $P$ may come from speed, or from a balance of data and prior that another $\sigma$ would have given as well. A
# fair comparison has to choose $\sigma$ for each method.
#
# ### All of them, operator by operator
#
# `python -m ddgp_lib study linear` makes that comparison, and its results ship with the library. We look at three of
# its four operators: a single-pixel camera with 410 patterns of random signs, the scanner with four coils, and
# super-resolution. The rules are those from above. Each method has 60 products with $A^\top A$, Newton's closed form
# counting as two of them. What momentum may help runs with it and without it. $\sigma$ is the best of six levels on
# four validation images. We see means over three seeds, each with eight test images and noise of its own. One method
# has no denoiser: CGLS, stopped by the discrepancy principle. Each panel below begins with no $P$ at the left. Further
# right a step costs more products, so that fewer steps fit into the 60. What would you expect of $\ell_2$, as the
# degree grows?

# %% mystnb={"figure": {"name": "fig-lp-plug", "caption": "Mean PSNR over 24 test images after 60 products, against what one step costs: no P at 1, then the polynomials of degree 1 to 8. Newton's step has λ = 0.1 and momentum, and is solved up to a third for random signs; in super-resolution it has λ = 0.01 and no momentum."}, "image": {"alt": "Three panels, PSNR against products of one step from 1 to 9. Random signs: the polynomials rise from no P to degree 1 or 2 by two decibels and then fall steeply; momentum adds two to nearly five. MRI with four coils: both curves rise by nearly two decibels to degree 2 or 3 and fall slowly. Super-resolution: both curves rise with the degree, the one with momentum from 23.4 to 24.9 dB. Newton's step is close to the top for the coils, a decibel below it for random signs, and above all polynomials in super-resolution."}} tags=["hide-input"]
degrees_of = {"none": 1} | {f"l2, degree {d}": d + 1 for d in tried}
newtons = dict.fromkeys((SIGNS, COILS, SR), "newton, 0.1, momentum")
newtons |= {SIGNS: "newton, 0.1, inexact, momentum", SR: "newton, 0.01"}
roles_of = {"no momentum": "other", "momentum": "gradient_only"}
figure, panels = figures.axes(3, height=3.1)
for ax, operator in zip(panels, newtons, strict=True):
    curves = {
        "no momentum": [psnr_of(operator, kind) for kind in degrees_of],
        "momentum": [psnr_of(operator, f"{kind}, momentum") for kind in degrees_of],
    }
    figures.curves(
        list(degrees_of.values()),
        curves,
        xlabel="products with $A^T A$ of one step",
        ylabel="PSNR (dB)",
        roles=roles_of,
        horizontal={"Newton": psnr_of(operator, newtons[operator])},
        title=operator,
        legend="lower left" if ax is panels[0] else None,
        ax=ax,
    )
figure

# %%
rows = {}
for operator in newtons:
    fast = {d: psnr_of(operator, f"l2, degree {d}, momentum") for d in tried}
    top = max(fast, key=fast.get)
    plain = max(psnr_of(operator, f"l2, degree {d}") for d in tried)
    rows[operator] = [psnr_of(operator, "none, momentum"), plain, fast[top], top]
heads = [*decibels("momentum", "best polynomial", "both"), "d of both"]
table("Mean PSNR over 24 test images after 60 products.", heads, rows)

# %%
for operator in (SIGNS, COILS):
    fast = {d: psnr_of(operator, f"l2, degree {d}, momentum") for d in tried}
    alone = psnr_of(operator, "none, momentum")
    assert max(fast, key=fast.get) <= 4
    assert max(fast.values()) > alone + 1
    assert fast[8] < max(fast.values()) - 0.5
    plain = max(psnr_of(operator, f"l2, degree {d}") for d in tried)
    assert plain < max(fast.values()) - 0.1
    assert psnr_of(operator, "sr1") > alone - 0.3
    assert psnr_of(operator, "cgls") < psnr_of(operator, "none") - 3
    assert products_of(operator, "cgls") < products_of(operator, "none, momentum")

# %%
assert psnr_of(COILS, "newton, 0.1, momentum") > psnr_of(COILS, "none, momentum") + 0.6
assert psnr_of(COILS, "circulant") < psnr_of(COILS, "none")
assert psnr_of(SIGNS, "newton, 0.1, momentum") < psnr_of(SIGNS, "none") - 5
assert {line["seeds"] for line in lines} == {3}
assert psnr_of(SIGNS, newtons[SIGNS]) > psnr_of(SIGNS, "newton, 0.1, momentum") + 8
fast = [psnr_of(SR, f"l2, degree {d}, momentum") for d in tried]
assert max(fast) > psnr_of(SR, "none, momentum") + 1
assert fast == sorted(fast)
assert psnr_of(SR, newtons[SR]) > max(fast) + 0.2
assert psnr_of(SR, "cgls") > psnr_of(SR, "none, momentum") + 0.5
assert abs(psnr_of(SR, "circulant") - psnr_of(SR, "newton, 0.01")) < 0.5
assert flat_gain < 0.5 < psnr_of(FLAT, "distilled_linear") - by_p

# %% [markdown]
# **A polynomial of low degree and momentum together win** on the first two. At 60 products, $\ell_2$ of degree 2 with
# momentum is more than a decibel ahead of momentum alone. On random signs either alone gives less; on the scanner the
# polynomial alone is nearly as good. At higher degrees the curves fall: each step costs more products, so that the
# denoiser is applied less often, 6 times at degree 8 where no $P$ takes 60 calls. Where a call is expensive that may
# still be a good trade. In super-resolution the two together gain more than a decibel as well, and there the gain
# still grows with the degree.
#
# **Newton's step depends on its closed form.** On the scanner it has one, and with momentum it is close to the best
# polynomial. In super-resolution it is ahead of all of them. Without a closed form and solved to six digits, it
# spends the budget on linear systems and loses by more than ten decibels. Solved up to a third, it is ahead of
# momentum alone.
#
# **Conjugate gradients without a denoiser** end far below on the first two: they reach the data soonest, and have
# nothing but the data. In super-resolution, stopped by the discrepancy principle, they are *ahead* of momentum with its
# denoiser. A baseline without them would have hidden that.
#
# **On the flat spectrum** of the Hadamard camera no method that knows the operator alone gains half a decibel, and what
# little is gained is a step size. Only the distilled map gains more: it knows images.
#
# ```{note}
# With 24 test images, differences of one or two tenths may be due to the choice of images. $\sigma$ and the budget decide with the
# method. The circulant $P$ is harmful on the scanner; in super-resolution, where the operator nearly is a
# convolution, it is as good as Newton's step. `python -m ddgp_lib compare NAME` prints all rows of a camera.
# Chebyshev's $l$ is 0.01 in the study and 0.03 above, the random signs are other patterns, and the study takes other
# images, with noise of their own, so these counts differ.
# ```
#
# One limit of the study matters more. A $\sigma$ that is chosen at an end of its grid is not known to be the best. How
# many runs have chosen an end?

# %%
runs = study.load_study("linear")["runs"]
grid = runs[0]["configuration"]["sigmas"]
at_end = {}
for end in (max(grid), min(grid)):
    at_end[end] = [run["row"] for run in runs if run["sigma"]["60"] == end]
found = [Counter(row.split(":")[0] for row in chosen) for chosen in at_end.values()]
rows = {name: [count[name] for count in found] for name in (FLAT, SIGNS, COILS, SR)}
table(f"Of {len(runs)} runs, those at an end.", [f"σ = {end}" for end in at_end], rows)

# %%
large, small = at_end.values()
assert set(small) == {f"{SR}: none, momentum"}
assert {row.split(":")[0] for row in large} == {FLAT, SIGNS}
assert {f"{FLAT}: none, momentum", f"{SIGNS}: l2, degree 8, momentum"} < set(large)

# %% [markdown]
# What these runs reach is a lower bound of what their methods can reach: a $\sigma$ beyond the grid might be better. On
# the flat spectrum nearly all methods are among them. On random signs they are polynomials of degree 6 and 8 and
# Newton's exact step. In super-resolution it is momentum alone. Does the PSNR go on rising beyond the end? We look at
# one method of each operator, with momentum and as many iterations as 60 products allow, on the four validation images
# that chose, and on twenty test images:


# %%
def beyond(task, iterations, P, sigma):
    setting = {"stepsize": task.stepsize, "momentum": "chambolle_dossal"}
    solver = PreconditionedFISTA(task.denoiser, P, sigma=sigma, **setting)
    spread = task.test_images[:: len(task.test_images) // 20][:20]
    images = task.val_images[:4], spread
    curves = [psnr_curves(task, solver, x, task.student, iterations) for x in images]
    return [float(curve[-1].mean()) for curve in curves]


# %%
preset = ddgp_lib.presets.PRESETS["single_pixel"]
with_signs = preset.linear_operators[SIGNS](preset), 6, rule("ℓ2", 8)
wide = ddgp_lib.load_task("super_resolution")
outside = {
    f"{FLAT}, no P": ((digits, 60, None), (0.1, 0.15)),
    f"{SIGNS}, ℓ2, d = 8": (with_signs, (0.1, 0.15)),
    f"{SR}, no P": ((wide, 60, None), (0.005, 0.002, 0.001)),
}
ended, rows = {}, {}
for name, (case, sigmas) in outside.items():
    ended[name] = [beyond(*case, sigma) for sigma in sigmas]
    rows |= {f"{name}, σ = {s:g}": e for s, e in zip(sigmas, ended[name], strict=True)}
table("Means over 4 and over 20 images.", decibels("validation", "test"), rows)

# %%
*upper, lower = ended.values()
assert all(outer[0] < end[0] - 0.3 for end, outer in upper)
assert lower[2][0] > lower[0][0] + 0.5
assert abs(lower[2][1] - lower[0][1]) < 0.3

# %% [markdown]
# Above 0.1 the PSNR falls, in both cases. There the end of the grid was the best level, or close to it. (The other
# methods that chose it were not looked at again.) In super-resolution momentum alone gains from a smaller $\sigma$:
# more than half a decibel on the validation images, and hardly anything on the test images. So the study
# underrates it a little. The gains over it in the study are larger than this difference on the test images.
#
# ```{tip}
# Which $P$ is worth a first try on a camera of your own? Look at the spectrum. If $A A^\top = I$, none that is made from
# the operator: tune the step and go on to a $P$ that knows images. If the operator nearly is a convolution, the
# circulant one. If it has a closed form for Newton's step, that one, with a damping that follows the noise. In other cases,
# as on two of our operators, $\ell_2$ of degree 1 or 2 with momentum: it needs no setting but the degree. Give momentum to the baseline too,
# choose $\sigma$ for each on images of your own, and count the products before you believe a gain.
# ```
#
# One more classical idea needs no closed form and no extra products: to learn the curvature along the run from the
# change of the gradient. The rank-one quasi-Newton step of P²nP {cite}`hong2024p2np`, `sr1` in the study, does so
# inside plug-and-play. It is not a fixed linear map, and belongs to the next chapter.
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
# that a polynomial $q$ of degree $n$ has $|q'| \le n^2 \max |q|$ on $[-1, 1]$. Show a bound on what a product can gain
# in slow modes, for each $d$. What is it for $d = 4$, and which rule comes close to it? At what price?
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
rows = {}
for lower in (0.03, 1e-3, 1e-6):
    P = Polynomial.of("chebyshev", 4, lower=lower)
    above = torch.linspace(lower, 1, 1001, dtype=torch.float64)
    slope, peak = P.coefficients[0] / 5, float(residual(P, above).abs().max())
    rows[f"l = {lower:g}"] = [slope, peak]
table("Degree 4, |r| from l on.", ["gain", Column("largest |r|", digits=3)], rows)

# %%
assert abs(slope - 10) < 0.01
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
# Let $P$ be symmetric and positive, $A P A^\top$ invertible and the data free of noise. (a) Show that
# {eq}`eq-lp-step` from any $z_0$, if it converges, ends at $z_0 + P A^\top (A P A^\top)^{-1} (y - A z_0)$. (b) Take
# the Hadamard camera without noise, the first 2,000 training digits and the first 32 test digits. Start from the mean
# of the training digits. As $P$ take their covariance, with 0.01 times its mean variance added on the diagonal. By how
# many decibels does the end improve on that with $P = I$, in the mean over the test digits? (Leave out rows of $A$
# that are zero.)
# ```

# %%
answer = None  # (b): put the gain in dB here
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
# statement about images. Calvetti and Somersalo {cite}`calvetti2005priorconditioners` build preconditioners from the
# prior in this sense, and call them priorconditioners. The circulant one stated the opposite of what digits are like.

# %%
train, x = digits.train_images[:2000], digits.test_images[:32]
rows = analysis.dense_matrix(digits.student, digits.img_size).float()
rows, mean = rows[rows.norm(dim=1) > 0], train.mean(0, keepdim=True)

# %%
C, eye = (train - mean).flatten(1).T.cov(), torch.eye(1024)
beliefs = {"identity": eye, "covariance": C + 0.01 * C.diagonal().mean() * eye}
ends = {}
for name, P in beliefs.items():
    a = torch.linalg.solve(rows @ P @ rows.T, rows @ (x - mean).flatten(1).T)
    guess = mean + (P @ rows.T @ a).T.reshape(x.shape)
    ends[name] = float(digits.psnr(guess, x).mean())
print(", ".join(f"{name}: {value:.2f} dB" for name, value in ends.items()))
assert abs(ends["covariance"] - ends["identity"] - 3.3) < 0.3

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Is a damping that follows the noise too cautious?
# :label: ex-lp-damping
#
# In {numref}`fig-lp-noise` the best $\lambda$ at $\sigma = 0.01$ is far below the $0.1$ of the rule
# $\lambda(\sigma)$. Inside plug-and-play, steps are repeated. Which of $\lambda \in \{0.003, 0.01, 0.1, 0.3\}$ is best
# there, after 10 iterations on the first four test faces of $64 \times 64$ pixels with noise 0.01, with the setting
# `tuned`? Is it the one that is best after the first iteration? Guess before you run it.
# ```

# %%
answer = None  # put the best λ after ten iterations here
answers.check("ex-lp-damping", answer)

# %% [markdown]
# ```{solution-start} ex-lp-damping
# :label: sol-lp-damping
# :class: dropdown
# ```
# After one iteration little damping is best, as the figure says. After ten the rule's $\lambda$ is. What a cautious
# step leaves of the signal, the next steps recover. The noise that a step with little damping lets in, they let in
# again.

# %%
noisy, swept = ddgp_lib.load_task("super_resolution", noise=0.01), {}
setting = tuned | {"stepsize": noisy.stepsize}
for lam in (0.003, 0.01, 0.1, 0.3):
    solver = PreconditionedFISTA(noisy.denoiser, Newton(lam), **setting)
    curves = psnr_curves(noisy, solver, noisy.test_images[:4], noisy.student, 10)
    swept[lam] = [float(curves[k].mean()) for k in (0, -1)]
rows = {f"λ = {lam:g}": psnrs for lam, psnrs in swept.items()}
table("Means of four faces.", decibels("after one", "after ten", best="high"), rows)

# %%
assert max(swept, key=lambda lam: swept[lam][-1]) == 0.1
assert max(swept, key=lambda lam: swept[lam][0]) == 0.01

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# You can now
#
# - read a function of $A^\top A$ as a curve $r(t) = 1 - t\,p(t)$, and predict from its slope at 0 what it gains in
#   slow modes;
# - compare methods fairly: count each product, Newton's included, give momentum to all, and put conjugate gradients
#   first. Without a denoiser they win. With one they are out;
# - see where $P$ is a step size ($A A^\top = I$), and that no function of $A^\top A$ moves the null space. A $P$ that
#   leaves the range states a belief about images, and a wrong one does harm;
# - keep $\lambda_{\max}(P A^\top A)$ below $2\lVert A \rVert^2$, and below $\tfrac43 \lVert A \rVert^2$ with momentum;
# - choose a damping, or the moment to stop, by the discrepancy principle; let a damping follow the noise, and $\sigma$
#   with it;
# - judge $P$ inside plug-and-play: each method at its own $\sigma$, denoisers counted as well.
#
# | $P$ | costs | helps | cannot |
# |---|---|---|---|
# | $\ell_2$, Chebyshev | $d$ products | real spectra, with a denoiser; small $d$ | flat spectra |
# | Newton | a linear system | closed forms; inexact solves | flat spectra; noise for which $\lambda$ is too small |
# | Jacobi | a diagonal | pixels seen unequally | a constant diagonal |
# | circulant | two Fourier transforms | convolutions | aliasing, coils, random patterns |
#
# ## Further reading
#
# Saad's book {cite}`saad2003iterative` treats preconditioners for linear systems at length, polynomial ones and
# conjugate gradients included. Polynomials of least squares and of Chebyshev are compared in
# {cite}`johnson1983polynomial`; Iyer and colleagues {cite}`iyer2024polynomial` take them to imaging with proximal
# methods, and publish the coefficients that we checked. The circulant approximation is Chan's
# {cite}`chan1988circulant`; Hanke, Nagy and Plemmons {cite}`hanke1993preconditioned` say how it treats noise in
# iterations that are stopped early; Fessler and Booth {cite}`fessler1999conjugate` show in tomography where it fails,
# and how to repair it. For filter factors, the discrepancy principle and other choices of damping see
# {cite}`hansen2010discrete`.
