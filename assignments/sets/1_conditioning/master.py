# %% [markdown]
# # Problem set 1: conditioning and gradient descent
#
# A camera moved while its shutter was open, and its sensor lost a frame of pixels. You write the camera and its
# adjoint, take the operator apart into modes, predict how gradient descent treats each mode, and meet the method
# that every linear iteration has to be compared with.
#
# *Needed before:* chapters 1 and 2 of the book. *Time:* about three hours. *Points:* 31.
#
# Run the cells from top to bottom. A cell with three dots waits for your code; a cell `grader.check(...)` tells
# what it found. The tests in this notebook look at the form of an answer and at properties that any right answer has.
# Others, which you do not see, look further when the set is graded.

# %% tags=["numpy"]
import math

import matplotlib.pyplot as plt
import numpy as np

import course
import set1

# %% tags=["torch"]
import math

import matplotlib.pyplot as plt
import torch

import course
import set1

# %% [markdown]
# Put your number or name as the course knows it between the quotes of `student`, if your instructor asked for that.
# The numbers of the set are drawn from it.

# %%
key, student = "COURSE_KEY", ""
p = set1.parameters(key, student)
truth = set1.image(p)
print(p)

# %% [markdown]
# The camera is $A = M B$. The blur $B$ is the periodic convolution with a kernel $h$ whose origin is the pixel (0, 0):
# by the convolution theorem $B x = \mathcal{F}^{-1}(\mathcal{F} h \cdot \mathcal{F} x)$. The sensor $M$ keeps the
# pixels inside a frame and sets the others to zero. Images are arrays of shape (side, side).

# %%
h = set1.kernel(p)
m = set1.mask(p)
figure, axes = plt.subplots(1, 3, figsize=(9, 3))
for ax, (name, picture) in zip(axes, {"image": truth, "kernel": h, "sensor": m}.items(), strict=True):
    ax.imshow(picture, cmap="gray")
    ax.set_title(name)
    ax.axis("off")

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 4

# %% [markdown]
# ## Question 1: the camera and its adjoint (4 points, 20 minutes)
#
# Write `forward(x, h, m)` $= A x$ and `adjoint(y, h, m)` $= A^\top y$ for images `x`, `y`, kernel `h` and sensor `m`,
# with the fast Fourier transform. Both return a real array.

# %% [raw]
# # BEGIN SOLUTION

# %% tags=["numpy"]
def forward(x, h, m):
    # BEGIN SOLUTION
    return m * np.fft.ifft2(np.fft.fft2(h) * np.fft.fft2(x)).real
    # END SOLUTION


def adjoint(y, h, m):
    # BEGIN SOLUTION
    return np.fft.ifft2(np.conj(np.fft.fft2(h)) * np.fft.fft2(m * y)).real
    # END SOLUTION


# %% tags=["torch"]
def forward(x, h, m):
    # BEGIN SOLUTION
    return m * torch.fft.ifft2(torch.fft.fft2(h) * torch.fft.fft2(x)).real
    # END SOLUTION


def adjoint(y, h, m):
    # BEGIN SOLUTION
    return torch.fft.ifft2(torch.conj(torch.fft.fft2(h)) * torch.fft.fft2(m * y)).real
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_forward_keeps_the_frame_dark(forward):
    import course
    import set1

    p = set1.parameters("practice")
    x = set1.normal((16, 16), 3)
    y = course.array(course.run(forward, x, set1.kernel(p, 16), set1.mask(p, 16), name="forward"), "forward(x)", (16, 16))
    outside = course.array(set1.mask(p, 16), "m") == 0
    course.ensure(abs(y[outside]).max() < 1e-9, "The sensor comes last: pixels of the frame must be zero after it.")
    course.ensure(abs(y[~outside]).max() > 0, "Inside the frame there should be a blurred image.")

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_adjoint_of_a_symmetric_camera(forward, adjoint):
    import set1

    h = 0 * set1.normal((16, 16), 0)
    h[0, 0], h[0, 1], h[0, -1] = 0.5, 0.25, 0.25
    m = set1.mask(set1.parameters("practice"), 16)
    set1.check_adjoint(lambda x: forward(x, h, m), lambda y: adjoint(y, h, m), (16, 16))

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_adjoint_of_the_camera(forward, adjoint):
    import set1

    p = set1.parameters("COURSE_KEY graded")
    h, m = set1.kernel(p, 16), set1.mask(p, 16)
    set1.check_adjoint(lambda x: forward(x, h, m), lambda y: adjoint(y, h, m), (16, 16))

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 4

# %% [markdown]
# ## Question 2: what the singular values say (4 points, 15 minutes)
#
# Write `describe(s, rtol)` for an array `s` of singular values in descending order. It returns three numbers: the rank,
# the dimension of the null space (of a square $A$), and the condition number *of $A$* on its range, $\kappa(A)$. Values
# at or below `rtol` times the largest count as zero.

# %% [raw]
# # BEGIN SOLUTION

# %%
def describe(s, rtol=1e-10):
    # BEGIN SOLUTION
    seen = s[s > rtol * s[0]]
    return len(seen), len(s) - len(seen), float(seen[0] / seen[-1])
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_describe_returns_three_numbers(describe):
    import course
    import set1

    found = course.run(describe, set1.array([1.0, 1.0, 0.0]), 1e-10, name="describe")
    course.ensure(len(found) == 3, "`describe` returns three numbers: rank, dimension of the null space, condition number.")
    rank, null, _ = (course.number(value, "describe(s)[i]") for value in found)
    course.ensure(rank + null == 3, "Rank and dimension of the null space add up to the number of columns.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_rank_and_null_space(describe):
    import course
    import set1

    s = set1.array([7.0, 3.0, 2.0, 3e-6, 1e-13, 0.0])
    for rtol, rank in ((1e-10, 4), (1e-6, 3)):
        found = course.run(describe, s, rtol, name="describe")
        course.ensure(
            int(found[0]) == rank and int(found[1]) == 6 - rank,
            "Zero is relative: a singular value counts as zero at or below `rtol` times the largest one.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_condition_number(describe):
    import course
    import set1

    s = set1.array([6.0, 3.0, 1.5, 0.0])
    kappa = course.number(course.run(describe, s, 1e-10, name="describe")[2], "kappa")
    course.ensure(abs(kappa - 16) > 1e-6, "This is the condition number of AᵀA: the question asks for that of A, its square root.")
    course.ensure(
        abs(kappa - 4) < 1e-6, "On the range, the condition number divides the largest singular value by the least that is not zero."
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 4

# %% [markdown]
# ## Question 3: the largest eigenvalue without a matrix (4 points, 20 minutes)
#
# Gradient descent on $\tfrac12 \lVert A x - y \rVert^2$ needs $L = \lVert A^\top A \rVert$. Write
# `lipschitz(A, At, start, iterations)`: power iteration on $A^\top A$ from the array `start`, where `A` and `At` are
# functions. It returns $L$ as a number. Then `safe_step(L)` returns the step for which gradient descent converges on
# every mode and multiplies no mode's error by a negative number, as large as it can be.

# %% [raw]
# # BEGIN SOLUTION

# %%
def lipschitz(A, At, start, iterations=200):
    # BEGIN SOLUTION
    v = start / (start**2).sum() ** 0.5
    for _ in range(iterations):
        w = At(A(v))
        size = (w**2).sum() ** 0.5
        v = w / size
    return float(size)
    # END SOLUTION


def safe_step(L):
    # BEGIN SOLUTION
    return 1 / L
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_lipschitz_of_the_identity(lipschitz):
    import course
    import set1

    found = course.run(lipschitz, lambda x: x, lambda y: y, set1.normal((5,), 0), 50, name="lipschitz")
    course.ensure(abs(course.number(found, "L") - 1) < 1e-3, "The identity neither stretches nor shrinks.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_lipschitz_of_a_scaled_camera(lipschitz):
    import course
    import set1

    d = set1.array([5.0, 4.0, 1.0, 0.5])
    found = course.run(lipschitz, lambda x: d * x, lambda y: d * y, set1.normal((4,), 0), 200, name="lipschitz")
    found = course.number(found, "L")
    course.ensure(abs(found - 5) > 1e-2, "This is the norm of A. The gradient is AᵀAx - Aᵀy: its Lipschitz constant is the norm's square.")
    course.ensure(abs(found - 25) < 0.1, "Power iteration applies AᵀA again and again to a vector of length one.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_safe_step(safe_step):
    import course

    for L in (0.3, 7.0):
        step = course.number(course.run(safe_step, L, name="safe_step"), "safe_step(L)")
        course.ensure(step * L < 2 - 1e-6, "At 2/L the error of the strongest mode changes sign and does not shrink.")
        course.ensure(step * L < 1 + 1e-6, "Beyond 1/L the error of the strongest mode changes its sign at each step.")
        course.ensure(step * L > 1 - 1e-6, "A larger step would still do: the slow modes would gain from it.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 4

# %% [markdown]
# ## Question 4: gradient descent, mode by mode (4 points, 20 minutes)
#
# Without noise, and from $x_0 = 0$, gradient descent with step $\alpha$ multiplies the error along the singular vector
# $v_i$ by a factor in each iteration. (a) Write `factors(s, step, k)`: the array of factors that are left after `k`
# iterations, one for each singular value in `s`. (b) Write `iterations_needed(s_i, step, share)`: the least whole number
# of iterations after which the error of the mode with singular value $s_i$ is at most `share` of what it was
# ($0 < \alpha s_i^2 < 1$).

# %% [raw]
# # BEGIN SOLUTION

# %%
def factors(s, step, k):
    # BEGIN SOLUTION
    return (1 - step * s**2) ** k
    # END SOLUTION


def iterations_needed(s_i, step, share):
    # BEGIN SOLUTION
    return math.ceil(math.log(share) / math.log(1 - step * s_i**2))
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_factors_before_the_first_iteration(factors):
    import course
    import set1

    s = set1.array([1.0, 0.5, 0.0])
    found = course.array(course.run(factors, s, 0.7, 0, name="factors"), "factors(s, step, 0)", (3,))
    course.ensure(abs(found - 1).max() < 1e-12, "Before the first iteration the whole error is left in every mode.")
    found = course.array(course.run(factors, s, 0.7, 9, name="factors"), "factors(s, step, 9)", (3,))
    course.ensure(abs(found[2] - 1) < 1e-12, "A mode that the camera does not see keeps its error for ever.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_factors_against_a_run(factors):
    import course
    import set1

    s = set1.array([1.5, 1.0, 0.4])
    error = set1.array([1.0, 1.0, 1.0])
    for _ in range(5):
        error = error - 0.3 * s * (s * error)
    found = course.run(factors, s, 0.3, 5, name="factors")
    course.ensure(
        not course.close(found, (1 - 0.3 * s) ** 5, 1e-6),
        "The gradient passes the camera twice, forth and back: the factor contains the square of the singular value.",
    )
    course.ensure(course.close(found, error, 1e-6), "Compare with five steps of gradient descent on a diagonal operator.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_iterations_needed(iterations_needed):
    import course

    for s_i, step, share in ((0.1, 1.0, 0.01), (0.5, 0.9, 0.1), (0.05, 1.0, 0.5)):
        k = course.number(course.run(iterations_needed, s_i, step, share, name="iterations_needed"), "k")
        left = 1 - step * s_i**2
        course.ensure(k == round(k), "A number of iterations is a whole number.")
        course.ensure(left**k <= share * (1 + 1e-9), "After so many iterations more than the share is left.")
        course.ensure(left ** (k - 1) > share, "One iteration fewer would have been enough.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 5

# %% [markdown]
# ## Question 5: two kinds of error (5 points, 25 minutes)
#
# Here is the singular value decomposition of the camera. The rows of `Vt` are the modes $v_i$.

# %%
s, Vt = set1.svd(set1.matrix(p))

# %% [markdown]
# Write `split(x, s, Vt, rtol)`: it returns two images of the shape of `x`, the part of `x` in the range of $A^\top$
# and the part in the null space of $A$. Their sum is `x`. Then give the number `lost`: the share of $\lVert x^*
# \rVert^2$ that your image `truth` has in the null space of your camera.

# %% [raw]
# # BEGIN SOLUTION

# %%
def split(x, s, Vt, rtol=1e-10):
    # BEGIN SOLUTION
    seen = Vt[s > rtol * s[0]]
    inside = (seen.T @ (seen @ x.reshape(-1))).reshape(x.shape)
    return inside, x - inside
    # END SOLUTION


lost = float((split(truth, s, Vt)[1] ** 2).sum() / (truth**2).sum())  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_parts_add_up(split):
    import course
    import set1

    x, Vt = set1.normal((2, 2), 0), set1.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    parts = course.run(split, x, set1.array([2.0, 1.0, 0.0, 0.0]), Vt, name="split")
    course.ensure(len(parts) == 2, "`split` returns two images.")
    inside, outside = (course.array(part, "split(x)[i]", (2, 2)) for part in parts)
    course.ensure(course.close(inside + outside, x, 1e-9), "The two parts add up to the image.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_the_camera_does_not_see_the_second_part(split):
    import course
    import set1

    p = set1.parameters("COURSE_KEY graded")
    A = set1.matrix(p, 10)
    s, Vt = set1.svd(A)
    x = set1.normal((10, 10), 5)
    inside, outside = course.run(split, x, s, Vt, name="split")
    lost = abs(course.array(A @ outside.reshape(-1), "A x")).max()
    course.ensure(
        lost < 1e-8,
        "The camera sees something of the part that should be in its null space. Which modes have a singular value of zero, "
        "and which part did you build from them?",
    )
    course.ensure(course.close(inside, x - outside, 1e-9), "The two parts add up to the image.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_share_that_is_lost(env, lost):
    import course
    import set1

    p = set1.parameters("COURSE_KEY", env.get("student", ""))
    x, (s, Vt) = set1.image(p), set1.svd(set1.matrix(p))
    weights = (Vt @ x.reshape(-1)) ** 2
    share = float(weights[s <= 1e-10 * s[0]].sum() / weights.sum())
    found = course.number(lost, "lost")
    course.ensure(abs(found - share**0.5) > 1e-6, "This is a ratio of norms. The share is one of squared norms.")
    course.ensure(abs(found - (1 - share)) > 1e-6, "This is the share that the camera sees.")
    course.ensure(abs(found - share) < 1e-3 * share, "`lost` belongs to another image or camera than those of your parameters.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_parts_are_orthogonal(split):
    import course
    import set1

    A = set1.matrix(set1.parameters("COURSE_KEY graded"), 10)
    s, Vt = set1.svd(A)
    x = set1.normal((10, 10), 6)
    inside, outside = (course.array(part, "part") for part in course.run(split, x, s, Vt, name="split"))
    course.ensure(abs((inside * outside).sum()) < 1e-8, "Range and null space are orthogonal, and so are the two parts.")
    course.ensure(abs(outside).max() > 1e-3, "The sensor lost pixels, so a random image has a part in the null space.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q6
# points: 4

# %% [markdown]
# ## Question 6: the rival that needs no step size (4 points, 30 minutes)
#
# Conjugate gradients on the normal equations (CGLS) spends one product with $A$ and one with $A^\top$ an iteration, as
# gradient descent does, and needs neither $L$ nor a momentum. Write `cgls(A, At, y, iterations)` from
# $x_0 = 0$. It returns a list of the iterates $x_1, \dots, x_K$. With $r_0 = y$, $d_0 = g_0 = A^\top y$:
#
# $$
# \alpha_k = \frac{\lVert g_k \rVert^2}{\lVert A d_k \rVert^2}, \quad
# x_{k+1} = x_k + \alpha_k d_k, \quad
# r_{k+1} = r_k - \alpha_k A d_k, \quad
# g_{k+1} = A^\top r_{k+1}, \quad
# d_{k+1} = g_{k+1} + \frac{\lVert g_{k+1} \rVert^2}{\lVert g_k \rVert^2}\, d_k .
# $$

# %% [raw]
# # BEGIN SOLUTION

# %%
def cgls(A, At, y, iterations):
    # BEGIN SOLUTION
    r = y
    g = At(r)
    x, d, power = 0 * g, g, (g**2).sum()
    path = []
    for _ in range(iterations):
        Ad = A(d)
        step = power / (Ad**2).sum()
        x = x + step * d
        r = r - step * Ad
        g = At(r)
        power, before = (g**2).sum(), power
        d = g + power / before * d
        path.append(x)
    return path
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_first_iterate_is_steepest_descent(cgls):
    import course
    import set1

    d = set1.array([2.0, 1.0, 0.5])
    y = set1.array([1.0, -1.0, 2.0])
    path = course.run(cgls, lambda x: d * x, lambda r: d * r, y, 3, name="cgls")
    course.ensure(len(path) == 3, "`cgls` returns one iterate for each iteration.")
    g = d * y
    exact = (g**2).sum() / ((d * g) ** 2).sum() * g
    course.ensure(course.close(path[0], exact, 1e-9), "The first iterate is a gradient step with exact line search.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_as_many_iterations_as_eigenvalues(cgls):
    import course
    import set1

    d = set1.array([3.0, 3.0, 3.0, 1.0, 1.0, 0.2, 0.2])
    truth = set1.normal((7,), 4)
    path = course.run(cgls, lambda x: d * x, lambda r: d * r, d * truth, 3, name="cgls")
    course.ensure(
        course.close(path[2], truth, 1e-6),
        "With three different eigenvalues, three conjugate directions reach the solution. Is each new direction "
        "made from the new gradient and the old direction, with the new power over the old?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_iterates_stay_in_the_range(cgls):
    import course
    import set1

    d = set1.array([1.0, 0.3, 0.0])
    path = course.run(cgls, lambda x: d * x, lambda r: d * r, set1.array([1.0, 1.0, 1.0]), 2, name="cgls")
    course.ensure(len({id(x) for x in path}) == 2, "Each iterate must be an array of its own: is one changed in place?")
    last = course.array(path[-1], "x")
    course.ensure(abs(last[2]) < 1e-12, "No gradient has a part in the null space, so no iterate from zero has one.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your functions work, the next cell draws the error of three methods against the number of products with $A$, without
# noise. It needs your `forward`, `adjoint`, `lipschitz` and `cgls`.

# %%
def compare(iterations=150):
    A, At = (lambda x: forward(x, h, m)), (lambda y: adjoint(y, h, m))
    y, step = A(truth), 1 / lipschitz(A, At, set1.normal(truth.shape, 0))
    seen, _ = split(truth, s, Vt)

    def error(x):
        return float(((split(x, s, Vt)[0] - seen) ** 2).sum() ** 0.5 / (seen**2).sum() ** 0.5)

    x = z = 0 * truth
    plain, momentum = [], []
    for _ in range(iterations):
        x = x + step * At(y - A(x))
        plain.append(error(x))
    x = before = 0 * truth
    for k in range(iterations):
        z = x + k / (k + 3) * (x - before)
        before, x = x, z + step * At(y - A(z))
        momentum.append(error(x))
    return {"gradient descent": plain, "Nesterov": momentum, "CGLS": [error(x) for x in cgls(A, At, y, iterations)]}


ready = not any(course.is_open(answer) for answer in (
    forward(truth, h, m), adjoint(truth, h, m), split(truth, s, Vt),
    cgls(lambda x: x, lambda y: y, truth, 1), lipschitz(lambda x: x, lambda y: y, truth, 2)))
if ready:
    for name, path in compare().items():
        plt.semilogy(range(1, len(path) + 1), path, label=name)
    plt.xlabel("products with A")
    plt.ylabel("relative error on the range")
    plt.legend()

# %% [raw]
# # BEGIN QUESTION
# name: q7
# manual: true
# points: 3

# %% [markdown]
# ## Question 7: what no gradient can mend (3 points, 20 minutes)
#
# Let $x_0 = 0$, and let each iterate be any combination of gradients $A^\top(A x_j - y)$ of earlier iterates: gradient
# descent, momentum, conjugate gradients, and every preconditioner $P = p(A^\top A)$ are of this kind. Show that the part
# of $x_k$ in the null space of $A$ is zero for all $k$. Which of the two errors of question 5 can such a method reduce,
# and what must a preconditioner do to reduce the other?

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# Each gradient is $A^\top$ times a vector, so it lies in the range of $A^\top$. That range is a linear subspace, and
# $p(A^\top A)$ maps it into itself, since $A^\top A A^\top v = A^\top (A A^\top v)$. From $x_0 = 0$, every combination
# stays there by induction. The range of $A^\top$ is the orthogonal complement of the null space: for $n$ with $A n = 0$,
# $\langle A^\top v, n \rangle = \langle v, A n \rangle = 0$. So $x_k$ has no part in the null space, and the error there
# is the truth's own part, for ever. Only the error in the range can fall. A preconditioner that is to reduce the other
# one must leave the range of $A^\top$, and must know from elsewhere (images, a prior) in which direction.
#
# *Rubric.* 1 point: the gradient is in the range of $A^\top$, with the reason. 1 point: the subspace is not left
# (linear combinations, and $p(A^\top A)$), and it is orthogonal to the null space. 1 point: the conclusion, with the
# source of the missing knowledge. *Typical answers.* "The gradient is zero there" without a reason: half of the first
# point. "More iterations are needed": no point for the conclusion. "A better conditioned $P$ mends it": no point for the
# conclusion; conditioning on the range and the null space are confused.

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
# ## Question 8: read your figure (3 points, 15 minutes)
#
# Look at the figure above. (a) Which method is ahead at 50 products, and by what factor? (b) Why is a comparison "my
# preconditioner against gradient descent" not enough to recommend it for a linear problem? (c) The next chapter puts a
# denoiser, which is not linear, behind each gradient step. Why can conjugate gradients not be used there as it is?

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) CGLS, with the factor that the figure shows at 50. (b) CGLS costs the same products, needs no step and no momentum,
# and at each iteration it is the best that any combination of the gradients so far can be, in the norm of the data
# residual. A preconditioner for a linear problem has to beat it at equal products. (c) Its short recurrence rests on
# a fixed symmetric operator, whose directions are conjugate. A denoiser changes the iterate between two gradients, and
# the residual is no longer that of a linear system with that operator.
#
# *Rubric.* One point each. (a) needs the figure's numbers. (b) needs "equal products" and a statement that CG is the
# strongest of its kind, or that it must be the rival. (c) needs that conjugacy assumes a fixed linear operator.
# *Typical answers.* (b) "gradient descent is slow": half a point. (c) "it is too expensive": no point.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION
