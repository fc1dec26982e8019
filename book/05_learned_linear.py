# %% [markdown]
# (learned-linear)=
# # Learning a linear preconditioner: the data term is a teacher that sees little
#
# The preconditioners of [the last chapter](linear-preconditioners) were built from the operator, by hand. Why not
# learn one? A linear $P$ is a matrix, and the data term after a step is a quadratic function of it. So to find the best
# one for a set of training images is a least-squares problem. Fahy, Golbabaee and Ehrhardt {cite}`fahy2024greedy` solve
# one for each iteration. It takes seconds, and needs no true image, only measurements. This chapter does it, finds
# out what has been learned, and then asks what such a $P$ cannot know, because the data term does not contain it. The
# last part is about the opposite extreme, a $P$ that learns from a single run, with no training at all
# {cite}`hong2024p2np`.
#
# ```{note}
# **Time:** 18 minutes of reading, less than a minute of computing. **Before this:** [the last
# chapter](linear-preconditioners), for Newton's step, products and the discrepancy principle. **After it** you can
#
# 1. derive the normal equations of a learned linear $P$, for every structure of its matrix, and solve them in code;
# 2. say which of the hand-made preconditioners each structure rediscovers;
# 3. name the two things that the data term does not see, and show the harm that each does;
# 4. say what a preconditioner has to be told to predict what was not measured;
# 5. derive the rank-one quasi-Newton step from one equation, and say where it helps.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import torch
from deepinv.physics import LinearPhysics

import ddgp_lib
from ddgp_lib import PreconditionedFISTA, State, analysis, answers, figures, widgets
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.linear import learn_linear
from ddgp_lib.linear.states import Trajectory, training_images
from ddgp_lib.operators import gradient, normal, norms, null_projection
from ddgp_lib.preconditioners import SR1, Circulant, Identity, Newton
from ddgp_lib.preconditioners.quasi_newton import rank_one_direction
from ddgp_lib.solvers import cgls, descend, discrepancy
from ddgp_lib.tables import Column, table

# %% tags=["hide-input"]
faces = ddgp_lib.load_task("super_resolution", size=32, rtol=1e-5)
A, alpha, images = faces.student, faces.stepsize, faces.test_images[:40]
y = faces.measure(images, seed=9)
z0, noise_floor = A.A_adjoint(y), norms(A.A(images) - y) / norms(y)
ridges = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
options = {"kernel_size": 7, "n_images": 100}
diagonals = {e: learn_linear(faces, "diagonal", 1, ridge=e, **options) for e in ridges}


def one_step(P):
    return z0 - alpha * P(gradient(A, z0, z0), State(z0, 0, A, y))


def residual(x):
    return float((norms(A.A(x) - y) / norms(y)).mean())


def psnr(x):
    return float(faces.psnr(x, images).mean())


# %% [markdown]
# **Key results**, computed on 40 faces that the preconditioners have not seen:

# %% tags=["hide-input"]
structures = ("scalar", "diagonal", "convolution", "full")
learned = {s: learn_linear(faces, s, 4, **options) for s in structures}
ends = {s: list(descend(A, y, P, 4))[-1] for s, P in learned.items()}
plain_end = list(descend(A, y, Identity(), 4))[-1]
careful, careless = one_step(diagonals[1e-2]), one_step(diagonals[1e-6])
print(
    f"1. After four steps a learned convolution leaves a residual of "
    f"{residual(ends['convolution']):.3f}, no P {residual(plain_end):.3f}.\n"
    f"2. A full matrix fits the data best, below their noise, and its images are worse:"
    f"\n   {psnr(ends['full']):.1f} dB against {psnr(ends['convolution']):.1f} dB.\n"
    f"3. Two diagonals with nearly the same residual: one image has "
    f"{psnr(careful):.0f} dB, the other {psnr(careless):.0f} dB."
)

# %% mystnb={"figure": {"name": "fig-ll-question", "caption": "One held-out face after one step. Above each image: the data residual and the PSNR, means over 40 faces. Both learned steps fit the data better than the plain one. One of them has destroyed the image."}, "image": {"alt": "Four images. The true face; the plain step, an almost uniform grey; the diagonal with the larger ridge, a grey blur, brighter where the cheeks are; the diagonal with the smaller ridge, bars and spots of black and white in which no face can be seen."}} tags=["hide-input"]
plain = one_step(Identity())
steps = {"no P": plain, "diagonal, ε = 0.01": careful, "diagonal, ε = 1e-06": careless}
titles = {n: f"{n}\n{residual(x):.3f}, {psnr(x):.1f} dB" for n, x in steps.items()}
panels = {"true image\n": images[0]} | {titles[name]: x[0] for name, x in steps.items()}
figures.images(panels, columns=2)

# %%
assert max(residual(careful), residual(careless)) < 0.8 * residual(plain)
assert abs(residual(careless) / residual(careful) - 1) < 0.05
assert psnr(careless) < 0 < psnr(plain) + 0.5 < psnr(careful)
assert residual(ends["full"]) < 0.6 * float(noise_floor.mean())

# %% [markdown]
# ## Three steps from one point
#
# The camera is the one of super-resolution, at $32 \times 32$ pixels: a wide blur, then one pixel kept of $4 \times 4$.
# Of the 1,024 modes it passes on 64, ever more weakly. Singular values below `rtol` times the largest are treated as
# zero. Here `rtol` is tiny, so that the null space is that of $A$ and nothing else. From $z_0 = A^\top y$ we took one
# step with three preconditioners: none, and two learned *diagonal* ones, a factor for each pixel. Both are fitted to
# the same 100 training faces so that the data term after the step is small. They differ in the ridge $\varepsilon$ of
# the fit, which the next section defines. The 40 faces that we look at are of people who are not among them.
#
# By the data, the last two are alike. By the image, one gained more than half a decibel, and the other lost the face.
# The criterion of the fit does not show the difference.
#
# ## A least-squares problem for each iteration
#
# Write $P = I + E$. Let $z_j$ be the point that training image $j$ has reached, $\nabla g_j$ its gradient, and
# $\tilde z_j = z_j - \alpha \nabla g_j$ the plain step. After the step with $P$ the residual is
# $A \tilde z_j - y_j - \alpha A E\, \nabla g_j$, linear in $E$. The greedy rule asks for
#
# $$\min_E\ \sum_j \tfrac12 \lVert A \tilde z_j - y_j - \alpha A E\, \nabla g_j \rVert^2 ,$$ (eq-ll-greedy)
#
# moves all training images by the step that it finds, and asks again: one $P_k$ for each iteration. $E = 0$ is allowed,
# so on the training images the sum falls at each iteration by at least what a plain step gains. Hence their gradients
# tend to zero if this goes on, although no $P_k$ need be symmetric or positive {cite}`fahy2024greedy`. (In the paper
# the function may hold a regulariser too.)
#
# A **structure** says what is free in $E = \sum_l \theta_l E_l$. The derivative of {eq}`eq-ll-greedy` by $\theta_l$
# vanishes where
#
# $$\begin{aligned}
# & \sum_{l'} Q_{l l'}\, \theta_{l'} + \varepsilon\, q\, \theta_l \\
# & \quad = \sum_j \bigl\langle E_l \nabla g_j,\ (I - \alpha A^\top A)\, \nabla g_j \bigr\rangle , \\
# & Q_{l l'} = \alpha \sum_j \langle A E_l \nabla g_j,\ A E_{l'} \nabla g_j \rangle .
# \end{aligned}$$ (eq-ll-normal)
#
# The vector in the right-hand product is the gradient at $\tilde z_j$, what the plain step has left to do. The term
# with $\varepsilon$ is a **ridge**: it comes from a penalty on $\lVert \theta \rVert^2$ and draws $P$ towards $I$.
# Its unit $q$ is the mean over $l$ of $\sum_j \lVert E_l \nabla g_j \rVert^2$, so that $\varepsilon$ is a pure
# number. Given `candidates`, a function that lists the $E_l \nabla g_j$, {eq}`eq-ll-normal` is seven lines.


