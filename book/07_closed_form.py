# %% [markdown]
# (closed-form)=
# # The linear answer: one regression for each iteration
#
# The [last chapter](teachers) built a teacher and asked how much of its gradient can be guessed. The [next
# one](distilling) trains a network to guess it. Between the two stands a question that needs no training:
# **what is the best linear map from the student's gradient to the teacher's?** The answer is a formula. The formula is
# a regression, and the regression takes seconds. It is the mark that a network has to pass. And it can be read: we
# can see which pattern is added when which pattern is seen, why the answer changes from one iteration to the next, and
# what happens where it was not fitted. All measurements are simulated from real images, with known operators.
#
# ```{note}
# **Time:** 19 minutes of reading, less than a minute of computing. **Before this:** [the last chapter](teachers), for
# student, teacher and the linear guess; covariance matrices. **After it** you can
#
# 1. derive the best linear gradient matcher, and compute it in five lines;
# 2. say what the iterate $z$ tells a preconditioner that the gradient does not;
# 3. read a fitted map: how many directions matter, and what they look like;
# 4. recognise a ridge that is too small, and a map that is used where it was not fitted;
# 5. say what the linear answer is worth for three cameras, what it costs, and what it says about any $P$.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import copy
import dataclasses
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

import ddgp_lib
from ddgp_lib import PreconditionedFISTA, analysis, answers, figures, widgets
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.linear import Ridge, distill_linear
from ddgp_lib.linear.states import Trajectory, training_images
from ddgp_lib.operators import gradient, normal, null_projection, range_projection
from ddgp_lib.tables import Column, table

# %% tags=["hide-input"]
torch.set_grad_enabled(False)  # nothing is trained in this chapter
task = ddgp_lib.load_task("single_pixel")
started = time.process_time()
with FlopCounterMode(display=False) as fitting:
    linear = distill_linear(task, n_images=2000, progress=False)
fit_seconds, P = time.process_time() - started, linear.preconditioner
images = task.test_images[:24]
y = task.measure(images)
options = {"stepsize": task.stepsize, "sigma": task.sigma, "momentum": "none"}
solvers = {
    "FISTA, no P": ddgp_lib.load_solver("single_pixel", "none"),
    "ADMM, no P": ddgp_lib.load_solver("single_pixel", "admm"),
    "linear P": PreconditionedFISTA(task.denoiser, P, **options),
    "network P": ddgp_lib.load_solver("single_pixel", "distilled"),
}


# %% tags=["hide-input"]
def curve_of(task, solver, images, count=40):
    return psnr_curves(task, solver, images, task.student, count)


each = {name: curve_of(task, s, images) for name, s in solvers.items()}
curves = {name: values.mean(dim=1) for name, values in each.items()}
P.after = "last"  # the last of the four maps in every later iteration, instead of plain steps
repeated = curve_of(task, solvers["linear P"], images).mean(dim=1)
P.after = "identity"

# %% [markdown]
# **Key results**, computed as means over 24 digits that nothing was fitted to:

# %% tags=["hide-input"]
fista, admm, line, net = curves.values()
print(
    f"1. Four linear maps, fitted in seconds, reach {line[3]:.1f} dB in four iterations. The tuned\n"
    f"   solvers without P are at {fista[3]:.1f} (FISTA) and {admm[3]:.1f} dB (ADMM) then, a trained\n"
    f"   network at {net[3]:.1f} dB.\n"
    f"2. The best of 40 iterations: linear {line.max():.1f} dB, FISTA {fista.max():.1f}, ADMM {admm.max():.1f},\n"
    f"   network {net.max():.1f}. What the linear maps gain is speed.\n"
    f"3. Repeat the last map for ever, and the run diverges: {repeated[-1]:.0f} dB after 40."
)

# %% mystnb={"figure": {"name": "fig-cf-question", "caption": "One held-out digit after four iterations, from the same 102 measurements. Upper row: the true image and three reconstructions. Lower row: their absolute errors, on one scale."}, "image": {"alt": "A handwritten four and three reconstructions with error maps. With ADMM and no preconditioner the strokes are faint and blurred and the error shows the whole digit. With the linear preconditioner they are brighter and thinner and the error is weaker. With the network they are sharper still and the error is the weakest."}} tags=["hide-input"]
shown, after_four = 4, {}
for name in ("ADMM, no P", "linear P", "network P"):
    *_, (x, _) = solvers[name].iterates(y[shown][None], task.student, 4)
    after_four[name] = x[0]
figures.reconstructions(images[shown], after_four)

# %% [markdown]
# ## The question in one picture
#
# The single-pixel camera of this book measures 102 of 1,024 patterns; its teacher measures 410. From 2,000 training
# digits `distill_linear` has fitted four linear maps, one for each of the first four iterations. The default is 3,000
# digits. All learning of this chapter's main example is this call. It took less than a minute of processor time.
#
# Two solvers without a preconditioner are tuned on validation digits: FISTA with a constant $\sigma$, and ADMM with an
# exact data step and a $\sigma$ that falls from iteration to iteration, the better of the two
# ([a later chapter](other-solvers) writes it down). The picture shows the second. The last is the shipped network, tuned
# as well. The linear map stands between them, with the task's default $\sigma$ and nothing tuned. How does it get so far
# without a network?

# %%
assert fit_seconds < 60
assert max(fista[3], admm[3]) < line[3] < net[3]
assert fista.max() < line.max() < admm.max() + 0.1 < net.max()

# %% [markdown]
# ## The formula
#
# As in the [last chapter](teachers), let $e = z - x^*$ be the error of the student's iterate, and
# $M = A^\top A$. Without noise the two gradients at $z$ are made of one vector,
#
# $$
# \nabla g_s(z) = M_s e, \qquad \nabla g_t(z) = M_t e .
# $$ (eq-cf-gradients)
#
# We look for the matrix $P$ with the least mean squared error
# $\mathbb{E}\, \lVert M_t e - P M_s e \rVert^2$, where the mean is taken over images. It is a convex quadratic in
# $P$. With $C = \mathbb{E}[e e^\top]$, its derivative vanishes where
#
# $$
# P\, M_s C M_s = M_t C M_s ,
# $$ (eq-cf-normal)
#
# and of all solutions the one of least norm is
#
# $$
# P^* = M_t\, C M_s \bigl( M_s C M_s \bigr)^+ .
# $$ (eq-cf-wiener)
#
# This is a **Wiener predictor** {cite}`wiener1949extrapolation`: the covariance of what is wanted with what is
# known, times the inverse covariance of what is known. Read from the right, it is an estimate followed by a camera:
# $\hat e = C M_s (M_s C M_s)^+ \nabla g_s$ is the best linear estimate of the whole error from the student's
# gradient, and $P^* \nabla g_s = M_t \hat e$ is the gradient that the teacher would have if that estimate were
# exact. For Gaussian errors of mean zero $\hat e$ is the conditional mean of $e$, so **$P^*$ predicts what has not
# been measured and steps by the prediction**.
#
# We compute it at a small size, $16 \times 16$ pixels without noise, at the points $z_1$ that one call of the
# denoiser leads to. `walk` follows a solver without momentum through its iterations and yields its states. In a state,
# `gradient` is $\nabla g_s(z_k)$ and `target` is $(\alpha_t/\alpha_s) \nabla g_t(z_k)$, with the step sizes $\alpha =
# 1/\lVert A \rVert^2$ of teacher and student; here the factor is 1, since both operators have norm one.


