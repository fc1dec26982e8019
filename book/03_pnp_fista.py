# %% [markdown]
# (pnp-fista)=
# # Plug-and-play FISTA: a denoiser in the place of a formula
#
# At the end of the [last chapter](conditioning) one thing was missing: information that neither the data nor $A$
# contain. *Plug-and-play* methods take it from a denoiser, a network that has learned what images look like by
# removing noise from them. The algorithm is three lines long, and it is the baseline that every preconditioner of
# this book has to beat. But it minimises nothing that we can write down, and it has three knobs. This chapter
# derives the lines, turns each knob until something breaks, and finds one number behind every breakage.
#
# After this chapter you can
#
# 1. derive the proximal step, and say in which sense a denoiser is one;
# 2. say what the noise level $\sigma$, the step $\alpha$ and the momentum $\beta_k$ do, and give the limits of the
#    step with and without momentum;
# 3. tell from a residual and an eigenvalue whether a run comes to rest, flips or diverges;
# 4. tune the knobs on validation images, and stop a run by fading its prior;
# 5. say what no knob can change, and so where preconditioning begins.

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import warnings
from itertools import pairwise

import torch
from deepinv.models import Denoiser
from deepinv.optim import FISTA, L1Prior, PnP, TVPrior
from deepinv.optim.data_fidelity import L2

import ddgp_lib
from ddgp_lib import analysis, answers, figures, stability, widgets
from ddgp_lib.experiments import tuning_score
from ddgp_lib.operators import measure, norms, range_projection
from ddgp_lib.preconditioners import Newton
from ddgp_lib.solvers import MOMENTUM, chambolle_dossal

warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)  # PyTorch's own affair

# %% [markdown]
# ## The question in one picture
#
# An MRI scanner has measured a quarter of k-space; a brain slice is to be found. Most runs of this chapter are made
# by two functions. The first sets the knobs. The second keeps the iterates $x_k$ and $z_k$, the PSNR, and a residual
# that is explained later.


# %%
def solver(task, sigma, momentum, multiple=1.0, **options):
    step = multiple * task.stepsize  # task.stepsize is 1 / ‖A‖²
    return ddgp_lib.PreconditionedFISTA(
        task.denoiser, stepsize=step, sigma=sigma, momentum=momentum, **options
    )


def run(task, images, method, iterations):
    path = list(method.iterates(task.measure(images), task.student, iterations))
    psnr = torch.stack([task.psnr(x, images).mean() for x, _ in path])
    residual = [(norms(x - z) / norms(z)).mean() for (_, z), (x, _) in pairwise(path)]
    return path, psnr, torch.stack(residual)


# %% [markdown]
# Here is one run, with $\sigma = 0.01$ and FISTA's momentum.

# %% mystnb={"figure": {"name": "fig-pnp-question", "caption": "One run of plug-and-play FISTA on one brain slice, after 20 and after 200 iterations, with the absolute errors on one scale."}, "image": {"alt": "A sagittal brain slice and two estimates. After 20 iterations the estimate looks like the slice, with faint stripes. After 200 iterations a broad band of saturated grains covers the middle of the brain, and the error map is bright there."}}
mri = ddgp_lib.load_task("mri")
brain = mri.test_images[2:3]
path, psnr_astray, _ = run(mri, brain, solver(mri, 0.01, "chambolle_dossal"), 200)
astray = {k: path[k][0] for k in (20, 198, 199, 200)}
estimates = {f"k = {k}": mri.picture(astray[k])[0] for k in (20, 200)}
figures.reconstructions(mri.picture(brain)[0], estimates, columns=3, error_limit=0.5)

# %%
del path
y_brain = mri.measure(brain)
for k in (20, 200):
    unexplained = float(norms(mri.student.A(astray[k]) - y_brain) / norms(y_brain))
    print(f"k = {k:3d}: PSNR {psnr_astray[k]:5.1f} dB, data residual {unexplained:.3f}")
    assert unexplained < 0.03
assert psnr_astray[20] > psnr_astray[200] + 25

# %% [markdown]
# The data are fitted all the while. What has been destroyed is the part of the image that they do not show, and the
# denoiser, which was to supply it, has done the destroying. Which knob was it?
#
# ## From a gradient step to a proximal step
#
# Let a function $f$ say how implausible an image is, and look for a minimum of $g + f$. The gradient is Lipschitz with
# the constant $L = \lVert A \rVert^2$, which means that $\lVert \nabla g(x) - \nabla g(z) \rVert \le L \lVert x - z
# \rVert$. So a parabola at any point $z$ lies above $g$ if $\alpha \le 1/L$:
#
# $$
# \begin{aligned}
# g(x) \le g(z) &+ \langle \nabla g(z), x - z \rangle \\
# &+ \tfrac{1}{2\alpha} \lVert x - z \rVert^2 .
# \end{aligned}
# $$ (eq-majorant)
#
# Minimise the parabola plus $f$ instead of $g + f$. Completed to a square, the parabola is $\tfrac{1}{2\alpha} \lVert x -
# (z - \alpha \nabla g(z)) \rVert^2$ and a constant, so the minimum is at
# $\operatorname{prox}_{\alpha f}(z - \alpha \nabla g(z))$, with the **proximal map**
#
# $$
# \begin{aligned}
# & \operatorname{prox}_{\alpha f}(u) \\
# & \quad = \operatorname*{argmin}_x\; \alpha f(x) + \tfrac12 \lVert x - u \rVert^2 .
# \end{aligned}
# $$ (eq-prox)
#
# Repeating this is proximal gradient descent {cite}`combettes2005signal`; with momentum it is FISTA
# {cite}`beck2009fista`. For some $f$ the map is a formula. For $f = \lVert \cdot \rVert_1$ it pulls each number
# towards zero, which we check against a search on a grid:

# %%
u, alpha = torch.linspace(-1.5, 1.5, 7), 0.4
grid = torch.linspace(-2, 2, 4001)[:, None]
searched = grid[(alpha * grid.abs() + (grid - u) ** 2 / 2).argmin(dim=0), 0]
formula = L1Prior().prox(u, gamma=alpha)
print("u:", u.numpy().round(2), " prox:", formula.numpy().round(2))
assert torch.allclose(searched, formula, atol=1e-3)

# %% [markdown]
# ## A proximal map is a denoiser
#
# Read {eq}`eq-prox` once more. Someone shows you $u = x + \text{noise}$, white and Gaussian with variance
# $\alpha$. If images have the density $e^{-f(x)}$, the most probable $x$ is $\operatorname{prox}_{\alpha f}(u)$. A
# proximal map *is* a denoiser, for the noise level $\sigma = \sqrt{\alpha}$.
#
# For total variation {cite}`rudin1992nonlinear`, $f$ is a weight times the sum of the lengths of all differences
# between neighbours, and deepinv finds the map by an inner iteration. Beside it stands the denoiser that the library
# ships for digits, a small DnCNN {cite}`zhang2017dncnn` that is told $\sigma$. Both get digits with noise of
# standard deviation 0.1; total variation gets the best of three weights.

# %%
task = ddgp_lib.load_task("single_pixel")
digits = task.test_images[:8]
noisy = digits + 0.1 * torch.randn(digits.shape, generator=torch.Generator().manual_seed(0))
varied = [TVPrior(n_it_max=200).prox(noisy, gamma=weight) for weight in (0.05, 0.1, 0.15)]
learned = {sigma: task.denoiser(noisy, sigma) for sigma in (0.03, 0.1, 0.3)}
best = max(task.psnr(x, digits).mean() for x in varied)
levels = {sigma: task.psnr(x, digits).mean() for sigma, x in learned.items()}
print(f"total variation: {best:.1f} dB")
print(*(f"denoiser, σ = {sigma}: {level:.1f} dB" for sigma, level in levels.items()), sep="\n")
assert levels[0.1] > max(best + 2, levels[0.03] + 1, levels[0.3] + 1)

# %% mystnb={"figure": {"name": "fig-pnp-sigma", "caption": "What the noise level does. A digit with noise of standard deviation 0.1; total variation; and the denoiser when it is told too little, the truth, and too much."}, "image": {"alt": "Six images of a handwritten digit: clean; covered by noise; smoothed by total variation; denoised with sigma 0.03, where noise remains; with sigma 0.1, clean; with sigma 0.3, with paler strokes and rounded corners."}} tags=["hide-input"]
pictures = {"clean": digits, "noisy": noisy, "total variation": varied[1]}
pictures |= {f"$D_\\sigma$, $\\sigma = {sigma}$": x for sigma, x in learned.items()}
figures.images({title: batch[2] for title, batch in pictures.items()}, columns=3)

# %% [markdown]
# Told too little it leaves noise; told too much it rounds strokes off. Told the truth it is ahead of total variation
# by more than 2 dB, since it knows digits.
#
# ## The three lines
#
# Now the step that gives the method its name {cite}`venkatakrishnan2013pnp`: if a proximal map is a denoiser, put a
# better denoiser in its place. (The first paper did so in ADMM; in FISTA, {cite}`kamilov2017plug`.) From $x_0 = z_0
# = A^\top y$,
#
# $$
# \begin{aligned}
# u_k &= z_k - \alpha \nabla g(z_k), \\
# x_{k+1} &= D_\sigma(u_k), \\
# z_{k+1} &= x_{k+1} + \beta_{k+1} (x_{k+1} - x_k).
# \end{aligned}
# $$ (eq-pnp-fista)
#
# The code below is these lines, for whatever denoiser it is given. The camera is the single-pixel camera of the last
# chapter.


# %%
A, y, alpha = task.student, task.measure(digits), task.stepsize


def fista(denoise, beta, iterations):
    x = z = A.A_adjoint(y)
    for k in range(iterations):
        u = z - alpha * A.A_adjoint(A.A(z) - y)
        x_next = denoise(u)
        x, z = x_next, x_next + beta(k + 1) * (x_next - x)
    return x


# %% [markdown]
# Two denoisers: total variation, which again gets the best of three weights, and the network.


# %%
def shrink_variation(weight):
    prior = TVPrior(n_it_max=50)
    return lambda u: prior.prox(u, gamma=alpha * weight)


varied = [fista(shrink_variation(weight), chambolle_dossal, 20) for weight in (0.02, 0.05, 0.1)]
plugged = fista(lambda u: task.denoiser(u, 0.1), chambolle_dossal, 20)
best, level = max(task.psnr(x, digits).mean() for x in varied), task.psnr(plugged, digits).mean()
print(f"total variation {best:.1f} dB, denoiser {level:.1f} dB")
assert level > best + 3

# %% [markdown]
# Without measuring anything more, the learned prior gains more than 3 dB on these eight digits. What was lost is the
# objective. There is no $f$ that we could evaluate, so there is no decrease to watch, and no theorem about a minimum.
#
# The library's solver is the same three lines. And with deepinv's momentum it is deepinv's FISTA
# {cite}`tachella2025deepinverse`, number for number:

# %%
ours = solver(task, 0.1, "deepinv", max_iter=20)(y, A)
theirs = FISTA(L2(), PnP(task.denoiser), stepsize=alpha, sigma_denoiser=0.1, max_iter=20)(y, A)
print(f"largest difference from deepinv's FISTA: {(ours - theirs).abs().max():.0e}")
torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
torch.testing.assert_close(solver(task, 0.1, "chambolle_dossal")(y, A), plugged, rtol=0, atol=1e-4)

# %% [markdown]
# ## How far to step
#
# The parabola asked for $\alpha \le 1/L$. What if we step further? Steps are multiples of $1/L$ here, the only unit
# in which a step means something: $1/L$ is 1 for this camera, and 16 for this book's super-resolution camera.

