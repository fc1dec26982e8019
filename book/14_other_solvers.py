# %% [markdown]
# (other-solvers)=
# # Other solvers and moving operators: what does a distilled preconditioner assume?
#
# A denoiser that was trained alone can be used in any solver that has a place for it. A distilled preconditioner was
# not trained alone. It was trained at the points that one solver visits, and with the gradients of one camera. Can it
# be used elsewhere? This chapter takes the $P$ of the [single-pixel camera](single-pixel), changes nothing in it, and
# tries it in other solvers, behind other cameras, and behind a camera that changes in every iteration.
#
# ```{note}
# **Time:** 17 minutes of reading, about one of computing. **Before this:** [plug-and-play](pnp-fista), and the
# [single-pixel chapter](single-pixel) for the $P$ in question. **After it** you can
#
# 1. write plug-and-play PGD, HQS and ADMM with a preconditioner in a few lines each;
# 2. derive the image at which each of them rests, and read from it by what factor it multiplies $P$'s correction;
# 3. tune a baseline so that a gain is a gain over the solver, and not over a poor version of it;
# 4. forecast for which cameras a learned $P$ will fail;
# 5. put any linear operator of deepinv under a preconditioner, and check two things before you do.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import copy
import itertools
import warnings

import deepinv
import torch

import ddgp_lib
from ddgp_lib import State, answers, figures, operators, widgets
from ddgp_lib.fingerprint import OperatorMismatch
from ddgp_lib.operators import gradient, measure, norms, null_projection
from ddgp_lib.preconditioners import Identity, Newton, Polynomial
from ddgp_lib.tables import Column, table

# %% tags=["hide-input"]
task = ddgp_lib.load_task("single_pixel")
P = ddgp_lib.load_preconditioner("single_pixel")
A, B, D, images = task.student, task.teacher, task.denoiser, task.test_images[:24]
y = task.measure(images)
names = ("FISTA", "PGD", "HQS", "ADMM")
classes = {name: getattr(ddgp_lib, f"Preconditioned{name}") for name in names}


def build(name, P=None, stepsize=1.0, **setting):
    return classes[name](D, P, stepsize=stepsize, **setting)


# %% tags=["hide-input"]
def exact_admm(y, sigma, tau, correct=None, steps=20):
    adjoint = A.A_adjoint(y)
    x, q = adjoint, torch.zeros_like(adjoint)
    for k in range(steps):
        grad = gradient(A, x - q, adjoint)
        if correct is not None:
            at_x = gradient(A, x, adjoint)
            grad = grad + correct(at_x, State(x, k, A, y)) - at_x
        u = x - q - tau / (1 + tau) * grad
        x = D(u + q, sigma)
        q = q + u - x
        yield x


kinds = {"no P": None, "P": P}
taus = (2.0, 20.0, 100.0)
levels = [{"sigma": sigma} for sigma in (0.07, 0.1, 0.15, 0.2)]
pairs = [level | {"tau": tau} for level in levels for tau in taus]


def run(name, label, y, setting):
    if name == "exact ADMM":
        return list(exact_admm(y, **setting))[-1]
    return build(name, kinds[label], **setting)(y, A)


# %% tags=["hide-input"]
val, best, at_edge = task.val_images[:8], {}, set()
y_val = task.measure(val)
both = (*itertools.product(classes, ("no P", "P")), ("exact ADMM", "no P"))
for name, label in both:
    grid = levels if name in ("FISTA", "PGD") else pairs
    tried = [task.psnr(run(name, label, y_val, s), val) for s in grid]
    score = [float(psnr.mean()) for psnr in tried]
    best[name, label] = grid[score.index(max(score))]
final = {key: task.psnr(run(*key, y, setting), images) for key, setting in best.items()}
for name, kind in {"FISTA, falling σ": "annealed", "exact ADMM, falling σ": "admm"}.items():
    rival = ddgp_lib.load_solver("single_pixel", kind)
    final[name, "no P"] = task.psnr(rival(y, A), images)
means = {key: float(psnr.mean()) for key, psnr in final.items()}
without = [key for key in means if key[1] == "no P"]
champion = max(without, key=means.get)


# %% tags=["hide-input"]
def paired(gain):
    return float(gain.mean()), float(gain.std() / len(gain) ** 0.5)


gains = {name: final[name, "P"] - final[name, "no P"] for name in classes}
honest = final["ADMM", "P"] - final[champion]
eight, y_eight, astray = images[:8], y[:8], {}
for tau in (2.0, 50.0):
    *_, (x, _) = build("ADMM", P, sigma=0.1, tau=tau).iterates(y_eight, A, 60)
    astray[tau] = float(task.psnr(x, eight).mean())

# %% [markdown]
# **Key results**, means over held-out digits; everything is tuned on validation digits:

# %% tags=["hide-input"]
listed = ", ".join(f"{name} {gain.mean():+.1f}" for name, gain in gains.items())
print(
    f"1. One P in four solvers, dB gained over the same solver without it:\n   {listed}.\n"
    f"2. Over the best solver without P, {champion[0]}, it gains {honest.mean():+.1f} dB.\n"
    f"3. P was trained for one step length. ADMM multiplies its correction by τ:\n"
    f"   {astray[2.0]:.1f} dB after 60 iterations with τ = 2, {astray[50.0]:.1f} dB with τ = 50."
)

# %% mystnb={"figure": {"name": "fig-os-question", "caption": "A held-out digit after 20 iterations of four solvers, without and with the distilled P. All use the same noise level of the denoiser; HQS and ADMM have a weight of the data, explained below, of τ = 2. Nothing is tuned in this picture."}, "image": {"alt": "Two rows of four reconstructions of a handwritten four with their PSNR. Upper row, without P: blurred strokes in all four columns. Lower row, with P: sharp strokes in all four, and a PSNR some decibels higher."}} tags=["hide-input"]
shown, panels, quality = 4, {}, {}
for label, preconditioner in (("", None), (" with $P$", P)):
    for name in classes:
        extra = {"tau": 2.0} if name in ("HQS", "ADMM") else {}
        solver = build(name, preconditioner, sigma=0.1, **extra)
        x = solver(y[shown : shown + 1], A)
        quality[name, label] = float(task.psnr(x, images[shown : shown + 1]))
        panels[f"{name}{label}\n{quality[name, label]:.1f} dB"] = x