# %%
def walk(task, images, P, count, generator=None):
    generator = torch.Generator().manual_seed(5) if generator is None else generator
    states = Trajectory.start(task, images, generator)
    for _ in range(count):
        yield states
        x = states.step(P(states.gradient, states.state), task.sigma)
        states = states.advance(x, lambda k: 0.0)


# %% [markdown]
# The options make the library's fit the one of the formula: free, from the gradient alone, without a ridge.

# %%
small = ddgp_lib.load_task("single_pixel", size=16, noise=0.0)
wiener_options = {"inputs": "gradient_only", "form": "free", "ridges": (0.0,)}
wiener_options |= {"iterations": 2, "n_images": 1000, "progress": False}
fitted = distill_linear(small, **wiener_options).preconditioner
generator = torch.Generator().manual_seed(0)  # the same images as in the fit
digits = training_images(small, 1000, generator)
start, states = walk(small, digits, fitted, 2, generator)

# %% [markdown]
# Next come $M_s$, $M_t$ and $C$; `best` is {eq}`eq-cf-wiener`, and `by_hand` applies it.


# %%
def normal_matrices(task):
    operators = (task.student, task.teacher)
    dense = (analysis.dense_matrix(A, task.img_size) for A in operators)
    return [A.T @ A for A in dense]


M_s, M_t = normal_matrices(small)
e = (states.z - states.truth).flatten(1).double()
C = e.T @ e / len(e)
best = M_t @ C @ M_s @ torch.linalg.pinv(M_s @ C @ M_s, rtol=1e-9, hermitian=True)
by_hand = states.gradient.flatten(1).double() @ best.T

# %% [markdown]
# The library knows nothing of these matrices. It fits a ridge regression of gradients on gradients. Do the two agree?

# %%
library = fitted(states.gradient, states.state).flatten(1)
difference = float((library - by_hand).norm() / by_hand.norm())
print(f"relative difference below 1e-5: {difference < 1e-5}")

# %%
assert difference < 1e-5
missed = e @ M_t - by_hand
assert (missed.T @ (e @ M_s)).norm() < 1e-4 * ((e @ M_t).T @ (e @ M_s)).norm()
assert start.gradient.abs().max() < 1e-5

# %% [markdown]
# They agree to rounding error: **distilling a linear preconditioner is one regression, and the regression is the
# formula.** The folded cell checks the property that defines a best linear predictor, too: what it misses is
# uncorrelated with its input. With noise, $M_s e$ is not available, and the covariances of the gradients themselves take
# the place of $M_s C M_s$ and $M_t C M_s$. The regression uses those anyway.
#
# Three things can be read off {eq}`eq-cf-wiener`.
#
# - **It needs images.** With $C = I$, that is, errors without any structure, the formula is $P^* = M_t M_s^+$. For our
#   two cameras this is $M_s$ again, which leaves the gradient as it is. All that $P^*$ knows about the null space comes
#   from $C$.
# - **It changes with the iteration.** $C$ is the covariance of the *current* error. The errors at $z_1$ are not
#   those at $z_0$, and they depend on all that happened before, the denoiser included.
# - **It can be zero.** At $z_0 = A_s^\top y_s$ the student's gradient vanishes, since $A_s A_s^\top = I$ (the
#   last assertion). Then $M_s C M_s = 0$ and $P^* = 0$.

# %% [markdown]
# ## What the iterate adds
#
# The solver knows more than the student's gradient. It knows $z$, and with $A_s A_s^\top = I$
#
# $$
# A_s^+A_s\, z - \nabla g_s(z) = A_s^\top y_s .
# $$ (eq-cf-data)
#
# So the pair $[\nabla g_s; z]$ contains the measurements, and the gradient alone does not. The library therefore
# fits an affine map of both, by ridge regression {cite}`hoerl1970ridge` over $N$ training images,
#
# $$
# \begin{aligned}
# t_k^i &= \Pi \Bigl( \tfrac{\alpha_t}{\alpha_s} \nabla g_t(z_k^i) - \nabla g_s(z_k^i) \Bigr), \\
# (L_k, b_k) &= \arg\min_{L,\, b}\; \sum_{i=1}^N \bigl\lVert t_k^i - L\, [\nabla g_s(z_k^i); z_k^i] - b
# \bigr\rVert^2 \\
# & \qquad\qquad + c\, \lVert L \rVert^2 .
# \end{aligned}
# $$ (eq-cf-ridge)
#
# Here $\Pi$ is $I - A_s^+A_s$ in the null-space form and $I$ in the free form, and $c$ is the ridge $\varepsilon$ times
# the mean of $\sum_i (z_k^i)_j^2$ over the pixels $j$. The preconditioner is
# $P_k(g; z) = g + \Pi (L_k [g; z] + b_k)$. The fit is **greedy**: the images take their step with $P_k$, the denoiser
# acts, and the points where they arrive are the data of the next regression.
#
# Four variants at $16 \times 16$, 2,000 digits. *Match* is the share of $\sum_i \lVert t_k^i \rVert^2$ that the
# map explains on validation digits: 1 is all of it, 0 is what $b_k = 0$, $L_k = 0$ would do.

# %%
sixteen = ddgp_lib.load_task("single_pixel", size=16)
variants = {}
for inputs in ("gradient_only", "affine"):
    for form in ("free", "null_space"):
        choice = {"inputs": inputs, "form": form, "n_images": 2000}
        fit = distill_linear(sixteen, progress=False, **choice)
        variants[inputs, form] = fit.history

# %% tags=["hide-input"]
ks = (0, 1, 3)
heads = [f"match, k = {k}" for k in ks]
heads += [Column(f"after k = {k}", "dB", digits=1) for k in ks]
rows = {
    f"{inputs.replace('_', ' ')}, {form.replace('_', ' ')}": [
        *(history["match"][k] for k in ks),
        *(history["psnr"][k] for k in ks),
    ]
    for (inputs, form), history in variants.items()
}
table("What the fit finds on validation digits of 16 × 16 pixels.", heads, rows)

# %%
for form in ("free", "null_space"):
    alone, both = variants["gradient_only", form], variants["affine", form]
    assert abs(alone["match"][0]) < 0.01 < 0.7 < both["match"][0]
    assert both["psnr"][0] > alone["psnr"][0] + 2.5
    pairs = zip(alone["psnr"], both["psnr"], strict=True)
    assert all(second > first + 1 for first, second in pairs)
for inputs in ("gradient_only", "affine"):
    pair = (variants[inputs, form]["psnr"] for form in ("free", "null_space"))
    assert all(abs(a - b) < 0.05 for a, b in zip(*pair, strict=True))

# %% [markdown]
# At $k = 0$ the gradient-only map explains nothing, as the formula says, and the affine one more than 70%: the
# measurements are in $z_0$, and a regression on them is the guess of the last chapter. Gradient only catches up later
# but stays more than 1 dB behind. Free and null-space form are the same within 0.05 dB. There is a reason: for a
# nested teacher with $A A^\top = I$ and without noise, the best linear map keeps the measured part by itself, and only
# a ridge can disturb it ({ref}`ex-cf-range`).
#
# ## The answer at full size
#
# Now the four maps that were fitted at the start, at $32 \times 32$. `linear.history` holds what the fit found on
# validation digits. The ridge was chosen there, in each iteration, by the PSNR after the step.

# %%
heads = ["ridge", "match", Column("after the step", "dB")]
kept = zip(*linear.history.values(), strict=True)
rows = {str(k): [f"{e:g}", match, psnr] for k, (e, match, psnr) in enumerate(kept)}
table("The four maps, on validation digits.", heads, rows, corner="k")

# %% [markdown]
# The four solvers of the opening reconstruct the same 24 held-out digits, 40 iterations each. The last two columns are
# gains over ADMM without $P$, the strongest method that learns no $P$: after four iterations, and between the best
# iterations of both. Each is the mean of the differences digit by digit, with its standard error.


# %%
def paired(better, worse):
    gain = better - worse
    return float(gain.mean()), float(gain.std() / len(gain) ** 0.5)


def best_of(values):
    return values[values.mean(dim=1).argmax()]


bar, rows = each["ADMM, no P"], {}
for name, values in each.items():
    gains = [paired(values[3], bar[3]), paired(best_of(values), best_of(bar))]
    reached = [float(curves[name][k - 1]) for k in (4, 10, 40)]
    rows[name] = [*reached, *(gains if values is not bar else (None, None))]

# %%
heads = [Column(f"k = {k}", "dB", best="high") for k in (4, 10, 40)]
heads += [Column(head, "dB", signed=True) for head in ("gain, k = 4", "gain, best")]
table("PSNR of 24 held-out digits, and gains over ADMM without P.", heads, rows)

# %%
assert line[3] > fista[3] + 2.5
assert line[3] > admm[3] + 1
assert line.max() > fista.max() + 0.3
assert net[3] > line[3] + 1
assert net.max() > max(line.max(), admm.max()) + 2

# %% mystnb={"figure": {"name": "fig-cf-psnr", "caption": "Mean PSNR over 24 held-out digits. The linear preconditioner has four fitted maps; after the fourth iteration plain steps follow."}, "image": {"alt": "Four curves of PSNR against the iteration, 1 to 40, on a logarithmic axis. The network is highest from the first iteration on, and soon levels off about three decibels above all others. The linear map rises steeply within four iterations, then slowly, and stays level. Of the two without a preconditioner, FISTA rises slowly and ends lowest; ADMM rises faster, crosses the linear map late and ends a little above it."}} tags=["hide-input"]
axis = {"xlabel": "iteration", "ylabel": "PSNR (dB)", "legend": "above"}
axis["vertical"] = {"last fitted map": 4}
roles = dict(zip(curves, ("baseline", "guide", "linear", "distilled"), strict=True))
figures.curves(range(1, 41), curves, xscale="log", roles=roles, **axis)

# %% [markdown]
# After four iterations the four matrices, fitted in seconds, are more than 2.5 dB ahead of FISTA and more than a decibel
# ahead of ADMM. Best against best, they are not ahead of ADMM at all, which needs no training and only more iterations.
# **What the linear map gains is speed.** The network is ahead by more than a decibel after four iterations, and by more
# than two at the end.
#
# ## A map is good where it was fitted
#
# The match fell quickly in the table above. Is there nothing left to predict, or is the prediction bad? We compare
# digits that were in the fit with digits that were not. Then we exchange the maps: at the points of iteration $k$, what
# would the map of iteration $j$ explain?


# %%
def explained(target, guessed):
    return 1 - float((guessed - target).square().sum() / target.square().sum())


def wanted(states):
    return null_projection(states.task.student, states.target - states.gradient)


def offered(P, states, k=None):
    state = dataclasses.replace(states.state, k=states.k if k is None else k)
    added = P(states.gradient, state) - states.gradient
    return null_projection(states.task.student, added)


# %% [markdown]
# First the match at $z_0$ to $z_3$, for 200 digits of either kind.

# %%
unseen = task.test_images[100:300]
fitted_to = training_images(task, 2000, torch.Generator().manual_seed(0))
kinds = {"in the fit": fitted_to[:200], "held out": unseen}
walks = {name: list(walk(task, digits, P, 4)) for name, digits in kinds.items()}
match = {}
for name, states in walks.items():
    match[name] = [explained(wanted(s), offered(P, s)) for s in states]
heads = [f"k = {k}" for k in range(4)]
table("Share explained by the map of the same iteration.", heads, match)

# %% tags=["hide-input"]
first, *later = (a - b for a, b in zip(*match.values(), strict=True))
assert abs(first) < 0.04 < 0.1 < min(later)
assert match["held out"][3] < 0.05 < match["in the fit"][3]

# %% [markdown]
# Now each map at each of the four points, on the held-out digits.

# %%
along = walks["held out"]
crossed = [[explained(wanted(s), offered(P, s, j)) for j in range(4)] for s in along]
table(
    "Share that the map of iteration j explains at the points of iteration k.",
    [f"map of {j}" for j in range(4)],
    {f"at k = {k}": row for k, row in enumerate(crossed)},
)

# %%
assert max(crossed[0][1:]) < 0 < crossed[0][0]
assert max(row[0] for row in crossed[1:]) < -1

# %% [markdown]
# The prediction is bad. From $k = 1$ on, the map explains far more of the digits that it was fitted to than of others: it
# is **overfitted**. Its input has $1{,}126$ numbers, 102 of the gradient and 1,024 of $z$, and it was fitted to only
# 2,000 digits. At $k = 0$ its input is the 102 measurements alone, and there is no gap. The task also becomes harder for
# a linear map: even of the digits in the fit it explains less and less. That does not mean that nothing is left to
# predict. At the end of this chapter a network explains more at the same points.
#
# The second table shows what {eq}`eq-cf-wiener` means. Each map is good where it was fitted. Elsewhere it can be far
# worse than no map at all: the first one, used at any later iterate, adds a correction that has been made already. A
# linear answer is an answer *for one covariance $C$*. (A match near zero need not mean that a map is useless. It is
# a share of summed squares, in which badly guessed digits count most, and the denoiser acts afterwards. In
# {ref}`ex-cf-maps` maps are taken away.)
#
# ### A ridge that is too small
#
# Overfitting is what the ridge is for. `Ridge` needs one eigendecomposition for all values of $\varepsilon$, and
# where images are fewer than features it takes that of the smaller matrix, $N \times N$
# {cite}`hastie2009elements`. We fit $t_1$ at the points $z_1$ of training digits, and
# judge the fit on validation digits.


# %%
def features(states):
    X = torch.cat([states.gradient, states.z], dim=1)
    return X.flatten(1).double(), wanted(states).flatten(1).double()


X, Y = features(list(walk(task, task.train_images[:1000], P, 2))[1])
X_new, Y_new = features(list(walk(task, task.val_images[:200], P, 2))[1])

# %% [markdown]
# The regression is made from 250 and from 1,000 of the training digits. `size` is what $c$ is measured in.

# %%
ridges, sweep = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 1.0, 10.0), {}
for count in (250, 1000):
    x_mean, y_mean = X[:count].mean(dim=0), Y[:count].mean(dim=0)
    size = float(X[:count, 1024:].square().sum()) / 1024  # of z alone
    fit = Ridge((X[:count] - x_mean)[None], (Y[:count] - y_mean)[None], size)
    for W in (fit.weights(ridge)[0] for ridge in ridges):
        sets = {"in the fit": (X[:count], Y[:count]), "held out": (X_new, Y_new)}
        for name, (inputs, outputs) in sets.items():
            value = explained(outputs, (inputs - x_mean) @ W + y_mean)
            sweep.setdefault(f"{count:,}, {name}", []).append(value)
del X, Y, X_new, Y_new, fit, inputs, outputs, sets, W  # large

# %% [markdown]
# First the numbers for 1,000 digits; the figure below them has both sizes.

# %%
held = sweep["1,000, held out"]
chosen = max(range(len(ridges)), key=held.__getitem__)
print(f"1,000 digits: best ridge {ridges[chosen]:.2g}, explains {held[chosen]:.2f}")
in_fit = sweep["1,000, in the fit"][0]
print(f"smallest ridge: {in_fit:.2f} in the fit, {held[0]:.2f} held out")
assert in_fit > 0.9 > 0 > -1 > held[0]
assert 0.2 < held[chosen] < 0.35
assert max(sweep["250, held out"]) < 0.05

# %% mystnb={"figure": {"name": "fig-cf-ridge", "caption": "Share of the teacher's unseen gradient that a regression explains in the second iteration, against its ridge: on the digits that it was fitted to and on others."}, "image": {"alt": "Four curves against the ridge on a logarithmic axis. On the fitted digits, with 250 and with 1,000 of them, the share falls from one towards 0.1 as the ridge grows. On held-out digits it is far below zero for small ridges; with 1,000 digits it rises to a maximum of nearly 0.3 and falls again; with 250 it only climbs back to about zero."}} tags=["hide-input"]
figures.curves(
    ridges,
    sweep,
    xlabel="ridge $\\varepsilon$",
    ylabel="share explained",
    xscale="log",
    ylim=(-1.2, 1.05),
    roles=dict(zip(sweep, ("other", "gradient_only", "linear", "distilled"), strict=True)),
    horizontal={"no map": 0.0},
    legend="above",
)

# %% [markdown]
# With a ridge near zero the regression explains almost all of its own 1,000 digits and, of others, less than
# nothing. The best ridge brings more than a fifth. With 250 digits no ridge helps: the best choice is a ridge so large
# that nothing is left of the map. A network can overfit in the same way; there it takes a training to see it.
#
# ## What the map adds when it sees what
#
# At $k = 0$ the gradient is zero and $P_0$ is a map from the measured part of $z_0$ to the unmeasured part. Let $F$
# have the rows $L_0\,(z_0^i - \bar z_0)$, with the mean $\bar z_0$ of the $z_0^i$: what the map adds to each training
# digit beyond the mean. Its singular value
# decomposition $F = U \Sigma V^\top$ orders the map by what it does *on digits*: the rows of $V^\top$ are the patterns
# that it adds, $\Sigma^2$ is how much of the total each accounts for, and of all maps of rank $r$ the one that keeps the
# first $r$ is nearest to the full map on these digits {cite}`izenman1975reduced`. A randomised decomposition
# {cite}`halko2011finding` is enough, as the comparison with the exact values shows.

# %%
z = next(walk(task, fitted_to, P, 1)).z.flatten(1)
W = P.weights[0, 0, 1024:]
F = (z - z.mean(dim=0)) @ W
torch.manual_seed(0)
U, S, V = torch.svd_lowrank(F, q=task.student.rank, niter=4)
exact = torch.linalg.svdvals(F)
assert (S - exact[: len(S)]).abs().max() < 1e-4 * S[0]
assert exact[len(S)] < 1e-4 * S[0]

# %% [markdown]
# How much of the whole do the first directions carry?

# %%
shares = (S**2 / S.square().sum()).cumsum(dim=0)
print(f"share of the squares: first 4 {shares[3]:.2f}, first 16 {shares[15]:.2f}")
assert 0.35 < shares[3] < 0.5 < 0.7 < shares[15] < 0.85 < 0.95 < shares[63]

# %% [markdown]
# The map cannot have a rank above 102, since the student has no more measurements. Sixteen directions make up about three
# quarters of it. For each of the first four, the upper picture is the mean measured part of the digits that cause
# it, $\sum_i U_{ir}\, (z_0^i - \bar z_0)$, scaled to its largest entry; the lower one is what is then added.

# %% mystnb={"figure": {"name": "fig-cf-pairs", "caption": "The four leading directions of the first map. Upper row: what is seen; lower row: what is added. Red is positive, blue negative; with the opposite sign above, the opposite is added below."}, "image": {"alt": "Two rows of four signed images. Upper row: coarse blocky patterns of the size of a digit, such as a ring, a bar, and pairs of blobs with opposite sign. Lower row: finer patterns in the same places, with thin, often oblique lines of alternating sign."}} tags=["hide-input"]
sees = (U[:, :4].T @ (z - z.mean(dim=0))).view(4, 32, 32)
adds = -V[:, :4].T.reshape(4, 32, 32)  # the step is taken against P
signs = sees.sum(dim=(1, 2)).sign()[:, None, None]
scaled = [signs * v / v.abs().amax(dim=(1, 2), keepdim=True) for v in (sees, adds)]
titles = [f"{word} {i}" for word in ("see", "add") for i in range(1, 5)]
patterns = dict(zip(titles, torch.cat(scaled), strict=True))
figures.images(patterns, signed=True, vmax=1.0, columns=4)

# %% [markdown]
# Above, in blocks, is what a coarse camera sees of rings, bars and pairs of strokes. Below, in the same places, are
# finer and often oblique lines: what has to be added to the blocks to get strokes. The regression found this in the
# covariance of the digits alone.
#
# `at_rank` gives what the first step adds to test digits if the map has rank $r$, and the mean PSNR after it.

# %%
z_test = task.student.A_adjoint(y)
hidden = null_projection(task.student, images - z_test)
centred = (z_test.flatten(1) - z.mean(dim=0)) @ W
mean_part = z.mean(dim=0) @ W + P.bias[0].flatten()


def at_rank(r):
    guess = -(mean_part + centred @ V[:, :r] @ V[:, :r].T).view_as(z_test)
    return guess, float(task.psnr(z_test + guess, images).mean())


# %% [markdown]
# With all 102 directions it has to be the library's step.

# %%
quality = {r: at_rank(r)[1] for r in (0, 1, 2, 4, 8, 16, 32, 64, 102)}
carried = {r: float(shares[r - 1]) if r else 0.0 for r in quality}
heads = ["share of the map", Column("PSNR after the step", "dB")]
rows = {str(r): [carried[r], value] for r, value in quality.items()}
table("The first map cut to a lower rank, over 24 digits.", heads, rows, corner="rank")

# %% tags=["hide-input"]
state = ddgp_lib.State(z_test, 0, task.student, y)
full = z_test - task.stepsize * P(gradient(task.student, z_test, z_test), state)
torch.testing.assert_close(z_test + at_rank(102)[0], full, rtol=0, atol=1e-3)
assert quality[102] > quality[0] + 2
assert quality[102] - quality[32] < 0.5

# %% [markdown]
# Move the rank in the next control, from none, where only the mean is added, to all: what does the first step add to the
# digit, and where does it begin to add what is not there?


# %% tags=["hide-input"]
def draw_rank(r):
    guess, _ = at_rank(r)
    panels = {
        "$x^*$": images[shown],
        "hidden part": hidden[shown],
        "$z_0$, seen": z_test[shown],
        "its guess": guess[shown],
        "$u_0 = z_0 +$ guess": (z_test + guess)[shown],
        "error of $u_0$": (z_test + guess - images)[shown],
    }
    return figures.images(panels, columns=3, signed=True, vmax=0.8)


# %% tags=["hide-input"]
def describe_rank(r):
    return (
        f"A handwritten four, its hidden part, and the guess of it by a map of rank {r},"
        f" explaining {explained(hidden[shown], at_rank(r)[0][shown]):.2f}; "
        f"mean PSNR over 24 digits {quality[r]:.1f} dB."
    )


caption = "What one linear step adds to the measured part; red is positive, blue negative."
ranks = {"draw": draw_rank, "values": list(quality), "start": 5}
ranks["label"] = "Rank of the first map"
ranks["text"] = lambda r: "0 (mean only)" if r == 0 else str(r)
widgets.frames(**ranks, alt=describe_rank, colours=128, caption=caption)

# %% [markdown]
# In a running kernel, the twin of this control draws anew; change `shown` for another digit.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**ranks)

# %% [markdown]
# ## A failure: the last map, repeated
#
# Four maps were fitted. What should $P_k$ be for $k \ge 4$? The library offers two answers. With `after="identity"`
# plain steps follow, as in {numref}`fig-cf-psnr`. With `after="last"`, the run of the opening, the last map is used for
# ever. That looks reasonable: errors should hardly change any more. A third run has plain steps and a denoiser whose
# weight [fades](what-fades) from the tenth iteration on, with the square of the iteration.

# %%
fading = PreconditionedFISTA(task.denoiser, P, prior_decay=10, **options)
tails = {"plain steps": line}
tails["plain steps, fading"] = curve_of(task, fading, images).mean(dim=1)
tails["last map repeated"] = repeated

# %% [markdown]
# What does a step with the last map do to an error $v$, without the denoiser, if it is repeated? Power iteration on
#
# $$
# v \mapsto v - \alpha \bigl( M_s v + \Pi L_k\, [M_s v; v] \bigr)
# $$ (eq-cf-loop)
#
# gives the factor of growth.

# %%
v = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
for _ in range(60):
    g = normal(task.student, v)
    mapped = P.linear_part(torch.cat([g, v], dim=1), 3)
    change = g + null_projection(task.student, mapped)
    moved = v - task.stepsize * change
    growth, v = float(moved.norm() / v.norm()), moved / moved.norm()

# %% [markdown]
# And the three solvers with their denoiser?

# %%
plain, faded, repeated = tails.values()
ends = ", ".join(f"{name} {curve[-1]:.1f} dB" for name, curve in tails.items())
print(f"after 40 iterations: {ends}")
print(f"growth of an error in a step with the last map: {growth:.2f}")
assert repeated[-1] < 0
assert 0.05 < plain.max() - plain[-1] < 0.6
assert faded.max() - faded[-1] < 0.1
assert growth > 1.15

# %% mystnb={"figure": {"name": "fig-cf-last", "caption": "What follows the last fitted map: plain steps, plain steps with a denoiser whose weight fades after ten iterations, or the last map for ever. Mean over 24 digits."}, "image": {"alt": "Three curves of PSNR against the iteration, 1 to 40. All rise together to above 21 at iteration 4. With plain steps the curve goes on to nearly 22 and falls a little towards the end; with fading it stays level; with the last map repeated it falls from iteration 7 on and drops out of the figure at 12 before iteration 19."}} tags=["hide-input"]
roles = dict(zip(tails, ("linear", "teacher", "other"), strict=True))
figures.curves(range(1, 41), tails, ylim=(12, 23), roles=roles, **axis)

# %% [markdown]
# The run with the repeated map diverges. The affine form closes a loop: $P$ changes $z$ in the null space, and $z$ in
# the null space is an input of $P$. Nothing in {eq}`eq-cf-ridge` asks {eq}`eq-cf-loop` to shrink errors. A regression
# is fitted to the points that it was given, and directions that hardly occur there are not constrained. The growth is
# above one, and the denoiser does not undo it. With plain steps a part of the gain is lost slowly, since the denoiser
# goes on changing the null space and nothing corrects it; fading stops that. Networks have the same loop, and
# [a later chapter](when-it-breaks) looks at theirs.
#
# ## What it says about any $P$
#
# Let $t$ be what is wanted, and let $m$ be its conditional mean given everything that the student knows. For
# *every* function $P$ of that knowledge, linear or not,
#
# $$
# \mathbb{E}\,\lVert t - P \rVert^2 = \mathbb{E}\,\lVert t - m \rVert^2 + \mathbb{E}\,\lVert m - P \rVert^2 .
# $$ (eq-cf-floor)
#
# This holds because $t - m$ is uncorrelated with all functions of what is known. The first term cannot be avoided: the
# data do not determine it. The second is what the chosen class of functions and its training leave undone. The best
# affine map has a second term too, so **the linear match is a floor** for what a good $P$ explains: a network that
# explains less, at the same points, misses something that a regression finds in seconds. (The teacher's own noise is in
# $t - m$, and changes nothing else.) We compare at the points of the linear method, and at the first point, which all
# methods share. The shipped network was trained towards the teacher's direction *and* the true image, so it adds
# something in modes that the teacher does not see. There the gradient of the teacher is zero; we compare in the modes that it
# sees.


# %%
def in_teachers_modes(Q, states):
    return range_projection(task.teacher, offered(Q, states))


network = ddgp_lib.load_preconditioner("single_pixel")
cases = (
    ("linear", P, along),
    ("network", network, along),
    ("linear, network's points", P, walk(task, unseen, network, 4)),
)
rows = {}
for name, Q, points in cases:
    rows[name] = [explained(wanted(s), in_teachers_modes(Q, s)) for s in points]
table(
    "Share of the teacher's unseen gradient that is explained, 200 held-out digits.",
    [f"k = {k}" for k in range(4)],
    rows,
)

# %% tags=["hide-input"]
floor, reached, elsewhere = rows.values()
assert all(value > max(least, 0) for least, value in zip(floor, reached, strict=True))
assert reached[0] > max(0.75, floor[0] + 0.05)
assert elsewhere[1] < -2

# %% [markdown]
# The network is above the floor at every iteration, also at points that it has never produced itself. (From $k = 2$
# on, our fitted map explains less than nothing on new digits. There the floor is zero, that of no map; a fit to more
# digits would raise it.) At $z_0$ it explains more than three quarters of what the teacher adds. So less than a
# quarter cannot be known there, and a part of what the linear map misses, it misses because it is linear. The last row
# shows the converse. The network's points are better than the linear map's own, and there the map of $k = 1$ does great
# harm: it was fitted to other errors than these.
#
# ## What it costs
#
# Floating-point operations are counted for one digit and one iteration, and for all of the learning. (The counter sees
# products of matrices and convolutions, not the eigendecompositions, for which we add ten times $p^3$ each, with
# $p = 1{,}126$. The network's training is extrapolated from a few of its steps, and its second phase is left out.)


# %%
def operations(call):
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


z_one, state = z_test[:1], ddgp_lib.State(z_test[:1], 0, task.student, y[:1])
g = gradient(task.student, z_one, z_one)
bill = {
    "gradient": operations(lambda: gradient(task.student, z_one, z_one)),
    "denoiser": operations(lambda: task.denoiser(z_one, task.sigma)),
    "linear P": operations(lambda: P(g, state)),
    "network P": operations(lambda: network(g, state)),
}
per_iteration = list(bill)

# %% [markdown]
# The learning: what the fit at the opening took, and steps of a training with the recipe of the shipped network.

# %%
recipe = ddgp_lib.presets.PRESETS["single_pixel"].recipes["distilled"]
names = ("batch_size", "losses", "noise_range")
train = {name: getattr(recipe, name) for name in names}
train |= {"pool_size": recipe.batch_size, "progress": False}


def training_operations(steps):
    with torch.enable_grad():
        return operations(lambda: ddgp_lib.distill(task, steps=steps, **train))


each_step = (training_operations(4) - training_operations(2)) // 2
bill["all of the fit, linear"] = fitting.get_total_flops() + 4 * 10 * 1126**3
bill["all of the training, network"] = each_step * recipe.steps

# %%
rows = {
    name: [f"{count / 1e6:,.1f}" if name in per_iteration else f"{count / 1e6:,.0f}"]
    for name, count in bill.items()
}
table("Floating-point operations.", ["millions"], rows)

# %% tags=["hide-input"]
assert bill["linear P"] < bill["denoiser"] / 5 < bill["network P"] / 5
learning = bill["all of the training, network"] / bill["all of the fit, linear"]
assert learning > 100

# %% [markdown]
# Per iteration the linear map, two dense matrices, costs less than a fifth of one call of the denoiser, and no
# products with $A^\top A$ but the one in the projector; the network costs more than the denoiser. The training of the
# network takes more than a hundred times as many operations as the fit. So this is the experiment to run first: for a
# new teacher, a new camera or a new set of images it says within a minute whether a linear map can learn something.
#
# ## Two other cameras
#
# A dense matrix for a large image would be too large to store, and could not be fitted to a few hundred
# images. Symmetry helps. If the operator treats parts of an image alike, they can share a map, and each part is a
# sample.
#
# - **MRI: rows.** The scanner leaves out columns of k-space, and a Fourier transform along the other direction
#   changes nothing about what is lost. Every row of an image is measured by the same one-dimensional operator. So one
#   matrix serves all rows, and an image of 64 rows counts as 64 samples.
# - **Super-resolution: convolutions with a stride.** A camera that keeps every fourth pixel commutes with shifts by
#   four pixels, and if $C$ does too, so does $P^*$: one small matrix for each frequency and the 15 that fold onto it.
#
# Both have three fitted maps and 12 test images, and both are small: MRI with $64 \times 64$ pixels and 48 slices to
# learn from, super-resolution with $32 \times 32$ pixels and 280 faces. The solvers that are shipped were tuned at the
# full size. So here $\sigma$ is chosen again for every method, the linear one included, on eight validation images at
# this size, by the PSNR after three iterations and again by the best of twenty. (The MRI network was trained at the full
# size, and the network for faces is left out, since it does not suit the small size. `tv` is total variation in the
# place of the denoiser. The 12 slices are of one head, another than the one that was learned from.)

# %%
small_tasks = {
    "mri": ddgp_lib.load_task("mri", size=64),
    "super_resolution": ddgp_lib.load_task("super_resolution", size=32),
}
kinds = {"mri": ("none", "tv", "distilled"), "super_resolution": ("none", "newton")}
few = {"mri": {"n_images": 48}, "super_resolution": {}}
levels = (0.01, 0.02, 0.03, 0.05, 0.1)


def fitted_solvers(other):
    fit = distill_linear(other, iterations=3, progress=False, **few[other.name])
    setting = {"stepsize": other.stepsize, "momentum": "none"}
    setting["preconditioner"] = fit.preconditioner
    made = [PreconditionedFISTA(other.denoiser, sigma=s, **setting) for s in levels]
    return fit.history["match"], made


# %% [markdown]
# `chosen` takes the level that serves best on validation images, for both questions.


# %%
def chosen(other, made):
    val = [curve_of(other, s, other.val_images[:8], 20).mean(dim=1) for s in made]
    found = []
    for score in ([c[2] for c in val], [c.max() for c in val]):
        solver = made[score.index(max(score))]
        found.append(curve_of(other, solver, other.test_images[:12], 20).mean(dim=1))
    return found


# %%
others, first_match = {}, {}
for name, other in small_tasks.items():
    matches, linear_ones = fitted_solvers(other)
    methods = {"linear": linear_ones}
    for kind in kinds[name]:
        made = {"task": other, "kind": kind}
        methods[kind] = [ddgp_lib.load_solver(name, sigma=s, **made) for s in levels]
    first_match[name] = matches[0]
    for kind, made in methods.items():
        after_three, run = chosen(other, made)
        others[name, kind] = float(after_three[2]), float(run.max())

# %%
heads = [Column("after three iterations", "dB"), Column("best of twenty", "dB")]
rows = {}
for (name, kind), values in others.items():
    rows[f"{name.replace('_', '-')}: {kind}"] = values
table("Two other cameras at a small size, means over 12 test images.", heads, rows)

# %% tags=["hide-input"]
gain = {
    (name, kind): [a - b for a, b in zip(values, others[name, "none"], strict=True)]
    for (name, kind), values in others.items()
}
part = gain["super_resolution", "newton"][0] / gain["super_resolution", "linear"][0]
print(f"match of the first map: MRI {first_match['mri']:.2f}, ", end="")
print(f"super-resolution {first_match['super_resolution']:.2f}")
print(f"Newton's share of the linear gain after three iterations, super-resolution: {part:.2f}")

# %%
assert gain["mri", "linear"][0] > 1.5
assert gain["mri", "linear"][1] > 0.5
assert others["mri", "linear"][0] > others["mri", "tv"][0] + 1
assert others["mri", "distilled"][1] > others["mri", "linear"][1] + 0.5
assert gain["super_resolution", "linear"][0] > 1
assert part > 0.8
assert first_match["mri"] > 0.25 > first_match["super_resolution"]
assert others["super_resolution", "linear"][1] < others["super_resolution", "newton"][1] + 0.3

# %% [markdown]
# On MRI the linear map is ahead of both methods without a $P$ after three iterations: what a row shows explains a third
# or so of what the teacher adds at first. Most of that lead is speed. Best against best, in the second column, the linear
# map is still ahead of the solver without a $P$, but by far less. The network finds more.
#
# In super-resolution most of the gain after three iterations is that of Newton's step alone, and best
# against best the linear map is hardly ahead of it. Equation {eq}`eq-cf-wiener` says why. With $C = I$, no knowledge of
# images at all, $P^* = M_t M_s^+$: Newton's step without damping, followed by the teacher's weights
# ({ref}`ex-cf-white`). What a linear map could add beyond it is the null space, and of a face's null space little can be
# guessed linearly, as the match says.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 07_closed_form
# ```
#
# ## Exercises
#
# ```{exercise} Two ways to one regression
# :label: ex-cf-dual
#
# (a) Let the rows of $X$ and $Y$ be inputs and wanted outputs. Derive the minimiser of
# $\lVert Y - X W - 1 b^\top \rVert^2 + c \lVert W \rVert^2$ over $W$ and $b$; the ridge is not applied to $b$. (b)
# Show that $(X^\top X + c I)^{-1} X^\top = X^\top (X X^\top + c I)^{-1}$. When is the right side cheaper? (c) Two
# samples with one input each, 1 and 3, have the outputs 3 and 9. Compute $W$ and $b$ for $c = 1$.
# ```

# %%
answer = None  # (c): put W and b here, as a tuple
answers.check("ex-cf-dual", answer)

# %% [markdown]
# ```{solution} ex-cf-dual
# :class: dropdown
#
# (a) The derivative in $b$ vanishes for $b = \bar y - W^\top \bar x$, with the means of the rows. Put in, what is left
# is the problem without $b$ for centred rows, and its derivative in $W$ vanishes where $(X^\top X + c I)\, W = X^\top
# Y$. (b) Multiply $X^\top (X X^\top + c I) = (X^\top X + c I)\, X^\top$ by the two inverses. The right side inverts a
# matrix of the size of the number of samples: it is cheaper where images are fewer than features, as in
# {numref}`fig-cf-ridge`. (c) Subtract the means first, then shrink $W$, and let $b$ take care of the means: the line
# goes through the point of the means, with a smaller slope than the 3 of the data.
# ```
#
# ```{exercise} The measured part, with and without a ridge
# :label: ex-cf-range
#
# Let $A_s A_s^\top = A_t A_t^\top = I$ and let the cameras be nested, so $M_s M_t = M_s$. (a) Show that
# $M_s P^* M_s = M_s$ if $C$ is positive definite on the range of $A_s^\top$: the free form leaves the measured part
# of the gradient as it is. (b) What does a ridge make of it, $P_c = M_t C M_s (M_s C M_s + c I)^{-1}$? (c) Check both
# with the matrices of this chapter. What does the null-space form do about it? (d) In a mode where the error has
# variance 1, a ridge leaves a fifth of the gradient. What share does it leave in a mode where the variance is 9?
# ```

# %%
answer = None  # (d): put the share here
answers.check("ex-cf-range", answer)

# %% tags=["hide-cell"]
assert (M_s @ best @ M_s - M_s).norm() < 1e-6 * M_s.norm()
power = torch.linalg.eigvalsh(M_s @ C @ M_s)[-small.student.rank :]
c = float(power.mean()) / 10
inner = M_s @ C @ M_s + c * torch.eye(256, dtype=C.dtype)
damped = M_t @ C @ M_s @ torch.linalg.inv(inner)
kept = torch.linalg.eigvalsh(M_s @ damped @ M_s)[-small.student.rank :]
print(f"with a ridge, {kept.min():.2f} to {kept.max():.2f} of the measured part is kept")
torch.testing.assert_close(kept, power / (power + c))
assert kept.min() < 0.5

# %% [markdown]
# ```{solution} ex-cf-range
# :class: dropdown
#
# (a) Write $S = M_s C M_s$. Since $M_s M_t = M_s$, $M_s P^* M_s = M_s C M_s\, S^+ M_s = S S^+ M_s$, and $S S^+$ is the
# projector on the range of $S$, which is the range of $A_s^\top$ if $C$ is positive definite there. So it is $M_s$.
# (b) In the same way $M_s P_c M_s = S (S + c I)^{-1}$ on that range: a mode in which the error has the variance $s$
# keeps the share $s/(s + c)$ of its gradient. Weak modes of the error are hardly corrected any more, although the data
# determine them. (c) The null-space form takes the measured part from $\nabla g_s$ itself and regresses only the rest,
# so a ridge shrinks guesses and no measurements. (d) The first mode gives $c$, and (b) the rest.
# ```
#
# ```{exercise} Newton's step is the answer without images
# :label: ex-cf-white
#
# In super-resolution, the student's modes are not all of one strength. (a) Show that {eq}`eq-cf-wiener` with $C = I$
# is $P^* = M_t M_s^+$. (b) At $32 \times 32$, without noise and at the points $z_0$, how much of the teacher's
# gradient on validation faces do three maps explain: the best multiple of the student's gradient, this map, and the
# formula with $C$ from the training faces? Count singular values up to $\eta \lVert A \rVert$, $\eta = 0.03$, as zero.
# ```

# %% tags=["hide-cell"]
faces = ddgp_lib.load_task("super_resolution", size=32)
N_s, N_t = normal_matrices(faces)
sets = (faces.train_images, faces.val_images[:40])
e_train, e_val = ((normal(faces.student, x) - x).flatten(1).double() for x in sets)
D = e_train.T @ e_train / len(e_train)
inverse = torch.linalg.pinv(N_s, rtol=0.03**2, hermitian=True)
inverse_C = torch.linalg.pinv(N_s @ D @ N_s, rtol=1e-7, hermitian=True)
g_val, t_val = e_val @ N_s, e_val @ N_t
multiple = float((g_val * t_val).sum() / g_val.square().sum())
maps = {
    "multiple": g_val * multiple,
    "C = I": g_val @ inverse @ N_t,
    "C": g_val @ inverse_C @ N_s @ D @ N_t,
}
scores = {name: explained(t_val, guessed) for name, guessed in maps.items()}
print(", ".join(f"{name}: {value:.3f}" for name, value in scores.items()))
assert scores["multiple"] < 0.975 < scores["C"] < scores["C = I"]
assert scores["C = I"] > 0.99

# %% [markdown]
# ```{solution} ex-cf-white
# :class: dropdown
#
# (a) $P^* = M_t M_s (M_s M_s)^+$. On an eigenvector of $M_s$ with the eigenvalue $\lambda > 0$ the last two factors
# give $\lambda \cdot \lambda^{-2} = \lambda^{-1}$, on the null space zero: that is $M_s^+$. (b) The student's own
# gradient comes far, because its strongest modes carry most of the squared norm; with $C = I$ more than 99% is
# explained. The formula with the faces' own covariance does *not* come further. It has to estimate from 280 faces what
# the operator gives without any, and there is hardly anything else to learn.
# ```
#
# ```{exercise} Which maps are needed?
# :label: ex-cf-maps
#
# On held-out digits the maps of $k = 2$ and $3$ explain next to nothing. Are they of use? Keep the first $j$ of the
# four maps, $j = 0, \dots, 4$, and set the others to zero (`weights[j:]` and `bias[j:]` of a copy of `P`). Run each
# on the 24 digits of this chapter with the settings `options`, and compare the mean PSNR after ten iterations. Does
# the match tell you which maps to keep?
# ```

# %% tags=["hide-cell"]
kept = {}
shorter = copy.deepcopy(P)
for count in (4, 3, 2, 1, 0):
    shorter.weights[count:], shorter.bias[count:] = 0, 0
    solver = PreconditionedFISTA(task.denoiser, shorter, **options)
    kept[count] = float(curve_of(task, solver, images, 10)[-1].mean())
print(", ".join(f"{count}: {value:.2f}" for count, value in kept.items()), "dB")
assert list(kept.values()) == sorted(kept.values(), reverse=True)
assert kept[3] > kept[2] + 0.1

# %% [markdown]
# ```{solution} ex-cf-maps
# :class: dropdown
#
# Each map adds something, the later ones less and less. The match does not say so. It compares a map with the
# teacher's gradient, in squares summed over all digits, and it is zero for a step without any correction. What counts
# after the step is the image that the denoiser makes of it, and there a correction that is too large on some digits can
# still be better than none. Choose maps, like ridges, by the PSNR on validation images.
# ```
#
# ## Recap
#
# You can now
#
# - write down the best linear map from the student's gradient to the teacher's, $P^* = M_t C M_s (M_s C M_s)^+$: an
#   estimate of the error, and the teacher's gradient of that estimate;
# - fit it as one regression for each iteration, since $C$ changes, with a ridge that is chosen on validation images,
#   and with $z$ and a constant beside the gradient. Where $A A^\top = I$ the gradient is zero at $z_0$, and only $z_0$
#   carries information;
# - read a map: a few dozen directions make up nearly all of it, thin strokes that are added to coarse blocks;
# - test where it holds. On digits outside the fit it explains less, at other iterations it does harm, and the last map
#   repeated for ever diverges;
# - use the linear match as a floor for every network at the same points. The shipped network is above it at each;
# - say what it is worth. On digits it is more than a decibel ahead of the best solver without $P$ *after four
#   iterations*, and not ahead of it best against best. On MRI, with one matrix for all rows and at $64 \times 64$, it
#   gains over a solver that was tuned at that size, by much after three iterations and by less best against best. In
#   super-resolution it is hardly ahead of Newton's step, which is the answer with $C = I$.
#
# ## Further reading
#
# Linear prediction from covariances is Wiener's {cite}`wiener1949extrapolation`; ridge regression is from
# {cite}`hoerl1970ridge`, regression under a constraint of rank from {cite}`izenman1975reduced`, and
# {cite}`hastie2009elements` treats both, with more features than samples as well. The linear distilled
# preconditioner of the authors of the method is in {cite}`dipa2026`; it is trained, not solved for. Maps that are
# learned greedily, one for each iteration, but on the data term and without a teacher, are those of
# {cite}`fahy2024greedy`, which [an earlier chapter](learned-linear) builds.