# %% mystnb={"figure": {"name": "fig-pnp-step", "caption": "Mean PSNR of eight digits for six step sizes. Without momentum the limit lies at 2/L; with it, 1.6/L is too much already."}, "image": {"alt": "PSNR against iteration up to 100, six curves. Without momentum, steps 0.25, 1 and 1.9 over L rise and level off, the larger the higher; step 2.1 rises and then falls. With momentum both rise faster; step 1.25 levels off, step 1.6 turns before iteration 20 and falls off the plot before iteration 30."}} tags=["hide-input"]
knobs = [("none", multiple) for multiple in (0.25, 1, 1.9, 2.1)]
knobs += [("chambolle_dossal", multiple) for multiple in (1.25, 1.6)]
steps = {knob: run(task, digits, solver(task, 0.1, *knob), 100)[1] for knob in knobs}
figures.curves(
    range(101),
    {
        f"{multiple:g}/L{'' if rule == 'none' else ', momentum'}": curve
        for (rule, multiple), curve in steps.items()
    },
    xlabel="iteration",
    ylabel="PSNR (dB)",
    ylim=(12, 23),
    legend="above",
)

# %% [markdown]
# Two steps fail, and the one with momentum is the smaller of the two. To see why, write an iteration without momentum
# as one map, and ask where it stands still:
#
# $$
# \begin{aligned}
# T(z) &= D_\sigma\bigl(z - \alpha \nabla g(z)\bigr), \\
# \hat x &= T(\hat x).
# \end{aligned}
# $$ (eq-fixed-point)
#
# Near such a **fixed point** $\hat x$, $T(z) - \hat x \approx J\,(z - \hat x)$, where $J$ is the product of two
# Jacobians, the denoiser's and the gradient step's:
#
# $$
# J = D_\sigma'\,(I - \alpha A^\top A).
# $$ (eq-jacobian)
#
# As in the last chapter, follow one eigenvector. If its eigenvalue is $\zeta$, its coordinate in the error obeys
# $e_{k+1} = \zeta\,\bigl((1 + \beta)\, e_k - \beta\, e_{k-1}\bigr)$, so in the long run it is multiplied in each
# iteration by the larger root of
#
# $$
# \omega^2 - (1 + \beta)\,\zeta\,\omega + \beta\,\zeta = 0 .
# $$ (eq-roots)
#
# For real $\zeta$ and $0 \le \beta \le 1$ both roots are inside the unit circle if and only if
#
# $$
# -\frac{1}{1 + 2\beta} < \zeta < 1,
# $$ (eq-window)
#
# which you show in {ref}`ex-pnp-window`. Without momentum the window is $(-1, 1)$. FISTA's $\beta_k$ tends to 1, and
# its window shrinks to $(-\tfrac13, 1)$. The library's `momentum_radius` gives $\lvert \omega \rvert$:

# %% mystnb={"figure": {"name": "fig-pnp-window", "caption": "Growth per iteration of an error whose eigenvalue is ζ; above the line it grows. Momentum moves the left end of the window from −1 to −1/3, and makes the growth beyond 1 steeper."}, "image": {"alt": "Modulus of the larger root against the eigenvalue from minus 1.1 to 1.1, for momentum 0, 0.5 and 0.98, and a horizontal line at 1. Without momentum, a V with its tip at zero. With momentum 0.98 the left branch crosses the line near minus one third; between zero and one all curves are below the line; beyond 1 the curve with momentum rises steeply."}} tags=["hide-input"]
zeta = torch.linspace(-1.1, 1.1, 441)
figures.curves(
    zeta,
    {f"β = {beta:g}": analysis.momentum_radius(1 - zeta, 1.0, beta) for beta in (0, 0.5, 0.98)},
    xlabel="eigenvalue ζ of one iteration without momentum",
    ylabel="growth per iteration, |ω|",
    horizontal={"neither grows nor shrinks": 1},
    ylim=(0, 1.8),
    legend="above",
)

# %% [markdown]
# Which eigenvalue leaves the window first? A mode with $s_i^2 = L$ has the eigenvalue $1 - \alpha L$ in the gradient
# step. Where the denoiser leaves such a mode alone, $J$ has it too; where it damps the mode, the eigenvalue is nearer
# to zero. We measure. A power iteration with $J - I$ tends to the eigenvalue of $J$ that is furthest from 1, which is
# the leftmost one here. It needs products $J v$ only, and `jvp` computes them.


# %%
def furthest_left(T, x, iterations):
    v = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    for _ in range(iterations):
        v = v / norms(v)[:, None, None, None]
        pushed = torch.func.jvp(T, (x,), (v,))[1].detach()  # J v
        eigenvalues, v = (v * pushed).flatten(1).sum(dim=1), pushed - v
    return eigenvalues, v


# %% [markdown]
# It starts where the plain run is after 20 iterations. We look at the least of eight digits:

# %%
leftmost = {}
for multiple in (1.25, 1.6, 1.9, 2.1):
    plain = solver(task, 0.1, "none", multiple)
    x = run(task, digits, plain, 20)[0][-1][0]
    found, _ = furthest_left(stability.iteration_map(plain, y, A), x, 60)
    leftmost[multiple] = float(found.min())
    print(
        f"step {multiple:4.2f}/L: leftmost eigenvalue {leftmost[multiple]:5.2f}, 1 - αL = {1 - multiple:5.2f}"
    )

# %% [markdown]
# So there is a mode that the denoiser leaves nearly alone. For such a mode the windows say $\alpha < 2/L$ without momentum, as in the
# last chapter, and
#
# $$
# \alpha < \frac{4}{3L} \quad \text{as } \beta_k \to 1.
# $$ (eq-step-limit)
#
# With 1.6/L the eigenvalue is inside the window of the plain iteration and outside that of momentum.

# %%
assert all(abs(value - (1 - multiple)) < 0.1 for multiple, value in leftmost.items())
assert leftmost[2.1] < -1 < leftmost[1.9] < leftmost[1.6] < -1 / 3 < leftmost[1.25]
for rule, safe, wild in (("none", 1.9, 2.1), ("chambolle_dossal", 1.25, 1.6)):
    assert steps[rule, safe].max() - steps[rule, safe][-1] < 0.1
    assert steps[rule, wild].max() - steps[rule, wild][-1] > 1
assert steps["none", 0.25][-1] < steps["none", 1][-1] < steps["none", 1.9][-1]

# %% [markdown]
# (Below the limits the curves end at different heights. For a fixed $f$ the step would change the speed alone. At a
# fixed $\sigma$ it also changes the answer: $D_\sigma$ stands for $\operatorname{prox}_{\alpha f}$, so with a longer
# step it is a weaker $f$.) In this book the step is $1/L$.
#
# ## What momentum buys, and what it risks
#
# Three rules, at the same price of one $A$, one $A^\top$ and one denoiser an iteration: none, $\beta_k = 0$;
# Chambolle and Dossal's {cite}`chambolle2015iterates`, $\beta_k = (k-1)/(k+3)$; and deepinv's, $\beta_k =
# (k+1)/(k+2)$, which is closer to 1. The brain slice again, now with $\sigma = 0.03$. The second panel shows the
# **fixed-point residual** $\lVert T(z_k) - z_k \rVert / \lVert z_k \rVert$, which is zero at rest.

# %%
ends, psnr, residual = {}, {}, {}
for rule in MOMENTUM:
    path, psnr[rule], residual[rule] = run(mri, brain, solver(mri, 0.03, rule), 100)
    ends[rule] = [x for x, _ in path[-3:]]
print(f"{'':18s}{'dB at k = 5':>12s}{'20':>7s}{'100':>7s}{'last residual':>15s}")
for rule in ends:
    values = "".join(f"{psnr[rule][k]:7.2f}" for k in (5, 20, 100))
    print(f"{rule:18s}     {values}{residual[rule][-1]:15.4f}")
assert psnr["none"][5] < psnr["chambolle_dossal"][5] < psnr["deepinv"][5]
assert psnr["deepinv"][12] > psnr["chambolle_dossal"][12] > psnr["none"][20]
assert residual["none"][-1] < 1e-3
for rule, beta in {"chambolle_dossal": 6 / 10, "deepinv": 8 / 9}.items():
    assert residual[rule][-1] > 0.05
    assert psnr[rule].max() - psnr[rule][psnr[rule].argmax() :].min() > 1
    assert abs(MOMENTUM[rule](7) - beta) < 1e-9

# %% mystnb={"figure": {"name": "fig-pnp-momentum", "caption": "Three momentum rules on one brain slice at σ = 0.03, at equal cost. Above: PSNR. Below: the fixed-point residual, which falls without momentum, and with it comes to stay at several per cent."}, "image": {"alt": "Two panels against iterations on a logarithmic axis. PSNR: without momentum a steady rise; both momentum rules rise faster, deepinv's fastest, and pass a maximum between 15 and 30 iterations; Chambolle and Dossal's then falls by more than a decibel, deepinv's by two before it rises again. Residual: all fall at first; without momentum it goes on falling below 0.001; with momentum it turns and levels off near 0.08."}} tags=["hide-input"]
figure, panels = figures.axes(2, height=2.6)
labels = {"chambolle_dossal": "Chambolle–Dossal", "deepinv": "deepinv", "none": "none"}
looks = (
    {"ylabel": "PSNR (dB)", "legend": "lower right"},
    {"ylabel": "residual", "legend": None, "yscale": "log"},
)
for ax, values, look in zip(panels, (psnr, residual), looks, strict=True):
    curves = {label: values[rule][-100:] for rule, label in labels.items()}
    figures.curves(range(1, 101), curves, xlabel="iteration", xscale="log", ax=ax, **look)
figure

# %% [markdown]
# On this slice momentum at first saves eight iterations of twenty, and deepinv's more. But then neither rule comes to
# rest. The PSNR loses more than a decibel and does not say why. The residual does: it turns, rises to several per cent, and stays
# there. What motion is this? Two displacements in a row tell, and so does the leftmost eigenvalue where the plain run
# has ended.

# %%
last = ends["chambolle_dossal"]
turn = torch.cosine_similarity((last[2] - last[1]).flatten(), (last[1] - last[0]).flatten(), dim=0)
T = stability.iteration_map(solver(mri, 0.03, "none"), y_brain, mri.student)
(flipping,), mode = furthest_left(T, ends["none"][-1], 40)
print(f"cosine of two displacements in a row {turn:.3f}, leftmost eigenvalue {flipping:.2f}")
assert turn < -0.99
assert -1 < flipping < -0.4

# %% [markdown]
# Each displacement undoes the one before: the run jumps to and fro between two images. And there is an eigenvalue
# inside the window $(-1, 1)$ of the plain iteration and outside the momentum's $(-\tfrac13, 1)$. What flips is a
# pattern of single pixels; the power iteration has found one mode of that kind.

# %% mystnb={"figure": {"name": "fig-pnp-flip", "caption": "Left: what changes sign in each iteration, the difference of the last two iterates. Right: the leftmost mode, found by the power iteration. Real parts, each on its own scale."}, "image": {"alt": "Two signed images. Left: an alternating pattern of single pixels around the brain and in two places within it. Right: blank but for small patches of such a pattern in the same two places."}} tags=["hide-input"]
flip = last[2] - last[1]
patterns = {"last change,\niteration 100": flip, f"leftmost mode,\nζ ≈ {flipping:.2f}": mode}
patterns = {name: part[0, 0] / part[0, 0].abs().max() for name, part in patterns.items()}
figures.images(patterns, signed=True)

# %% [markdown]
# Should a denoiser have such an eigenvalue? If $D_\sigma$ were the proximal map of a convex $f$, then $D_\sigma'$
# would be symmetric with eigenvalues in $[0, 1]$, and by Moreau's theorem {cite}`moreau1965proximite` no other
# denoiser is such a map. If $D_\sigma$ were the best denoiser in the mean square, $D_\sigma'(u)$ would be the
# covariance of all images that may be behind $u$, over $\sigma^2$ (differentiate the posterior mean): symmetric
# without negative eigenvalues, though not bounded by 1 {cite}`xu2020provable`. In both cases, if $\alpha \le 1/L$,
# $J$ is a product of two symmetric matrices without negative eigenvalues. Then its own are real and not negative:
# nothing can flip. The flip is the network's error.
#
# ## Will it come to rest?
#
# If $\lVert T(a) - T(b) \rVert \le \ell\, \lVert a - b \rVert$ for all images with one $\ell < 1$, there is one
# fixed point, and the plain iteration finds it (Banach). With $\ell = 1$ it still finds one, if there is one and $T$
# is *averaged*, a mixture of the identity and a map that makes no distance longer, as it is for the proximal map of a
# convex function and $\alpha < 2/L$. Such bounds can be trained into
# a denoiser, or into its residual {cite}`pesquet2021learning,ryu2019plug`. The library's denoisers have a soft
# penalty on Jacobians with a norm above 1.25, which is enough for neither. So let us look. A digit is small enough
# for the whole matrix:

# %%
still = solver(task, 0.1, "none")
x = run(task, digits[:1], still, 200)[0][-1][0]
u = x - alpha * A.A_adjoint(A.A(x) - y[:1])


def flat_denoiser(v):
    return task.denoiser(v.view(1, *task.img_size), 0.1).flatten()


slope = torch.func.jacrev(flat_denoiser, chunk_size=32)(u.flatten()).double()
matrix = analysis.dense_matrix(A, task.img_size)
J = slope @ (torch.eye(1024) - alpha * matrix.T @ matrix)

# %% [markdown]
# Is $D_\sigma'$ symmetric? And where are its eigenvalues, and those of $J$?


# %%
asymmetry = float((slope - slope.T).norm() / (slope + slope.T).norm())
symmetric = torch.linalg.eigvalsh((slope + slope.T) / 2)
norm, radius = float(torch.linalg.matrix_norm(J, 2)), float(torch.linalg.eigvals(J).abs().max())
estimate = float(ddgp_lib.spectral_radius(still, y[:1], A, x, iterations=80))
print(f"D': antisymmetric over symmetric part {asymmetry:.2f}; its symmetric part has")
print(f"    eigenvalues from {symmetric[0]:.2f} to {symmetric[-1]:.2f}")
print(f"J:  norm {norm:.3f}, spectral radius {radius:.3f} (from products J v alone {estimate:.3f})")
assert asymmetry > 0.1
assert symmetric[0] < -0.05 < 1.05 < symmetric[-1]
assert radius < 1 < norm
assert 0 < radius - estimate < 0.05
assert {preset.denoiser.bound for preset in ddgp_lib.presets.PRESETS.values() if preset.denoiser} == {1.25}

# %% [markdown]
# This denoiser is the proximal map of no convex function and the posterior mean of no prior: it is not symmetric,
# it turns some directions round and expands others. No theorem above applies. And yet all eigenvalues of $J$ are inside
# the unit circle: *near this point* the plain iteration comes to rest. The spectral radius $\rho(J)$ rules many
# steps near one point, the norm $\lVert J \rVert$ a single one; here the norm is above 1 and the radius below.
#
# Larger images allow no matrix, but products $J v$. From these `spectral_radius` estimates the radius, from below if its
# power iterations are few. So we can ask whether it predicts which runs come to rest: eight digits, six levels $\sigma$,
# FISTA for 200 iterations, and at the end of each run the fixed-point residual and the radius.

# %%
radii, at_end, reached = {}, {}, {}
for sigma in (0.02, 0.03, 0.05, 0.07, 0.1, 0.15):
    path = run(task, digits, solver(task, sigma, "chambolle_dossal"), 200)[0]
    x, z_before = path[-1][0], path[-2][1]
    radii[sigma] = ddgp_lib.spectral_radius(solver(task, sigma, "none"), y, A, x, iterations=80)
    at_end[sigma] = norms(x - z_before) / norms(z_before)
    reached[sigma] = {k: path[k][0] for k in (20, 200)}

# %% mystnb={"figure": {"name": "fig-pnp-radius", "caption": "Eight digits, a curve for each, at the end of 200 iterations of FISTA with Chambolle and Dossal's momentum. Above: the spectral radius of the Jacobian of one iteration, estimated. Below: the fixed-point residual. Where the radius is about 1 or more, most runs do not come to rest."}, "image": {"alt": "Two panels of eight curves against the denoiser's noise level, 0.02 to 0.15. Above, the spectral radius: at 0.02 and 0.03 all curves but one lie slightly above 1; at 0.05 all but one bunch at 1; from 0.07 on all lie below. Below, the residual on a logarithmic axis: about 0.01 at 0.02 and 0.03, except for one digit at 0.03, spread between 0.01 and a millionth at 0.05, below a thousandth at 0.07 and near a millionth from 0.1 on."}} tags=["hide-input"]
figure, panels = figures.axes(2, height=2.6)
quantities = (radii, "spectral radius ρ(J)", "linear", {"grows above": 1}), (at_end, "residual", "log", None)
for ax, (values, label, scale, line) in zip(panels, quantities, strict=True):
    figures.curves(
        list(values),
        {f"digit {i}": [float(found[i]) for found in values.values()] for i in range(8)},
        xlabel="noise level $\\sigma$ of the denoiser",
        ylabel=label,
        yscale=scale,
        horizontal=line,
        legend=None,
        ax=ax,
    )
figure

# %%
for sigma, found in radii.items():
    early, late = (float(task.psnr(x, digits).mean()) for x in reached[sigma].values())
    print(
        f"σ = {sigma:.2f}: ρ(J) {found.min():.2f} to {found.max():.2f}; {early:.1f} dB, later {late:.1f} dB"
    )
    if sigma != 0.05:
        growing, restless = int((found > 1).sum()), int((at_end[sigma] > 1e-3).sum())
        assert min(growing, restless) >= 6 if sigma < 0.05 else growing == restless == 0
        assert (early - late > 2) == (sigma < 0.05)
assert radii[0.05].min() < 1 < radii[0.05].max()

# %% [markdown]
# By and large it does. At small $\sigma$ nearly all digits have a radius above 1, most runs are restless, and the mean PSNR
# falls. From 0.07 on all estimates are below 1 and all runs come to rest. At 0.05 some are on either side. A denoiser that is told a
# small $\sigma$ changes an image little, and in the null space, where no data pull back, it may expand it a little each
# time. That has happened to the brain slice of {numref}`fig-pnp-question`, and momentum decided how fast. By {eq}`eq-roots`, for $\zeta$ slightly above 1 and
# $\beta$ near 1, $\omega \approx 1 + \sqrt{\zeta - 1}$. What turns slow convergence into fast turns slow divergence
# into fast as well. From the growth of the last displacements we can compute the eigenvalue that it takes:

# %%
sizes = [float(norms(astray[k] - astray[k - 1])) for k in (199, 200)]
omega, beta = sizes[1] / sizes[0], chambolle_dossal(199)
zeta = omega**2 / ((1 + beta) * omega - beta)  # the quadratic equation, solved for ζ
print(f"growth {omega:.4f} per iteration with momentum: an eigenvalue of {zeta:.4f} is enough")
print(
    f"in 200 iterations: about {round(omega**200, -2):.0f}-fold with momentum, {zeta**200:.1f}-fold without"
)
assert 1 < zeta < 1.005 < 1.02 < omega

# %% [markdown]
# So the two failures of the brain slice are two ends of one window. At $\sigma = 0.03$ an eigenvalue is too negative for
# momentum, at $\sigma = 0.01$ one is above 1.
#
# ## Stop it by fading the prior
#
# One cure is to leave momentum out, another to choose a larger $\sigma$. A third is to listen to the denoiser less and
# less. From iteration $k_0$ on, its step $D_\sigma(u_k) - u_k$ is multiplied by $\gamma_k = k_0^2/(k+1)^2$, equation
# {eq}`eq-prior-decay` of [a later chapter](single-pixel). These weights have a finite sum, so if the steps are
# bounded, the denoiser moves the image by a bounded total. The argument is `prior_decay`.

# %% mystnb={"figure": {"name": "fig-pnp-fading", "caption": "The brain slice for 200 iterations, at σ = 0.01 where nothing else is said. With momentum the run is lost; without, it has hardly begun to decay; with momentum and a fading prior it stays."}, "image": {"alt": "PSNR against iteration on a logarithmic axis, four curves. Momentum at sigma 0.01 rises to 29.4 dB near iteration 40 and then falls off the plot. No momentum rises slowly to 29.4 dB. Momentum with fading levels off near 29.3 dB. Sigma 0.03 with momentum and fading rises fastest and levels off near 29.7 dB."}} tags=["hide-input"]
cures = {
    "no momentum": solver(mri, 0.01, "none"),
    "fading": solver(mri, 0.01, "chambolle_dossal", prior_decay=10),
    "fading, σ = 0.03": solver(mri, 0.03, "chambolle_dossal", prior_decay=10),
}
cured = {name: run(mri, brain, method, 200)[1:] for name, method in cures.items()}
late = {"momentum": psnr_astray} | {name: curve for name, (curve, _) in cured.items()}
figures.curves(
    range(1, 201),
    {name: curve[1:] for name, curve in late.items()},
    xlabel="iteration",
    ylabel="PSNR (dB)",
    xscale="log",
    ylim=(24, 30.5),
    legend="above",
)

# %%
for name, curve in late.items():
    when = int(curve.argmax())
    print(f"{name:17s} best {curve.max():.1f} dB at k = {when:3d}, at last {curve[-1]:.1f} dB")
    assert (curve.max() - curve[-1] < 0.2) == (name in cures)
assert all(cured[name][1][-1] < 1e-5 for name in cures if "fading" in name)

# %% [markdown]
# Fading stops a run; it finds no fixed point of $T$. Its residual goes to zero because the steps are made small, and
# where it stops depends on $k_0$. A small residual is a sign of rest only where nothing fades.
#
# ## Tune before you compare
#
# So $\sigma$, momentum and fading are tuned together, for every method and task on its own, on validation images. The
# score of a setting is its mean PSNR after 20 or after 200 iterations, whichever is lower: good early, and still there
# late. `load_tuning` returns all that was tried.

# %% mystnb={"figure": {"name": "fig-pnp-tuning", "caption": "The sweep for MRI without fading, mean PSNR over six validation slices. After 20 iterations momentum is ahead at most levels; after 200 it is behind, and at small levels lost."}, "image": {"alt": "PSNR against noise level, four curves. Momentum after 20 iterations peaks at 27.8 dB for sigma 0.03. No momentum after 20 iterations peaks there one decibel lower. No momentum after 200 iterations is the highest at small levels, 28.2 dB at 0.02. Momentum after 200 iterations is off the plot at 0.01 and 0.02 and 27 dB at 0.03."}} tags=["hide-input"]
tasks = {"single_pixel": task, "mri": mri}
tasks["super_resolution"] = ddgp_lib.load_task("super_resolution")
tuning = {name: ddgp_lib.load_tuning(name)["none"] for name in tasks}
constant = [
    row for row in tuning["mri"]["sweep"] if row["prior_decay"] is None and row["update_decay"] is None
]
curves = {
    f"{label}, k = {k}": [row[key] for row in constant if row["momentum"] == rule]
    for label, rule in (("momentum", "chambolle_dossal"), ("none", "none"))
    for k, key in ((20, "psnr_20"), (200, "psnr_last"))
}
figures.curves(
    [row["sigma"] for row in constant if row["momentum"] == "none"],
    curves,
    xlabel="noise level $\\sigma$ of the denoiser",
    ylabel="PSNR (dB)",
    ylim=(18, 29),
    legend="above",
)

# %%
assert curves["momentum, k = 200"][0] < 0 < 26 < curves["momentum, k = 20"][0]
fading, compared = ("chambolle_dossal", 10, None), {}
print(f"{'best score, dB':18s}{'none':>9s}{'momentum':>10s}{'fading':>9s}")
for name, table in tuning.items():
    scores = {}
    for row in table["sweep"]:
        kind = row["momentum"], row["prior_decay"], row["update_decay"]
        scores[kind] = max(scores.get(kind, -1.0), tuning_score(row))
    found = [scores["none", None, None], scores["chambolle_dossal", None, None], scores.get(fading, -1.0)]
    none, momentum, faded = (f"{score:.2f}" if score > 0 else "–" for score in found)
    print(f"{name:18s}{none:>9s}{momentum:>10s}{faded:>9s}")
    assert found[0] < found[1] <= max(found) == max(scores.values())
    compared[name] = found
assert [found[2] > found[1] for found in compared.values()] == [False, True, True]

# %% [markdown]
# (*Fading* is of the prior, with momentum. Fading of the whole update, {eq}`eq-update-decay`, was tried too. A dash means
# that no such setting was good enough at iteration 20 to be run on.)
# Momentum is chosen for all three tasks, fading for two. That is the baseline of this book, tuned as well as what it is
# compared with.
#
# And $\sigma$? If $f$ came from the density of images, it would be $\sqrt\alpha$ times the standard deviation of $w$,
# since $g$ lacks the factor of one over its square.

# %%
for name, table in tuning.items():
    sigma, noise = table["setting"]["sigma"], float(tasks[name].student.noise_model.sigma.max())
    expected = tasks[name].stepsize ** 0.5 * noise
    print(f"{name:18s} tuned σ {sigma:.2f}, from the noise {expected:.3f}")
    assert 2.9 * expected < sigma < 11 * expected

# %% [markdown]
# The tuned levels are three to ten times higher. What the denoiser has to remove is not $w$ but what the missing
# data leave behind. Move $\sigma$: where is the digit best after 20 iterations, and where do 180 more make it worse?


# %% tags=["hide-input"]
def draw_level(sigma):
    found = {f"k = {k}": x[0] for k, x in reached[sigma].items()}
    return figures.reconstructions(digits[0], found, columns=3, error_limit=1)


def describe_level(sigma):
    early, late = (float(task.psnr(x[:1], digits[:1])) for x in reached[sigma].values())
    return (
        f"A digit from 102 measurements with sigma {sigma:g}: {early:.1f} dB after 20 iterations, "
        f"{late:.1f} dB after 200, and the errors."
    )


control = {"draw": draw_level, "values": list(reached), "start": 0}
control["label"] = "Noise level σ of the denoiser"
caption = "Plug-and-play FISTA with momentum; errors on one scale."
widgets.frames(**control, alt=describe_level, caption=caption)

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**control)

# %% [markdown]
# ## What no knob can change
#
# The knobs say how far to go along the gradient, and how much to believe the denoiser. None of them asks whether the
# gradient is the right *direction*. How well does it point from $z_k$ to the true image?

# %%
tuned = ddgp_lib.load_solver("single_pixel", "none", task=task)
z = run(task, digits, tuned, 5)[0][-1][1]
gradient, missing = A.A_adjoint(A.A(z) - y), digits - z
cosine = -(gradient * missing).flatten(1).sum(dim=1) / (norms(gradient) * norms(missing))
bound = norms(range_projection(A, missing)) / norms(missing)
print(f"after 5 iterations: cosine {cosine.mean():.3f}, at most {bound.mean():.3f} in the range")
assert (cosine <= bound + 1e-4).all()
assert (bound - cosine).mean() < 0.02
assert bound.mean() < 0.2

# %% [markdown]
# Every gradient $A^\top(\cdot)$ lies in the range of $A^\top$. By the inequality of Cauchy and Schwarz no direction of
# that range has a larger cosine with the error $e = z_k - x^*$ than $\lVert A^+A\,e \rVert / \lVert e \rVert$. The
# gradient all but attains that bound, and it is small: almost all of the error is left to a denoiser that does not know
# the camera.
#
# What would a better direction be worth? Let an oracle supply, at each $z_k$, the gradient of a camera with 410
# patterns. Denoiser, $\sigma$, step and momentum stay as they are.


# %%
class Oracle(ddgp_lib.Preconditioner):
    y_teacher = measure(task.teacher, digits, seed=1)

    def forward(self, grad, state):
        return task.teacher.A_adjoint(task.teacher.A(state.z) - self.y_teacher)


setting = tuning["single_pixel"]["setting"] | {"stepsize": alpha}
assert int(task.teacher.mask.sum()) == 410
informed = ddgp_lib.PreconditionedFISTA(task.denoiser, Oracle(), **setting)
plain, better = (run(task, digits, method, 20)[1] for method in (tuned, informed))
for k in (5, 20):
    print(f"k = {k:2d}: gradient {plain[k]:.1f} dB, oracle's direction {better[k]:.1f} dB")
assert better[5] > plain.max() + 5
assert better[5] > max(row["psnr_20"] for row in tuning["single_pixel"]["sweep"]) + 4

# %% [markdown]
# No setting of the sweep came near, on its 50 validation digits. The oracle is a cheat: it measures the true digit. But
# it shows how much a direction is worth. And where modes are slow, not silent, no oracle is needed. For
# super-resolution a function of $A^\top A$, the damped Newton step, gives a better direction:

# %%
faces = tasks["super_resolution"]
assert abs(faces.stepsize - 16) < 1e-3
setting = tuning["super_resolution"]["setting"] | {"stepsize": faces.stepsize}
directions = (None, Newton(0.001))
methods = [ddgp_lib.PreconditionedFISTA(faces.denoiser, P, **setting) for P in directions]
slow, fast = (run(faces, faces.test_images[:4], method, 20)[1] for method in methods)
for k in (1, 5, 20):
    print(f"k = {k:2d}: gradient {slow[k]:.1f} dB, Newton's direction {fast[k]:.1f} dB")
assert fast[5] > slow[20] + 0.5

# %% [markdown]
# On these four faces, five iterations with the better direction are ahead of twenty with the gradient, at the settings
# that were tuned for the gradient. What changes the direction is a preconditioner. The coming chapters build some, first from $A$ alone
# and then from images.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 03_pnp_fista
# ```
#
# ## Exercises
#
# ```{exercise} A prior with a formula
# :label: ex-pnp-quadratic
#
# Let $f(x) = \tfrac{\lambda}{2} \lVert x \rVert^2$. (a) Find $\operatorname{prox}_{\alpha f}$. (b) Show that the fixed
# point of {eq}`eq-fixed-point` with this map is $(A^\top A + \lambda I)^{-1} A^\top y$, whatever $\alpha$ is. (c) By
# which factor does it multiply $A^\top y$ for a camera with $A A^\top = I$ and $\lambda = 0.25$?
# ```

# %%
answer = None  # (c): put the factor here
answers.check("ex-pnp-quadratic", answer)

# %% [markdown]
# ```{solution-start} ex-pnp-quadratic
# :label: sol-pnp-quadratic
# :class: dropdown
# ```
# (a) Set the derivative $\alpha\lambda x + x - u$ to zero: $x = u/(1 + \alpha\lambda)$. (b)
# $(1 + \alpha\lambda)\,\hat x = \hat x - \alpha A^\top(A \hat x - y)$; cancel $\hat x$ and divide by $\alpha$. (c)
# $A^\top y$ is an eigenvector of $A^\top A$ with eigenvalue 1, so the factor is $1/(1 + \lambda)$. With a denoiser at a fixed $\sigma$, (b) does not hold: there
# is no $\alpha$ in $D_\sigma$ that could cancel.

# %%
limit = fista(lambda u: u / (1 + alpha * 0.25), chambolle_dossal, 100)
print(f"largest difference: {(limit - A.A_adjoint(y) / 1.25).abs().max():.0e}")
torch.testing.assert_close(limit, A.A_adjoint(y) / 1.25, rtol=0, atol=1e-4)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} The window of momentum
# :label: ex-pnp-window
#
# The roots of $\omega^2 - t\,\omega + d$ with real $t$ and $d$ are inside the unit circle if and only if $\lvert d
# \rvert < 1$ and $\lvert t \rvert < 1 + d$. (a) Derive {eq}`eq-window` from {eq}`eq-roots`. (b) What is the largest
# step without a prior, as a multiple of $1/L$, for a constant $\beta = 0.5$?
# ```

# %%
answer = None  # (b): put the multiple here
answers.check("ex-pnp-window", answer)

# %% [markdown]
# ```{solution} ex-pnp-window
# :class: dropdown
#
# (a) Here $t = (1 + \beta)\zeta$ and $d = \beta\zeta$. $t < 1 + d$ says $\zeta < 1$. $-t < 1 + d$ says $-(1 +
# 2\beta)\,\zeta < 1$. Together they imply $\lvert d \rvert < 1$, since $\beta \le 1$. (b) $1 - \alpha L > -1/(1 + 2
# \cdot 0.5) = -\tfrac12$, so $\alpha < 1.5/L$.
# ```
#
# ```{exercise} A denoiser at half strength
# :label: ex-pnp-half
#
# Replace $D_\sigma(u)$ by $\tfrac12\bigl(u + D_\sigma(u)\bigr)$. Let $A A^\top = I$ and $\alpha = 1$. (a) What becomes
# of an eigenvalue $\zeta \ne 0$ of $J$? (b) Which of the two failures does it cure? Test it with momentum on the brain
# slice, with $\sigma = 0.03$.
# ```


# %% tags=["hide-cell"]
class Half(Denoiser):
    def forward(self, u, sigma, **kwargs):
        return (u + mri.denoiser(u, sigma)) / 2


halved = ddgp_lib.PreconditionedFISTA(Half(), stepsize=mri.stepsize, sigma=0.03)
_, levels, residuals = run(mri, brain, halved, 100)
print(f"half strength: residual {residuals[-1]:.0e}, {levels[-1]:.1f} dB after 100 iterations")
full = residual["chambolle_dossal"][-1], psnr["chambolle_dossal"][-1]
print(f"full strength: residual {full[0]:.0e}, {full[1]:.1f} dB")
assert residuals[-1] < 1e-3 < residual["chambolle_dossal"][-1]

# %% [markdown]
# ```{solution} ex-pnp-half
# :class: dropdown
#
# (a) $M = I - A^\top A$ is a projector, so $\zeta$ is also an eigenvalue of $M D_\sigma' M$, with an eigenvector in
# the null space of $A$. There the new Jacobian is $\tfrac12 (I + M D_\sigma' M)$, so $\zeta$ becomes $(1 +
# \zeta)/2$. (b) Every $\zeta$ between $-1$ and 1 ends between 0 and 1, inside momentum's window: the flip is
# cured, and the cell above shows it at rest. An eigenvalue above 1 stays above 1. (The fixed point is another one, too.)
# ```
#
# ## Recap
#
# - A proximal map is a denoiser; plug-and-play puts a learned one in its place. It gains decibels and loses the
#   objective.
# - Near a fixed point of $T = D_\sigma \circ (I - \alpha \nabla g)$ the eigenvalues $\zeta$ of its Jacobian decide.
#   The plain iteration needs $\lvert \zeta \rvert < 1$, momentum with $\beta_k \to 1$ needs, for real ones,
#   $-\tfrac13 < \zeta < 1$.
# - A step beyond $2/L$, with momentum $4/(3L)$, fails by the left end of the window, and so can a denoiser that
#   turns directions round. One that expands can fail by the right end, with momentum fast.
# - The fixed-point residual shows a flip that the PSNR hides. Under a fading prior it shows nothing.
# - $\sigma$, momentum and fading are tuned on validation images, at an early and a late iteration.
# - No knob changes the direction of the gradient, which says nothing about most of the error.
#
# | what one sees | its cause | what helps |
# |---|---|---|
# | iterates jump to and fro | $\zeta < -1/(1 + 2\beta)$ | less momentum, a step of $1/L$, a denoiser at half strength |
# | slow or fast decay, data fitted | $\zeta > 1$ | a larger $\sigma$, less momentum, fading |
# | rest, at a poor image | a poor direction | a preconditioner |
#
# ## Further reading
#
# Parikh and Boyd {cite}`parikh2014proximal` is the place to look up proximal maps. Plug-and-play begins with
# {cite}`venkatakrishnan2013pnp`; {cite}`ahmad2020plug` reviews it for MRI. What a denoiser is a gradient or a proximal
# map of, and what not, is discussed in {cite}`reehorst2019regularization`. Convergence with trained bounds is proved in
# {cite}`ryu2019plug,pesquet2021learning`, and with the exact posterior mean in {cite}`xu2020provable`.
