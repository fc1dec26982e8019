# %% [markdown]
# (other-solvers)=
# # Other solvers and moving operators: what does a distilled $P$ assume?
#
# A denoiser that was trained alone can be plugged into any solver that has a place for it. A distilled
# preconditioner was not trained alone. It has seen the points that one solver visits, and the gradients of one
# camera. Is it still a part that one can unplug and put elsewhere? This chapter takes the $P$ of the
# [single-pixel camera](single-pixel), changes nothing in it, and moves it: first into other solvers, then to other
# cameras, then to a camera that changes in every iteration.
#
# After this chapter you can
#
# 1. write plug-and-play PGD, HQS and ADMM with a preconditioner in a few lines each;
# 2. derive the image at which each of them rests, and read from it by what factor it multiplies $P$'s correction;
# 3. tune a baseline so that a gain is a gain over the solver, and not over a poor version of it;
# 4. forecast for which cameras a learned $P$ will fail;
# 5. put any linear operator of deepinv under a preconditioner, and check two things before you do.

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import copy
import itertools
import warnings

import deepinv
import torch

import ddgp_lib
from ddgp_lib import State, figures, operators, widgets
from ddgp_lib.fingerprint import OperatorMismatch
from ddgp_lib.operators import gradient, measure, norms, null_projection
from ddgp_lib.preconditioners import Identity, Newton, Polynomial

# %% [markdown]
# ## The question in one picture
#
# One digit, one camera with 102 patterns, one denoiser at one noise level, 20 gradients. The columns are four solvers;
# the lower row has the distilled $P$, which was trained in one of them, as the cell prints. It has the null-space form
# {eq}`eq-null-space-form`, $P(\nabla g; z) = \nabla g + (I - A^+A)\, N_\theta(\nabla g, z)$: its network $N_\theta$
# adds to the gradient a guess of what the camera does not see.

# %%
task, P = ddgp_lib.load_task("single_pixel"), ddgp_lib.load_preconditioner("single_pixel")
rule = ddgp_lib.presets.PRESETS["single_pixel"].recipes["distilled"].momentum
print("P was trained in", "PGD, without momentum" if rule == "none" else f"FISTA, momentum {rule}")
A, B, D, images = task.student, task.teacher, task.denoiser, task.test_images[:24]
y = task.measure(images)
classes = {name: getattr(ddgp_lib, f"Preconditioned{name}") for name in ("FISTA", "PGD", "HQS", "ADMM")}


def build(name, P=None, stepsize=1.0, **setting):
    return classes[name](D, P, stepsize=stepsize, **setting)


# %% mystnb={"figure": {"name": "fig-os-question", "caption": "A held-out digit after 20 iterations of four solvers, without and with the distilled P. All use the same noise level of the denoiser; HQS and ADMM have a weight of the data, explained below, of τ = 2. Nothing is tuned yet."}, "image": {"alt": "Two rows of four reconstructions of a handwritten four with their PSNR. Upper row, without P: blurred strokes in all four columns. Lower row, with P: sharp strokes in all four, and a PSNR some decibels higher."}} tags=["hide-input"]
shown, panels, quality = 4, {}, {}
for label, preconditioner in (("", None), (" with $P$", P)):
    for name in classes:
        extra = {"tau": 2.0} if name in ("HQS", "ADMM") else {}
        found = build(name, preconditioner, sigma=0.1, **extra)(y[shown : shown + 1], A)
        quality[name, label] = float(task.psnr(found, images[shown : shown + 1]))
        panels[f"{name}{label}\n{quality[name, label]:.1f} dB"] = found
assert all(quality[name, " with $P$"] > quality[name, ""] + 1 for name in classes)
figures.images(panels, columns=4)

# %% [markdown]
# Here $P$ helps in all four columns. Whether that survives tuning, and more images, is what has to be found out. First
# the solvers themselves.
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
torch.testing.assert_close(x, build("PGD", P, sigma=sigma)(few, A), rtol=0, atol=1e-4)

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
torch.testing.assert_close(x, list(solver.iterates(few, A, 10))[-1][0], rtol=0, atol=1e-4)

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
torch.testing.assert_close(x, build("ADMM", P, sigma=sigma, tau=tau)(few, A), rtol=0, atol=1e-4)

# %% [markdown]
# ## Where each solver rests
#
# Without running anything, two lines of algebra say what these solvers do to $P$. Put one inner step into
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
# Then ADMM: we let it come to rest, and put its image into {eq}`eq-os-rest` with the right step and with two wrong
# ones.