figures.images(panels, columns=4)

# %%
assert all(quality[name, " with $P$"] > quality[name, ""] + 1 for name in classes)
assert astray[50.0] < astray[2.0] - 1

# %% [markdown]
# ## The question in one picture
#
# One digit, one camera with 102 patterns, one denoiser at one noise level, 20 gradients. The columns are four solvers;
# the lower row has the distilled $P$. It has the null-space form {eq}`eq-null-space-form`,
# $P(\nabla g; z) = \nabla g + (I - A^+A)\, N_\theta(\nabla g, z)$: its network $N_\theta$ adds to the gradient a guess
# of what the camera does not see. In which solver was it trained?

# %%
recipe = ddgp_lib.presets.PRESETS["single_pixel"].recipes["distilled"]
for steps, rule in ((recipe.steps, recipe.momentum), (recipe.tuned_steps, recipe.last_momentum)):
    solver = "PGD, without momentum" if rule == "none" else f"FISTA, momentum {rule}"
    print(f"{steps:,} steps in {solver}")

# %% [markdown]
# On this digit $P$ helps in all four columns. Does it still, if every solver is tuned, and on more images? First the
# solvers themselves.
#
# ## Three solvers, each in a few lines
#
# All of them alternate a step on the data term $g(x) = \tfrac12 \lVert A x - y \rVert^2$ with the denoiser, and
# begin at $x_0 = A^\top y$. **PGD**, proximal gradient descent {cite}`combettes2005signal`, is FISTA without momentum:
#
# $$
# x_{k+1} = D_\sigma\bigl(x_k - \alpha P(\nabla g(x_k); x_k)\bigr).
# $$ (eq-os-pgd)

# %%
few = y[:4]
adjoint = A.A_adjoint(few)


def direction(x, k):
    return P(gradient(A, x, adjoint), State(x, k, A, few))


x, alpha, sigma, tau = adjoint, 1.0, 0.1, 2.0
for k in range(20):
    x = D(x - alpha * direction(x, k), sigma)
library = build("PGD", P, sigma=sigma)(few, A)
torch.testing.assert_close(x, library, rtol=0, atol=1e-4)

# %% [markdown]
# **HQS**, half-quadratic splitting {cite}`geman1995nonlinear,zhang2022plug`, replaces the gradient step by a proximal
# map, $u_k = \operatorname{prox}_{\tau g}(x_k)$: the image that minimises $g(u) + \lVert u - x_k \rVert^2 / 2\tau$.
# There is no place for a preconditioner in a proximal map. There is one in an iteration that approaches it: a
# gradient step on $g$, then an average with $x_k$, the proximal map of the other term. Starting at $u = x_k$,
#
# $$
# u \leftarrow \frac{\tau \bigl(u - \alpha P(\nabla g(u); u)\bigr) + \alpha\, x_k}{\tau + \alpha}, \qquad
# x_{k+1} = D_\sigma(u_k).
# $$ (eq-os-hqs)

# %%
x = adjoint
for k in range(10):
    u = x
    for _ in range(2):  # inner steps
        u = (tau * (u - alpha * direction(u, k)) + alpha * x) / (tau + alpha)
    x = D(u, sigma)
solver = build("HQS", P, sigma=sigma, tau=tau, inner_steps=2)
*_, (library, _) = solver.iterates(few, A, 10)
torch.testing.assert_close(x, library, rtol=0, atol=1e-4)

# %% [markdown]
# **ADMM** {cite}`boyd2011distributed`, in which plug-and-play began
# {cite}`venkatakrishnan2013pnp,chan2017plug`, remembers in a dual variable $q_k$ how far the two steps disagree. The
# inner step is that of HQS with $x_k - q_k$ in the place of the anchor $x_k$; it still begins at $u = x_k$. With one
# inner step,
#
# $$
# \begin{aligned}
# u_{k+1} &= \frac{\tau \bigl(x_k - \alpha P(\nabla g(x_k); x_k)\bigr) + \alpha (x_k - q_k)}{\tau + \alpha}, \\
# x_{k+1} &= D_\sigma(u_{k+1} + q_k), \\
# q_{k+1} &= q_k + u_{k+1} - x_{k+1}.
# \end{aligned}
# $$ (eq-os-admm)

# %%
x, q = adjoint, torch.zeros_like(adjoint)
for k in range(20):
    u = (tau * (x - alpha * direction(x, k)) + alpha * (x - q)) / (tau + alpha)
    x = D(u + q, sigma)
    q = q + u - x
library = build("ADMM", P, sigma=sigma, tau=tau)(few, A)
torch.testing.assert_close(x, library, rtol=0, atol=1e-4)

# %% [markdown]
# ## Where each solver rests
#
# Two lines of algebra say what these solvers do to $P$, before anything is run. Put one inner step into
# {eq}`eq-os-hqs`: the average becomes
#
# $$
# u_k = x_k - \frac{\alpha \tau}{\alpha + \tau} P(\nabla g(x_k); x_k),
# $$ (eq-os-damped)
#
# so HQS with one inner step *is* PGD with a smaller step, for any $P$. And where ADMM {eq}`eq-os-admm` rests, $q$ no
# longer changes, so $u = x$; then the first line gives $q = -\tau P(\nabla g(x); x)$, and the second
#
# $$
# x = D_\sigma\bigl(x - \tau P(\nabla g(x); x)\bigr).
# $$ (eq-os-rest)
#
# That is the resting image of PGD with the step $\tau$. (Without $P$ it is known that the two methods rest at the same
# images {cite}`ryu2019plug`. If $D_\sigma$ were the proximal map of $\tau f$, these would be the minimisers of $g + f$,
# whatever $\tau$ is. A denoiser's $\sigma$ is not tied to $\tau$, so here they depend on it.) First, HQS against PGD.

# %%
hqs = build("HQS", P, sigma=0.1, tau=2.0)(few, A)
damped = build("PGD", P, stepsize=2 / 3, sigma=0.1)(few, A)
torch.testing.assert_close(hqs, damped, rtol=0, atol=1e-4)

# %% [markdown]
# Then ADMM: we let it come to rest, and put its image into {eq}`eq-os-rest` with the step $\tau$ and with three other
# steps. It should move least with the step $\tau$.

# %%
moves = {}
for tau in (1.0, 2.0):
    *_, (x, _) = build("ADMM", P, sigma=0.1, tau=tau).iterates(few, A, 100)
    for step in (0.5, 1.0, 2.0, 4.0):
        moved_to = D(x - step * direction(x, 100), 0.1)
        moves[tau, step] = float((norms(moved_to - x) / norms(x)).max())
steps = (0.5, 1.0, 2.0, 4.0)
heads = [Column(f"step {step:g}", digits=4, best=None) for step in steps]
rows = {f"τ = {tau:g}": [moves[tau, step] for step in steps] for tau in (1.0, 2.0)}
table("How far one PGD step moves the image at which ADMM rests.", heads, rows)

# %%
for tau in (1.0, 2.0):
    wrong = [moves[tau, step] for step in steps if step != tau]
    assert moves[tau, tau] < 0.6 * min(wrong)

# %% [markdown]
# In each row the smallest number stands in the column of its own $\tau$. It is not zero, since ADMM has not quite come to
# rest after 100 iterations.
#
# So each solver multiplies the direction of $P$ by a factor of its own: PGD by $\alpha$, HQS by less, ADMM in the long
# run by $\tau$. In the *range* of $A^\top$ that does no harm. There the gradient vanishes as the data are fitted, and a
# larger factor means a stricter fit. In the *null space* only the denoiser corrects an error. There $P$'s correction
# is a prediction of what is missing, made for the factor $\alpha = 1$ of the training. With $\tau = 20$ the same guess is
# applied twenty times. We [come back](large-tau) to that.
#
# ## Tuning, for everyone
#
# Every solver, with and without $P$, gets its own $\sigma$ and $\tau$ from one grid, by the mean PSNR after 20
# iterations on 8 validation digits. Each iteration costs one product with $A^\top A$, with $P$ or without, so equal
# iterations are equal operator calls. (With $P$ an iteration also costs the network.) The grid has four levels of
# $\sigma$, and for HQS and ADMM three $\tau$ with each. A folded cell above runs it.
#
# There are stronger baselines. ADMM with one inner step is a crude version of ADMM, which leaves a place for $P$.
# Without $P$ nobody would use it here, since $A A^\top = I$ gives the proximal map in closed form for the same single
# product,
#
# $$
# \operatorname{prox}_{\tau g}(v) = v - \tfrac{\tau}{1 + \tau} \nabla g(v) .
# $$ (eq-os-exact)
#
# We call ADMM with this data step *exact*; `exact_admm` is in a folded cell above. It is tuned on the
# same grid. Its $\sigma$ may also fall from iteration to iteration. The library has that version, and FISTA with a falling
# $\sigma$, both tuned on 50 validation digits.
#
# With a constant $\sigma$, `exact_admm` is deepinv's ADMM {cite}`tachella2025deepinverse`:

# %%
options = {"data_fidelity": deepinv.optim.L2(), "prior": deepinv.optim.PnP(D)}
options |= {"stepsize": 5.0, "sigma_denoiser": 0.1, "max_iter": 20}
start = (adjoint, torch.zeros_like(adjoint))
theirs = deepinv.optim.ADMM(**options)(few, A, init=start)
*_, ours = exact_admm(few, 0.1, 5.0)
torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)

# %% [markdown]
# What does each choose?

# %%
rows = {}
for name in (*classes, "exact ADMM"):
    found = [best.get((name, label), {}) for label in kinds]
    rows[name] = [f"{s['sigma']:g}" if s else None for s in found]
    rows[name] += [f"{s['tau']:g}" if "tau" in s else None for s in found]
heads = ["σ, no P", "σ, P", "τ, no P", "τ, P"]
table("Chosen on 8 validation digits.", heads, rows)

# %%
assert best["HQS", "no P"]["tau"] == max(taus)

# %% [markdown]
# Without $P$, HQS chooses the largest $\tau$ of the grid. By {eq}`eq-os-damped` that brings it as near to PGD as the
# grid allows.
#
# ## The gains, solver by solver
#
# 24 held-out digits, 20 iterations, the settings just found. The gains are paired, digit by digit, with their standard
# errors; beside them the worst digit.

# %%
heads = [Column(label, "dB", best="high") for label in kinds]
heads += [Column("gain", "dB", signed=True), Column("worst", "dB", signed=True)]
rows = {}
for name, label in without:
    rows[name] = [means[name, label], None, None, None]
    if name in gains:
        gain = gains[name]
        rows[name][1:] = [means[name, "P"], paired(gain), float(gain.min())]
table("Mean PSNR over 24 held-out digits after 20 iterations.", heads, rows)

# %% [markdown]
# Three numbers more: over the four solvers, how far apart is the PSNR without $P$, and with it? And what is the gain of
# $P$ in ADMM over the strongest solver that has no $P$?

# %%
spread = {}
for label in kinds:
    reached = [means[name, label] for name in classes]
    spread[label] = max(reached) - min(reached)
mean, error = paired(honest)
print(f"spread: {spread['no P']:.2f} dB without P, {spread['P']:.2f} dB with it")
print(f"P in ADMM over {champion[0]}: {mean:+.2f} ± {error:.2f} dB")

# %%
assert all(gain.mean() > 1 for gain in gains.values())
assert champion[0].startswith("exact ADMM")
assert 1 < mean < gains["ADMM"].mean() - 0.5

# %% [markdown]
# Trained in two of the solvers, $P$ gains in each of the four. It does not make them alike: see the spread. It was trained with momentum first, which took the training to points that a plain run does not visit. That matters: the
# [chapter on distilling](distilling) has a $P$ that was trained without momentum alone, and in FISTA it fails. Two cautions
# belong to the table.
#
# First, the gain depends on the baseline. ADMM with one inner step is slow without $P$, and the gain over it is large.
# The right comparison is with the strongest solver that has no $P$, at the same number of products. That is the exact
# ADMM, and the gain over it is smaller. So a gain "in ADMM" means little unless one says which ADMM.
#
# Second, PGD without $P$ is slow, too, since it has no momentum. A part of the gain in PGD is speed. The curves to
# 60 iterations separate the two.

# %% mystnb={"figure": {"name": "fig-os-curves", "caption": "Mean PSNR over 24 digits to 60 iterations, in PGD and in two kinds of ADMM, each with its tuned setting."}, "image": {"alt": "Five curves of PSNR against iterations on a logarithmic axis. The two with P rise within five iterations and stay level. The three without P climb slowly, the exact ADMM fastest, and are still below at sixty iterations."}} tags=["hide-input"]
exact = ddgp_lib.load_solver("single_pixel", "admm").iterates(y, A, 60)
paths = {"exact ADMM, falling σ": exact}
for name, label in itertools.product(("PGD", "ADMM"), kinds):
    solver = build(name, kinds[label], **best[name, label])
    paths[f"{name}, {label}"] = solver.iterates(y, A, 60)
curves = {}
for name, path in paths.items():
    curves[name] = [float(task.psnr(x, images).mean()) for x, _ in path][1:]
roles = ("guide", "baseline", "distilled", "other", "truth")
roles = dict(zip(curves, roles, strict=True))
look = {"xlabel": "iteration", "ylabel": "PSNR (dB)", "xscale": "log", "legend": "above"}
figures.curves(range(1, 61), curves, roles=roles, **look)

# %%
rows = {name: [path[k - 1] for k in (5, 20, 60)] for name, path in curves.items()}
heads = [Column(f"k = {k}", "dB", best="high") for k in (5, 20, 60)]
table("Mean PSNR over 24 digits.", heads, rows)

# %% tags=["hide-input"]
with_P = ("PGD, P", "ADMM, P")
best_late = max(path[-1] for name, path in curves.items() if name not in with_P)
assert curves["ADMM, P"][4] > best_late + 0.5

# %% [markdown]
# Speed is only a part of the gain: after 60 iterations these solvers without $P$ are still below what ADMM with $P$
# reaches in five.
#
# ## Do the points look alike?
#
# The gains say that $P$ works in these solvers. They do not say whether it is asked there about the same kind of image.
#
# $P_\theta$ is a network. It was trained at certain points $z$, and elsewhere nothing is known about it. So we follow
# each solver with $P$ in it, and compare at every iterate the direction of $P$ with the gradient of the teacher
# there (`B` is its operator): the cosine similarity of $P(\nabla g_s; z_k)$ and $\nabla g_t(z_k)$, as in the
# [single-pixel chapter](single-pixel); without momentum, $z_k = x_k$.

# %%
pulls = A.A_adjoint(y), B.A_adjoint(measure(B, images, seed=1))


def agreement(solver, where="z"):
    found = []
    for k, (x, z) in enumerate(solver.iterates(y, A, 20)):
        point = {"x": x, "z": z}[where]
        said = P(gradient(A, point, pulls[0]), State(point, k, A, y)).flatten(1)
        wanted = gradient(B, point, pulls[1]).flatten(1)
        found.append(float(torch.cosine_similarity(said, wanted).mean()))
    return found


# %% [markdown]
# One ADMM has its tuned $\tau$, one has $\tau = 20$. The images are the 24 digits of the table above, and the teacher's
# gradient is computed from its own noisy measurements of them.

# %% mystnb={"figure": {"name": "fig-os-cosine", "caption": "Mean cosine similarity of P's direction and the teacher's gradient along the iterates of solvers that contain P, over 24 digits."}, "image": {"alt": "Four curves of cosine similarity against iterations. All begin together above 0.8 and fall. PGD and the tuned ADMM level off above zero, FISTA turns and rises to 0.4, and ADMM with a weight of 20 falls below them, to zero and beyond."}} tags=["hide-input"]
followed = {name: build(name, P, **best[name, "P"]) for name in ("FISTA", "PGD", "ADMM")}
sigma = best["ADMM", "P"]["sigma"]
followed["ADMM, τ = 20"] = build("ADMM", P, sigma=sigma, tau=20.0)
cosines = {name: agreement(solver) for name, solver in followed.items()}
at_x = agreement(followed["FISTA"], "x")
roles = dict(zip(cosines, ("distilled", "guide", "truth", "other"), strict=True))
look = {"xlabel": "iteration $k$", "ylabel": "cosine similarity", "legend": "upper right"}
figures.curves(range(21), cosines, roles=roles, **look)

# %%
ends = ", ".join(f"{name} {values[-1]:.2f}" for name, values in cosines.items())
print(f"at k = 20: {ends}\nFISTA at x instead of z: {at_x[-1]:.2f}")

# %% tags=["hide-input"]
assert at_x[-1] < cosines["FISTA"][-1] - 0.1
assert max(abs(values[0] - cosines["PGD"][0]) for values in cosines.values()) < 1e-3
assert abs(cosines["FISTA"][1] - cosines["ADMM"][1]) < 0.25
tuned_ones = [cosines[name][-1] for name in ("FISTA", "PGD", "ADMM")]
assert cosines["ADMM, τ = 20"][-1] < min(tuned_ones) - 0.05

# %% [markdown]
# All begin at the same point. After one step, where a large part of the gain is made, $P$ agrees with the teacher about
# as well in one of them as in the others, the one of the training included. Then the curves fall. That alone is no
# failure: what $P$ can predict has been used, and the rest of the teacher's gradient cannot be predicted. (FISTA's
# rises again because momentum carries $z_k$ past $x_k$, and $P$, trained at such points, points back. At $x_k$ itself
# it is lower, as the last line says.) What counts is the sign. The teacher's data term changes along $-P$ at the rate
# $-P^\top \nabla g_t$. Above zero, a small further step along $-P$ would lower it; below zero, $P$ has been followed
# too far. ADMM with $\tau = 20$ is the lowest: by {eq}`eq-os-rest` it multiplies $P$ by 20.
#
# (large-tau)=
# ## A failure: too large a $\tau$
#
# We sweep $\tau$, and look at 20 and at 60 iterations. The last column is a repair. In it, the measured part takes the
# exact proximal step {eq}`eq-os-exact`, whose factor $\tau / (1 + \tau)$ never exceeds one. $P$'s correction, computed at
# $x_k$, gets the same factor: `exact_admm` with `correct=P`. (It takes two products per iteration.)

# %%
swept = {}
for tau in (2.0, 20.0, 50.0):
    plain = build("ADMM", sigma=0.1, tau=tau)(y_eight, A)
    path = [x for x, _ in build("ADMM", P, sigma=0.1, tau=tau).iterates(y_eight, A, 60)]
    *_, repaired = exact_admm(y_eight, 0.1, tau, correct=P, steps=60)
    found = (plain, path[20], path[60], repaired)
    swept[f"τ = {tau:g}"] = [float(task.psnr(x, eight).mean()) for x in found]