# %%
def fit(start, candidates, ridge):
    after = start.gradient - alpha * normal(A, start.gradient)
    given = candidates(start.gradient)
    E = torch.stack(given).flatten(1).double()
    seen = alpha * torch.stack([normal(A, part) for part in given]).flatten(1).double()
    Q, q = E @ seen.T, E.square().sum(dim=1).mean()
    damped = Q + ridge * q * torch.eye(len(E), dtype=Q.dtype)
    return torch.linalg.solve(damped, E @ after.flatten().double())


# %% [markdown]
# For a scalar there is one candidate, the gradient. For a **convolution** with a kernel of $7 \times 7$ they are 49
# shifted gradients:


# %%
def shifts(grad):
    offsets = [(i, j) for i in range(-3, 4) for j in range(-3, 4)]
    return [grad.roll(offset, dims=(2, 3)) for offset in offsets]


# %% [markdown]
# The library's `learn_linear` fits a sequence $P_0, P_1, \dots$ of any structure. Unless told otherwise, it takes the
# ridge $\varepsilon = 10^{-6}$ for a scalar and a convolution, $10^{-2}$ for a diagonal and $10^{-3}$ for a full matrix.
# Does its first member agree with ours?
# (`Trajectory.start` makes the same training images, with their data, $z_0$ and gradients.)

# %%
generator = torch.Generator().manual_seed(0)
start = Trajectory.start(faces, training_images(faces, 100, generator), generator)

# %% [markdown]
# Both directions are compared at $z_0$:


# %%
direction = gradient(A, z0, z0)
pairs = {"scalar": lambda grad: [grad], "convolution": shifts}
for structure, candidates in pairs.items():
    theta = fit(start, candidates, ridge=1e-6).float()
    parts = torch.stack(candidates(direction))
    mine = direction + torch.einsum("l,ljchw->jchw", theta, parts)
    library = learned[structure](direction, State(z0, 0, A, y))
    assert (mine - library).norm() < 1e-3 * (library - direction).norm()

# %% [markdown]
# For a **diagonal** $E$ there are $n$ candidates and for a **full** one $n^2$, too many to list. There
# {eq}`eq-ll-normal` takes a closed form. With $S = \sum_j \nabla g_j \nabla g_j^\top$, the entrywise product $\circ$
# and the vector $\mathbb{1}$ of ones,
#
# $$\begin{aligned}
# \text{diagonal:}\quad & \bigl(\alpha A^\top A \circ S + \varepsilon q I\bigr)\, \theta \\
# & \quad = \bigl((I - \alpha A^\top A) \circ S\bigr)\, \mathbb{1} , \\
# \text{full:}\quad & \alpha A^\top A\, E\, S + \varepsilon q E \\
# & \quad = (I - \alpha A^\top A)\, S ,
# \end{aligned}$$ (eq-ll-dense)
#
# both with $q = \operatorname{tr} S / n$. The right-hand side of the second equation says something about the null
# space: a gradient lies in the range of $A^\top$, and so does what the plain step leaves of it. So for a full matrix
# the minimiser with a ridge adds nothing in the null space. The next two cells put the library's weights into
# {eq}`eq-ll-dense`, first the diagonal, then the full matrix.

# %%
eye = torch.eye(1024, dtype=torch.float64)
M = normal(A, eye.float().view(-1, 1, 32, 32)).flatten(1).double() * alpha
grads = start.gradient.flatten(1).double()
S = grads.T @ grads
damping = S.trace() / 1024 * eye
theta = torch.linalg.solve(M * S + 1e-2 * damping, ((eye - M) * S).sum(dim=1))
weights = diagonals[1e-2].weights[0].flatten().double()
assert (theta - weights).norm() < 1e-3 * weights.norm()
assert torch.allclose(learned["diagonal"].weights[0], diagonals[1e-2].weights[0])

# %%
E, right = learned["full"].weights[0, 0].T.double(), (eye - M) @ S
assert (M @ E @ S + 1e-3 * damping @ E - right).norm() < 1e-3 * right.norm()
added = learned["full"](direction, State(z0, 0, A, y))
assert null_projection(A, added).norm() < 1e-4 * added.norm()

# %% [markdown]
# Without ridge, and with gradients enough to span the range, $S$ drops out of the second equation of
# {eq}`eq-ll-dense`. What remains on the range is $\alpha A^\top A\, E = I - \alpha A^\top A$, hence
# $P = (\alpha A^\top A)^{-1}$. **The best full matrix is Newton's step**, and nothing of the images is left in it.
# With a ridge, suppose for a moment that the modes are eigenvectors of $S$ as well, with the power
# $\pi_i = v_i^\top S v_i$ that the gradients have in them, and let $t_i = \lambda_i / \lVert A \rVert^2$. Then
#
# $$P v_i = \frac{1 + \varepsilon_i}{t_i + \varepsilon_i}\, v_i , \qquad \varepsilon_i = \frac{\varepsilon q}{\pi_i} ,$$ (eq-ll-newton)
#
# Newton's step with a damping for each mode: little where training gradients are strong, and much where they are
# weak. We read $v_i^\top P_0 v_i$ off what was learned, as a mean over modes of the same eigenvalue.

# %%
modes = analysis.modes(A, faces.img_size)
t = modes.eigenvalues / modes.eigenvalues[0]
t = t[t > 2e-4]
v = modes.synthesise(torch.eye(1024)[: len(t)]).float()
group = torch.cat([torch.zeros(1), (t[:-1] > 1.05 * t[1:]).cumsum(0)]).long()


def level(values):
    total = torch.zeros(int(group[-1]) + 1).index_add(0, group, values.float())
    return total / group.bincount()


# %% [markdown]
# Here `local` is $\varepsilon_i$, and `predicted` the gain of {eq}`eq-ll-newton`.


# %%
moved = {s: modes.analyse(P(v, State(v, 0, A, y))) for s, P in learned.items()}
gains = {s: level(matrix.diagonal()) for s, matrix in moved.items()}
power = level(modes.analyse(start.gradient).square().sum(dim=0)[: len(t)])
local, levels = 1e-3 * S.trace() / 1024 / power, level(t)
predicted = (1 + local) / (levels + local)

# %% mystnb={"figure": {"name": "fig-ll-gains", "caption": "What the learned preconditioners of the first iteration do to each mode of the camera. The short kernel and the full matrix both follow Newton's step among strong modes and leave it at weaker ones, in different ways."}, "image": {"alt": "Gain against eigenvalue, both logarithmic, eigenvalues from 0.0003 to 1. The undamped Newton step rises as one over the eigenvalue to the left. The convolution follows it down to an eigenvalue of about 0.3 and then rises slowly to about 11. The full matrix follows it as far, peaks near 4.5 at an eigenvalue of 0.085, and falls back to 1; the prediction has the same shape with a higher peak, near 9. A horizontal line marks the scalar, at 1.01."}} tags=["hide-input"]
figures.curves(
    levels,
    {
        "Newton, undamped": 1 / levels,
        "full": gains["full"],
        "full, if modes did not mix": predicted,
        "convolution": gains["convolution"],
    },
    xlabel="eigenvalue $t_i = \\lambda_i / \\Vert A \\Vert^2$",
    ylabel="gain $v_i^T P_0 v_i$",
    xscale="log",
    yscale="log",
    ylim=(0.7, 100),
    horizontal={"scalar": float(gains["scalar"][0])},
    roles={
        "Newton, undamped": "linear",
        "full": "truth",
        "full, if modes did not mix": "other",
        "convolution": "gradient_only",
    },
    legend="above",
)

# %%
strong, weak = levels > 0.25, levels < 0.01
assert (gains["full"][strong] * levels[strong] > 0.9).all()
assert (gains["full"][weak] / predicted[weak] - 1).abs().max() < 0.05
assert gains["full"][weak].max() < 1.1 < 3 < gains["full"].max() < predicted.max()
assert 2 < gains["convolution"][strong].max() < 5 < gains["convolution"][weak].min()
assert abs(gains["scalar"][0] - 1.01) < 0.01
assert (gains["diagonal"] - 1).abs().max() < 0.05

# %% [markdown]
# The full matrix is a Newton step where the gradients have power, and the plain step elsewhere, as
# {eq}`eq-ll-newton` says at both ends. (In between the modes do mix, and the assumption fails.) The convolution is a
# relative of last chapter's circulant $P$, with a kernel so short that its gain cannot fall back; it goes on rising
# where it has seen little. The gains of scalar and diagonal are near 1 at every eigenvalue: the scalar hardly changes
# the step, and the diagonal acts by mixing modes.
#
# ## Held-out faces: the data term falls
#
# All four were learned for four iterations, beyond which $P = I$. None costs a product with $A^\top A$ when it is
# used, but a full matrix costs $n^2$ multiplications, far more than this operator's product. The references are those
# of the last chapter: no $P$, momentum, conjugate gradients (CGLS), and two preconditioners from the operator alone,
# the damped Newton step and the circulant one.

# %%
by_operator = {
    "no P": Identity(),
    "Newton": Newton(1e-3),
    "circulant": Circulant.of(A, faces.img_size),
}
paths = {name: list(descend(A, y, P, 8)) for name, P in (by_operator | learned).items()}
paths["momentum"] = list(descend(A, y, Identity(), 8, "chambolle_dossal"))
paths["CGLS"] = list(cgls(A, y, 8))

# %% mystnb={"figure": {"name": "fig-ll-heldout", "caption": "Forty held-out faces, mean over faces. Upper: the data residual, and that of the true image, which is the noise. Lower: the PSNR of the same iterates."}, "image": {"alt": "Two panels against iterations 1 to 8. Upper, logarithmic residual: no P falls slowly from 0.095 to 0.025; momentum starts with it and ends at 0.017; CGLS falls to the noise level, 0.0023, by iteration 8; the convolution is there by iteration 4 and stays; the full matrix falls to 0.001, below the noise; Newton starts near the noise and falls below it. Lower, PSNR: no P from 17.7 to 19.4, momentum slightly above; the full matrix peaks at iteration 2 near 20.8 and falls; convolution and CGLS end near 21.8; Newton stays near 22."}} tags=["hide-input"]
figure, panels = figures.axes(2, height=3.6)
roles = {"no P": "baseline", "Newton": "linear", "momentum": "guide", "CGLS": "other"}
roles |= {"convolution": "gradient_only", "full": "truth"}
noise = {"noise": float(noise_floor.mean())}
looks = (
    {"ylabel": "residual", "yscale": "log", "horizontal": noise, "legend": "above"},
    {"ylabel": "PSNR (dB)", "legend": None},
)
for ax, measure, look in zip(panels, (residual, psnr), looks, strict=True):
    curves = {name: [measure(x) for x in paths[name]] for name in roles}
    figures.curves(range(1, 9), curves, xlabel="iteration", roles=roles, ax=ax, **look)
figure

# %% [markdown]
# In numbers, after four and after eight iterations:

# %%
fits = {n: {k: residual(p[k - 1]) for k in (4, 8)} for n, p in paths.items()}
found_psnr = {n: {k: psnr(p[k - 1]) for k in (2, 4, 8)} for n, p in paths.items()}
rows = {n: [*fits[n].values(), found_psnr[n][4], found_psnr[n][8]] for n in paths}
heads = [Column(f"residual at {k}", digits=4) for k in (4, 8)]
heads += [Column(f"PSNR at {k}", "dB", digits=1, best="high") for k in (4, 8)]
table("Nine methods after 4 and 8 iterations, means over 40 faces.", heads, rows)

# %%
ranked = ("full", "convolution", "diagonal", "scalar", "momentum", "no P")
order = [fits[name][4] for name in ranked]
assert order == sorted(order)
assert fits["momentum"][8] < 0.97 * min(fits[n][8] for n in ("scalar", "diagonal"))
assert fits["convolution"][4] < 0.3 * fits["CGLS"][4]
assert fits["CGLS"][8] < 1.2 * fits["convolution"][8]
assert fits["convolution"][4] < 0.2 * fits["diagonal"][4]
assert fits["full"][4] < 0.6 * float(noise_floor.mean())
assert fits["Newton"][4] > fits["full"][4]
assert found_psnr["Newton"][4] > found_psnr["convolution"][4] + 0.1
assert abs(found_psnr["convolution"][4] - found_psnr["circulant"][4]) < 0.5
assert found_psnr["convolution"][4] > found_psnr["full"][4] + 1
assert found_psnr["full"][4] > found_psnr["scalar"][4] + 1
assert found_psnr["full"][4] < found_psnr["full"][2] - 0.15
nulls = [float(norms(null_projection(A, p[3] - images)).mean()) for p in paths.values()]
assert max(nulls) - min(nulls) < 0.05

