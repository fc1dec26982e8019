# %% [markdown]
# # Problem set 5: teachers and the closed form
#
# A single-pixel camera measures few patterns. A teacher, which exists in training only, measures more, and a linear
# preconditioner learns to turn the student's gradient into the teacher's. You split the teacher's gradient into what
# the student knows and what it lacks, compute the best linear map in closed form, choose its ridge without looking at
# test images, and find out which rows of a teacher are worth having, and whether it takes a teacher at all.
#
# *Needed before:* chapters 6 and 7 of the book. *Time:* a little over three hours. *Points:* 31.
#
# Run the cells from top to bottom. A cell with three dots waits for your code; a cell `grader.check(...)` tells
# what it found. The tests in this notebook look at the form of an answer and at properties that any right answer has.
# Others, which you do not see, look further when the set is graded.

# %%
import matplotlib.pyplot as plt
import torch

import course
import set5

# %% [markdown]
# Put your number or name as the course knows it between the quotes of `student`, if your instructor asked for that.
# The cameras and the digits of the set are drawn from it.

# %%
key, student = "COURSE_KEY", ""
p = set5.parameters(key, student)
B = set5.basis(p.order)
A_s = set5.student_camera(p)
digits, data = set5.images(p), set5.measurements(p)
print(p)

# %% [markdown]
# **The cameras.** $B$ holds the 256 Hadamard patterns of $16 \times 16$ pixels as rows, in an order; they have
# length one and are orthogonal. The student measures the first `p.rows` of them, and only a part of the light
# reaches its detector: $A_s$ has the rows $\gamma b_1, \dots, \gamma b_m$ with $\gamma$ = `p.gain`. Its data are
# $y_s = A_s x^* + w$ with noise $w$. A teacher $A_t$ has some of the rows of $B$, and all the light. Its data are
# simulated, and we leave their noise out. A teacher is *nested* if the student's patterns are among its own.
#
# **Rows are images.** In the code, an image is a row of 256 numbers and a set of $N$ images is a tensor `(N, 256)`.
# What a formula writes as $A x$ is `x @ A.T` there. `digits.train`, `digits.val` and `digits.test` are images of
# this form, `data.train`, `data.val` and `data.test` the student's measurements of them. All numbers have double
# precision.
#
# **The solver** starts at $z_0 = 0$ and steps by $z_{k+1} = D_\sigma\bigl(z_k - \alpha_s P\, \nabla
# g_s(z_k)\bigr)$, with $\alpha = 1/\lVert A \rVert^2$, a denoiser $D_\sigma$ and a matrix $P$.

# %%
first = set5.gradient(A_s, torch.zeros_like(digits.test[:1]), data.test[:1])
pictures = {"digit": digits.test[0], "minus the first gradient": -first[0], "first pattern left out": B[p.rows]}
figure, axes = plt.subplots(1, 3, figsize=(9, 3))
for ax, (name, picture) in zip(axes, pictures.items(), strict=True):
    ax.imshow(picture.view(16, 16), cmap="gray")
    ax.set_title(name)
    ax.axis("off")

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 5

# %% [markdown]
# ## Question 1: what a camera does not see (5 points, 25 minutes)
#
# (a) Write `null_part(A, X)` for a matrix `A` whose rows are linearly independent, but need not be orthogonal nor of
# length one. It returns the part of each row of `X` in the null space of $A$: $(I - A^+A)\,x$.
#
# (b) Write `gap(A_s, A_t)`, the number $\delta = \lVert (I - A_t^+A_t)\, A_s^+A_s \rVert$ in the spectral norm. It
# is 0 if the teacher sees all that the student sees.
#
# (c) Set `hidden` to the share of the energy of all test digits, the sum of their squares, that lies in the null space
# of the student $A_s$.

# %% [raw]
# # BEGIN SOLUTION

# %%
def null_part(A, X):
    # BEGIN SOLUTION
    return X - X @ A.T @ torch.linalg.pinv(A).T
    # END SOLUTION


def gap(A_s, A_t):
    # BEGIN SOLUTION
    eye = torch.eye(A_s.shape[1], dtype=A_s.dtype)
    seen = eye - null_part(A_s, eye)
    return float(torch.linalg.matrix_norm(null_part(A_t, seen), 2))
    # END SOLUTION


hidden = float((null_part(A_s, digits.test) ** 2).sum() / (digits.test**2).sum())  # SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_null_part_form(null_part, gap):
    import course
    import set5

    A, X = set5.normal((3, 7), 1), set5.normal((5, 7), 2)
    found = course.run(null_part, A, X, name="null_part")
    course.array(found, "null_part(A, X)", (5, 7))
    half = course.run(null_part, A, X / 2, name="null_part")
    course.ensure(course.close(2 * half, found, 1e-9), "A projector is linear: half the image has half the part.")
    camera = set5.basis("blocks")[:9]
    delta = course.number(course.run(gap, camera, camera, name="gap"), "gap(A_s, A_t)")
    course.ensure(abs(delta) < 1e-8, "A camera sees all that it sees itself: compared with itself its gap is zero.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_null_part_is_the_projector(null_part):
    from types import SimpleNamespace

    import course
    import set5
    from ddgp_lib import checks

    p = set5.parameters("COURSE_KEY graded")
    A, X = set5.normal((4, 9), p.seed), set5.normal((6, 9), p.seed + 1)
    found = course.run(null_part, A, X, name="null_part")
    course.array(found, "null_part(A, X)", (6, 9))
    course.ensure(
        not course.close(found, X - X @ A.T @ A, 1e-6),
        "AᵀA is a projector only if the rows are orthogonal and of length one. In general it takes the "
        "pseudo-inverse, A⁺A.",
    )
    course.ensure(
        abs((X - found) @ A.T).max() > 1e-8,
        "The camera sees nothing of what you took away. That is its null space: the part in it is what has to "
        "be returned.",
    )
    camera = SimpleNamespace(A=lambda x: x @ A.T, A_adjoint=lambda y: y @ A)
    checks.check_projector(lambda x: null_part(A, x), (6, 9), physics=camera, onto="null", dtype=A.dtype)

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_hidden_energy(env, hidden):
    import course
    import set5

    p = set5.parameters("COURSE_KEY", env.get("student", ""))
    x, rows = set5.images(p).test, set5.basis(p.order)[: p.rows]
    share = 1 - float(((x @ rows.T) ** 2).sum() / (x**2).sum())
    found = course.number(hidden, "hidden")
    course.ensure(abs(found - (1 - share)) > 1e-6, "This is the share that the camera sees.")
    course.ensure(abs(found - share**0.5) > 1e-6, "Energies are squares: this is a ratio of norms.")
    course.ensure(abs(found - share) < 1e-3 * share, "`hidden` is not that of your own camera and test digits.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_gap_of_cameras(gap):
    import math

    import course
    import set5

    p = set5.parameters("COURSE_KEY graded")
    B = set5.basis(p.order)
    delta = course.number(course.run(gap, B[: p.rows], B[: 2 * p.rows], name="gap"), "gap(A_s, A_t)")
    course.ensure(
        delta < 1e-6,
        "For a teacher with the student's rows and others the gap is zero. Is it the teacher whose null space "
        "stands on "
        "the left, and the student whose range stands on the right?",
    )
    delta = course.number(course.run(gap, B[: p.rows], B[1:99], name="gap"), "gap(A_s, A_t)")
    course.ensure(abs(delta - 1) < 1e-6, "A teacher that is blind to one of the student's patterns has a gap of one.")
    angle = 0.3
    tilted = math.cos(angle) * B[:1] + math.sin(angle) * B[1:2]
    delta = course.number(course.run(gap, B[:1], tilted, name="gap"), "gap(A_s, A_t)")
    course.ensure(
        abs(delta - math.sin(angle)) < 1e-6,
        "For one row each, the gap is the sine of the angle between them: is it the spectral norm?",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 4

# %% [markdown]
# ## Question 2: what a teacher asks for (4 points, 20 minutes)
#
# A step with the student's step size $\alpha_s$ should do what the teacher's own gradient step would do. So what is
# wanted at $z$, for a true image $x$ and without noise in the teacher's data, is
#
# $$
# t(z) = \frac{\alpha_t}{\alpha_s}\, A_t^\top A_t\, (z - x), \qquad \alpha = \frac{1}{\lVert A \rVert^2} .
# $$
#
# The **control** has no teacher: there $t(z)$ is the vector with which the student's step $z - \alpha_s t(z)$ ends at
# the truth.
#
# (a) Write `wanted(A_s, A_t, z, x)`. It returns $t$ for each row of `z` and `x`; where `A_t` is `None`, that of the
# control. `torch.linalg.matrix_norm(A, 2)` is $\lVert A \rVert$.
#
# (b) Write `agreement(null_part, g, t)` for the student's gradients `g` and what is wanted, `t`, both `(N, n)`.
# `null_part(X)` projects on the null space of the student. Let $r = A_s^+A_s\, t$ be what the teacher says in the
# student's row space. The function returns three tensors with one number for each image: the share $\nu$ of
# $\lVert t \rVert^2$ in the null space, the cosine similarity $\chi$ of $g$ and $r$, and the ratio of lengths
# $\lVert r \rVert / \lVert g \rVert$.

# %% [raw]
# # BEGIN SOLUTION

# %%
def wanted(A_s, A_t, z, x):
    # BEGIN SOLUTION
    student_norm = torch.linalg.matrix_norm(A_s, 2)
    if A_t is None:
        return student_norm**2 * (z - x)
    ratio = student_norm / torch.linalg.matrix_norm(A_t, 2)
    return ratio**2 * ((z - x) @ A_t.T @ A_t)
    # END SOLUTION


def agreement(null_part, g, t):
    # BEGIN SOLUTION
    hidden = null_part(t)
    r = t - hidden
    nu = (hidden**2).sum(dim=1) / (t**2).sum(dim=1)
    chi = (g * r).sum(dim=1) / (g.norm(dim=1) * r.norm(dim=1))
    return nu, chi, r.norm(dim=1) / g.norm(dim=1)
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_the_student_as_its_own_teacher(wanted, agreement):
    import course
    import set5

    A, z, x = set5.normal((4, 9), 1), set5.normal((5, 9), 2), set5.normal((5, 9), 3)
    t = course.run(wanted, A, A, z, x, name="wanted")
    course.array(t, "wanted(A_s, A_t, z, x)", (5, 9))
    course.ensure(
        course.close(t, (z - x) @ A.T @ A, 1e-9),
        "A teacher that is the student asks for the student's gradient.",
    )
    found = course.run(agreement, lambda X: 0 * X, t, t, name="agreement")
    course.ensure(len(found) == 3, "`agreement` returns three tensors.")
    for values, name in zip(found, ("nu", "chi", "ratio"), strict=True):
        course.array(values, name, (5,))

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_what_a_teacher_asks_for(wanted):
    import course
    import set5

    p = set5.parameters("COURSE_KEY graded")
    shapes = enumerate([(3, 9), (5, 9), (4, 9), (4, 9)], start=p.seed)
    A_s, A_t, z, x = (set5.normal(shape, i) for i, shape in shapes)
    t = course.run(wanted, A_s, A_t, z, x, name="wanted")
    course.array(t, "wanted(A_s, A_t, z, x)", (4, 9))
    course.ensure(
        not course.close(t, (z - x) @ A_t.T @ A_t, 1e-6),
        "A teacher with twice the light would ask for four times as much here. The step sizes of teacher and student "
        "make up for that.",
    )
    doubled = course.run(wanted, A_s, 2 * A_t, z, x, name="wanted")
    course.ensure(
        course.close(t, doubled, 1e-8),
        "What is wanted must not depend on the light of the teacher: it has its own step size.",
    )
    norms = [float(__import__("torch").linalg.matrix_norm(A, 2)) for A in (A_s, A_t)]
    course.ensure(
        course.close(t, (norms[0] / norms[1]) ** 2 * ((z - x) @ A_t.T @ A_t), 1e-8),
        "The student's step with what is wanted should be the teacher's own step, αs t = αt times the "
        "teacher's gradient. "
        "Are the norms squared, and the right way up?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_control_ends_at_the_truth(wanted):
    import course
    import set5
    import torch

    p = set5.parameters("COURSE_KEY graded")
    A_s, z, x = set5.student_camera(p), set5.normal((4, 256), 2), set5.normal((4, 256), 3)
    t = course.run(wanted, A_s, None, z, x, name="wanted")
    step = 1 / torch.linalg.matrix_norm(A_s, 2) ** 2
    end = z - step * t
    course.ensure(
        not course.close(end, 2 * z - x, 1e-6),
        "The solver subtracts: with this sign it steps away from the truth.",
    )
    course.ensure(
        not course.close(t, z - x, 1e-6),
        "The student's step multiplies by αs: what is wanted has to make up for that.",
    )
    course.ensure(course.close(end, x, 1e-8), "The student's step z - αs t should end at the truth.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_agreement_by_hand(agreement):
    import course
    import set5

    def null_part(X):
        hidden = X.clone()
        hidden[:, :4] = 0
        return hidden

    g, t = set5.normal((6, 9), 1), set5.normal((6, 9), 2)
    g[:, 4:] = 0
    found = course.run(agreement, null_part, g, t, name="agreement")
    nu, chi, ratio = (course.array(value, "agreement(...)[i]", (6,)) for value in found)
    g, t = g.numpy(), t.numpy()
    seen, hidden = (t[:, :4] ** 2).sum(1), (t[:, 4:] ** 2).sum(1)
    size = (g**2).sum(1) ** 0.5
    share = hidden / (seen + hidden)
    course.ensure(
        not course.close(nu, 1 - share, 1e-6),
        "This is the share that the student sees: ν is that in its null space.",
    )
    course.ensure(not course.close(nu, share**0.5, 1e-6), "ν is a share of the squared norm.")
    course.ensure(
        course.close(nu, share, 1e-8),
        "ν divides the squared norm of the hidden part by that of the whole, image by image.",
    )
    product = (g * t)[:, :4].sum(1)
    course.ensure(not course.close(chi, product, 1e-6), "An inner product is no cosine: it grows with both lengths.")
    course.ensure(
        not course.close(chi, product / (size * (seen + hidden) ** 0.5), 1e-6),
        "χ compares within the student's row space: the hidden part has no place in the norm either.",
    )
    course.ensure(
        course.close(chi, product / (size * seen**0.5), 1e-8),
        "χ is the cosine similarity of g and r, image by image.",
    )
    course.ensure(course.close(ratio, seen**0.5 / size, 1e-8), "The third value is the length of r over that of g.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your functions work, the next cell shows $\nu$, $\chi$ and the ratio for three nested teachers, with 1 pattern
# more than the student, twice and four times as many. First at $z_0 = 0$, then where the solver is after five
# iterations without a preconditioner. (Without noise, $\chi$ and the ratio would be 1. After five iterations the
# student's data are nearly fitted, and noise has its part in the gradient.) Compare $\nu$ at the two points: it
# depends on the point as much as on the teacher, and grows where the student's own gradient is short.

# %%
def table_of_agreement(count=20):
    x, y = digits.test[:count], data.test[:count]
    later = set5.solve(A_s, y, sigma=0.05, iterations=5)[-1]
    for name, z in (("k = 0", torch.zeros_like(x)), ("k = 5", later)):
        for rows in (p.rows + 1, 2 * p.rows, 4 * p.rows):
            t = wanted(A_s, B[:rows], z, x)
            values = agreement(lambda X: null_part(A_s, X), set5.gradient(A_s, z, y), t)
            nu, chi, ratio = (float(value.mean()) for value in values)
            print(f"{name}, {rows:3d} patterns: nu {nu:.2f}, chi {chi:.2f}, ratio of lengths {ratio:.2f}")


one = torch.ones(1, 256, dtype=torch.float64)
ready = not any(map(course.is_open, (
    null_part(A_s, one), wanted(A_s, None, one, one), agreement(lambda X: 0 * X, one, one))))
if ready:
    table_of_agreement()

# %% [raw]
# # BEGIN QUESTION
# name: q3
# manual: true
# points: 3

# %% [markdown]
# ## Question 3: the best linear map (3 points, 30 minutes)
#
# Let $g$ be the student's gradient, $t$ what is wanted, $C_{ss} = \mathbb{E}\,[g g^\top]$ and
# $C_{ts} = \mathbb{E}\,[t g^\top]$, with means over training images.
#
# (a) Show that $\mathbb{E}\, \lVert P g - t \rVert^2 + \lambda \lVert P \rVert_F^2$ with $\lambda > 0$ has the
# minimiser $P^* = C_{ts}\, (C_{ss} + \lambda I)^{-1}$, and no other.
#
# (b) Let the teacher be the student, $t = g$. What is $P^*$, what does it do along an eigenvector of $C_{ss}$ with
# eigenvalue $c$, and what happens for $\lambda \to 0$? Which measured directions does the ridge damp most? Would it
# do so in the null-space form, which fits a matrix $N$ to $(I - A_s^+A_s)\,t$ and takes $P = I + (I - A_s^+A_s)\,
# N$?
#
# (c) The solver here starts at $z_0 = 0$. Suppose it started at $z_0 = A_s^+ y_s$. What are then $g$, $C_{ss}$ and
# $C_{ts}$ at the first iteration? What can a map of the gradient alone know there, and what else would it have to be
# told?

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) The objective is $\operatorname{tr}(P C_{ss} P^\top) - 2 \operatorname{tr}(P C_{ts}^\top) + \mathbb{E} \lVert
# t \rVert^2 + \lambda \operatorname{tr}(P P^\top)$. Its derivative in $P$ is $2 P C_{ss} - 2 C_{ts} + 2 \lambda P$,
# which vanishes where $P (C_{ss} + \lambda I) = C_{ts}$. $C_{ss}$ has no negative eigenvalues, so $C_{ss} + \lambda
# I$ is positive definite: the objective is strictly convex, and the equation has one solution, which is the
# minimiser.
#
# (b) $P^* = C_{ss} (C_{ss} + \lambda I)^{-1}$: along an eigenvector with eigenvalue $c$ it multiplies by $c / (c +
# \lambda)$. For $\lambda \to 0$ this tends to the projector on the range of $C_{ss}$, in which all the gradients
# lie, so $P^* g = g$. At $\lambda = 0$ every $P$ with $P g = g$ for these gradients is optimal, $P = I$ too. The
# ridge damps most where $c$ is small: directions along which gradients are weak, although they are measured like
# the others. In the null-space form the target is $(I - A_s^+A_s)\,g = 0$, since $g$ is in the range of $A_s^\top$.
# So $N = 0$ and $P = I$ for every ridge.
#
# (c) $A_s z_0 = A_s A_s^+ y_s = y_s$ since the rows are independent, so $g = 0$ for every image, $C_{ss} = 0$ and
# $C_{ts} = 0$. The formula gives $P^* = 0$, and any $P$ would give $P g = 0$. (A ridge that is relative to the mean
# of the diagonal would be zero too, and the inverse would not exist.) The gradient does not tell one digit from
# another. The measurements are in $z_0$: the map has to be told $z$ (or $y_s$) as well, and a constant, as in
# chapter 7.
#
# *Rubric.* One point each. (a) Half a point for the normal equation, half for "positive definite, so it is the only
# minimiser". (b) Half for the factor $c/(c + \lambda)$ with weak modes damped most, half for the null-space form
# with its reason. (c) Half for zero gradient and zero moments, half for what else is to be told. *Typical answers.*
# (a) An inverse of $C_{ss}$ without a word on its rank: no loss, as $\lambda > 0$. (b) "$P = I$" alone: a quarter.
# "The ridge damps noise" with no statement on measured modes: a quarter. (c) "$P^*$ is then the identity": no point
# for the first half.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 5

# %% [markdown]
# ## Question 4: the regression (5 points, 25 minutes)
#
# The rows of `G` are gradients $g_i$, those of `T` what is wanted, $t_i$, for $N$ training images. `ridge` is a
# number $\varepsilon > 0$ without unit.
#
# (a) Write `fit_linear(G, T, ridge)`. It returns the matrix $P = C_{ts}\, (C_{ss} + \lambda I)^{-1}$ of question 3,
# so that $P g$ is near $t$. The means are over the rows, and $\lambda = \varepsilon$ times the mean of the diagonal
# of $C_{ss}$. Then neither the unit of the images nor their number changes what an $\varepsilon$ means.
#
# (b) For a single iteration a constant may be added, $P g + b$. Write `fit_affine(G, T, ridge)`, which returns the
# minimisers `P` and `b` of $\tfrac1N \sum_i \lVert P g_i + b - t_i \rVert^2 + \lambda \lVert P \rVert_F^2$. The
# constant is not damped, and $\lambda$ is now $\varepsilon$ times the mean of the diagonal of the covariance of
# $g$.
#
# (The solver uses (a) at every iteration. A constant that is added again and again would push without end.)

# %% [raw]
# # BEGIN SOLUTION

# %%
def fit_linear(G, T, ridge):
    # BEGIN SOLUTION
    C_ss = G.T @ G / len(G)
    C_st = G.T @ T / len(G)
    lam = ridge * C_ss.diagonal().mean()
    eye = torch.eye(len(C_ss), dtype=G.dtype)
    return torch.linalg.solve(C_ss + lam * eye, C_st).T
    # END SOLUTION


def fit_affine(G, T, ridge):
    # BEGIN SOLUTION
    g_mean, t_mean = G.mean(dim=0), T.mean(dim=0)
    P = fit_linear(G - g_mean, T - t_mean, ridge)
    return P, t_mean - P @ g_mean
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_form_of_the_fits(fit_linear, fit_affine):
    import course
    import set5

    G, T = set5.normal((3, 8), 1), set5.normal((3, 8), 2)
    found = course.array(course.run(fit_linear, G, T, 0.1, name="fit_linear"), "fit_linear(G, T, ridge)", (8, 8))
    course.ensure(abs(found).max() > 0, "Gradients of three images do tell something: the matrix should not be zero.")
    more = course.array(course.run(fit_linear, G, T, 10.0, name="fit_linear"), "fit_linear(G, T, ridge)", (8, 8))
    course.ensure((more**2).sum() < (found**2).sum(), "A larger ridge makes the matrix smaller.")
    found = course.run(fit_affine, G, T, 0.1, name="fit_affine")
    course.ensure(len(found) == 2, "`fit_affine` returns P and b.")
    course.array(found[0], "P", (8, 8))
    course.array(found[1], "b", (8,))

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_the_linear_fit_is_the_minimiser(fit_linear):
    import course
    import numpy as np
    import set5

    N, n, ridge = 40, 6, 0.5
    seed = set5.parameters("COURSE_KEY graded").seed
    G = set5.normal((N, n), seed) @ set5.normal((n, n), seed + 1) + 1
    G = G / (G**2).mean() ** 0.5
    T = G @ set5.normal((n, n), seed + 2) + set5.normal((N, n), seed + 3) - 2
    P = course.array(course.run(fit_linear, G, T, ridge, name="fit_linear"), "fit_linear(G, T, ridge)", (n, n))
    g, t, eye = G.numpy(), T.numpy(), np.eye(n)

    def best(g, t, damping):
        return (np.linalg.inv(g.T @ g / N + damping) @ (g.T @ t / N)).T

    right = best(g, t, ridge * eye)
    course.ensure(
        not course.close(P, right.T, 1e-6),
        "This is the transpose of what is wanted: P g should be near t, so the moments C_ts of what is wanted "
        "with what is known "
        "stand on the left.",
    )
    course.ensure(
        not course.close(P, best(t, g, ridge * eye * (t**2).mean()), 1e-6),
        "This map goes from what is wanted to the gradient.",
    )
    course.ensure(
        not course.close(P, best(g, t, ridge), 1e-6),
        "λ was added to every entry of C_ss: the ridge belongs on the diagonal, as λ times the identity.",
    )
    course.ensure(not course.close(P, best(g, t, 0), 1e-6), "There is no ridge in it.")
    centred = g - g.mean(0), t - t.mean(0)
    for left, other in ((centred[0], centred[1]), (centred[0], t), (g, centred[1])):
        for size in (1.0, (left**2).mean()):
            course.ensure(
                not course.close(P, best(left, other, ridge * size * eye), 1e-6),
                "A linear map without a constant has to account for the mean by itself. Second moments are "
                "meant, not covariances: "
                "here, nothing is centred.",
            )
    course.ensure(
        course.close(P, right, 1e-6),
        "P should solve P (C_ss + λ I) = C_ts with the moments as means over the rows. Where is λ added, and "
        "from which side is "
        "the inverse multiplied?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_units_and_numbers_of_images(fit_linear):
    import course
    import set5
    import torch

    G, T = set5.normal((12, 6), 1), set5.normal((12, 6), 2)
    P = course.run(fit_linear, G, T, 0.3, name="fit_linear")
    grey = course.run(fit_linear, 255 * G, 255 * T, 0.3, name="fit_linear")
    course.ensure(
        course.close(grey, P, 1e-8),
        "In another unit of the images the map is another one. The ridge has to be relative to the size of C_ss.",
    )
    twice = course.run(fit_linear, torch.cat([G, G]), torch.cat([T, T]), 0.3, name="fit_linear")
    course.ensure(
        course.close(twice, P, 1e-8),
        "With each image twice the map is another one. Moments are means over the images, in C_ss, C_ts and λ.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_affine_fit_is_the_minimiser(fit_affine):
    import course
    import numpy as np
    import set5

    N, n, ridge = 40, 6, 0.2
    G, T = set5.normal((N, n), 5), set5.normal((N, n), 6)
    G = (G - G.mean(dim=0)) / (G - G.mean(dim=0)).square().mean() ** 0.5
    T = T - T.mean(dim=0)
    G_new, T_new = G + 3, T - 5
    P, b = course.run(fit_affine, G_new, T_new, ridge, name="fit_affine")
    P, b = course.array(P, "P", (n, n)), course.array(b, "b", (n,))
    g, t = G_new.numpy(), T_new.numpy()
    course.ensure(
        abs((g @ P.T + b - t).mean(0)).max() < 1e-6,
        "The constant is free, so it can make the mean of what is missed zero. Do the fitted values have the "
        "mean of the wanted ones?",
    )
    covariance, cross = G.numpy().T @ G.numpy() / N, G.numpy().T @ T.numpy() / N
    course.ensure(
        course.close(P, np.linalg.solve(covariance + ridge * np.eye(n), cross).T, 1e-6),
        "With a constant, P is fitted to what is left when the means are taken away: covariances are meant, "
        "in λ too, and the ridge "
        "does not act on the constant.",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 3

# %% [markdown]
# ## Question 5: guess only what is not measured (3 points, 15 minutes)
#
# The null-space form is $P = I + (I - A^+A)\, N$. The matrix $N$ is fitted to the hidden part of what is wanted,
# and what has been measured stays as the gradient has it: $A P g = A g$ for every $g$, whatever the ridge.
#
# Write `fit_null_space(fit, null_part, G, T, ridge)`. It returns the matrix $P$. `fit(G, T, ridge)` is a function
# like `fit_linear` of question 4 (not to be changed), and `null_part(X)` projects each row of `X` on the null space
# of $A$.

# %% [raw]
# # BEGIN SOLUTION

# %%
def fit_null_space(fit, null_part, G, T, ridge):
    # BEGIN SOLUTION
    N = fit(G, null_part(T), ridge)
    return torch.eye(len(N), dtype=N.dtype) + null_part(N.T).T
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_a_teacher_that_adds_nothing(fit_null_space):
    import course
    import set5
    import torch

    A = torch.linalg.qr(set5.normal((8, 3), 1))[0].T
    G = set5.normal((20, 3), 2) @ A

    def fit(G, T, ridge):
        return torch.linalg.solve(G.T @ G + ridge * torch.eye(8).double(), G.T @ T).T

    P = course.run(fit_null_space, fit, lambda X: X - X @ A.T @ A, G, G, 0.5, name="fit_null_space")
    course.array(P, "fit_null_space(...)", (8, 8))
    course.ensure(
        course.close(P, torch.eye(8).double(), 1e-8),
        "If the teacher is the student, there is nothing to add: P is the identity, whatever the ridge.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_measured_data_are_kept(fit_null_space):
    from types import SimpleNamespace

    import course
    import set5
    import torch
    from ddgp_lib import checks

    A = set5.normal((3, 8), 1)
    onto = torch.eye(8).double() - A.T @ torch.linalg.pinv(A).T

    def fit(G, T, ridge):
        return torch.linalg.solve(G.T @ G + ridge * torch.eye(8).double(), G.T @ T).T

    G, T = set5.normal((20, 3), 2) @ A, set5.normal((20, 8), 3)
    P = course.run(fit_null_space, fit, lambda X: X @ onto, G, T, 2.0, name="fit_null_space")
    course.array(P, "fit_null_space(...)", (8, 8))
    camera = SimpleNamespace(A=lambda x: x @ A.T, A_adjoint=lambda y: y @ A)
    checks.check_preconditioner(lambda grad, state: grad @ P.T, camera, (2, 8), null_space=True, dtype=torch.float64)

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_hidden_part_is_guessed(fit_null_space):
    import course
    import set5
    import torch

    A = torch.linalg.qr(set5.normal((8, 3), 1))[0].T

    def hide(X):
        return X - X @ A.T @ A

    def fit(G, T, ridge):
        return torch.linalg.solve(G.T @ G + ridge * torch.eye(8).double(), G.T @ T).T

    G, T, new = set5.normal((20, 3), 2) @ A, set5.normal((20, 8), 3), set5.normal((4, 3), 4) @ A
    P = course.run(fit_null_space, fit, hide, G, T, 2.0, name="fit_null_space")
    guess, right = hide(new @ P.T), new @ fit(G, hide(T), 2.0).T
    course.ensure(
        abs(guess).max() > 1e-9,
        "Nothing is added in the null space: the guess has to be in it, not the measured part.",
    )
    course.ensure(
        course.close(guess, right, 1e-8),
        "In the null space P g should be the regression's guess of the hidden part of what is wanted, with "
        "the ridge as given.",
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
# ## Question 6: choose, then report (4 points, 25 minutes)
#
# `train`, `val` and `test` are pairs `(G, T)` of gradients and what is wanted, and `fit(G, T, ridge)` returns a
# matrix $P$. Write `fit_and_report(fit, train, val, test, ridges)`:
#
# - fit to the training images, with each of `ridges`, which are in ascending order;
# - choose the ridge with the largest $R^2$ on validation images, `set5.explained(T, G @ P.T)`;
# - if that is the smallest or the largest ridge that you tried, extend the grid on that side by a factor of ten,
#   and look again, until the best is inside or you have extended the grid four times;
# - return a dictionary with the keys `"ridge"`, `"train"`, `"val"` and `"test"`: the ridge, and the $R^2$ of its
#   map on the three sets.

# %% [raw]
# # BEGIN SOLUTION

# %%
def fit_and_report(fit, train, val, test, ridges):
    # BEGIN SOLUTION
    def score(P, G, T):
        return set5.explained(T, G @ P.T)

    maps = {ridge: fit(*train, ridge) for ridge in ridges}
    scores = {ridge: score(P, *val) for ridge, P in maps.items()}
    for _ in range(4):
        best = max(scores, key=scores.get)
        if min(scores) < best < max(scores):
            break
        new = best / 10 if best == min(scores) else best * 10
        maps[new] = fit(*train, new)
        scores[new] = score(maps[new], *val)
    best = max(scores, key=scores.get)
    P = maps[best]
    return {"ridge": best, "train": score(P, *train), "val": score(P, *val), "test": score(P, *test)}
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_form_of_the_report(fit_and_report):
    import course
    import set5
    import torch

    sets = [(set5.normal((9, 4), i), set5.normal((9, 4), 10 + i)) for i in range(3)]

    def fit(G, T, ridge):
        return torch.linalg.solve(G.T @ G + ridge * torch.eye(4).double(), G.T @ T).T

    found = course.run(fit_and_report, fit, *sets, [0.1, 1.0, 10.0], name="fit_and_report")
    course.ensure(isinstance(found, dict), "`fit_and_report` returns a dictionary.")
    course.ensure(
        set(found) >= {"ridge", "train", "val", "test"},
        "The report has the keys ridge, train, val and test.",
    )
    for name in ("ridge", "train", "val", "test"):
        course.number(found[name], name)
    course.ensure(max(found["train"], found["val"], found["test"]) <= 1, "R² is at most one.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_only_training_images_are_fitted(fit_and_report):
    import course
    import set5
    import torch

    train, val, test = ((set5.normal((6, 5), i), set5.normal((6, 5), 10 + i)) for i in range(3))
    given = []

    def fit(G, T, ridge):
        given.append((G, T))
        return 0.1 / (1 + (torch.log10(torch.as_tensor(ridge)) - 1) ** 2) * torch.eye(5).double()

    course.run(fit_and_report, fit, train, val, test, [1.0, 10.0, 100.0], name="fit_and_report")
    course.ensure(given, "`fit` was never called.")

    def holds(rows, G):
        return any(bool((row == line).all()) for row in G for line in rows)

    course.ensure(
        not any(holds(test[0], G) for G, _ in given),
        "A map was fitted to the test images. They decide nothing, or the number reported is no forecast for "
        "new images.",
    )
    course.ensure(
        not any(holds(val[0], G) for G, _ in given),
        "A map was fitted to the validation images. They choose between maps that have not seen them.",
    )
    course.ensure(
        all(course.close(G, train[0], 1e-12) and course.close(T, train[1], 1e-12) for G, T in given),
        "Fit to the training images as they are, gradients and what is wanted.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_validation_images_choose(fit_and_report):
    import course
    import set5
    import torch

    grid = [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3]
    sizes = {1e-3: 1.0, 1e-2: 1.5, 0.1: 2.0, 1.0: 3.0, 10.0: 4.0, 100.0: 5.0, 1e3: 6.0}

    def fit(G, T, ridge):
        return sizes.get(float(ridge), 9.0) * torch.eye(5).double()

    for choices in ({"train": 1.5, "val": 3.0, "test": 5.0}, {"train": 5.0, "val": 2.0, "test": 3.0}):
        sets = {}
        for i, (name, size) in enumerate(choices.items()):
            G = set5.normal((6, 5), i)
            sets[name] = G, size * G
        found = course.run(fit_and_report, fit, *sets.values(), grid, name="fit_and_report")
        ridge = course.number(found["ridge"], "ridge")
        best = {name: next(r for r, size in sizes.items() if size == wanted) for name, wanted in choices.items()}
        course.ensure(
            abs(ridge / best["test"] - 1) > 1e-9,
            "The ridge is the one that is best on the test images. Who chooses by them reports the best of "
            "many tries as if it were "
            "one: validation images choose.",
        )
        course.ensure(
            abs(ridge / best["train"] - 1) > 1e-9,
            "The ridge is the one that is best on the training images. These always ask for less ridge: "
            "validation images choose.",
        )
        course.ensure(
            abs(ridge / best["val"] - 1) < 1e-9,
            "The ridge with the largest R² on validation images is another one.",
        )
        for name, (G, T) in sets.items():
            right = set5.explained(T, sizes[best["val"]] * G)
            course.ensure(
                abs(course.number(found[name], name) - right) < 1e-9,
                f"The number under {name!r} should be the R² of the chosen map on these images.",
            )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_choice_is_inside_the_grid(fit_and_report):
    import course
    import set5
    import torch

    G = set5.normal((6, 5), 1)
    for exponent, grid in ((1, [1e-3, 1e-2, 1e-1]), (-4, [1e-2, 1e-1, 1.0]), (-1, [1e-2, 1e-1, 1.0])):
        tried = []

        def fit(_, T, ridge, exponent=exponent, tried=tried):
            tried.append(float(ridge))
            return (1 + 0.1 * (torch.log10(torch.tensor(float(ridge))) - exponent)) * torch.eye(5).double()

        found = course.run(fit_and_report, fit, (G, G), (G, G), (G, G), grid, name="fit_and_report")
        ridge = course.number(found["ridge"], "ridge")
        course.ensure(
            abs(ridge / 10.0**exponent - 1) < 1e-6,
            "The best ridge of the grid is at its edge, and beyond it there may be a better one: extend the grid.",
        )
        course.ensure(
            min(tried) < 0.99 * ridge < 1.01 * ridge < max(tried),
            "One ridge on either side of the chosen one has to be tried, or nobody knows that it is inside.",
        )

    def falling(_, T, ridge):
        return (1 + 0.01 / (5 - torch.log10(torch.tensor(float(ridge))))) * torch.eye(5).double()

    found = course.run(fit_and_report, falling, (G, G), (G, G), (G, G), [1e-2, 1e-1, 1.0], name="fit_and_report")
    ridge = course.number(found["ridge"], "ridge")
    course.ensure(
        abs(ridge / 1e-6 - 1) < 1e-6,
        "If the best stays at the edge, the grid is extended four times and not more.",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your functions work, the next cell fits the hidden part of what the control wants, at $z_0 = 0$, from `p.few`
# training images, which are fewer than the student has patterns, and from all 1,200. The grid that it hands to
# `fit_and_report` is short; does it end inside? The figure shows $R^2$ over more ridges, on the images of the fit
# and on validation images.

# %%
def hidden_pairs():
    pairs = []
    for x, y in zip(digits, data, strict=True):
        z = torch.zeros_like(x)
        pairs.append((set5.gradient(A_s, z, y), null_part(A_s, wanted(A_s, None, z, x))))
    return pairs


def few_and_many(ridges=tuple(10.0**k for k in range(-6, 3))):
    (G, T), val, test = hidden_pairs()
    for count, colour in ((p.few, "tab:orange"), (len(G), "tab:blue")):
        report = fit_and_report(fit_linear, (G[:count], T[:count]), val, test, [1e-4, 1e-3, 1e-2])
        print(f"{count:4d} images: " + ", ".join(f"{name} {value:.3g}" for name, value in report.items()))
        maps = [fit_linear(G[:count], T[:count], ridge) for ridge in ridges]
        inside = [set5.explained(T[:count], G[:count] @ P.T) for P in maps]
        plt.semilogx(ridges, inside, "--", color=colour, label=f"{count} images, in the fit")
        outside = [set5.explained(val[1], val[0] @ P.T) for P in maps]
        plt.semilogx(ridges, outside, color=colour, label=f"{count} images, validation")
    plt.ylim(-1.5, 1.05)
    plt.xlabel("ridge")
    plt.ylabel("R² of the hidden part")
    plt.legend()


small = (torch.eye(2, dtype=torch.float64),) * 2
ready = ready and not any(map(course.is_open, (
    fit_linear(*small, 1.0), fit_and_report(lambda G, T, ridge: G, small, small, small, [0.1, 1.0, 10.0]))))
if ready:
    few_and_many()

# %% [raw]
# # BEGIN QUESTION
# name: q7
# points: 3

# %% [markdown]
# ## Question 7: which rows, and how many (3 points, 15 minutes)
#
# `mine` is a list with the numbers of the student's rows in the basis `B`, whose rows have length one and are
# orthogonal.
#
# (a) Write `choose_rows(B, mine, count, images)`. It returns the list of the rows of a nested teacher: the
# student's, and `count` others, those in which the images have the most energy, $\sum_i (b_j^\top x_i)^2$.
# `images.train`, `images.val` and `images.test` are the images of the three parts. The teacher is built for
# training, so take the part that is for that.
#
# (b) Write `held(B, mine, rows, X)`: the share of the *hidden* energy of the images `X` that the teacher with the
# rows `rows` would show. Hidden is what lies in the rows that the student does not have.

# %% [raw]
# # BEGIN SOLUTION

# %%
def choose_rows(B, mine, count, images):
    # BEGIN SOLUTION
    energy = (images.train @ B.T).square().sum(dim=0)
    energy[mine] = -1
    return list(mine) + energy.argsort(descending=True)[:count].tolist()
    # END SOLUTION


def held(B, mine, rows, X):
    # BEGIN SOLUTION
    energy = (X @ B.T).square().sum(dim=0)
    energy[mine] = 0
    return float(energy[rows].sum() / energy.sum())
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_the_teacher_is_nested(choose_rows, held):
    from types import SimpleNamespace

    import course
    import set5
    import torch

    B = torch.eye(9).double()
    parts = SimpleNamespace(train=set5.normal((7, 9), 1), val=set5.normal((7, 9), 2), test=set5.normal((7, 9), 3))
    rows = [int(j) for j in course.run(choose_rows, B, [2, 5], 3, parts, name="choose_rows")]
    course.ensure(
        len(rows) == 5 and len(set(rows)) == 5,
        "The teacher has the student's rows and `count` others, none of them twice.",
    )
    course.ensure({2, 5} <= set(rows), "A nested teacher has all the rows of the student.")
    share = course.number(course.run(held, B, [2, 5], list(range(9)), parts.train, name="held"), "held(...)")
    course.ensure(abs(share - 1) < 1e-9, "A teacher with all rows shows all that is hidden.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_energies_of_training_images_choose(choose_rows):
    from types import SimpleNamespace

    import course
    import set5
    import torch

    B = torch.linalg.qr(set5.normal((9, 9), set5.parameters("COURSE_KEY graded").seed))[0].T
    wishes = {"train": [1, 4, 8], "val": [0, 3, 6], "test": [3, 7, 8]}
    parts = {}
    for i, (name, loud) in enumerate(wishes.items()):
        signs = set5.normal((20, 9), i).sign() * 0.5
        signs[:, loud] *= 4
        signs[:, [2, 5]] *= 20
        parts[name] = signs @ B
    rows = course.run(choose_rows, B, [2, 5], 3, SimpleNamespace(**parts), name="choose_rows")
    rows = {int(j) for j in rows} - {2, 5}
    course.ensure(
        rows != set(wishes["test"]),
        "The rows were chosen by the energy of the test images. They may diagnose, and must not decide what "
        "is trained.",
    )
    course.ensure(rows != set(wishes["val"]), "The teacher is built for training: choose by the training images.")
    course.ensure(
        rows == set(wishes["train"]),
        "The new rows should be those with the most energy in the training images, among rows that the "
        "student does not have.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_share_of_the_hidden_energy(held):
    import course
    import set5
    import torch

    B = torch.linalg.qr(set5.normal((9, 9), set5.parameters("COURSE_KEY graded").seed))[0].T
    scale = torch.arange(1.0, 10.0).double()
    X = (set5.normal((20, 9), 1) * scale) @ B
    energy = (X @ B.T).square().sum(dim=0).numpy()
    mine, rows = [2, 5], [2, 5, 1, 7]
    share = course.number(course.run(held, B, mine, rows, X, name="held"), "held(...)")
    hidden = energy.sum() - energy[mine].sum()
    course.ensure(
        min(abs(share - energy[shown].sum() / energy.sum()) for shown in (rows, [1, 7])) > 1e-6,
        "The share is one of the hidden energy: what the student sees anyway counts neither above nor below.",
    )
    course.ensure(
        abs(share - 2 / 7) > 1e-9,
        "Rows are not worth the same: the share is one of energy, not of the number of rows.",
    )
    course.ensure(
        abs(share - energy[[1, 7]].sum() / hidden) < 1e-8,
        "Divide the energy in the teacher's new rows by that in all hidden rows.",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your functions work, the next cells put all of it together: about half a minute. First, for nested teachers that
# take the patterns in their order, the share that they ask for (`held`, on training images), the $R^2$ of that (on
# validation images), and the product of both: the share of the hidden energy that is asked for *and* guessed.

# %%
def new_part(rows):
    """Fit the null-space form to a teacher; return its P, and R² on the hidden part of what that teacher wants."""
    (G, _), (G_val, _), _ = pairs
    hide = lambda X: null_part(A_s, X)
    teacher = None if rows is None else B[rows]
    P = fit_null_space(fit_linear, hide, G, wanted(A_s, teacher, torch.zeros_like(digits.train), digits.train), ridge)
    target = hide(wanted(A_s, teacher, torch.zeros_like(digits.val), digits.val))
    return P, set5.explained(target, hide(G_val @ P.T))


mine = list(range(p.rows))
eye = torch.eye(256, dtype=torch.float64)
ready = ready and not any(map(course.is_open, (
    fit_null_space(lambda G, T, ridge: G.T @ T, lambda X: X, eye, eye, 1.0), choose_rows(B, mine, 2, digits),
    held(B, mine, mine, digits.train))))
if ready:
    pairs = hidden_pairs()
    ridge = fit_and_report(fit_linear, *pairs, [1e-4, 1e-3, 1e-2, 1e-1])["ridge"]
    counts = [count for count in (52, 64, 80, 104, 128, 160, 192, 256) if count > p.rows]
    shares = [held(B, mine, list(range(count)), digits.train) for count in counts]
    scores = [new_part(list(range(count)))[1] for count in counts]
    percent = [100 * count / 256 for count in counts]
    plt.plot(percent, shares, label="asked for: share of the hidden energy")
    plt.plot(percent, scores, label="R²: share of that which is guessed")
    plt.plot(percent, [a * b for a, b in zip(shares, scores, strict=True)], label="product: asked for and guessed")
    plt.xlabel("teacher's share of the patterns (%)")
    plt.ylim(0, 1)
    plt.legend()

# %% [markdown]
# Then the solver. $P$ is fitted at $z_0 = 0$ and used at every iteration. The teachers of the table have as many
# new patterns as the student has ($m$), the next ones in the order or the most energetic ones; or three times as
# many, the next ones or the last ones, which are the finest. The last row is the control. All gains are over the
# best method here that learns nothing, with its $\sigma$ and its momentum chosen on validation images; every row
# with a $P$ has its own $\sigma$, chosen in the same way for each of the two numbers of iterations. The gains are
# means over 48 test images, image by image, with two standard errors. The last difference is that to the control.

# %% tags=["study"]
def table_of_gains():
    others = list(range(p.rows, 256))
    teachers = {
        "next m": mine + others[: p.rows],
        "energetic m": choose_rows(B, mine, p.rows, digits),
        "next 3m": mine + others[: 3 * p.rows],
        "last 3m": mine + others[-3 * p.rows :],
        "no teacher": None,
    }
    maps = {name: new_part(rows) for name, rows in teachers.items()}
    found = {name: set5.quality(p, P) for name, (P, _) in maps.items()}
    nothing = set5.quality(p)
    for name, rows in teachers.items():
        share, score = held(B, mine, list(range(256)) if rows is None else rows, digits.train), maps[name][1]
        print(f"{name:12s} held {share:.2f}, R² {score:.2f}, product {share * score:.2f}")
    for k in (5, 50):
        best, setting = nothing[k]
        print(f"after {k} iterations; best without P: {best.mean():.2f} dB, {setting}")
        for name, result in found.items():
            line = f"  {name:12s}"
            for label, other in (("gain", best), ("over no teacher", found["no teacher"][k][0])):
                change = result[k][0] - other
                line += f" {label} {change.mean():+.2f} ± {2 * change.std() / len(change) ** 0.5:.2f} dB,"
            print(f"{line} sigma {result[k][1]['sigma']:g}")
    difference = (new_part(list(range(256)))[0] - maps["no teacher"][0]).abs().max()
    print(f"teacher with all patterns against no teacher: largest difference of the two matrices {difference:.1e}")


if ready:
    table_of_gains()

# %% [raw]
# # BEGIN QUESTION
# name: q8
# manual: true
# points: 4

# %% [markdown]
# ## Question 8: read your figures (4 points, 30 minutes)
#
# Use the numbers of your own figures and tables.
#
# (a) *Few examples.* With `p.few` images and the smallest ridge, what is $R^2$ on the images of the fit, and why
# can it be so (compare their number with the number of patterns)? What is it on validation images? Which ridge was
# chosen for few and for many images, and what would you have reported if the grid had not been extended?
#
# (b) *Two iterations and a control.* Which differences in the table are larger than their two standard errors at $k
# = 5$, and which at $k = 50$? What would you have said about the weak teachers if you had looked at $k = 5$ alone?
# Show that a teacher with all patterns is the control, and that for one ridge the map $N$ of any weaker nested
# teacher is that of the control with a projector in front of it. So what does this set say about the worth of a
# teacher for a *linear* map?
#
# (c) *Agreement.* Which teacher of the second figure has the highest $R^2$, and which rows of the table have the
# highest gains at $k = 5$? Explain, with the teacher $A_t = A_s$ as the extreme case, why good agreement with a
# teacher's gradient need not mean a better image.
#
# (d) *Which rows.* What is the condition number $\kappa(A_t)$, on its range, of each teacher of this set, and what
# does that say about choosing teachers by it? At $k = 5$, which of these order the gains, and which do not: the
# number of new patterns, `held`, $R^2$, the product? Compare the energetic $m$ with the last $3m$.

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) $R^2$ is 1 in the fit: with fewer images than patterns the gradients of the images are linearly independent,
# so some $P$ meets every target exactly, noise included, whatever the targets are. On validation images it is far
# below zero: worse than no guess. For few images the chosen ridge is large, beyond the grid that was handed over;
# at that grid's edge $R^2$ on validation images was below zero, and one would have reported that so few images
# teach nothing. With 1,200 images $R^2$ hardly depends on small ridges, and in the fit and outside it is nearly the
# same.
#
# (b) At $k = 5$ the teachers with the next $m$ patterns and with the energetic $m$ gain about half of what the
# control gains, or a little more, and the difference is larger than two standard errors. At $k = 50$ most
# differences to the control are not larger than their errors, or a weaker teacher is ahead. From $k = 5$ alone one
# would have said that a weak teacher costs most of a decibel for good. With all patterns $A_t^\top A_t = I$ and
# $\alpha_t = 1$, so $t = (z - x)/\alpha_s$: the control. For a nested teacher with orthonormal rows let $\Pi_t =
# A_t^\top A_t$. The projectors of one basis commute, so its hidden target is $\Pi_t$ times that of the control.
# $C_{ts}$ becomes $\Pi_t C_{ts}$, $C_{ss}$ is the same, and so $N_t = \Pi_t N$. For a linear map a nested teacher
# is the true image with some modes left out: it tells nothing that the true image does not tell. To leave out modes
# can help where their guesses are bad, as with few examples and a small ridge, or where a guess that is repeated at
# each iteration does harm in the long run. (For networks this set shows nothing.)
#
# (c) The weakest teacher has the highest $R^2$; at $k = 5$ the control and the teacher with the next $3m$ have the
# highest gains. $R^2$ measures how well the teacher is met, not what it asks for. The teacher $A_t = A_s$ is met
# exactly by $P = I$, with $R^2$ and cosine 1, and nothing is gained. Also: a cosine does not see the length of a
# step; a teacher that is silent about some of the student's patterns can be matched with a high cosine while
# measured data are no longer used, as most of its gradient is in the null space; and the denoiser acts after the
# step.
#
# (d) $\kappa = 1$ for each of them, the student included, as their rows are orthogonal and of one length. It is the
# same for teachers that gain hardly anything and for those that gain more than a decibel: on its own it says
# nothing about which modes a teacher sees. The product of `held` and $R^2$ orders the gains at $k = 5$, up to
# differences within their errors, and `held` alone nearly does so: energy is what could be gained, $R^2$ how much
# of it is guessed. The number of patterns does not. The last $3m$ hold little energy, and gain less than the
# energetic $m$ with a third of their number. $R^2$ alone does not either, as it is highest where little is asked
# for.
#
# *Rubric.* One point each. (a) Half for exact interpolation with its reason, half for the two ridges and the edge.
# (b) Half for reading both iterations with their errors, half for the two algebraic statements (a quarter each).
# (c) Half for reading $R^2$ and gain, half for the extreme case or another sound reason. (d) Half for $\kappa = 1$
# with the conclusion, half for what orders the gains and the comparison. *Typical answers.* (b) "The strongest
# teacher is best" from $k = 5$ alone: no point for the reading. "The teacher brings 2 dB": a quarter at most; the
# control brings the same. (c) "Because of overfitting": no point, the $R^2$ is on validation images. (d) "The
# teachers are well conditioned, so they help": no point.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION
