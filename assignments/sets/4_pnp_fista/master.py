# %% [markdown]
# # Problem set 4: PnP-FISTA, and when it diverges
#
# A plug-and-play iteration that comes to rest can be made to diverge by the momentum that was meant to speed it up.
# You write the iteration, compute what momentum does to each of its eigenvalues, and forecast with four small
# filters, for which everything is exact, which of them momentum will destroy. Then you look at the denoiser that the
# library ships, image by image, and find out what helps.
#
# *Needed before:* chapters 3, 10 and 14 of the book. *Time:* a little more than three hours. *Points:* 30.
#
# Run the cells from top to bottom. A cell with three dots waits for your code; a cell `grader.check(...)` tells what
# it found. The tests in this notebook look at the form of an answer and at properties that any right answer has.
# Others, which you do not see, look further when the set is graded.

# %%
import math

import matplotlib.pyplot as plt
import torch

import course
import ddgp_lib
import set4

# %% [markdown]
# Put your number or name as the course knows it between the quotes of `student`, if your instructor asked for that.
# The numbers of the set are drawn from it.

# %%
key, student = "COURSE_KEY", ""
p = set4.parameters(key, student)
print(p)

# %% [markdown]
# Throughout, $g(x) = \tfrac12 \lVert A x - y \rVert^2$, $L = \lVert A \rVert^2$, $\alpha$ is the step, $D$ a
# denoiser, and $T$ one iteration without momentum:
#
# $$
# T(z) = D\bigl(z - \alpha \nabla g(z)\bigr) .
# $$
#
# With momentum, from $x_0 = z_0$ and for $k = 0, 1, 2, \dots$:
#
# $$
# x_{k+1} = T(z_k), \qquad z_{k+1} = x_{k+1} + \beta_{k+1} (x_{k+1} - x_k) .
# $$

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 4

# %% [markdown]
# ## Question 1: the iteration (4 points, 25 minutes)
#
# (a) Write `step(z, y, A, At, denoise, alpha)` $= T(z)$, where `A`, `At` and `denoise` are functions. (b) Write
# `run(T, beta, x0, iterations)` for a map `T` and a rule `beta`, a function of $k$ that returns $\beta_k$. It returns
# the list of pairs $(x_0, z_0), \dots, (x_K, z_K)$. (c) Write two such rules, with a parameter $a > 2$. Chambolle and
# Dossal's is $\beta_k = (k - 1)/(k + a)$. deepinv counts otherwise: in its iteration $k = 0, 1, 2, \dots$ it computes
#
# $$
# z_{k+1} = x_{k+1} + \frac{k + a - 1}{k + a} (x_{k+1} - x_k) .
# $$
#
# `deepinv_rule(k, a)` is to return the $\beta_k$ of our notation.

# %% [raw]
# # BEGIN SOLUTION

# %%
def step(z, y, A, At, denoise, alpha):
    # BEGIN SOLUTION
    u = z - alpha * At(A(z) - y)
    return denoise(u)
    # END SOLUTION


def run(T, beta, x0, iterations):
    # BEGIN SOLUTION
    x = z = x0
    path = [(x, z)]
    for k in range(iterations):
        following = T(z)
        z = following + beta(k + 1) * (following - x)
        x = following
        path.append((x, z))
    return path
    # END SOLUTION


def chambolle_dossal(k, a=3):
    # BEGIN SOLUTION
    return (k - 1) / (k + a)
    # END SOLUTION