heads = ("no P, k = 20", "P, k = 20", "P, k = 60", "repaired, k = 60")
heads = [Column(head, "dB") for head in heads]
table("ADMM with growing τ, mean PSNR over eight digits.", heads, swept)

# %% tags=["hide-input"]
small, _, large = swept.values()
assert large[2] < min(small[2] - 1, large[1] - 0.5)
columns = list(zip(*swept.values(), strict=True))
swing = [max(column) - min(column) for column in columns]
assert swing[3] < swing[2] / 2
assert max(columns[3]) < max(columns[2]) + 0.5

# %% [markdown]
# With $P$ and a large $\tau$ ADMM is worse at 60 iterations than at 20: in every iteration the same correction is added
# again, many times too large. The repaired form depends on $\tau$ far less,
# as its bounded factor suggests, but at its best it is hardly better than ADMM with a well chosen $\tau$, or worse.
# This does not concern ADMM alone. A learned $P$ has a unit: the step that it was trained for. A solver that takes
# another step multiplies the correction by a factor that no training has seen.
#
# ## Moving operators: from scan to scan
#
# Now the solver stays and the camera moves. $P(\nabla g; z) = \nabla g + (I - A^+A) N_\theta(\nabla g, z)$ meets $A$
# in two places, the gradient and the projector; both follow the new camera by themselves. The network is not told
# that anything has changed. We use the tuned solvers of the [single-pixel chapter](single-pixel), and tune nothing
# again.


# %%
none = ddgp_lib.load_solver("single_pixel", "none", task=task)
distilled = ddgp_lib.load_solver("single_pixel", "distilled", task=task)


def moved(camera, images=images):
    data = measure(camera, images, seed=0)
    return [task.psnr(solver(data, camera), images) for solver in (none, distilled)]


def hadamard(ratio, ordering="cake_cutting"):
    return operators.HadamardCamera(ratio, task.img_size, ordering, noise=0.01)


others = {order: hadamard(0.1, order) for order in ("xy", "zig_zag", "sequency")}
others |= {f"ratio {ratio}": hadamard(ratio) for ratio in (0.05, 0.2, 0.3)}
scans = {"training": A} | others

# %% [markdown]
# The column *shared* counts the patterns that the new camera has in common with that of the training.

# %%
moved_gain, rows = {}, {}
for name, camera in scans.items():
    plain, with_P = moved(camera)
    moved_gain[name], shared = with_P - plain, int((camera.mask * A.mask).sum())
    reached = [float(plain.mean()), float(with_P.mean())]
    rows[name] = [int(camera.rank), shared, *reached, paired(moved_gain[name])]
heads = ["patterns", "shared", Column("no P", "dB"), Column("P", "dB")]
heads += [Column("gain", "dB", signed=True)]
table("Other cameras, mean PSNR over 24 digits after 20 iterations.", heads, rows)

# %% tags=["hide-input"]
kept = [moved_gain[name].mean() for name in scans if name not in ("training", "sequency")]
assert moved_gain["training"].mean() > max(kept)
assert min(kept) > 1 > moved_gain["sequency"].mean()
frequencies = scans["sequency"].mask[0, 0].sum(dim=1).topk(4).values
assert frequencies.tolist() == [32, 32, 32, 6]

# %% [markdown]
# With half as many patterns, with three times as many, and with patterns in other orders, the gain gets smaller and
# stays a gain. The exception is the order of sequency: there $P$ hardly helps, or does harm (the table has the sign and the
# standard error). That camera shares half of its patterns with the camera of the
# training, as many as the ratio 0.05, so the count is not everything. Its 102 rows take all 32 frequencies in one
# direction, but only three and a part of a fourth in the other. What they show of a digit hardly resembles the
# images of the training.
#
# ## Try it: exchange patterns one by one
#
# A cleaner experiment keeps the first $c$ patterns of the camera and replaces the others by patterns drawn at random
# from the rest of the basis, 102 in all. Move the slider from the right to the left. Where does $P$ stop helping?


# %%
def exchanged(c, seed=0):
    start = hadamard(c / 1024).mask.flatten() if c else torch.zeros(1024)
    free = (start == 0).nonzero().flatten()
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(free), generator=generator)
    camera = copy.deepcopy(A)
    drawn = free[order[: 102 - c]]
    camera.mask = start.index_fill(0, drawn, 1.0).reshape(A.mask.shape)
    return camera


# %% [markdown]
# One run that diverges would dominate a mean, so the table has medians, over 12 digits and two draws of the patterns. Both
# solvers keep the settings that were tuned for the camera of the training.

# %%
shares = [0, 10, 20, 35, 51, 75, 102]
exchange, difference = {}, {}
for c in shares:
    draws = [moved(exchanged(c, seed), images[:12]) for seed in (0, 1)]
    both = (torch.cat(psnr).median() for psnr in zip(*draws, strict=True))
    exchange[c] = plain, with_P = [float(median) for median in both]
    difference[c] = with_P - plain
heads = [Column("no P", "dB"), Column("P", "dB")]
rows = {str(c): values for c, values in exchange.items()}
table("Median PSNR behind exchanged patterns.", heads, rows, corner="kept")

# %%
assert difference[0] < 0.5 < 1 < min(difference[c] for c in (51, 75, 102))


# %% tags=["hide-input"]
def draw_exchange(c):
    camera, panels = exchanged(c), {}
    for i in (4, 8):
        data = measure(camera, images[i : i + 1], seed=0)
        panels |= {f"$x^*$ {i}": images[i], f"$A^T y$ {i}": camera.A_adjoint(data)}
        panels |= {f"no P {i}": none(data, camera), f"with P {i}": distilled(data, camera)}
    return figures.images(panels, columns=4)


def describe_exchange(c):
    plain, with_P = exchange[c]
    return (
        f"{c} patterns of the training's camera kept: two digits, their back-projections and "
        f"reconstructions. Median PSNR over 12 digits and two draws: "
        f"{plain:.1f} dB without P, {with_P:.1f} dB with P."
    )


# %% [markdown]
# The control shows two digits for each number of patterns kept.

# %% tags=["hide-input"]
exchange_slider = {
    "draw": draw_exchange,
    "values": shares,
    "label": "Patterns kept, of 102",
    "alt": describe_exchange,
    "start": 4,
    "colours": 128,
    "caption": "Two digits: the truth, the back-projection, 20 iterations without and with P.",
}
widgets.frames(**exchange_slider)

# %% [markdown]
# In a running kernel the twin draws anew; change the digits in `draw_exchange`, or the seed.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**exchange_slider)

# %% [markdown]
# Half of the patterns may be replaced, and a gain of more than a decibel stays. When the coarse ones are replaced as
# well, nothing of it is left, and $P$ may do harm. A random selection from the whole basis is a different camera, and
# not a variant of this one. The data residual does not show the difference ({ref}`ex-os-guard`).
#
# In MRI, another mask for every scan is an ordinary case. Here are two brain slices, the mask of the training (mask 0)
# and two that $P$ was not trained on, all with 32 of 128 columns, of which the central ten are always there. The settings
# are those tuned for mask 0. Exact ADMM stands beside them: it learns nothing, and nothing of its kind is stronger here.

# %%
brains = ddgp_lib.load_task("mri")
slices = brains.test_images[:2]
methods = ("none", "admm", "distilled")
trio = [ddgp_lib.load_solver("mri", kind, task=brains) for kind in methods]
mri_gain, rows = {}, {}
for seed in (0, 1, 2):
    scanner = operators.CartesianMRI(4, brains.img_size, mask_seed=seed, noise=0.01)
    data = measure(scanner, slices, seed=0)
    shared = int((scanner.columns & brains.student.columns).sum())
    found = [float(brains.psnr(s(data, scanner), slices).mean()) for s in trio]
    mri_gain[seed] = found[2] - max(found[:2])
    rows[f"mask {seed}"] = [shared, *found, mri_gain[seed]]
heads = ["shared columns", *(Column(head, "dB") for head in ("no P", "exact ADMM", "P"))]
heads += [Column("P less the better", "dB", signed=True)]
table("Other masks, mean PSNR over two slices after 20 iterations.", heads, rows)

# %%
assert all(row[3] > row[1] + 0.5 for row in rows.values())

# %% [markdown]
# Over the same solver without $P$ there is a gain with every mask. Over exact ADMM with a falling $\sigma$, which learns
# nothing, it is smaller. Two slices cannot tell one mask from another. [Three cameras](three-tasks) has 48, and the
# networks that a user would pick instead.
#
# ## An operator that changes in every iteration
#
# Why use all rows in every iteration? In *ordered subsets* {cite}`hudson1994accelerated` and in stochastic gradient
# descent an iteration looks at a part of the data, for less work. With orthonormal rows and $\alpha = 1$ such a step
# fits the chosen rows exactly and leaves the others alone. Let $A_k$ consist of the rows drawn for iteration $k$. Then
#
# $$
# x_{k+1} = D_\sigma\bigl(x_k - P(\nabla g_k(x_k); x_k)\bigr), \qquad
# \nabla g_k(x) = A_k^\top (A_k x - y_k),
# $$ (eq-os-subset)
#
# where $y_k$ holds the measurements of these rows. For $P$ the null space may now be that of $A_k$, everything that
# this iteration does not look at, or that of all rows, $A$. In the first, the network may overwrite measured rows
# until their turn comes; the second protects them.


# %%
def subsets(camera, share, P, sigma, protect=False, steps=20, images=eight):
    generator, data = torch.Generator().manual_seed(0), measure(camera, images, seed=0)
    x, part = camera.A_adjoint(data), copy.deepcopy(camera)
    for k in range(steps):
        drawn = torch.rand(camera.mask.shape, generator=generator) < share
        part.mask = camera.mask * drawn
        grad = gradient(part, x, part.A_adjoint(data))
        state = State(x, k, camera if protect else part, data)
        x = D(x - P(grad, state), sigma)
    return float(task.psnr(x, images).mean())


# %% [markdown]
# Without $P$, the better of three $\sigma$ is chosen on eight validation digits, for each row of the table. With $P$,
# $\sigma = 0.07$, and is not chosen.

# %%
camera, survived = hadamard(0.2), {}
for share, steps in ((1.0, 20), (0.5, 20), (0.5, 40), (0.25, 80)):
    how = {"steps": steps}
    score = {}
    for s in (0.07, 0.1, 0.15):
        score[s] = subsets(camera, share, Identity(), s, **how, images=val)
    sigma = max(score, key=score.get)
    found = [subsets(camera, share, Identity(), sigma, **how)]
    found += [subsets(camera, share, P, 0.07, keep, **how) for keep in (False, True)]
    survived[f"{share:.0%} of rows, {steps} iterations"] = found
heads = ("no P", "P, null space of Aₖ", "P, null space of A")
heads = [Column(head, "dB") for head in heads]
table("A camera with 205 patterns, mean PSNR over eight digits.", heads, survived)

# %% tags=["hide-input"]
full, *parts = survived.values()
assert all(protected > plain + 1 for plain, _, protected in survived.values())
assert all(own < protected - 0.3 for _, own, protected in parts)
assert max(protected for *_, protected in parts) < full[2]

# %% [markdown]
# Where the measured rows are protected, $P$ keeps its gain although the operator is new in every iteration, even with a
# quarter of the rows. If the network may write into rows that are not used in this iteration, the result is worse, as
# the middle column shows. And nothing is gained by subsets: with as many row products as 20 full iterations, that is 40
# at one half or 80 at one quarter, the result is below that of the full ones. Here the rows are cheap, and denoiser and
# network are not. Subsets help where a product with $A$ is the expensive part. This experiment says only that $P$ can
# be used with them.
#
# ## Any linear operator
#
# The solvers ask an operator for $A$, $A^\top$ and a projector. Any linear physics of deepinv has them, and a
# preconditioner that is algebra works at once: polynomials need nothing but products, and Newton's system is solved by
# conjugate gradients. A learned $P$ can be *called* at once, which does not mean that it helps. Two things have to be
# right before:
#
# - **The unit.** $P$'s correction was trained for a step of one. On an operator with $\lVert A \rVert^2 = 1/16$ the
#   step $1/\lVert A \rVert^2$ multiplies it by 16. So scale the operator to $\lVert A \rVert = 1$.
# - **The projector.** It must be one: applied twice, it does what it does once. If there is no exact $A^+$, at
#   this size a singular value decomposition of the matrix will do.
#
# Both in one class:


# %%
class Normalised(deepinv.physics.LinearPhysics):
    def __init__(self, physics, shape, rtol=1e-3):
        unit = torch.eye(torch.Size(shape).numel()).reshape(-1, *shape)
        matrix = physics.A(unit).flatten(1).T
        _, s, rows = torch.linalg.svd(matrix, full_matrices=False)
        matrix, rows = matrix / s[0], rows[s > rtol * s[0]]
        super().__init__(
            A=lambda x: x.flatten(1) @ matrix.T,
            A_adjoint=lambda y: (y @ matrix).reshape(-1, *shape),
        )
        projector = rows.T @ rows
        self.squared_norm = 1.0
        self.range_projection = lambda x: (x.flatten(1) @ projector).reshape(x.shape)


# %% [markdown]
# Three operators of deepinv, and four methods: no preconditioner, a polynomial of degree 4, Newton's step with a damping of
# 0.01, and the $P$ of the digits as it is.

# %%
ready = {"img_size": task.img_size, "rng": torch.Generator().manual_seed(0)}
down = {"factor": 4, "filter": "gaussian"}
physics_of = {
    "inpainting, 30 %": deepinv.physics.Inpainting(mask=0.3, **ready),
    "Gaussian rows, 256": deepinv.physics.CompressedSensing(256, **ready),
    "downsampling ×4": deepinv.physics.Downsampling(task.img_size, **down),
}
methods = {"none": None, "ℓ2, d = 4": Polynomial.of("l2", 4), "Newton": Newton(0.01)}
methods["learned"] = P

# %% [markdown]
# There is no noise. The first two columns describe deepinv's operators as they are; the *gap* is the relative difference
# between the projector on the range applied twice and once. Without a closed form, it is found by conjugate gradients.

# %%
warnings.simplefilter("ignore", OperatorMismatch)  # other operators, on purpose
any_physics, rows = {}, {}
for name, physics in physics_of.items():
    once = operators.range_projection(physics, images)
    twice = operators.range_projection(physics, once)
    scaled = Normalised(physics, task.img_size)
    for label, p in methods.items():
        x = build("PGD", p, sigma=0.1)(scaled.A(images), scaled)
        any_physics[name, label] = float(task.psnr(x, images).mean())
    size = operators.squared_norm(physics, task.img_size)
    gap = float((twice - once).norm() / once.norm())
    rows[name] = [float(size), gap, *(any_physics[name, label] for label in methods)]

# %%
heads = [Column("‖A‖²", digits=3), Column("gap", digits=3)]
heads += [Column(label, "dB") for label in methods]
table("Three operators of deepinv, mean PSNR over 24 digits, 20 PGD steps.", heads, rows)

# %% [markdown]
# What if a user takes deepinv's operator as it is?

# %%
rough = physics_of["downsampling ×4"]
step = 1 / operators.squared_norm(rough, task.img_size)
unscaled = build("PGD", P, stepsize=step, sigma=0.1, max_iter=5)
*_, (x, _) = unscaled.iterates(rough.A(images), rough)
left = float(task.psnr(x, images).mean())
print(f"not scaled, projected by conjugate gradients, 5 iterations: {left:.1f} dB")

# %% tags=["hide-input"]
assert not left > any_physics["downsampling ×4", "none"] - 2  # nan is no success either
inpainting = [any_physics["inpainting, 30 %", label] for label in ("Newton", "none")]
assert abs(inpainting[0] - inpainting[1]) < 0.3
for name in ("Gaussian rows, 256", "downsampling ×4"):
    assert any_physics[name, "Newton"] > any_physics[name, "none"] + 2
    assert any_physics[name, "learned"] < any_physics[name, "Newton"] + 0.3

# %% [markdown]
# Inpainting has $A A^\top = I$, so a [linear preconditioner](linear-preconditioners) from the operator can do nothing for
# it. Where the singular values differ, Newton's step gains more than 2 dB at once. The digits' $P$, which was not trained
# on such gradients, is no better or destroys the image, although the operator is normalised and the projector exact.
# Without scaling, it diverges. For a new operator a learned $P$ has to be [distilled](distilling), by
# `ddgp_lib.distill` on a task with that operator.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 14_other_solvers
# ```
#
# ## Exercises
#
# ```{exercise} A proximal map in another metric
# :label: ex-os-metric
#
# Let $P$ be a symmetric positive matrix, and let the inner iteration of {eq}`eq-os-hqs` converge. (a) Show that its
# limit minimises $g(u) + \tfrac{1}{2\tau} (u - x_k)^\top P^{-1} (u - x_k)$. (b) Take for $P$ the null-space form with
# a *perfect* guess: $P(\nabla g; u) = \nabla g + (I - A^+A)(u - x^*)$, without noise. What is the limit, in the range
# and in the null space? (c) Check (b) with $\tau = 2$, $\alpha = 0.5$ and 50 inner steps. (d) Which share of the error of
# $x_k$ is left in the limit, for $\tau = 7$?
# ```

# %%
answer = None  # (d): put the share here
answers.check("ex-os-metric", answer)

# %% tags=["hide-cell"]
truth, tau, alpha = images[:4], 2.0, 0.5
clean = A.A_adjoint(A.A(truth))
u = start = 0.5 * clean
for _ in range(50):
    perfect = gradient(A, u, clean) + null_projection(A, u - truth)
    u = (tau * (u - alpha * perfect) + alpha * start) / (tau + alpha)
torch.testing.assert_close(u, (start + tau * truth) / (1 + tau), rtol=0, atol=1e-4)

# %% [markdown]
# ```{solution} ex-os-metric
# :class: dropdown
#
# (a) At the limit $(\tau + \alpha)\, u = \tau u - \tau \alpha P \nabla g(u) + \alpha x_k$, so $u - x_k = -\tau P
# \nabla g(u)$, that is $\nabla g(u) + \tfrac1\tau P^{-1} (u - x_k) = 0$: the gradient of the given function, which is
# convex. (b) With $A A^\top = I$ and no noise, $\nabla g(u) = A^+A (u - x^*)$, so $P(\nabla g; u) = u - x^*$
# altogether, and $u = (x_k + \tau x^*) / (1 + \tau)$ in both spaces. With a perfect guess the null space behaves like
# measured data: more inner steps and a larger $\tau$ then do no harm. What fails with a large $\tau$ is a guess whose
# error does not shrink as $u$ follows it. (d) Subtract $x^*$ from both sides of the limit.
# ```
#
# ```{exercise} More inner steps
# :label: ex-os-inner
#
# More inner steps bring the data step of {eq}`eq-os-hqs` closer to the proximal map, and each costs a gradient. (a) Let
# $A A^\top = I$, $\alpha = 1$, and no $P$ and no noise. By which factor do the inner steps of one iteration, with $\tau =
# 4$, multiply an error in the range of $A^\top$, with one inner step, and with four? (b) At 20 gradients in all, compare
# one, two and four inner steps in HQS and ADMM on eight digits, without and with $P$. Why could the result be expected?
# ```

# %%
answer = None  # (a): put both factors here, as a tuple
answers.check("ex-os-inner", answer)

# %% tags=["hide-cell"]
inner = {}
for name, label in itertools.product(("HQS", "ADMM"), ("no P", "P")):
    for steps in (1, 2, 4):
        how = {"inner_steps": steps, "max_iter": 20 // steps}
        x = build(name, kinds[label], **how, **best[name, label])(y_eight, A)
        inner[name, label, steps] = float(task.psnr(x, eight).mean())
    found = [inner[name, label, steps] for steps in (1, 2, 4)]
    print(f"{name}, {label}: " + ", ".join(f"{value:.2f}" for value in found), "dB")
    assert found[2] < found[0] + 0.3
assert all(inner[name, "no P", 4] < inner[name, "no P", 1] - 0.5 for name in ("HQS", "ADMM"))

# %% [markdown]
# ```{solution} ex-os-inner
# :class: dropdown
#
# (a) In the range, HQS and ADMM reach their proximal map with the first inner step, whatever $u$ was, since
# $u - \alpha \nabla g(u)$ fits the data exactly. The further steps repeat it. (b) The cell above prints the PSNR for one,
# two and four inner steps. It falls, or at least does not rise. What further steps change is the null space, and there
# a call of the denoiser does more than a gradient.
# ```
#
# ```{exercise} What the safeguard sees
# :label: ex-os-guard
#
# Run the distilled preconditioner with `safeguard=True` on the camera with $c = 0$, with the setting of
# `distilled`, and count the digits that are rejected. Compare the data residual $\lVert A x - y \rVert / \lVert y
# \rVert$ with and without $P$. Can a residual tell that this camera is not for this $P$?
# ```

# %% tags=["hide-cell"]
strange = exchanged(0)
data = measure(strange, images, seed=0)
tuned = ddgp_lib.load_tuning("single_pixel")["distilled"]["setting"]
guarded = build("FISTA", P, **tuned, safeguard=True)
_, metrics = guarded(data, strange, compute_metrics=True)
rejected = int(sum(history[-1] for history in metrics["rejected"]))
seen = {}
for label, solver in (("no P", none), ("P", distilled)):
    x = solver(data, strange)
    misfit = norms(strange.A(x) - data) / norms(data)
    seen[label] = task.psnr(x, images).mean(), misfit.mean()
    print(f"{label:5s}{seen[label][0]:6.2f} dB, residual {seen[label][1]:.3f}")
print(f"rejected: {rejected} of {len(images)}")
assert rejected == 0
assert seen["P"][0] < seen["no P"][0] + 0.3
assert seen["P"][1] < 1.2 * seen["no P"][1]

# %% [markdown]
# ```{solution} ex-os-guard
# :class: dropdown
#
# None is rejected, and with $P$ the residual is no larger, although the images are no better. The null-space form leaves
# the data step as it is without $P$, so what the network invents shows in the residual only through the denoiser. What
# would show it are images for which the truth is known: simulate the new camera on some training images, and measure the
# gain there, before it is used. It takes seconds, and it is how the tables of this chapter were made.
# ```
#
# ```{exercise} A forecast from the training images
# :label: ex-os-forecast
#
# For the cameras `training`, `zig_zag` and `sequency` of the table, compute the gain over 24 *validation* digits in the same way.
# Does it forecast the gain on test digits, that of the worst camera included?
# ```

# %% tags=["hide-cell"]
for name in ("training", "zig_zag", "sequency"):
    plain, with_P = moved(scans[name], task.val_images[16:40])
    forecast = float((with_P - plain).mean())
    found = float(moved_gain[name].mean())
    print(f"{name}: forecast {forecast:+.2f} dB, found {found:+.2f} dB")
    assert abs(forecast - found) < 1

# %% [markdown]
# ```{solution} ex-os-forecast
# :class: dropdown
#
# The cell above shows that it does, to within about a decibel. All that it needs is the new operator and some images of
# the right kind.
# ```
#
# ## Recap
#
# You can now
#
# - use a $P$ in PGD, HQS and ADMM, where the one that was distilled in FISTA gains without any change. The converse
#   is not to be relied on: a $P$ that is to be used with momentum should be trained with it;
# - compare with the right baseline. In ADMM the gain is large over a version that nobody would use, and smaller over the
#   strongest solver without $P$, the exact ADMM;
# - read a solver's factor off its resting image: $\alpha$ in PGD, $\alpha \tau / (\alpha + \tau)$ in HQS, $\tau$ in
#   ADMM. Too large a factor destroys the image;
# - predict, from simulated data, for which cameras $P$ keeps a gain. With variants of its camera it does; with patterns
#   drawn from the whole basis nothing of it is left, and the data residual does not show it;
# - use rows that are drawn anew in every iteration: $P$ keeps a gain where the measured rows are protected, but here
#   subsets save nothing;
# - put any linear operator under a preconditioner: one from the operator works at once, a learned one only after
#   scaling, with a true projector, and as a rule after a new distillation.
#
# ## Further reading
#
# {cite}`ryu2019plug` prove convergence of plug-and-play in both families and discuss their common resting points;
# {cite}`ahmad2020plug` compare the solvers for MRI. {cite}`zhang2022plug` build HQS with a learned denoiser and a
# schedule for $\sigma$ and $\tau$. ADMM is the subject of {cite}`boyd2011distributed`, its plug-and-play form of
# {cite}`chan2017plug`. Preconditioned plug-and-play with proof is {cite}`hong2024p2np`; the journal extension of the
# distilled preconditioner, {cite}`dipa2026`, considers several algorithms.