# %%
for tau in (1.0, 2.0):
    x = list(build("ADMM", P, sigma=0.1, tau=tau).iterates(few, A, 100))[-1][0]
    gap = {step: norms(D(x - step * direction(x, 100), 0.1) - x) / norms(x) for step in (0.5, tau, 4.0)}
    print(f"τ = {tau:g}: " + ", ".join(f"step {step:g} moves it by {v.max():.5f}" for step, v in gap.items()))
    assert gap[tau].max() < 0.4 * min(gap[0.5].max(), gap[4.0].max())

# %% [markdown]
# So each solver multiplies what $P$ says by a factor of its own: PGD by $\alpha$, HQS by less, ADMM in the long run
# by $\tau$. In the *range* of $A^\top$ that is harmless. There the gradient vanishes as the data are fitted, and a
# larger factor means a stricter fit. In the *null space* nothing but the denoiser pulls back. There $P$'s correction
# is a prediction of what is missing, made for the factor $\alpha = 1$ of the training. With $\tau = 20$ a guess is
# applied twenty times over. We [come back](large-tau) to that.
#
# ## Tuning, for everyone
#
# Every solver, with and without $P$, gets its own $\sigma$ and $\tau$ from one grid, by the mean PSNR after 20
# iterations on 8 validation digits. Each iteration costs one product with $A^\top A$, with $P$ or without, so equal
# iterations are equal operator calls. (With $P$ an iteration also costs the network.)
#
# There is one more baseline. ADMM with one inner step is a crude version of ADMM: it was made so that there be a
# place for $P$. Without $P$ nobody would use it here, since $A A^\top = I$ gives the proximal map in closed form,
# $\operatorname{prox}_{\tau g}(v) = v - \tfrac{\tau}{1 + \tau} \nabla g(v)$, for the same single product. We write
# that *exact* ADMM by hand. The argument `correct` is a place for later.


# %%
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


# %% [markdown]
# Without `correct` it is deepinv's {cite}`tachella2025deepinverse`:

# %%
fidelity, prior = deepinv.optim.L2(), deepinv.optim.PnP(D)
exact = deepinv.optim.ADMM(data_fidelity=fidelity, prior=prior, stepsize=5.0, sigma_denoiser=0.1, max_iter=20)
theirs = exact(few, A, init=(adjoint, torch.zeros_like(adjoint)))
torch.testing.assert_close(list(exact_admm(few, 0.1, 5.0))[-1], theirs, rtol=0, atol=1e-4)

# %% [markdown]
# The grid has four levels of $\sigma$, and for HQS and ADMM three $\tau$ with each.


# %%
def run(name, label, y, setting):
    if name == "exact ADMM":
        return list(exact_admm(y, **setting))[-1]
    return build(name, kinds[label], **setting)(y, A)


kinds = {"no P": None, "P": P}
taus = (2.0, 20.0, 100.0)
levels = [{"sigma": sigma} for sigma in (0.07, 0.1, 0.15, 0.2)]
pairs = [level | {"tau": tau} for level in levels for tau in taus]

# %% [markdown]
# What does each choose?

# %%
val, best = task.val_images[:8], {}
y_val = task.measure(val)
for name, label in (*itertools.product(classes, ("no P", "P")), ("exact ADMM", "no P")):
    grid = levels if name in ("FISTA", "PGD") else pairs
    score = [float(task.psnr(run(name, label, y_val, setting), val).mean()) for setting in grid]
    best[name, label] = grid[score.index(max(score))]
    print(f"{name:11s}{label:5s}", ", ".join(f"{key} {v:g}" for key, v in best[name, label].items()))
assert best["HQS", "no P"]["tau"] == max(taus)

# %% [markdown]
# Without $P$, HQS chooses the largest $\tau$ on the grid. By {eq}`eq-os-damped` it would like to be PGD.
#
# ## The gains, solver by solver
#
# 24 held-out digits, 20 iterations, the settings just found. The gains are paired, digit by digit, with their
# standard error.


# %%
def paired(gain):
    return f"{gain.mean():+.2f} ± {gain.std() / len(gain) ** 0.5:.2f}"


final = {key: task.psnr(run(*key, y, setting), images) for key, setting in best.items()}
gains = {name: final[name, "P"] - final[name, "no P"] for name in classes}
means = {key: float(psnr.mean()) for key, psnr in final.items()}
print(f"{'PSNR (dB)':12s}{'no P':>7s}{'P':>8s}   gain")
for name, gain in gains.items():
    row = f"{name:11s}{means[name, 'no P']:8.2f}{means[name, 'P']:8.2f}"
    print(f"{row}   {paired(gain)}, worst {gain.min():+.2f}")
print(f"exact ADMM {means['exact ADMM', 'no P']:8.2f}")
assert all(gain.mean() > 2 for gain in gains.values())

# %% [markdown]
# Two numbers more: over the four solvers, how far apart is the PSNR without $P$, and with it? And what is the gain over
# the strongest solver that has no $P$?

# %%
spread = {}
for label in ("no P", "P"):
    reached = [means[name, label] for name in classes]
    spread[label] = max(reached) - min(reached)
    print(f"{label:5s}from {min(reached):.2f} to {max(reached):.2f} dB")
strongest = max((key for key in means if key[1] == "no P"), key=means.get)
honest = means["ADMM", "P"] - means[strongest]
print(f"P in ADMM: {honest:+.2f} dB over the best solver without P, {strongest[0]}")
assert strongest[0] == "exact ADMM"
assert 1.5 < honest < gains["ADMM"].mean() - 1
assert spread["P"] < spread["no P"]

# %% [markdown]
# The claim holds: trained in one solver, $P$ gains decibels in each of the four, and the results with $P$ differ less
# than those without. It was trained with momentum, which took the training to points that a plain run does not visit.
# That is a condition, and not a detail: the [chapter on distilling](distilling) has a $P$ whose training knew no
# momentum, and in FISTA it is lost. Two more cautions belong to the table.
#
# First, the largest gain is the least honest one. Against ADMM with one inner step $P$ looks best, because that
# solver is slow without it. The right comparison is with the strongest solver that needs no $P$ at the same number of
# products, the exact ADMM, and it leaves clearly less. Whoever reports a gain "in ADMM" has to say in which ADMM.
#
# Second, PGD without $P$ is slow, too, since it has no momentum. The gain in PGD contains a gain in time. The curves to
# 60 iterations separate the two.

# %% mystnb={"figure": {"name": "fig-os-curves", "caption": "Mean PSNR over 24 digits to 60 iterations, in PGD and in both kinds of ADMM, each with its tuned setting."}, "image": {"alt": "Five curves of PSNR against iterations on a logarithmic axis. The two with P rise within five iterations and stay level. The three without P climb slowly and are still below at sixty iterations."}} tags=["hide-input"]
paths = {"exact ADMM, no P": exact_admm(y, **best["exact ADMM", "no P"], steps=60)}
for name, label in itertools.product(("PGD", "ADMM"), ("no P", "P")):
    iterates = build(name, kinds[label], **best[name, label]).iterates(y, A, 60)
    paths[f"{name}, {label}"] = (x for x, _ in itertools.islice(iterates, 1, None))
curves = {name: [float(task.psnr(x, images).mean()) for x in path] for name, path in paths.items()}
for name, path in curves.items():
    print(f"{name:17s}" + ", ".join(f"k = {k}: {path[k - 1]:.2f} dB" for k in (5, 20, 60)))
best_late = max(path[-1] for name, path in curves.items() if "no P" in name)
assert curves["ADMM, P"][4] > best_late + 1
figures.curves(range(1, 61), curves, xlabel="iteration", ylabel="PSNR (dB)", xscale="log", legend="above")

# %% [markdown]
# A part of the gain was time, and the larger part is not: after 60 iterations these solvers without $P$ are still more
# than a decibel below what ADMM with $P$ reaches in five.
#
# ## Do the points look alike?
#
# $P_\theta$ is a network. It is accurate at points $z$ like those of its training, and nothing is known elsewhere. So
# we follow each solver with $P$ in it, and compare at every iterate what $P$ says with what the teacher would say
# there (`B` is its operator): the cosine similarity of $P(\nabla g_s; z_k)$ and $\nabla g_t(z_k)$, as in the
# [single-pixel chapter](single-pixel); without momentum, $z_k = x_k$.

# %%
pulls = A.A_adjoint(y), B.A_adjoint(measure(B, images, seed=1))


def agreement(solver, where="z"):
    found = []
    for k, (x, z) in enumerate(solver.iterates(y, A, 20)):
        point = {"x": x, "z": z}[where]
        said, wanted = P(gradient(A, point, pulls[0]), State(point, k, A, y)), gradient(B, point, pulls[1])
        found.append(float(torch.cosine_similarity(said.flatten(1), wanted.flatten(1)).mean()))
    return found


# %% [markdown]
# One ADMM has its tuned $\tau$, one has $\tau = 20$.

# %% mystnb={"figure": {"name": "fig-os-cosine", "caption": "Mean cosine similarity of P's direction and the teacher's gradient along the iterates of solvers that contain P, over 24 digits."}, "image": {"alt": "Four curves of cosine similarity against iterations. All begin together above 0.8 and fall. PGD and the tuned ADMM level off above zero, FISTA turns and rises to 0.4, and ADMM with a weight of 20 falls below them, to zero and beyond."}}
followed = {name: build(name, P, **best[name, "P"]) for name in ("FISTA", "PGD", "ADMM")}
followed["ADMM, τ = 20"] = build("ADMM", P, sigma=best["ADMM", "P"]["sigma"], tau=20.0)
cosines = {name: agreement(solver) for name, solver in followed.items()}
at_x = agreement(followed["FISTA"], "x")
print({name: round(values[-1], 2) for name, values in cosines.items()}, f"FISTA at x: {at_x[-1]:.2f}")
assert max(at_x[5:]) < 0.3 < cosines["FISTA"][-1]
assert max(abs(values[0] - cosines["PGD"][0]) for values in cosines.values()) < 1e-3
assert abs(cosines["FISTA"][1] - cosines["ADMM"][1]) < 0.25
assert cosines["ADMM, τ = 20"][-1] < min(cosines[name][-1] for name in ("FISTA", "PGD", "ADMM")) - 0.1
figures.curves(range(21), cosines, xlabel="iteration $k$", ylabel="cosine similarity", legend="upper right")

# %% [markdown]
# All begin at the same point. After one step, where many of the decibels are won, $P$ agrees with the teacher about as
# well in one of them as in the other, the one of the training included. Then the curves fall, and that alone is no
# failure: what $P$ can predict has been used up, and the rest of the teacher's gradient cannot be predicted. (FISTA's
# rises again because momentum carries $z_k$ past $x_k$, and $P$, trained at such points, points back. At $x_k$ itself
# it stays low, as the cell prints.) What counts is the sign. The teacher's data term changes along $-P$ at the rate
# $-P^\top \nabla g_t$. Above zero, a small further step along $-P$ would lower it; below zero, $P$ has been followed
# too far. ADMM with $\tau = 20$ gets there: by {eq}`eq-os-rest` it multiplies $P$ by 20.
#
# (large-tau)=
# ## A failure: too large a $\tau$
#
# We sweep $\tau$, and look at 20 and at 60 iterations. The last row is a repair. In it, the measured part takes the
# exact proximal step, whose factor $\tau / (1 + \tau)$ never exceeds one, and so does $P$'s correction, which is
# asked for at $x_k$: `exact_admm` with `correct=P`. (It takes two products per iteration.)

# %%
eight, y_eight, weights = images[:8], y[:8], (2.0, 20.0, 50.0)
swept = {"no P, 20": [], "P, 20": [], "P, 60": [], "repaired, 60": []}
for tau in weights:
    plain = build("ADMM", sigma=0.1, tau=tau)(y_eight, A)
    path = [x for x, _ in build("ADMM", P, sigma=0.1, tau=tau).iterates(y_eight, A, 60)]
    repaired = list(exact_admm(y_eight, 0.1, tau, correct=P, steps=60))[-1]
    for key, x in zip(swept, (plain, path[20], path[60], repaired), strict=True):
        swept[key].append(float(task.psnr(x, eight).mean()))
print(f"{'PSNR (dB) for τ =':20s}" + "".join(f"{tau:8g}" for tau in weights))
for key, values in swept.items():
    print(f"{key:20s}" + "".join(f"{value:8.2f}" for value in values))
assert swept["P, 60"][-1] < min(swept["P, 60"][0] - 1, swept["P, 20"][-1] - 0.5)
swing = {key: max(values) - min(values) for key, values in swept.items()}
assert swing["repaired, 60"] < swing["P, 60"] / 2
assert max(swept["repaired, 60"]) < max(swept["P, 60"]) + 0.5

# %% [markdown]
# With $P$ and a large $\tau$ ADMM is worse at 60 iterations than at 20. The repaired form depends on $\tau$ far less,
# as its bounded factor suggests, but at its best it is not much better than ADMM with a well chosen $\tau$, or worse.
# The lesson is not about ADMM. A learned $P$ comes with a unit: the step that it was trained for. A solver that changes
# the step changes the meaning of what $P$ says.
#
# ## Moving operators: from scan to scan
#
# Now the solver stays and the camera moves. $P(\nabla g; z) = \nabla g + (I - A^+A) N_\theta(\nabla g, z)$ meets $A$
# in two places, the gradient and the projector; both follow the new camera by themselves. The network does not know
# that anything has changed. We use the tuned solvers of the [single-pixel chapter](single-pixel), and tune nothing
# again.


# %%
none, distilled = (ddgp_lib.load_solver("single_pixel", kind, task=task) for kind in ("none", "distilled"))


def moved(camera, images=images):
    data = measure(camera, images, seed=0)
    return [task.psnr(solver(data, camera), images) for solver in (none, distilled)]


def hadamard(ratio, ordering="cake_cutting"):
    return operators.HadamardCamera(ratio, task.img_size, ordering, noise=0.01)


scans = {"home": A} | {order: hadamard(0.1, order) for order in ("xy", "zig_zag", "sequency")}
scans |= {f"ratio {ratio}": hadamard(ratio) for ratio in (0.05, 0.2, 0.3)}

# %% [markdown]
# The column *at home* counts the patterns that the new camera shares with that of the training.

# %%
moved_gain = {}
print(f"{'camera':12s}{'patterns':>8s}{'at home':>9s}{'no P':>8s}{'P':>8s}   gain")
for name, camera in scans.items():
    plain, with_P = moved(camera)
    moved_gain[name], shared = with_P - plain, int((camera.mask * A.mask).sum())
    row = f"{name:12s}{camera.rank:8d}{shared:9d}{plain.mean():8.2f}{with_P.mean():8.2f}"
    print(f"{row}   {paired(moved_gain[name])}")
kept = [moved_gain[name].mean() for name in scans if name not in ("home", "sequency")]
assert moved_gain["home"].mean() > max(kept)
assert min(kept) > max(1, 2 * moved_gain["sequency"].mean())
assert scans["sequency"].mask[0, 0].sum(dim=1).topk(4).values.tolist() == [32, 32, 32, 6]

# %% [markdown]
# Half as many patterns or three times as many, patterns in other orders: the gain gets smaller and stays a gain,
# except for one. With the first rows in the order of sequency next to nothing is gained, or something lost. (The table
# has the sign; compare it with the standard error.) That camera shares half of its patterns with the camera of the
# training, as many as the ratio 0.05, so the count is not everything. Its 102 rows take all 32 frequencies in one
# direction, but only three and a part of a fourth in the other. What they show of a digit hardly resembles what the
# network has seen.
#
# ## Try it: exchange patterns one by one
#
# A cleaner experiment keeps the first $c$ patterns of the camera and replaces the others by patterns drawn at random
# from the rest of the basis, 102 in all. Move the slider from the right to the left. Where does $P$ stop helping?


# %%
def exchanged(c, seed=0):
    start = hadamard(c / 1024).mask.flatten() if c else torch.zeros(1024)
    free = (start == 0).nonzero().flatten()
    order = torch.randperm(len(free), generator=torch.Generator().manual_seed(seed))
    camera = copy.deepcopy(A)
    camera.mask = start.index_fill(0, free[order[: 102 - c]], 1.0).reshape(A.mask.shape)
    return camera


# %% [markdown]
# One run that goes astray would dominate a mean, so the table has medians, over 12 digits and two draws of the
# patterns.

# %%
shares = [0, 10, 20, 35, 51, 75, 102]
exchange, difference = {}, {}
for c in shares:
    draws = [moved(exchanged(c, seed), images[:12]) for seed in (0, 1)]
    exchange[c] = plain, with_P = [torch.cat(psnr).median() for psnr in zip(*draws, strict=True)]
    difference[c] = float(with_P - plain)
    print(f"{c:3d} patterns kept: median {plain:.1f} dB without P, {with_P:.1f} dB with P")
assert difference[0] < 0.5 < 1.5 < min(difference[c] for c in (51, 75, 102))


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
        f"{c} patterns of the training's camera kept: two digits, their back-projections and reconstructions. "
        f"Median PSNR over 12 digits and two draws: {plain:.1f} dB without P, {with_P:.1f} dB with P."
    )


# %% [markdown]
# The static control and its live twin share this dictionary.

# %% tags=["hide-input"]
exchange_slider = {
    "draw": draw_exchange,
    "values": shares,
    "label": "Patterns kept, of 102",
    "alt": describe_exchange,
    "start": 4,
    "colours": 128,
    "caption": "Two digits: the truth, what the camera sees, and 20 iterations without and with P.",
}
widgets.frames(**exchange_slider)

# %% [markdown]
# In a running kernel the twin draws anew; change the digits in `draw_exchange`, or the seed.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**exchange_slider)

# %% [markdown]
# Half of the patterns may go, and a gain of more than 1.5 dB stays. When the coarse ones go as well, nothing of it is
# left, and $P$ may do harm. A random selection from the whole basis is a different camera, and not a variant. No
# residual tells the one from the other ({ref}`ex-os-guard`).
#
# In MRI another mask for every scan is an ordinary case. Two brain slices, the mask of the training (mask 0) and two
# that it has not seen, all with 32 of 128 columns, of which the central ten are always there. The settings are those
# tuned for mask 0.

# %%
brains = ddgp_lib.load_task("mri")
slices = brains.test_images[:2]
pair = [ddgp_lib.load_solver("mri", kind, task=brains) for kind in ("none", "distilled")]
mri_gain = {}
for seed in (0, 1, 2):
    scanner = operators.CartesianMRI(4, brains.img_size, mask_seed=seed, noise=0.01)
    data, shared = measure(scanner, slices, seed=0), int((scanner.columns & brains.student.columns).sum())
    plain, with_P = (float(brains.psnr(s(data, scanner), slices).mean()) for s in pair)
    mri_gain[seed] = with_P - plain
    print(f"mask {seed}: shares {shared} columns, {plain:.2f} and {with_P:.2f} dB, {mri_gain[seed]:+.2f} dB")
assert min(mri_gain.values()) > 1
assert mri_gain[0] > max(mri_gain[seed] for seed in (1, 2))

# %% [markdown]
# The gain is smaller than with the mask of the training, and larger than a decibel with each of the others.
# [Three cameras](three-tasks) has more slices, and the networks that a user would pick instead, behind another mask.
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
def subsets(camera, share, P, sigma, protect=False, steps=20):
    generator, data = torch.Generator().manual_seed(0), measure(camera, eight, seed=0)
    x, part = camera.A_adjoint(data), copy.deepcopy(camera)
    for k in range(steps):
        part.mask = camera.mask * (torch.rand(camera.mask.shape, generator=generator) < share)
        grad = gradient(part, x, part.A_adjoint(data))
        x = D(x - P(grad, State(x, k, camera if protect else part, data)), sigma)
    return task.psnr(x, eight).mean()


# %% [markdown]
# For no $P$ the better of two $\sigma$ is taken, on the very digits of the test, so that $\sigma$ is not to its
# disadvantage.

# %%
camera, survived = hadamard(0.2), {}
print(f"{'PSNR (dB), 205 patterns':28s}{'no P':>8s}{'P, null(A_k)':>15s}{'P, null(A)':>13s}")
for share, steps in ((1.0, 20), (0.5, 20), (0.5, 40), (0.25, 80)):
    plain = max(subsets(camera, share, Identity(), s, steps=steps) for s in (0.1, 0.15))
    own, protected = (subsets(camera, share, P, 0.07, keep, steps) for keep in (False, True))
    survived[share, steps] = plain, own, protected
    label = f"{share:.0%} of rows, {steps} iterations"
    print(f"{label:28s}{plain:8.2f}{own:15.2f}{protected:13.2f}")

assert all(protected > plain + 2 for plain, _, protected in survived.values())
assert all(own < protected - 0.5 for (share, _), (_, own, protected) in survived.items() if share < 1)
assert max(protected for (share, _), (*_, protected) in survived.items() if share < 1) < survived[1.0, 20][2]

# %% [markdown]
# Where the measured rows are protected, $P$ survives an operator that it meets once and never again, even with a
# quarter of the rows. To let the network write into rows that are not being looked at, until their turn comes, costs
# decibels, as the middle column shows. And nothing is gained by subsets: with as many row products as 20 full
# iterations, that is 40 at one half or 80 at one quarter, the result is below that of the full ones. Here the rows are
# cheap, and denoiser and network are not. Subsets pay where a product with $A$ is the expensive part; this experiment
# says no more than that $P$ would not stand in their way.
#
# ## Any linear operator
#
# The solvers ask an operator for $A$, $A^\top$ and a projector. Any linear physics of deepinv has them, and a
# preconditioner that is algebra works at once: polynomials need nothing but products, and Newton's system is solved by
# conjugate gradients. A learned $P$ can be *called* at once. That is not the same. Two things have to be right before:
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
            A=lambda x: x.flatten(1) @ matrix.T, A_adjoint=lambda y: (y @ matrix).reshape(-1, *shape)
        )
        self.squared_norm = 1.0
        self.range_projection = lambda x: (x.flatten(1) @ rows.T @ rows).reshape(x.shape)


# %% [markdown]
# Three operators of deepinv, and four methods:

# %%
generator = torch.Generator().manual_seed(0)
library = {
    "inpainting, 30 %": deepinv.physics.Inpainting(task.img_size, mask=0.3, rng=generator),
    "Gaussian rows, 256": deepinv.physics.CompressedSensing(256, task.img_size, rng=generator),
    "downsampling ×4": deepinv.physics.Downsampling(task.img_size, factor=4, filter="gaussian"),
}
methods = {"none": None, "ℓ2, d = 4": Polynomial.of("l2", 4), "Newton": Newton(0.01), "learned": P}

# %% [markdown]
# There is no noise. The first two columns are deepinv's operators as they come; the *gap* is the relative difference
# between the projector on the range applied twice and once. Without a closed form, it is found by conjugate gradients.

# %%
warnings.simplefilter("ignore", OperatorMismatch)  # P meets other operators here, on purpose
any_physics = {}
print(f"{'PSNR (dB)':20s}{'‖A‖²':>7s}{'gap':>9s}" + "".join(f"{label:>11s}" for label in methods))
for name, physics in library.items():
    once = operators.range_projection(physics, images)
    gap = float((operators.range_projection(physics, once) - once).norm() / once.norm())
    scaled = Normalised(physics, task.img_size)
    for label, p in methods.items():
        x = build("PGD", p, sigma=0.1)(scaled.A(images), scaled)
        any_physics[name, label] = float(task.psnr(x, images).mean())
    row = [f"{any_physics[name, label]:11.2f}" for label in methods]
    print(f"{name:20s}{operators.squared_norm(physics, task.img_size):7.3f}{gap:9.4f}", *row, sep="")

# %% [markdown]
# What if a user takes deepinv's operator as it is?

# %%
rough = library["downsampling ×4"]
step = 1 / operators.squared_norm(rough, task.img_size)
unscaled = build("PGD", P, stepsize=step, sigma=0.1, max_iter=5)
left = task.psnr([*unscaled.iterates(rough.A(images), rough)][-1][0], images).mean()
print(f"downsampling with P, not scaled, projected by conjugate gradients, 5 iterations: {left:.1f} dB")
assert not left > any_physics["downsampling ×4", "none"] - 2  # nan is no success either
assert abs(any_physics["inpainting, 30 %", "Newton"] - any_physics["inpainting, 30 %", "none"]) < 0.3
for name in ("Gaussian rows, 256", "downsampling ×4"):
    assert any_physics[name, "Newton"] > any_physics[name, "none"] + 2
    assert any_physics[name, "learned"] < any_physics[name, "Newton"] + 0.3

# %% [markdown]
# Inpainting has $A A^\top = I$, so [algebra](linear-preconditioners) can do nothing for it. Where the spectrum is real,
# algebra gains decibels at once, and the digits' $P$, which has never seen such gradients, does no better or ruins the
# image, although the operator is normalised and the projector exact. Without scaling, it diverges. For a new operator a
# learned $P$ has to be [distilled](distilling), by `ddgp_lib.distill` on a task with that operator.
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
# and in the null space? (c) Check (b) with $\tau = 2$, $\alpha = 0.5$ and 50 inner steps.
# ```

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
# altogether, and $u = (x_k + \tau x^*) / (1 + \tau)$ in both spaces. A perfect guess turns the null space into data: more
# inner steps and a larger $\tau$ then do no harm. What fails with a large $\tau$ is a guess whose error
# does not shrink as $u$ follows it.
# ```
#
# ```{exercise} More inner steps
# :label: ex-os-inner
#
# More inner steps bring the data step of {eq}`eq-os-hqs` closer to the proximal map, and each asks for a gradient.
# At 20 gradients in all, compare one, two and four inner steps in HQS and ADMM on eight digits, without and with
# $P$. Why could the result be expected for $A A^\top = I$?
# ```

# %% tags=["hide-cell"]
inner = {}
for name, label in itertools.product(("HQS", "ADMM"), ("no P", "P")):
    for steps in (1, 2, 4):
        solver = build(name, kinds[label], inner_steps=steps, max_iter=20 // steps, **best[name, label])
        inner[name, label, steps] = float(task.psnr(solver(y_eight, A), eight).mean())
    print(f"{name:5s}{label:5s}" + "".join(f"{inner[name, label, steps]:7.2f}" for steps in (1, 2, 4)))
    assert inner[name, label, 4] < inner[name, label, 1] + 0.1
assert all(inner[name, "no P", 4] < inner[name, "no P", 1] - 0.5 for name in ("HQS", "ADMM"))

# %% [markdown]
# ```{solution} ex-os-inner
# :class: dropdown
#
# The cell above prints the PSNR for one, two and four inner steps. It falls, and in ADMM with $P$ at least does not
# rise. In the range, HQS and ADMM reach their
# proximal map with the first inner step, whatever $u$ was, since $u - \alpha \nabla g(u)$ fits the data exactly. What
# the further ones change is the null space, where a denoising does more than a gradient.
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
rejected = sum(history[-1] for history in metrics["rejected"])
seen = {}
for label, solver in (("no P", none), ("P", distilled)):
    x = solver(data, strange)
    seen[label] = task.psnr(x, images).mean(), (norms(strange.A(x) - data) / norms(data)).mean()
    print(f"{label:5s}{seen[label][0]:6.2f} dB, residual {seen[label][1]:.3f}")
print(f"rejected: {rejected} of {len(images)}")
assert rejected == 0
assert seen["P"][0] < seen["no P"][0] - 0.3
assert seen["P"][1] < seen["no P"][1]

# %% [markdown]
# ```{solution} ex-os-guard
# :class: dropdown
#
# None is rejected, and with $P$ the residual is even smaller, although the images are worse. The null-space form leaves
# the data step as it is without $P$, so what the network invents shows in the residual only through the denoiser. What
# would tell are images for which the truth is known: simulate the new camera on some training images, and measure the
# gain there, before it is used. It takes seconds, and it is how the tables of this chapter were made.
# ```
#
# ```{exercise} A forecast from the training images
# :label: ex-os-forecast
#
# For the cameras `home`, `zig_zag` and `sequency`, compute the gain over 24 *validation* digits in the same way.
# Does it forecast the gain on test digits, that of the worst camera included?
# ```

# %% tags=["hide-cell"]
for name in ("home", "zig_zag", "sequency"):
    plain, with_P = moved(scans[name], task.val_images[16:40])
    forecast = float((with_P - plain).mean())
    print(f"{name:10s} forecast {forecast:+.2f} dB, found {moved_gain[name].mean():+.2f} dB")
    assert abs(forecast - moved_gain[name].mean()) < 1

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
# - A $P$ distilled in FISTA gains in PGD, HQS and ADMM without any change. The other way is not to be relied on: a $P$
#   that is to be used with momentum should be trained with it.
# - A gain depends on the baseline. In ADMM it is largest over a version that nobody would use; over the strongest
#   solver without $P$, the exact ADMM, it is smaller, and still decibels.
# - Each solver multiplies $P$'s correction by its own factor, which its resting image shows: $\alpha$ in PGD, $\alpha
#   \tau / (\alpha + \tau)$ in HQS, $\tau$ in ADMM. A learned correction has a unit, and too large a factor destroys
#   the image.
# - $P$ follows a moving camera through gradient and projector. With variants of its camera it keeps a gain; with
#   patterns drawn from the whole basis nothing of it is left, and no residual says so.
# - With rows drawn anew in every iteration it keeps a gain where the measured rows are protected; here they save
#   nothing.
# - Any linear operator can be used: algebra works at once, a learned $P$ only after scaling, with a true projector,
#   and as a rule after a new distillation.
#
# ## Further reading
#
# {cite}`ryu2019plug` prove convergence of plug-and-play in both families and discuss their common resting points;
# {cite}`ahmad2020plug` compare the solvers for MRI. {cite}`zhang2022plug` build HQS with a learned denoiser and a
# schedule for $\sigma$ and $\tau$. ADMM is the subject of {cite}`boyd2011distributed`, its plug-and-play form of
# {cite}`chan2017plug`. Preconditioned plug-and-play with proof is {cite}`hong2024p2np`; the journal extension of the
# distilled preconditioner, {cite}`dipa2026`, considers several algorithms.