# %% [markdown]
# By the data term, learning is a success at first. After four iterations every learned $P$ is ahead of momentum, and
# the full matrix is ahead of Newton. But learning ended there. At eight iterations momentum has passed the scalar and
# the diagonal, and conjugate gradients, which learned nothing, have reached the convolution. The number of parameters
# does not decide: the convolution has 49 and is far ahead of the diagonal with 1,024.
#
# By the image the order is another one. The full matrix fits best and ends more than a decibel behind the convolution
# and Newton; its PSNR is highest at the second iteration. And no learned $P$ gives better images than the Newton step
# and the circulant $P$, which have seen no face: the convolution is their equal at best.
#
# ## What the data term does not see
#
# **Noise.** In {numref}`fig-ll-heldout` the residual of the true image is the noise. Newton and the full matrix both
# end below it, at nearly the same residual, with more than a decibel between their images. The difference is in the
# range, and the residual hides it: it weighs the error in mode $i$ by $s_i$, and in weak modes much error is little
# residual. Noise gets there twice, in the run and in the fit. To separate the two, we learn a second matrix from
# noiseless measurements of the same images, and run both with and without noise. We look at the squared error in modes
# with $t_i < 10^{-3}$, after four steps.

# %%
spotless = ddgp_lib.load_task("super_resolution", size=32, rtol=1e-5, noise=0.0)
clean_matrix = learn_linear(spotless, "full", 4, **options)
origins = {"noisy": learned["full"], "clean": clean_matrix}
tail = (modes.values > 0) & (modes.eigenvalues < 1e-3 * modes.eigenvalues[0])


def judged(x):
    weak = modes.analyse(x - images)[:, tail]
    return psnr(x), float(weak.square().sum(dim=1).mean())


# %% [markdown]
# Each matrix on each kind of data:


# %%
weak_error, quality, rows = {}, {}, {}
for origin, P in origins.items():
    for name, data in (("noisy", y), ("clean", A.A(images))):
        *_, x = descend(A, data, P, 4)
        key = origin, name
        quality[key], weak_error[key] = judged(x)
        rows[", ".join(key)] = [quality[key], weak_error[key]]
heads = [Column("PSNR", "dB", digits=1), Column("error in weak modes", digits=1)]
table("Two matrices, means over 40 faces.", heads, rows, corner="learned from, run on")

# %%
assert weak_error["noisy", "noisy"] > 2 * weak_error["clean", "noisy"]
assert weak_error["noisy", "clean"] > 1.5 * weak_error["clean", "noisy"]
assert quality["clean", "noisy"] > quality["noisy", "noisy"] + 1

# %% [markdown]
# Most of the harm comes from the fit, and less from the run. A matrix fitted to clean data does well on noisy ones. The
# one fitted to noisy data does badly even on clean ones: it fits the noise of the training data by mixing weak modes.
# Only the ridge limits that. (Clean measurements can be computed from true images. So that remedy costs the one
# advantage of the method, to need none.)
#
# How strong should the ridge be? If you choose by the residual, you take the smallest. The **discrepancy principle**
# of the last chapter chooses otherwise, and needs no true image either: take the strongest ridge with which the
# residual still comes down to the noise, $\lVert A x - y \rVert \le \sigma \sqrt m$, in the mean over the
# measurements.

# %%
tried = {}
fits_of = {1e-3: learned["full"]}  # the library's own choice, learned above
for ridge in (1e-2, 1e-1):
    fits_of[ridge] = learn_linear(faces, "full", 4, ridge=ridge, **options)
for ridge, P in fits_of.items():
    *_, x = descend(A, y, P, 4)
    tried[ridge] = psnr(x), float(discrepancy(x, y, A).mean())
heads = [Column("PSNR", "dB", digits=1, best="high"), Column("residual over noise")]
rows = {f"{ridge}": values for ridge, values in tried.items()}
table("Three full matrices, means over 40 faces.", heads, rows, corner="ridge")

# %%
chosen = max(ridge for ridge, (_, q) in tried.items() if q <= 1)
assert chosen == max(tried, key=lambda ridge: tried[ridge][0]) == 1e-2
assert tried[1e-2][0] > tried[1e-3][0] + 1
over_noise = [q for _, q in tried.values()]
assert over_noise == sorted(over_noise)

# %% [markdown]
# Each larger ridge fits worse, on held-out faces too. The principle takes $10^{-2}$, which gives the best images of the
# three, by more than a decibel over the smallest. Nothing but the noise level was known. (A residual far below the
# noise is the sign of trouble. The opposite does not hold: of what is wrong in the null space, the residual says
# nothing, as we now see.)
#
# **The null space.** Among the runs of {numref}`fig-ll-heldout`, the error in the null space hardly differs: what is
# not measured does not change. That is the good case. In a full matrix the part in the null space is independent of the
# part in the range, and the ridge sets it to zero. A diagonal cannot separate the two. Each $\theta_l$ scales one
# pixel, and a pixel has a part in all modes, seen and unseen. So every gain in the data term comes with a move in the
# null space, which nothing controls. With less ridge, the fit finds combinations of pixels that nearly cancel in the
# data. The data do not limit their size. {numref}`fig-ll-question` showed the result. Move the ridge: where does the
# residual change, and where the error?

# %%
stepped = {e: one_step(P) for e, P in diagonals.items()}
hidden = [float(norms(null_projection(A, x - images)).mean()) for x in stepped.values()]
fitted = [residual(x) for x in stepped.values()]
assert max(fitted) < 1.02 * min(fitted)
assert fitted[-1] == min(fitted)
assert hidden[0] > 10 * hidden[-1]
assert hidden == sorted(hidden, reverse=True)
assert min(float(discrepancy(x, y, A).mean()) for x in stepped.values()) > 10


# %% tags=["hide-input"]
def draw_ridge(e):
    seen, hidden = analysis.split(A, stepped[e] - images)
    panels = {"true image": images[0], "after one step": stepped[e][0]}
    errors = {"|error|, range": seen[0].abs(), "|error|, null space": hidden[0].abs()}
    return figures.images(panels | errors, columns=2)


# %% tags=["hide-input"]
def describe_ridge(e):
    parts = analysis.split(A, stepped[e] - images)
    seen, hidden = (float(norms(part).mean()) for part in parts)
    return (
        f"Ridge {e:g}: data residual {residual(stepped[e]):.3f}, "
        f"error in the range {seen:.2f}, in the null space {hidden:.2f}."
    )


ridge_slider = {
    "draw": draw_ridge,
    "values": list(ridges),
    "label": "Ridge of the diagonal",
    "alt": describe_ridge,
    "text": lambda e: f"{e:g}: residual {residual(stepped[e]):.4f}",
    "start": 2,
    "caption": "One held-out face after one step with a learned diagonal, and its "
    "error in both spaces. Beside the ridge: the data residual, mean over 40 faces.",
}
widgets.frames(**ridge_slider)

# %% [markdown]
# In a running kernel, the twin draws anew at each move; change the face in `draw_ridge`, or the values.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**ridge_slider)

# %% [markdown]
# Over four decades of ridge the data residual, on held-out faces, stays within 2 %. The error in the null space
# changes more than tenfold. The residual is smallest for the best ridge, but it differs by 2 % where the null-space
# error differs by a factor of ten. Cross-validation on data would have to choose by those 2 %, and the discrepancy
# principle cannot choose at all: one step leaves far more than the noise with each of them.
#
# **Orthonormal rows.** And where $A A^\top = I$? A gradient is $A^\top$ times something, so
# $\alpha A^\top A\, \nabla g = \nabla g$, and the right-hand side of {eq}`eq-ll-normal` is zero for every structure:
# the plain step fits the data at once, and what fits cannot be fitted better. $E = 0$, wherever the iteration stands.
# Here with a denoiser between the iterations, so that there are gradients to learn from:

# %%
digits = ddgp_lib.load_task("single_pixel")
weights = {}
for structure in ("scalar", "diagonal", "convolution"):
    P = learn_linear(digits, structure, 2, kernel_size=5, n_images=30, sigma=0.1)
    weights[structure] = float(P.weights.abs().max())
print(f"largest weight that any of the three has learned: {max(weights.values()):.0e}")
assert max(weights.values()) < 1e-3

# %% [markdown]
# ## What would one have to be told?
#
# Both failures have one cause. The error in {eq}`eq-ll-greedy` is measured after applying $A$. Suppose that in
# training we may look through another operator $A_t$, and know its noiseless measurements $A_t x_j^*$:
#
# $$\min_E\ \sum_j \tfrac12 \lVert A_t ( \tilde z_j - \alpha E\, \nabla g_j - x_j^* ) \rVert^2 .$$ (eq-ll-told)
#
# $A_t = A_s$ is this chapter, but for the noise. $A_t = I$ is plain supervision, with the true image for a target.
# Between them lies every **teacher**. With $M_t = A_t^\top A_t$ and $R = \sum_j (\tilde z_j - x_j^*)\, \nabla
# g_j^\top$,
#
# $$\alpha M_t\, E\, S + \varepsilon q E = M_t R .$$ (eq-ll-told-normal)
#
# For the Hadamard camera, with step 1 from $z_0 = 0$, let $E_I$ be the solution for $A_t = I$. For a projector
# $M_t$ the solution is then $M_t E_I$ (insert it). One regression serves all three. On 64 test digits, after one
# step:

# %%
camera, x = digits.student, digits.train_images[:2000]
grads = -camera.A_adjoint(digits.measure(x))  # at z = 0, with step 1
rest, g = (-grads - x).flatten(1).double(), grads.flatten(1).double()
damped = g.T @ g + 1e-2 * g.square().sum() / 1024 * eye
supervised = torch.linalg.solve(damped, g.T @ rest).T.float()

# %% [markdown]
# What is left of its guess, if the error is measured by each of the three?


# %%
test = digits.test_images[:64]
found = camera.A_adjoint(digits.measure(test, seed=1))
guess = (found.flatten(1) @ supervised.T).view_as(found)
asked = {
    "student": normal(camera, guess),
    "teacher": normal(digits.teacher, guess),
    "truth": guess,
}
told = {n: float(digits.psnr(found + part, test).mean()) for n, part in asked.items()}
plain_step = float(digits.psnr(found, test).mean())
rows = {"plain step": [plain_step]} | {f"told by {n}": [v] for n, v in told.items()}
table("Means over 64 digits after one step.", [Column("PSNR", "dB", digits=1)], rows)

# %%
assert abs(told["student"] - plain_step) < 0.01
assert told["student"] + 2.5 < told["teacher"] < told["truth"] < told["teacher"] + 1
seen_by_teacher = normal(digits.teacher, asked["truth"])
assert (seen_by_teacher - asked["teacher"]).norm() < 1e-3 * guess.norm()

# %% [markdown]
# The regression and the 102 numbers at the input are the same in all three. What differs is the operator through which
# the error is measured. With the student's, nothing is learned. A teacher with four times as many patterns is worth
# more than 2.5 dB in one step, and the truth a little more. So even a linear $P$ can learn something about the null
# space, but only from something that sees it. Which teacher to take is the subject of the [next chapter](teachers).
# The solution of {eq}`eq-ll-told-normal` in general, for each iteration and inside plug-and-play, is that of the
# [one after it](closed-form).
#
# ## Learning along the run
#
# Now the other extreme: no training set. While it descends, a run itself produces points and gradients, which is what
# {eq}`eq-ll-greedy` is made of. Between two of its points,
#
# $$\begin{aligned}
# \delta &= z_k - z_{k-1} , \\
# b &= \frac{\nabla g(z_k) - \nabla g(z_{k-1})}{\lVert A \rVert^2} = \frac{A^\top A}{\lVert A \rVert^2}\, \delta .
# \end{aligned}$$ (eq-ll-pair)
#
# The inverse that we would like to have maps $b$ to $\delta$. Quasi-Newton methods ask $P$ for that much, the **secant
# equation** $P b = \delta$. It fixes what $P$ does to one image, and many matrices satisfy it. The simplest $P$ beyond
# a scalar is a multiple of $I$ and one symmetric term of rank one, $P = a I + c\, d d^\top$. Then $c\, d\, (d^\top b) =
# \delta - a b$. So $d$ is a multiple of $\delta - a b$, and for each $a$ there is one such $P$:
#
# $$P = a I + \frac{(\delta - a b)(\delta - a b)^\top}{\langle b,\ \delta - a b \rangle} .$$ (eq-ll-sr1)
#
# This is SR1 (symmetric rank one) with a memory of one pair. In terms of the Rayleigh quotient $t_\delta = \langle
# b, \delta \rangle / \lVert \delta \rVert^2$, the eigenvalue that $\delta$ has on average, P²nP takes
# {cite}`hong2024p2np`
#
# $$a = \frac{1}{t_\delta} - \sqrt{\frac{1}{t_\delta^2} - \frac{\lVert \delta \rVert^2}{\lVert b \rVert^2}} ,$$ (eq-ll-scale)
#
# with which $P$ is positive definite (other choices of $a$ are in use {cite}`becker2019quasi`): its eigenvalues are
# $a$, and once $2/t_\delta - a$.


# %%
def dot(u, v):
    return (u * v).flatten(1).sum(dim=1)[:, None, None, None]


def rank_one(g, delta, b):
    t = dot(b, delta) / dot(delta, delta)
    a = 1 / t - (1 / t**2 - dot(delta, delta) / dot(b, b)).sqrt()
    d = delta - a * b
    return a * g + dot(d, g) / dot(d, b) * d


# %% [markdown]
# Four checks: the secant equation; the library's formula, with another order of operations; the library's run, whose
# sixth point comes from the fifth by this step; and the eigenvalues.

# %%
run = list(descend(A, y[:2], SR1(), 6))
delta = (run[4] - run[3]).double()
b = alpha * (normal(A, run[4]) - normal(A, run[3])).double()
torch.testing.assert_close(rank_one(b, delta, b), delta, rtol=1e-9, atol=1e-12)
g = gradient(A, run[4], z0[:2]).double()
torch.testing.assert_close(rank_one(g, delta, b), rank_one_direction(g, delta, b))
after = run[4] - alpha * rank_one(g, delta, b).float()
torch.testing.assert_close(run[5], after, rtol=0, atol=1e-3)

# %%
pair = (v[:1].expand(1024, 1, 32, 32) for v in (delta, b))
spectrum = torch.linalg.eigvalsh(rank_one(eye.view(-1, 1, 32, 32), *pair).flatten(1))
print(f"eigenvalues of P: {spectrum[0]:.2f} (1,023 times) and {spectrum[-1]:.2f}")
assert spectrum[-2] - spectrum[0] < 1e-6
made = rank_one(g, delta, b)
assert null_projection(A, made.float()).norm() < 1e-3 * made.norm()
both = 2 * dot(delta, delta)[0] / dot(b, delta)[0]
assert abs(spectrum[0] + spectrum[-1] - both) < 1e-6

# %% [markdown]
# The library's `SR1` keeps the last point and gradient, and adds what the formula needs where $A$ hardly sees
# $\delta$: a damping that mixes some $\delta$ into $b$ {cite}`hong2024p2np`. Compare it with what came before. The
# learned $P_k$ is one for all images, and fixed before the first of them arrives. This one differs from image to
# image, knows nothing before its second iteration, and costs two images of memory and no product with $A^\top A$.
# (The same paper also uses a fixed Chebyshev polynomial, which the last chapter treated.) Three operators
# whose spectrum is not flat, no noise: how many products, at one per iteration, to the misfit of 200 plain steps?
# Conjugate gradients run beside it.


# %%
def products_to(target, A, y, path):
    below = torch.stack([norms(A.A(x) - y) <= target for x in path])
    assert below.any(dim=0).all()
    return below.int().argmax(dim=0) + 1


# %% [markdown]
# The operators: super-resolution, the scanner with four coils, and patterns of random signs.


# %%
generator = torch.Generator().manual_seed(0)
signs = (2.0 * torch.randint(2, (205, 256), generator=generator) - 1) / 16
signs_camera = LinearPhysics(
    A=lambda x: x.flatten(1) @ signs.T,
    A_adjoint=lambda y: (y @ signs).reshape(-1, 1, 16, 16),
)
brains = ddgp_lib.load_task("mri", size=32, coils=4)
small = torch.nn.functional.avg_pool2d(digits.test_images[:8], 2)
slices = brains.test_images[::20][:8]
cameras = {"SR": (A, images[::5]), "4 coils": (brains.student, slices)}
cameras["signs ±1"] = signs_camera, small

# %% [markdown]
# And the counts, from the least to the largest over eight images (CGLS costs one product more than its steps):


# %%
def run_to(name, operator, clean):
    runs = {"momentum": (Identity(), 60, "chambolle_dossal"), "SR1": (SR1(), 60)}
    if name == "CGLS":
        return cgls(operator, clean, 60)
    return descend(operator, clean, *runs[name])


counts = {}
for name, (operator, x) in cameras.items():
    clean = operator.A(x)
    *_, end = descend(operator, clean, Identity(), 200)
    target = 1.001 * norms(operator.A(end) - clean)
    counts[name] = {
        label: products_to(target, operator, clean, run_to(label, operator, clean))
        for label in ("momentum", "SR1", "CGLS")
    }
    counts[name]["CGLS"] += 1
rows = {n: [f"{c.min()} to {c.max()}" for c in by.values()] for n, by in counts.items()}
table("Products, the range over eight images.", ["momentum", "SR1", "CGLS"], rows)

# %%
for found_counts in counts.values():
    mean = {label: found.float().mean() for label, found in found_counts.items()}
    assert mean["CGLS"] + 4 < mean["SR1"] < mean["momentum"]
    assert found_counts["CGLS"].max() < found_counts["momentum"].min()
    assert found_counts["SR1"].max() < 200 / 3

# %% [markdown]
# On each operator SR1 takes fewer products on average than momentum, and always less than a third of the 200. It has
# to learn anew for each image, so the counts scatter. Conjugate gradients need fewer still: they use all
# earlier steps, and SR1 uses one. So without a denoiser there is no reason for SR1 either. With one, CGLS is ruled out,
# as the last chapter said. SR1 is not: $b = A^\top A\,\delta/\lVert A \rVert^2$ holds for any two points, wherever they
# come from.
#
# And where does it not help? Without a denoiser, $\delta$ and $b$ are made of gradients. So $P \nabla g$ stays in the
# range of $A^\top$, and the null space is as silent as before. With $A A^\top = I$ there is again nothing to
# learn. And it knows nothing of noise. At ten times the noise of the task:

# %%
noisy, some = {}, images[::4]
for level in (0.001, 0.01):
    task = ddgp_lib.load_task("super_resolution", size=32, rtol=1e-5, noise=level)
    for name, P in (("no P", Identity()), ("SR1", SR1())):
        path = descend(task.student, task.measure(some, seed=9), P, 100)
        noisy[level, name] = [float(task.psnr(x, some).mean()) for x in path]
at_ten = {name: noisy[0.01, name] for name in ("no P", "SR1")}
peaks = {name: row.index(max(row)) for name, row in at_ten.items()}
rows = {n: [max(row), peaks[n] + 1, row[-1]] for n, row in at_ten.items()}
heads = [Column("best", "dB", digits=1), "at k", Column("at k = 100", "dB", digits=1)]
table("Mean PSNR of ten faces at ten times the noise.", heads, rows)

# %%
assert noisy[0.001, "SR1"][-1] > noisy[0.001, "no P"][-1] + 0.7
assert peaks["SR1"] < 40 < peaks["no P"]
assert noisy[0.01, "SR1"][-1] < max(noisy[0.01, "SR1"]) - 4

# %% [markdown]
# SR1 reaches its best image sooner than no $P$, then loses more than 4 dB while the plain run still gains. Both runs go
# to an image that fits the noise, and the faster one is there sooner. The discrepancy principle would stop it.
#
# ## Inside plug-and-play
#
# A denoiser acts against both failures. It smooths the noise that weak modes let in, and it moves the null space. SR1
# was proposed for this use {cite}`hong2024p2np`; the greedy rule can be applied too, by learning each $P_k$ at points
# that the denoiser has been at. We compare ten iterations, in super-resolution beside the two that need no learning,
# Newton and circulant. For each method $\sigma$ is the best of five levels on four validation images.

# %%
levels, swept = (0.002, 0.005, 0.02, 0.1, 0.3), []


def best(task, make, momentum="none"):
    val = task.val_images[:: len(task.val_images) // 4][:4]
    test = task.test_images[:: len(task.test_images) // 20][:20]
    options = {"stepsize": task.stepsize, "momentum": momentum}
    solvers = []
    for s in levels:
        solver = PreconditionedFISTA(task.denoiser, make(s), sigma=s, **options)
        solvers.append(solver)
    ends = [psnr_curves(task, s, val, task.student, 10)[-1] for s in solvers]
    scores = [float(end.mean()) for end in ends]
    swept.append(scores)
    chosen = solvers[scores.index(max(scores))]
    return psnr_curves(task, chosen, test, task.student, 10).mean(dim=1)


# %% [markdown]
# The convolution is learned anew for each $\sigma$, at points of runs with the denoiser.


# %%
def learned_inside(s):
    return learn_linear(faces, "convolution", 10, kernel_size=7, n_images=12, sigma=s)


by_task = {"SR": faces, "4 coils": brains, "digits": digits}
inside = {}
for name, task in by_task.items():
    inside[name, "no P"] = best(task, lambda s: None)
    inside[name, "momentum"] = best(task, lambda s: None, "chambolle_dossal")
    inside[name, "SR1"] = best(task, lambda s: SR1())
inside["SR", "convolution"] = best(faces, learned_inside)
inside["SR", "circulant"] = best(faces, lambda s: by_operator["circulant"])
inside["SR", "Newton"] = best(faces, lambda s: by_operator["Newton"])

# %% mystnb={"figure": {"name": "fig-ll-inside", "caption": "Super-resolution inside plug-and-play, mean PSNR over twenty faces, each method at its own noise level of the denoiser."}, "image": {"alt": "PSNR against iterations 1 to 10. Newton is highest from the first iteration, 21.7 dB, to the tenth, 22.1 dB. The circulant preconditioner and the learned convolution follow it closely, the convolution from 19.4 dB at first to nearly Newton's level at the tenth. SR1 ends near 20.4 dB, momentum near 20.1, no P near 19.7."}} tags=["hide-input"]
figures.curves(
    range(1, 11),
    {label: curve for (name, label), curve in inside.items() if name == "SR"},
    xlabel="iteration",
    ylabel="PSNR (dB)",
    roles={
        "no P": "baseline",
        "momentum": "guide",
        "SR1": "other",
        "convolution": "gradient_only",
        "circulant": "truth",
        "Newton": "linear",
    },
    legend="above",
)

# %% [markdown]
# Does the best level lie inside the grid? And where does SR1 stand at the end on all three operators?

# %%
lowest = [scores[0] - scores[1] for scores in swept if scores[0] == max(scores)]
print(f"{len(lowest)} of {len(swept)} methods take the smallest σ, none the largest")
assert len(lowest) == 3
assert max(lowest) < 0.1
assert all(scores[-1] < max(scores) for scores in swept)

# %%
ended = {key: float(curve[-1]) for key, curve in inside.items()}
labels = ("no P", "momentum", "SR1")
rows = {name: [ended[name, label] for label in labels] for name in by_task}
heads = [Column(label, "dB", digits=1) for label in labels]
table("PSNR after ten iterations, means over twenty test images.", heads, rows)

# %%
for name in ("SR", "4 coils"):
    assert ended[name, "no P"] + 0.2 < ended[name, "momentum"]
assert ended["SR", "SR1"] > ended["SR", "momentum"] + 0.1
assert abs(ended["4 coils", "SR1"] - ended["4 coils", "momentum"]) < 0.3
rivals = [ended["SR", label] for label in ("circulant", "Newton")]
assert ended["SR", "convolution"] > ended["SR", "SR1"] + 1
assert max(rivals) > ended["SR", "convolution"] - 0.3
assert inside["SR", "Newton"][0] > inside["SR", "convolution"][0] + 1
assert inside["SR", "Newton"][4] > inside["SR", "convolution"][4] - 0.1
assert ended["digits", "SR1"] < ended["digits", "no P"]
assert ended["digits", "no P"] < ended["digits", "momentum"] - 0.5

# %% [markdown]
# The three are no $P$, momentum and SR1 in super-resolution. At the next level, 0.005, they lose less than 0.1 dB on
# the validation images. So the end of the grid matters little here, although a $\sigma$ below 0.002 was not tried.
#
# Where the spectrum is spread out, SR1 ends level with momentum (four coils) or a little ahead of it
# (super-resolution), on these twenty images. In super-resolution, where it was learned, the convolution is far ahead of
# both. But it does not beat what needs no training. Newton's step, which knows the operator and no image, is far ahead
# of it at the first iteration. The two end together, with the circulant $P$ close behind. So a learned $P$ has to be
# judged beside these two, and not beside plain steps and momentum alone. (This operator nearly is a convolution, and
# the denoiser takes care of the noise.) For digits, the greedy rule would give $P = I$ back, and SR1 does harm. With $A
# A^\top = I$ one has $b = A^+A\,\delta$, and {eq}`eq-ll-sr1` has a part in the null space,
#
# $$\begin{aligned}
# & (I - A^+A)\, P \nabla g \\
# & \quad = \frac{\langle \delta, \nabla g \rangle}{\langle \delta, b \rangle}\, (I - A^+A)\, \delta ,
# \end{aligned}$$ (eq-ll-echo)
#
# the change that the denoiser has just made there, times a number read off the range. It need not suit the null space
# at all. We check the formula three steps into a run without $P$:

# %%
some = digits.test_images[:8]
data = digits.measure(some)
solver = PreconditionedFISTA(digits.denoiser, stepsize=1.0, sigma=0.1, momentum="none")
*_, before, now = (z for _, z in solver.iterates(data, camera, 3))
delta, g = now - before, gradient(camera, now, camera.A_adjoint(data))
b = normal(camera, delta)

# %% [markdown]
# The part in the null space, by the definition and by {eq}`eq-ll-echo`:


# %%
hidden = null_projection(camera, rank_one(g, delta, b))
echo = dot(delta, g) / dot(delta, b)
formula = echo * null_projection(camera, delta)
torch.testing.assert_close(hidden, formula, rtol=0, atol=1e-3)
share = norms(hidden) / norms(rank_one(g, delta, b))
print(f"factors {echo.min():.1f} to {echo.max():.1f}; hidden share {share.mean():.2f}")
assert -6 < echo.min() < echo.max() < -1.5
assert share.min() > 0.5

# %% [markdown]
# The step is $-\alpha P \nabla g$, so a negative factor means: forward again, two to four times as far as the
# denoiser has just been, in the largest part of the direction. A curvature that was seen in the range says nothing
# about how far to go in the null space. As in the last chapter, leaving the range is easy, and knowing where to go
# is not.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 05_learned_linear
# ```
#
# ## Exercises
#
# ```{exercise} The scalar is an exact line search
# :label: ex-ll-scalar
#
# Show that without ridge the learned scalar is $1 + \theta = \sum_i \pi_i / \sum_i t_i \pi_i$, with the power $\pi_i$
# of the training gradients in mode $i$. Which method is it for a single image? In the first iteration it is close
# to 1. From there, predict the scalar of the second iteration, if the second-largest eigenvalue ($t = 0.54$, four
# modes) dominates what the first step has left.
# ```

# %%
answer = None  # put your prediction of 1 + θ for the second iteration here
answers.check("ex-ll-scalar", answer)

# %% [markdown]
# ```{solution-start} ex-ll-scalar
# :label: sol-ll-scalar
# :class: dropdown
# ```
# With $E = \theta I$, {eq}`eq-ll-normal` reads $\theta\, \alpha \sum_j \lVert A \nabla g_j \rVert^2 = \sum_j \bigl(
# \lVert \nabla g_j \rVert^2 - \alpha \lVert A \nabla g_j \rVert^2 \bigr)$. Divide, and write both sums in modes. For
# one image it is steepest descent with Cauchy's exact line search; for many, one step serves all. At first nearly all
# power is in the strongest mode, $t = 1$, so the scalar is 1, and the step deletes that mode. Then $1 + \theta
# \approx 1/0.54 = 1.85$. A little power in weaker modes adds to it. The third
# scalar is beyond 2, a step that would diverge if it were repeated ({eq}`eq-lp-scale`); as one of a sequence it is
# right, since the strong modes are done by then.

# %%
scalars = [1 + float(w) for w in learned["scalar"].weights.flatten()]
second = start.advance(start.step(scalars[0] * start.gradient, None), lambda k: 0.0)
spread = [modes.analyse(s.gradient).square().sum(dim=0) for s in (start, second)]
power = [p[: len(t)] for p in spread]
lines = [float(p.sum() / (t * p).sum()) for p in power]
rows = {"learned": scalars[:3], "line search": [*lines, None]}
table("The scalar 1 + θ of the first iterations.", ["first", "second", "third"], rows)

# %%
assert scalars[2] > 2
assert all(abs(s - line) < 2e-3 for s, line in zip(scalars, lines, strict=False))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} How many images does a matrix need?
# :label: ex-ll-images
#
# Learn the first step with 5 faces, as a convolution and as a full matrix, and compare with the 100 faces used above:
# the data residual on the training faces and on held-out ones, and the PSNR. Predict first which of the two suffers.
# For the one that does: by which factor is its residual on the 40 held-out faces larger than on the five training
# faces? (`Trajectory.start`, as above, gives the training faces with their data; `count` is 5.)
# ```

# %%
answer = None  # put the factor here
answers.check("ex-ll-images", answer)

# %% [markdown]
# ```{solution-start} ex-ll-images
# :label: sol-ll-images
# :class: dropdown
# ```
# Five gradients span five dimensions. In these the matrix is Newton's; what it does to a new gradient depends on how
# much of it lies there, and the rest is overfitted. The kernel has 49 numbers, and each pixel of each image is an
# example for them, so five faces are enough. In PSNR, the full matrix with five images falls behind *no* $P$.

# %%
few = {}
for count in (5, 100):
    generator = torch.Generator().manual_seed(0)
    seen = Trajectory.start(faces, training_images(faces, count, generator), generator)
    for s in ("convolution", "full"):
        P = learn_linear(faces, s, 1, kernel_size=7, n_images=count)
        x = seen.step(P(seen.gradient, seen.state), None)
        misfit = norms(A.A(x) - seen.y) / norms(seen.y)
        few[s, count] = float(misfit.mean()), residual(one_step(P)), psnr(one_step(P))

# %%
heads = [Column(f"residual, {kind}", digits=4) for kind in ("training", "held out")]
heads += [Column("PSNR, held out", "dB", digits=1)]
rows = {f"{structure}, {count}": values for (structure, count), values in few.items()}
table("One step, P learned from few faces and many.", heads, rows, corner="P, faces")

# %%
assert few["full", 5][0] < 0.1 * few["full", 5][1]
assert few["full", 5][1] > 1.5 * few["convolution", 5][1]
assert few["full", 100][1] < few["convolution", 100][1]
assert few["convolution", 100][1] < 1.05 * few["convolution", 5][1]
assert few["full", 5][2] < psnr(one_step(Identity())) - 0.5

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} What is the rank-one term worth?
# :label: ex-ll-bb
#
# (a) Let $t' = \lVert b \rVert^2 / \langle b, \delta \rangle$. Show that $t_\delta \le t'$, that $a$ lies between
# $1/(2t')$ and $1/t'$, and the other eigenvalue between $1/t_\delta$ and $2/t_\delta$. (b) Leave the rank-one term
# out and take $P = I / t_\delta$, the step of Barzilai and Borwein {cite}`barzilai1988two`. How many products does
# it take in super-resolution, on average over the eight faces?
# ```

# %%
answer = None  # (b): put the mean number of products here
answers.check("ex-ll-bb", answer)

# %% [markdown]
# ```{solution-start} ex-ll-bb
# :label: sol-ll-bb
# :class: dropdown
# ```
# (a) $\langle b, \delta \rangle^2 \le \lVert b \rVert^2 \lVert \delta \rVert^2$ is $t_\delta \le t'$. Since
# $\lVert \delta \rVert^2 / \lVert b \rVert^2 = 1/(t_\delta t')$, {eq}`eq-ll-scale` gives $a = (1/t') / \bigl(1 +
# \sqrt{1 - t_\delta / t'}\bigr)$, and the root lies between 0 and 1. The other eigenvalue is $1/t_\delta$ plus a root
# between 0 and $1/t_\delta$. (b) Some more than SR1, and fewer than momentum: much
# of the gain is in the length of the step, which jumps from long to short, and the rank-one term adds to it.


# %%
class BarzilaiBorwein(ddgp_lib.Preconditioner):
    def forward(self, grad, state):
        if state.k > 0:
            delta, b = state.z - self.z, alpha * (grad - self.grad)
            length = dot(delta, delta) / dot(b, delta)
        self.z, self.grad = state.z, grad
        return grad if state.k == 0 else length * grad


# %%
operator, x = cameras["SR"]
clean = operator.A(x)
*_, end = descend(operator, clean, Identity(), 200)
target = 1.001 * norms(operator.A(end) - clean)
path = descend(operator, clean, BarzilaiBorwein(), 60)
bare = products_to(target, operator, clean, path).float().mean()
mean = {label: float(found.float().mean()) for label, found in counts["SR"].items()}
print(f"Barzilai-Borwein {bare:.1f}, SR1 {mean['SR1']:.1f} products")
assert mean["SR1"] < bare < mean["momentum"]

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# You can now
#
# - write the best linear $P$ for the next value of the data term as a least-squares problem, for every structure that
#   is linear in its numbers, and solve it from measurements alone;
# - recognise what it finds: an exact line search, a circulant $P$, Newton's step with a damping for each mode. A useful
#   structure has enough parameters to help, and few enough to fit from the data;
# - judge it beside momentum, conjugate gradients, Newton and circulant, over enough iterations. Each has an advantage
#   somewhere, and the learned one is not ahead of Newton where that has a closed form;
# - name what the data term does not see: noise, against which the discrepancy principle chooses a ridge; and the null
#   space, where a diagonal with little ridge destroys the image at the same residual. Where $A A^\top = I$ nothing is
#   learned. To learn about the null space, $P$ has to be told by something that sees it;
# - derive a rank-one $P$ from the secant equation along the run. It saves products without any training, and leaves
#   the null space to others.
#
# | $P$ | numbers per iteration | learns from | helps | cannot |
# |---|---|---|---|---|
# | scalar | 1 | training data | a better step | spread spectra |
# | diagonal | $n$ | training data | unequal pixels | anything without a ridge |
# | convolution | its kernel | training data | operators near a convolution | random patterns |
# | full | $n^2$ | training data | any spectrum that is not flat | few images; noise, with little ridge |
# | SR1 | 2 images | the run | any spectrum that is not flat | flat spectra; noise |
#
# ## Further reading
#
# The greedy rule, with proofs and with momentum learned too, is in {cite}`fahy2024greedy`; P²nP, with both of its
# preconditioners, in {cite}`hong2024p2np`. A rank-one metric with a proximal map for it is in {cite}`becker2019quasi`.
# The two step lengths of {ref}`ex-ll-bb` are those of {cite}`barzilai1988two`. For the discrepancy principle see
# {cite}`morozov1966solution` and Hansen's book {cite}`hansen2010discrete`.