def deepinv_rule(k, a=3):
    # BEGIN SOLUTION
    return (k + a - 2) / (k + a - 1)
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_form_of_a_run(run):
    import course
    import set4

    x0 = set4.normal((5,), 0)
    path = course.run(run, lambda z: z / 2, lambda k: 0.0, x0, 3, name="run")
    course.ensure(len(path) == 4, "`run` returns one pair (x, z) for the start and one for each iteration.")
    course.ensure(all(len(pair) == 2 for pair in path), "`run` returns pairs: the iterate x and the point z.")
    course.ensure(all(course.close(x, x0 / 2**k, 1e-9) for k, (x, _) in enumerate(path)), "x_{k+1} is T(z_k).")
    course.ensure(all(course.close(x, z, 1e-9) for x, z in path), "Without momentum, z_k is x_k.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_step(step):
    import course
    import set4

    p = set4.parameters("COURSE_KEY graded")
    matrix, z = set4.camera(p), set4.normal((set4.PIXELS,), 1)
    y, alpha = set4.normal((len(matrix),), 2), 0.4

    def A(x):
        return matrix @ x

    def At(r):
        return matrix.T @ r

    def D(u):
        return u.roll(1).tanh() + 0.1

    found = course.run(step, z, y, A, At, D, alpha, name="step")
    wrong = D(z) - alpha * At(A(z) - y), D(z) - alpha * At(A(D(z)) - y)
    course.ensure(
        not any(course.close(found, other, 1e-6) for other in wrong),
        "The denoiser comes after the gradient step and is given its result; here it has been called before.",
    )
    course.ensure(not course.close(found, D(z + alpha * At(A(z) - y)), 1e-6), "The step goes against the gradient.")
    course.ensure(
        course.close(found, D(z - alpha * At(A(z) - y)), 1e-6),
        "The gradient of g at z is At(A(z) - y): step against it with length alpha, then denoise.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_run_against_the_library(run):
    import course
    import ddgp_lib
    import set4
    from deepinv.models import Denoiser

    class Roll(Denoiser):
        def forward(self, x, sigma, **kwargs):
            return 0.7 * x + 0.25 * x.roll(1, -1) + sigma

    camera = ddgp_lib.operators.HadamardCamera(0.4, (1, 8, 8))
    y = camera.A(set4.normal((2, 1, 8, 8), 3).float())
    x0, D = camera.A_adjoint(y), Roll()
    solver = ddgp_lib.PreconditionedFISTA(D, stepsize=1.0, sigma=0.1, momentum="chambolle_dossal")
    wanted = list(solver.iterates(y, camera, 12))

    def T(z):
        return D(z - camera.A_adjoint(camera.A(z) - y), 0.1)

    def beta(k):
        return (k - 1) / (k + 3)

    def variant(shift, from_z):
        x = z = x0
        for k in range(12):
            new = T(z)
            x, z = new, new + beta(k + shift) * (new - (z if from_z else x))
        return x

    path = course.run(run, T, beta, x0, 12, name="run")
    course.ensure(len(path) == 13, "`run` returns one pair (x, z) for the start and one for each iteration.")
    last = path[-1][0]
    course.ensure(
        not any(course.close(last, variant(shift, False), 1e-5) for shift in (0, 2)),
        "The momentum is off by one: which beta belongs to the point z that is made in iteration k?",
    )
    course.ensure(
        not course.close(last, variant(1, True), 1e-5),
        "Momentum prolongs the way from the iterate x_k to x_{k+1}; here it starts from the point z_k.",
    )
    course.ensure(
        all(course.close(f, w, 1e-4) for pair, other in zip(path, wanted, strict=True) for f, w in zip(pair, other)),
        "The run differs from the library's FISTA with the same rule. Does each iteration keep both x and z?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_rules(chambolle_dossal, deepinv_rule):
    import course
    import ddgp_lib
    import set4
    from deepinv.models import Denoiser
    from deepinv.optim import FISTA, L2, PnP

    for a in (3, 5):
        for k in (1, 2, 9):
            beta = course.number(course.run(chambolle_dossal, k, a, name="chambolle_dossal"), "beta")
            course.ensure(abs(beta - (k - 1) / (k + a)) < 1e-9, "`chambolle_dossal(k, a)` is (k - 1)/(k + a).")

    class Roll(Denoiser):
        def forward(self, x, sigma, **kwargs):
            return 0.7 * x + 0.25 * x.roll(1, -1) + sigma

    camera, D = ddgp_lib.operators.HadamardCamera(0.4, (1, 8, 8)), Roll()
    y = camera.A(set4.normal((1, 1, 8, 8), 4).float())
    for a in (3, 5):
        x = z = camera.A_adjoint(y)
        for k in range(8):
            beta = course.number(course.run(deepinv_rule, k + 1, a, name="deepinv_rule"), "deepinv_rule(k, a)")
            new = D(z - camera.A_adjoint(camera.A(z) - y), 0.1)
            x, z = new, new + beta * (new - x)
        theirs = FISTA(L2(), PnP(D), stepsize=1.0, sigma_denoiser=0.1, max_iter=8, a=a, early_stop=False)(y, camera)
        course.ensure(
            course.close(x, theirs, 1e-4),
            "This rule does not give deepinv's FISTA: it is off by one. deepinv's iteration k makes our z_{k+1}, "
            "and so uses our beta_{k+1}.",
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 5

# %% [markdown]
# ## Question 2: what momentum does to an eigenvalue (5 points, 30 minutes)
#
# Let $\hat x = T(\hat x)$ be a fixed point and $J$ the Jacobian of $T$ at $\hat x$. Without momentum, the part of a
# small error along an eigenvector of $J$ is multiplied by the eigenvalue $\zeta$ in each iteration. With a constant
# momentum $\beta$ it obeys $e_{k+1} = \zeta\,\bigl((1 + \beta)\, e_k - \beta\, e_{k-1}\bigr)$, and is in the long run
# multiplied by the root of larger modulus of
#
# $$
# \omega^2 - (1 + \beta)\, \zeta\, \omega + \beta\, \zeta = 0 .
# $$
#
# $J$ need not be symmetric, so $\zeta$ may be complex. (a) Write `growth(zeta, beta)`: for a tensor of real or
# complex numbers $\zeta$ and a number $0 \le \beta \le 1$ the real tensor of the larger $\lvert \omega \rvert$, one
# for each $\zeta$. (b) Suppose that the denoiser leaves the strongest mode of $A$ alone, so that $1 - \alpha L$ is an
# eigenvalue of $J$. Write `largest_step(L, beta)`: the largest number such that this mode dies out for all steps
# $\alpha$ below it. (c) The matrix `set4.camera(p)` is the small camera of question 3. Give the number `limit`: that
# largest step for this camera and the constant momentum `p.momentum`.

# %% [raw]
# # BEGIN SOLUTION

# %%
def growth(zeta, beta):
    # BEGIN SOLUTION
    zeta = torch.as_tensor(zeta).to(torch.complex128)
    half = (1 + beta) * zeta / 2
    root = torch.sqrt(half**2 - beta * zeta)
    return torch.maximum((half + root).abs(), (half - root).abs())
    # END SOLUTION


def largest_step(L, beta):
    # BEGIN SOLUTION
    return (1 + 1 / (1 + 2 * beta)) / L
    # END SOLUTION


# %%
limit = largest_step(float(torch.linalg.matrix_norm(set4.camera(p), 2)) ** 2, p.momentum)  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_growth_without_momentum(growth):
    import course
    import torch

    zeta = torch.tensor([0.5 + 0.5j, -0.9, 0.0, 1.1j], dtype=torch.complex128)
    found = course.array(course.run(growth, zeta, 0.0, name="growth"), "growth(zeta, 0)", (4,))
    course.ensure(found.dtype.kind == "f", "`growth` returns moduli: real numbers.")
    course.ensure(course.close(found, zeta.abs(), 1e-9), "Without momentum an error is multiplied by its eigenvalue.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_growth_with_momentum(growth):
    import course
    import numpy as np
    import torch

    def roots(zeta, beta):
        return [abs(np.roots([1, -(1 + beta) * v, beta * v])) for v in zeta.tolist()]

    real = torch.tensor([0.97, 0.5, 0.1, -0.2, -0.5], dtype=torch.float64)
    turned = 0.95 * torch.exp(1j * torch.linspace(-3, 3, 9, dtype=torch.float64))
    for zeta in (real, turned):
        for beta in (0.3, 0.97):
            found = course.run(growth, zeta, beta, name="growth")
            found = course.array(found, "growth(zeta, beta)", tuple(zeta.shape))
            wanted = [v.max() for v in roots(zeta, beta)]
            same_modulus = [v.max() for v in roots(zeta.abs(), beta)]
            course.ensure(
                course.close(wanted, same_modulus, 1e-6) or not course.close(found, same_modulus, 1e-6),
                "The modulus of an eigenvalue does not decide: with momentum its sign and its angle count as well.",
            )
            course.ensure(
                course.close(found, wanted, 1e-6),
                "The quadratic equation has two roots, complex as a rule; the one of larger modulus wins.",
            )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_largest_step(largest_step):
    import course

    for L in (0.4, 3.0):
        plain = course.number(course.run(largest_step, L, 0.0, name="largest_step"), "largest_step(L, 0)")
        course.ensure(abs(plain * L - 2) < 1e-6, "Without momentum, 1 - alpha L has to stay between -1 and 1.")
        for beta in (0.5, 1.0):
            found = course.number(course.run(largest_step, L, beta, name="largest_step"), "largest_step(L, beta)")
            course.ensure(
                abs(found * L - 2) > 1e-6,
                "2/L is the limit without momentum. With it, the window of real eigenvalues that die out is smaller.",
            )
            course.ensure(
                abs(found * L - 1 - 1 / (1 + 2 * beta)) < 1e-6,
                "Where does a real eigenvalue leave the window of momentum on the left? Set 1 - alpha L to it.",
            )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_limit_for_the_small_camera(env, limit):
    import course
    import set4
    import torch

    p = set4.parameters("COURSE_KEY", env.get("student", ""))
    norm = float(torch.linalg.matrix_norm(set4.camera(p), 2))
    limit = course.number(limit, "limit")
    window = 1 + 1 / (1 + 2 * p.momentum)
    right = abs(limit * norm**2 - window) < 1e-3
    course.ensure(right or abs(limit * norm**2 - 2) > 1e-3, "`limit` is the limit without momentum.")
    course.ensure(
        right or abs(limit * norm - window) > 1e-3, "`limit` is made with the norm of the camera. L is its square."
    )
    course.ensure(right, "`limit` belongs to another camera or momentum than those that were drawn for you.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If `growth` works, the next cell draws for four momenta the line on which an error neither grows nor shrinks. Inside
# it dies out. Compare the four regions with the unit circle; the right panel shows the upper corner near $\zeta = 1$,
# where slow modes are.

# %%
def draw_regions(ax, betas, left, right, low, high):
    re, im = torch.meshgrid(
        torch.linspace(left, right, 441, dtype=torch.float64),
        torch.linspace(low, high, 441, dtype=torch.float64),
        indexing="xy",
    )
    for number, beta in enumerate(betas):
        ax.contour(re, im, growth(torch.complex(re, im), beta), levels=[1.0], colors=f"C{number}")
        ax.plot([], [], color=f"C{number}", label=f"β = {beta:g}")
    ax.set_xlabel("real part of ζ")


if not course.is_open(growth(torch.zeros(1, dtype=torch.complex128), 0.5)):
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.5))
    draw_regions(axes[0], (0.0, 0.5, 0.9, 1.0), -1.1, 1.1, -1.1, 1.1)
    draw_regions(axes[1], (0.0, 0.5, 0.9, 1.0), 0.8, 1.02, 0.0, 0.12)
    axes[0].set_ylabel("imaginary part of ζ")
    axes[0].set_aspect("equal")
    axes[0].legend()

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 3

# %% [markdown]
# ## Question 3: an iteration that is exact (3 points, 20 minutes)
#
# A small camera sees 256 pixels, a digit on a grid of 16 by 16. It has lost the pixels of a disc in the middle, and
# its lens darkens the corners. Images are vectors here, and the camera is a matrix $A$.

# %%
camera, truth = set4.camera(p), set4.image(p)
y = camera @ truth + 0.01 * set4.normal((len(camera),), 1)
alpha = float(1 / torch.linalg.matrix_norm(camera, 2) ** 2)
figure, axes = plt.subplots(1, 2, figsize=(5, 2.5))
for ax, (name, picture) in zip(axes, {"image": truth, "what is seen": camera.T @ y}.items(), strict=True):
    ax.imshow(picture.reshape(16, 16), cmap="gray")
    ax.set_title(name)
    ax.axis("off")

# %% [markdown]
# Let the denoiser be a matrix $W$, $D(u) = W u$. It need not be symmetric. Then $T$ is an affine map, and the error
# of every iteration is what $J$ makes of it, not only near the fixed point. (a) Write `iteration_matrix(W, A, alpha)`
# $= J$. (b) Write `fixed_point(J, W, A, y, alpha)`: the image $\hat x$ with $T(\hat x) = \hat x$, without an
# iteration.
#
# (For such a $W$ nobody would need momentum: $\hat x$ solves a linear system, and Krylov methods, for symmetric
# positive $W$ conjugate gradients, find it in fewer iterations and without any $\beta_k$. Only a denoiser that is not
# linear rules them out. The matrix is a model of it for which we can compute everything.)

# %% [raw]
# # BEGIN SOLUTION

# %%
def iteration_matrix(W, A, alpha):
    # BEGIN SOLUTION
    return W @ (torch.eye(A.shape[1], dtype=A.dtype) - alpha * A.T @ A)
    # END SOLUTION


def fixed_point(J, W, A, y, alpha):
    # BEGIN SOLUTION
    return torch.linalg.solve(torch.eye(len(J), dtype=J.dtype) - J, alpha * W @ (A.T @ y))
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_blind_camera(iteration_matrix):
    import course
    import set4

    W = set4.normal((5, 5), 0)
    found = course.run(iteration_matrix, W, 0 * set4.normal((3, 5), 1), 0.7, name="iteration_matrix")
    course.array(found, "iteration_matrix(W, A, alpha)", (5, 5))
    course.ensure(course.close(found, W, 1e-9), "If the camera sees nothing, an iteration is the denoiser.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_iteration_matrix(iteration_matrix):
    import course
    import set4
    import torch

    p = set4.parameters("COURSE_KEY graded")
    A, W, alpha = set4.camera(p), set4.turning(p), 0.3
    M = torch.eye(A.shape[1], dtype=A.dtype) - alpha * A.T @ A
    found = course.run(iteration_matrix, W, A, alpha, name="iteration_matrix")
    course.ensure(
        not course.close(found, M @ W, 1e-6),
        "This is the map that denoises first and takes the gradient step afterwards. The two have the same "
        "eigenvalues, but not the same eigenvectors and fixed points. The factor that acts first is on the right.",
    )
    course.ensure(not course.close(found, W - alpha * A.T @ A, 1e-6), "The denoiser acts on the gradient as well.")
    course.ensure(course.close(found, W @ M, 1e-6), "Put D(u) = W u into T(z) and take what multiplies z.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_fixed_point(fixed_point):
    import course
    import set4
    import torch
    from ddgp_lib import checks

    p = set4.parameters("COURSE_KEY graded")
    A, W = set4.camera(p), set4.turning(p)
    alpha = 1 / float((A**2).sum(dim=0).max())
    identity = torch.eye(A.shape[1], dtype=A.dtype)
    J, y = W @ (identity - alpha * A.T @ A), A @ set4.image(p)
    found = course.run(fixed_point, J, W, A, y, alpha, name="fixed_point")
    course.array(found, "fixed_point(J, W, A, y, alpha)", (A.shape[1],))
    course.ensure(
        not course.close(found, torch.linalg.solve(identity - J, alpha * A.T @ y), 1e-6),
        "The denoiser acts on the data as well: expand W (z - alpha At(A z - y)) and keep both terms.",
    )
    checks.check_fixed_point(lambda z: W @ (z - alpha * A.T @ (A @ z - y)), found, tolerance=1e-6)

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 4

# %% [markdown]
# ## Question 4: a forecast (4 points, 25 minutes)
#
# Let `zetas` be the tensor of all eigenvalues of $J$ and `growth` the function of question 2. (a) Write
# `rests(zetas, beta, growth)`: True if the iteration with constant momentum $\beta$ forgets every small error, else
# False. (b) The rules of question 1 approach 1 slowly, so treat $\beta_k$ as constant for a while. Write
# `onset(zetas, rule, growth)`: the first $k = 1, 2, \dots, 2000$ at which some error grows with the momentum
# `rule(k)`, and `math.inf` if there is none.

# %% [raw]
# # BEGIN SOLUTION

# %%
def rests(zetas, beta, growth):
    # BEGIN SOLUTION
    return bool((growth(zetas, beta) < 1).all())
    # END SOLUTION


def onset(zetas, rule, growth):
    # BEGIN SOLUTION
    for k in range(1, 2001):
        if (growth(zetas, rule(k)) > 1).any():
            return k
    return math.inf
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_errors_that_vanish_and_errors_that_grow(rests, onset):
    import course
    import torch

    zero, beyond = torch.zeros(3, dtype=torch.complex128), torch.tensor([0.5, 1.1], dtype=torch.complex128)

    def plain(zetas, beta):
        return zetas.abs()

    course.ensure(course.run(rests, zero, 0.0, plain, name="rests"), "Eigenvalues of zero forget everything at once.")
    course.ensure(not course.run(rests, beyond, 0.0, plain, name="rests"), "One error that grows is enough.")
    never = course.run(onset, zero, lambda k: 0.0, plain, name="onset")
    course.ensure(never == float("inf"), "Here nothing ever grows.")
    at_once = course.run(onset, beyond, lambda k: 0.0, plain, name="onset")
    course.ensure(at_once == 1, "Here an error grows from k = 1 on.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_rests(rests):
    import course
    import set4
    import torch

    def growth(zetas, beta):
        half = (1 + beta) * zetas.to(torch.complex128) / 2
        root = torch.sqrt(half**2 - beta * zetas)
        return torch.maximum((half + root).abs(), (half - root).abs())

    p = set4.parameters("COURSE_KEY graded")
    A = set4.camera(p)
    M = torch.eye(A.shape[1], dtype=A.dtype) - A.T @ A / (A**2).sum(dim=0).max()
    filters = set4.averaging(p), set4.overshooting(p), set4.turning(p)
    safe, flipping, turned = (torch.linalg.eigvals(W @ M) for W in filters)
    slow = torch.tensor([0.9958 + 0.0137j, 0.9958 - 0.0137j], dtype=torch.complex128)
    for zetas in (safe, flipping, turned, slow):
        course.ensure(course.run(rests, zetas, 0.0, growth, name="rests"), "Without momentum all of these die out.")
    for zetas, beta in ((flipping, 0.99), (turned, 0.99), (slow, 0.97)):
        course.ensure(
            not course.run(rests, zetas, beta, growth, name="rests"),
            "A spectral radius below 1 is the criterion without momentum. With it, an eigenvalue inside the unit "
            "circle can make an error grow: ask what momentum makes of each eigenvalue.",
        )
    course.ensure(course.run(rests, safe, 1.0, growth, name="rests"), "Real eigenvalues between 0 and 1 are safe.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_onset(onset):
    import course
    import set4
    import torch

    def growth(zetas, beta):
        half = (1 + beta) * zetas.to(torch.complex128) / 2
        root = torch.sqrt(half**2 - beta * zetas)
        return torch.maximum((half + root).abs(), (half - root).abs())

    p = set4.parameters("COURSE_KEY graded")
    A = set4.camera(p)
    M = torch.eye(A.shape[1], dtype=A.dtype) - A.T @ A / (A**2).sum(dim=0).max()
    zetas = torch.linalg.eigvals(set4.turning(p) @ M)
    for a in (3, 20):
        k = course.run(onset, zetas, lambda k: (k - 1) / (k + a), growth, name="onset")
        course.ensure(
            k != float("inf"),
            "Some error does grow here. Each eigenvalue counts, and the one of largest modulus need not be the one "
            "that momentum makes grow.",
        )
        k = course.number(k, "onset")
        course.ensure(
            k >= 1 and (growth(zetas, (k - 1) / (k + a)) > 1).any(),
            "At the iteration that you name no error grows yet. Is `rule` given k itself?",
        )
        course.ensure(
            not (growth(zetas, (k - 2) / (k - 1 + a)) > 1).any(), "An error grows before the iteration that you name."
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# Four denoisers for the small camera. `averaging` replaces each pixel by a mean over similar neighbours, and its
# matrix is symmetric with eigenvalues between 0 and 1. `overshooting` goes in the same direction and too far; it is
# symmetric as well. `turning` is `averaging` followed by a turn of the image by a few degrees: think of a network
# whose training images were not quite aligned with their noisy copies. `gradient_step` is not linear: it takes one
# step down a smoothed total variation, $D(u) = u - \nabla\varphi(u)$, and its Jacobian is symmetric. (The hole is too
# large for such filters to fill it well. We ask here where the iteration goes, and not how good the image is.)
#
# **Before you run the next cell, write down which of the four will come to rest with momentum.** It prints the
# spectral radius and the norm of $J$ at the fixed point of the plain iteration, your forecasts, and the relative
# distance from that fixed point after 300 iterations without and with momentum.

# %%
def study(denoise, W=None, iterations=300):
    def T(z):
        return step(z, y, lambda x: camera @ x, lambda r: camera.T @ r, denoise, alpha)

    if W is None:
        rest = run(T, lambda k: 0.0, camera.T @ y, 1500)[-1][0]
        J = torch.func.jacrev(T)(rest)
    else:
        J = iteration_matrix(W, camera, alpha)
        rest = fixed_point(J, W, camera, y, alpha)
    zetas = torch.linalg.eigvals(J)
    paths = [run(T, beta, camera.T @ y, iterations) for beta in (lambda k: 0.0, chambolle_dossal)]
    errors = [[float((x - rest).norm() / rest.norm()) for x, _ in path] for path in paths]
    return J, zetas, errors


# %%
matrices = {"averaging": set4.averaging(p), "overshooting": set4.overshooting(p), "turning": set4.turning(p)}
trial = torch.zeros(1, dtype=torch.complex128)
ready = not any(
    course.is_open(answer)
    for answer in (
        step(truth, 0 * y, lambda x: camera @ x, lambda r: camera.T @ r, lambda u: u, alpha),
        run(lambda z: z, lambda k: 0.0, truth, 1),
        chambolle_dossal(1),
        deepinv_rule(1),
        growth(trial, 0.5),
        iteration_matrix(matrices["averaging"], camera, alpha),
        fixed_point(0.5 * torch.eye(256, dtype=truth.dtype), matrices["averaging"], camera, y, alpha),
        rests(trial, 0.0, lambda zetas, beta: zetas.abs()),
        onset(trial, lambda k: 0.0, lambda zetas, beta: zetas.abs()),
    )
)

# %% tags=["study"]
if ready:
    found = {name: study(lambda u, W=W: W @ u, W) for name, W in matrices.items()}
    found["gradient step"] = study(set4.gradient_step)
    titles = {"ρ(J)": 7, "‖J‖": 7, "rests, β → 1": 14, "onset": 7, "deepinv": 9, "plain": 9, "momentum": 10}
    print(" " * 14 + "".join(f"{title:>{width}s}" for title, width in titles.items()))
    for name, (J, zetas, (plain, momentum)) in found.items():
        begins = [onset(zetas, rule, growth) for rule in (chambolle_dossal, deepinv_rule)]
        print(
            f"{name:14s}{zetas.abs().max():7.3f}{torch.linalg.matrix_norm(J, 2):7.3f}"
            f"{rests(zetas, 1.0, growth)!s:>14s}{begins[0]:7}{begins[1]:9}{plain[-1]:9.0e}{momentum[-1]:10.0e}"
        )

# %% [markdown]
# The left panel shows the eigenvalues, the unit circle and the region that is left as $\beta \to 1$. The right panel
# shows the runs; a dotted line marks the onset that you forecast. The distance turns some time after it, when what
# grows has overtaken what still dies out. Sort the four denoisers by $\rho(J)$, and then by what momentum does to
# them.

# %% tags=["study"]
if ready:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    draw_regions(left, (0.0, 1.0), -0.6, 1.05, -0.4, 0.4)
    for number, (name, (_, zetas, (plain, momentum))) in enumerate(found.items(), start=2):
        left.plot(zetas.real, zetas.imag, ".", color=f"C{number}", label=name, markersize=4)
        right.semilogy(plain, "--", color=f"C{number}", linewidth=1)
        right.semilogy(momentum, color=f"C{number}", label=name)
        begin = onset(zetas, chambolle_dossal, growth)
        if begin < math.inf:
            right.axvline(begin, color=f"C{number}", linestyle=":")
    left.legend(fontsize="small")
    right.set_ylim(1e-7, 1e3)
    right.set_xlabel("iteration; dashed: without momentum")
    right.set_ylabel("relative distance from the fixed point")

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 4

# %% [markdown]
# ## Question 5: is it at rest? (4 points, 20 minutes)
#
# With a network in the place of $D$ nobody knows the fixed point. What can be computed is the **fixed-point
# residual** of an image, $\lVert T(x) - x \rVert / \lVert x \rVert$, where $T$ is an iteration without momentum. It
# is zero at a fixed point and nowhere else.
#
# (a) Write `residuals(T, path)` for a `path` as `run` returns it, now of batches of shape (N, C, H, W): the residual
# of each image and each *iterate* $x_k$, which is what a solver returns, as a tensor of shape (len(path), N). (b) A
# run of a batch counts as at rest if no image has had a residual of `tol` or more in any of the last `last` rows.
# Write `at_rest(residual, tol, last)`, True or False. A run may also have ended in numbers that are not numbers.

# %% [raw]
# # BEGIN SOLUTION

# %%
def residuals(T, path):
    # BEGIN SOLUTION
    rows = []
    for x, _ in path:
        moved = (T(x) - x).flatten(1).norm(dim=1)
        rows.append(moved / x.flatten(1).norm(dim=1))
    return torch.stack(rows)
    # END SOLUTION


def at_rest(residual, tol, last):
    # BEGIN SOLUTION
    return bool((residual[-last:] < tol).all())
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_one_residual_for_each_image(residuals, at_rest):
    import course
    import set4
    import torch

    x = set4.normal((2, 1, 4, 4), 0)
    found = course.run(residuals, lambda z: z, [(x, x)] * 3, name="residuals")
    course.ensure(course.close(1 + course.array(found, "residuals(T, path)", (3, 2)), torch.ones(3, 2), 1e-9),
                  "Where T changes nothing, every residual is zero.")
    course.ensure(course.run(at_rest, torch.zeros(5, 2), 1e-3, 3, name="at_rest"), "Residuals of zero are rest.")
    course.ensure(not course.run(at_rest, torch.ones(5, 2), 1e-3, 3, name="at_rest"), "Residuals of one are no rest.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_residual_of_the_iterate(residuals):
    import course
    import set4
    import torch

    def T(z):
        return 0.5 * z + 0.1

    x, z, other = (set4.normal((1, 1, 4, 4), seed) for seed in (1, 2, 3))
    found = course.run(residuals, T, [(x, z), (other, z)], name="residuals")
    course.array(found, "residuals(T, path)", (2, 1))

    def residual(of, relative_to):
        return (T(of) - of).norm() / relative_to.norm()

    course.ensure(
        not any(course.close(found[0, 0], residual(z, size), 1e-6) for size in (x, z)),
        "This is the residual of the extrapolated point z. What the solver returns is x: ask whether T moves that.",
    )
    course.ensure(
        not course.close(found[1, 0], (other - x).norm() / other.norm(), 1e-6),
        "The way from one iterate to the next is no residual: it is small as well where steps are made small.",
    )
    course.ensure(
        course.close(found, torch.stack([residual(x, x), residual(other, other)])[:, None], 1e-6),
        "How far does T move x, relative to the norm of x?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_images_are_kept_apart(residuals):
    import course
    import set4
    import torch

    x = set4.normal((3, 2, 4, 4), 4) * torch.tensor([0.1, 1.0, 10.0]).reshape(3, 1, 1, 1)
    shift = torch.tensor([1.0, 0.0, 0.01]).reshape(3, 1, 1, 1)
    found = course.run(residuals, lambda z: z + shift, [(x, 0 * x)], name="residuals")
    found = course.array(found, "residuals(T, path)", (1, 3))
    each = [float(shift[i]) * 32**0.5 / float(x[i].norm()) for i in range(3)]
    course.ensure(
        course.close(found[0], each, 1e-5),
        "Each image has its own residual, relative to its own norm. A mean over the batch lets the images that rest "
        "hide the one that does not.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_at_rest(at_rest):
    import course
    import torch

    tol = 1e-3
    quiet = torch.full((20, 6), 1e-5)
    quiet[0] = 1.0

    def asked(residual, name="at_rest"):
        return course.run(at_rest, residual, tol, 10, name=name)

    course.ensure(asked(quiet), "What happened before the last rows does not count, and here they are quiet.")
    one = quiet.clone()
    one[:, 4] = 2e-3
    course.ensure(
        not asked(one), "One image does not rest. The mean over the images is small, and hides the worst one."
    )
    swinging = quiet.clone()
    swinging[1::2, 2], swinging[0::2, 2] = 1e-5, 1.5e-3
    course.ensure(
        not asked(swinging), "One image swings: its residual is small in some of the last rows, not in all of them."
    )
    lost = quiet.clone()
    lost[-3:, 1] = float("nan")
    course.ensure(
        not asked(lost), "A residual that is not a number passed: `>=` is False for it, so ask for what must hold."
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q6
# points: 4

# %% [markdown]
# ## Question 6: three remedies (4 points, 30 minutes)
#
# (a) *The level.* If images have the density $e^{-f(x)}$ and the data white noise of standard deviation $\sigma_w$,
# the most probable image minimises $\tfrac{1}{\sigma_w^2} g + f$, or $g + \sigma_w^2 f$. A proximal gradient step of
# length $\alpha$ on the latter ends with $\operatorname{prox}_{\alpha \sigma_w^2 f}$, which is the most probable
# image behind $u$ if the noise in $u$ has the *variance* $\alpha \sigma_w^2$. Write `level(alpha, noise)`: the number
# $\sigma$ that a denoiser $D_\sigma$ is to be told, for `noise` $= \sigma_w$. (Tuned levels come out several times
# larger, since a denoiser also has to remove what the missing data leave behind. A level that was tuned for one noise
# is still wrong for ten times as much.)
#
# (b) *Fading.* Write `fade(u, k, k0, denoise)`: what is left of the denoiser in iteration $k = 0, 1, \dots$ if its
# *change* of the image has the weight $\gamma_k = 1$ for $k < k_0$ and $\gamma_k = (k_0/(k + 1))^2$ from there on.
#
# (c) *Choosing.* Write `choose(levels, psnr, rest)` for an ascending list of levels, a tensor `psnr` of shape
# (levels, images) of the PSNR of validation images at the *end* of their runs, and a list `rest` that says which of
# the levels came to rest. It returns the level with the best mean PSNR among those that rest. It raises a
# `ValueError` if no level rests, or if the best of them is the first or the last of the grid: then the grid has to be
# extended, and there is no answer yet.

# %% [raw]
# # BEGIN SOLUTION

# %%
def level(alpha, noise):
    # BEGIN SOLUTION
    return math.sqrt(alpha) * noise
    # END SOLUTION


def fade(u, k, k0, denoise):
    # BEGIN SOLUTION
    weight = min(1.0, (k0 / (k + 1)) ** 2)
    return u + weight * (denoise(u) - u)
    # END SOLUTION


def choose(levels, psnr, rest):
    # BEGIN SOLUTION
    allowed = [i for i in range(len(levels)) if rest[i]]
    if not allowed:
        raise ValueError("no level comes to rest: extend the grid")
    best = max(allowed, key=lambda i: float(psnr[i].mean()))
    if best == 0 or best == len(levels) - 1:
        raise ValueError("the best level is at an end of the grid: extend the grid")
    return levels[best]
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_forms(level, fade, choose):
    import course
    import set4
    import torch

    u = set4.normal((4,), 0)
    found = course.run(fade, u, 0, 5, lambda v: v / 2, name="fade")
    course.ensure(course.close(found, u / 2, 1e-9), "In the first iterations nothing fades.")
    sigma = course.number(course.run(level, 1.0, 0.01, name="level"), "level(alpha, noise)")
    course.ensure(sigma > 0, "A level is positive.")
    psnr = torch.tensor([[20.0, 20.0], [22.0, 24.0], [21.0, 21.0]])
    found = course.run(choose, [0.1, 0.2, 0.3], psnr, [True, True, True], name="choose")
    course.ensure(found == 0.2, "All levels rest, and the middle one is the best.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_level(level):
    import course

    for alpha, noise in ((0.25, 0.02), (16.0, 0.1), (1.0, 0.3)):
        found = course.number(course.run(level, alpha, noise, name="level"), "level(alpha, noise)")
        course.ensure(
            abs(found - alpha * noise**2) > 1e-6,
            "This is a variance, sigma squared. A denoiser is told a standard deviation, in the unit of the image.",
        )
        course.ensure(
            abs(found - alpha**0.5 * noise) < 1e-6,
            "Ten times the noise asks for a level ten times as high, four times the step for one twice as high.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_fade(fade):
    import course
    import set4

    u = set4.normal((4,), 1)

    def D(v):
        return v.flip(0) + 1

    late = course.run(fade, u, 9_999_999, 5, D, name="fade")
    course.ensure(
        course.close(late, u, 1e-4),
        "What fades is the denoiser's change of the image, D(u) - u. Late in a run u itself must be left.",
    )
    for k, weight in ((4, 1.0), (5, (5 / 6) ** 2), (19, 1 / 16)):
        found = course.run(fade, u, k, 5, D, name="fade")
        course.ensure(
            course.close(found, u + weight * (D(u) - u), 1e-9),
            "The weight is 1 before iteration k0 and the square of k0/(k + 1) from there on.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_choose(choose):
    import course
    import torch

    levels = [0.02, 0.05, 0.1, 0.2, 0.4]
    psnr = torch.tensor([[1.0, 30.0], [24.0, 26.0], [23.0, 23.0], [22.0, 22.5], [20.0, 20.0]])

    def refuses(rest, table=psnr):
        try:
            answer = choose(levels, table, rest)
        except ValueError:
            return True
        course.ensure(not course.is_open(answer), "`choose` returns nothing yet.")
        return False

    found = course.run(choose, levels, psnr, [False, False, True, True, True], name="choose")
    course.ensure(found != 0.05, "The best mean is that of a run that does not rest: a longer run will change it.")
    course.ensure(found == 0.1, "Take the best mean over the images among the levels that rest.")
    course.ensure(refuses([False] * 5), "No level rests, so there is nothing to choose: refuse it with a ValueError.")
    at_end = "The best level is at an end of the grid: nobody knows what lies beyond. Ask for a larger grid."
    course.ensure(refuses([False] * 4 + [True]), at_end)
    course.ensure(refuses([True] * 5, psnr.flip(0) + torch.tensor([[0.0], [0], [0], [0], [30]])), at_end)
    course.ensure(refuses([True] * 5, psnr + torch.tensor([[30.0], [0], [0], [0], [0]])), at_end)

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# Now the library's denoiser, with the single-pixel camera of chapters 3 and 10: 102 of 1,024 patterns, four
# validation digits that were drawn for you, 400 iterations. Each row is a run. `data` is the largest data residual
# $\lVert A x - y \rVert / \lVert y \rVert$ of the four images at the end. `mean` and `worst` are the mean and the
# largest fixed-point residual at the end, and `restless` counts the images that were not at rest in the last 40
# iterations with a tolerance of $10^{-3}$. (Four digits say what can happen, and not how often it does.)

# %%
task = ddgp_lib.load_task("single_pixel")
task.denoiser.requires_grad_(False)
digits = task.val_images[list(p.digits)]
records = task.measure(digits)
start = task.student.A_adjoint(records)


def no_momentum(k):
    return 0.0


def iteration(sigma, images=slice(None)):
    data = records[images]
    return lambda z: step(
        z, data, task.student.A, task.student.A_adjoint, lambda u: task.denoiser(u, sigma), task.stepsize
    )


def watch(sigma, beta, iterations=400):
    path = run(iteration(sigma), beta, start, iterations)
    residual = residuals(iteration(sigma), path[::10])
    psnr = {k: task.psnr(path[k][0], digits) for k in (20, iterations)}
    return residual, psnr, path[-1][0]


def report(name, residual, psnr, x):
    unexplained = (task.student.A(x) - records).flatten(1).norm(dim=1) / records.flatten(1).norm(dim=1)
    restless = sum(not at_rest(residual[:, i : i + 1], 1e-3, 5) for i in range(residual.shape[1]))
    early, late = (float(values.mean()) for values in psnr.values())
    print(
        f"{name:22s}{early:8.2f}{late:8.2f}{unexplained.max():8.3f}{residual[-1].mean():10.0e}"
        f"{residual[-1].max():10.0e}{restless:10d}"
    )


# %%
answered = ready and not any(
    course.is_open(answer)
    for answer in (
        residuals(lambda z: z, [(digits, digits)]),
        at_rest(torch.zeros(2, 2), 1.0, 1),
        level(1.0, 0.1),
        fade(truth, 0, 1, lambda u: u),
        choose([1, 2, 3], torch.tensor([[0.0], [1], [0]]), [True] * 3),
    )
)

# %% tags=["study"]
if answered:
    levels = [0.05, 0.07, 0.1, 0.15]
    watched = {"plain, σ = 0.05": watch(0.05, no_momentum)}
    watched |= {f"momentum, σ = {sigma}": watch(sigma, chambolle_dossal) for sigma in levels}
    print(f"{'':22s}{'dB at 20':>8s}{'at 400':>8s}{'data':>8s}{'mean':>10s}{'worst':>10s}{'restless':>10s}")
    for name, one in watched.items():
        report(name, *one)
    with_momentum = list(watched.values())[1:]
    try:
        best = choose(
            levels,
            torch.stack([psnr[400] for _, psnr, _ in with_momentum]),
            [at_rest(residual, 1e-3, 5) for residual, _, _ in with_momentum],
        )
        print(f"chosen with momentum: σ = {best}")
    except ValueError as error:
        print(f"no choice: {error}")
    noise = float(task.student.noise_model.sigma.max())
    print(f"from noise and step alone: σ = {level(task.stepsize, noise):.3f}")

# %% [markdown]
# A curve for each image, and the mean over the images, dashed. Does the mean tell when an image is restless? Is there
# a residual that is below the tolerance and rises? `at_rest` lets it pass; a longer run would not.

# %% tags=["study"]
if answered:
    shown = [name for name in watched if "0.15" not in name]
    figure, axes = plt.subplots(1, len(shown), figsize=(13, 3), sharey=True)
    for ax, name in zip(axes, shown, strict=True):
        residual = watched[name][0]
        ax.semilogy(range(0, 401, 10), residual, linewidth=1)
        ax.semilogy(range(0, 401, 10), residual.mean(dim=1), "k--")
        ax.set_title(name)
        ax.set_xlabel("iteration")
    axes[0].set_ylabel("fixed-point residual")

# %% [markdown]
# Does your forecast hold for a network? Of the two levels 0.07 and 0.1 we take the one whose run ended with the
# larger residual, and of its images that with the largest and, as a control, that with the smallest. The *plain*
# iteration is run until it rests, and the Jacobian taken there: a matrix of 1,024 by 1,024, most of whose eigenvalues
# are complex. (The end of a restless run is no fixed point, and a Jacobian taken there forecasts nothing.) The last
# column is the iteration at which the residual of your run was smallest. Compare it with the onset.

# %% tags=["study"]
if answered:
    sigma = max((0.07, 0.1), key=lambda sigma: float(watched[f"momentum, σ = {sigma}"][0][-1].max()))
    residual = watched[f"momentum, σ = {sigma}"][0]
    print(f"{f'σ = {sigma}':18s}{'plain rests to':>15s}{'ρ(J)':>8s}{'onset':>7s}{'at 400':>9s}{'smallest at':>13s}")
    chosen = {"largest residual": int(residual[-1].argmax()), "smallest residual": int(residual[-1].argmin())}
    T = iteration(sigma, list(chosen.values()))
    rested = run(T, no_momentum, start[list(chosen.values())], 600)[-1][0]
    moves = residuals(T, [(rested, rested)])[0]
    for row, (name, i) in enumerate(chosen.items()):
        alone = iteration(sigma, [i])
        slope = torch.func.jacrev(lambda v, T=alone: T(v.reshape(1, 1, 32, 32)).flatten(), chunk_size=32)
        zetas = torch.linalg.eigvals(slope(rested[row].flatten()).double())
        begin, least = onset(zetas, chambolle_dossal, growth), 10 * int(residual[:, i].argmin())
        print(f"{name:18s}{moves[row]:15.0e}{zetas.abs().max():8.4f}{begin:7}{residual[-1, i]:9.0e}{least:13d}")

# %% [markdown]
# Last, fading at $\sigma = 0.05$ from iteration 10 on, with momentum: how far the last iteration moved the image, and
# how far an iteration that does not fade would move it from there.

# %% tags=["study"]
if answered:
    T, x, z = iteration(0.05), start, start
    for k in range(400):
        before = x
        x = step(
            z,
            records,
            task.student.A,
            task.student.A_adjoint,
            lambda u, k=k: fade(u, k, 10, lambda v: task.denoiser(v, 0.05)),
            task.stepsize,
        )
        z = x + chambolle_dossal(k + 1) * (x - before)
    moved = (x - before).flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)
    remaining = residuals(T, [(x, z)])
    print(f"last step {moved.max():.0e}, residual {remaining.max():.0e}, {task.psnr(x, digits).mean():.2f} dB")

# %% [raw]
# # BEGIN QUESTION
# name: q7
# manual: true
# points: 3

# %% [markdown]
# ## Question 7: for which denoisers momentum is safe (3 points, 25 minutes)
#
# A *gradient-step denoiser* (Hurault, Leclaire and Papadakis, 2022) is $D(u) = u - \nabla\varphi(u)$ with a twice
# continuously differentiable function $\varphi$, for instance one that a network computes. Let the eigenvalues of the
# Hessian of $\varphi$ lie between 0 and 1, let $0 < \alpha \le 1/L$, let $\hat x$ be a fixed point of $T$, and
# $\hat u = \hat x - \alpha \nabla g(\hat x)$.
#
# (a) Show that all eigenvalues of $J = D'(\hat u)\,(I - \alpha A^\top A)$ are real and between 0 and 1. (For
# symmetric $S$ and $M$ without negative eigenvalues, $S M$ has the eigenvalues of $M^{1/2} S M^{1/2}$.) (b) What
# follows for momentum near $\hat x$? Which one value of $\zeta$ has to be excluded, and what would an eigenvector
# that belongs to it mean for the image? (c) In your table `overshooting` and `turning` fail with momentum. Which
# assumption does each of them break? Why does a shorter step not help `overshooting`, and what does?

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) $S = D'(\hat u) = I - \nabla^2 \varphi(\hat u)$ is symmetric, since mixed derivatives are equal, and its
# eigenvalues lie between 0 and 1. So do those of $M = I - \alpha A^\top A$, as
# $0 \le \alpha \lVert A v \rVert^2 \le \alpha L \lVert v \rVert^2 \le \lVert v \rVert^2$. $S M$ has the eigenvalues
# of $M^{1/2} S M^{1/2}$, which is symmetric: they are real. And
# $0 \le v^\top M^{1/2} S M^{1/2} v \le \lVert M^{1/2} v \rVert^2 \le \lVert v \rVert^2$, so they lie between 0 and 1.
#
# (b) Real eigenvalues with $-1/(1 + 2\beta) < \zeta < 1$ die out with momentum $\beta$, and $0 \le \zeta < 1$ is
# inside for each $\beta \le 1$, so near $\hat x$ the iteration with momentum returns. (A learned $\varphi$ whose
# Hessian has negative eigenvalues too still gives real $\zeta \ge 0$: nothing flips or turns, but some $\zeta$ may be
# above 1.) Excluded is $\zeta = 1$. An eigenvector of $M^{1/2} S M^{1/2}$ for 1 has equality everywhere in (a):
# $A v = 0$ and $S v = v$. It is a change of the image that the camera does not see and the denoiser leaves alone.
# Nothing pulls back along it; the fixed point is not isolated to first order. The statement is local; how far it
# reaches, eigenvalues do not say.
#
# (c) `overshooting` is symmetric, and even a gradient step, of $\varphi(u) = \tfrac{c}{2} u^\top (I - W) u$; but its
# Hessian has eigenvalues above 1, so $D'$ has negative ones, and $J$ has one left of $-\tfrac13$. Its mode lies
# mostly in the hole, where $M = I$ whatever $\alpha$ is; a shorter step brings $M$ nearer to $I$ elsewhere too and
# cannot move that eigenvalue to the right. What helps is less momentum ($\beta$ below
# $\tfrac12(1/\lvert \zeta \rvert - 1)$), or a weaker denoiser, such as $\tfrac12 (u + D(u))$, or a smaller $\varphi$.
# `turning` is not symmetric, so it is a gradient step of no $\varphi$, and its eigenvalues are complex.
#
# *Rubric.* One point each. (a) Half a point for symmetry of both factors with the reason, half for the bounds. (b)
# Half a point for the window, half for $\zeta = 1$ with both conditions on $v$. (c) Half a point for the two
# assumptions, half for the step and one remedy. *Typical answers.* (a) "$\lVert J \rVert \le 1$, so it converges": no
# point; all four filters of the table have norms below 1. (a) "A product of symmetric matrices is symmetric": no
# point, it is false. (b) "It converges from anywhere": half a point at most, the argument is local. (c)
# "`overshooting` is not symmetric": no point for the assumption. (c) "A step of less than $4/(3L)$": no point for the
# remedy, it is about another eigenvalue.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q8
# manual: true
# points: 3

# %% [markdown]
# ## Question 8: what a residual sees (3 points, 20 minutes)
#
# The safeguard of chapter 10 turns a preconditioner off when the data residual $\lVert A z_k - y \rVert$ or the
# fixed-point residual grows. (a) Let $v$ be an image with $A v = 0$. Show that every test which looks at an image $x$
# only through $A x$ and $y$ says the same of $x$ and of $x + v$. (b) Take from your table the run with momentum at
# $\sigma = 0.05$ and its control, the plain run with the same digits and the same $\sigma$. By how much do they
# differ in the PSNR at 400, in `data` and in `worst`? Which of these numbers can a user compute without the true
# image, and could a bound on the data residual have stopped the one run and let the other pass? (c) Name a failure
# that the fixed-point residual does not see either, and a test without the true image that may see it. What does it
# prove if that test says nothing?

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) $A(x + v) = A x$, so the test gets the same input and gives the same answer. (b) The numbers of the table: the
# momentum run loses PSNR and has a `worst` of about $10^{-2}$, several times that of the control or more, while
# `data` differs by a few per cent or not at all. `data` and `worst` need no true image, PSNR does. A bound on the
# data residual between the two would be so tight that another digit, or an early iteration of the plain run, would be
# above it: what goes wrong goes wrong mostly in the null space, as in (a). The fixed-point residual tells the two
# apart where the images of the control are at rest, and its growth does where they are not yet. (c) A wrong image at
# which the iteration rests, for instance one that a denoiser or a preconditioner has invented in the null space.
# Measurements that were kept from the solver, best drawn at random, may contradict it. If they do not, nothing is
# proved: what no measurement sees, kept back or not, can still be wrong.
#
# *Rubric.* One point each. (a) needs $A(x + v) = A x$ and "same input". (b) Half a point for the three numbers with
# the control, half for the conclusion that `data` does not separate the two. (c) Half a point for the failure, half
# for the test with its limit. *Typical answers.* (b) Numbers of the momentum run alone, without the control: no point
# for the numbers. (b) "The data are fitted, so the run is fine": no point for the conclusion. (c) "It converged, so
# it is right": no point. (c) "Hold out data" without its limit: a quarter of a point.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION
