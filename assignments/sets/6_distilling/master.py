# %% [markdown]
# # Problem set 6: distilling, and judging it honestly
#
# You write the three losses of a distillation, train a small preconditioner on this page, and check what its form
# promises. Then comes the longer part, the judging: the error of a gain, the few seeds, the black background, the
# rival that somebody has to tune, the iteration that somebody has to choose, and the control beside a diagnosis. At
# the end you draw one figure that a referee would believe.
#
# *Needed before:* chapters 8, 9, 11 and 16 of the book; of chapter 10 what no residual sees. *Time:* about three
# and a half hours. *Points:* 34.
#
# Run the cells from top to bottom. A cell with three dots waits for your code; a cell `grader.check(...)` tells
# what it found. The tests in this notebook look at the form of an answer and at properties that any right answer has.
# Others, which you do not see, look further when the set is graded.

# %%
import math

import matplotlib.pyplot as plt
import torch

import course
import ddgp_lib
import set6
from ddgp_lib.experiments import load_benchmark
from ddgp_lib.operators import measure
from ddgp_lib.experiments import load_study

# %% [markdown]
# Put your number or name as the course knows it between the quotes of `student`, if your instructor asked for that.
# The numbers of the set are drawn from it.

# %%
key, student = "COURSE_KEY", ""
p = set6.parameters(key, student)
task = set6.task()
A = task.student
val, test = set6.images(p)
print(p)

# %% [markdown]
# The camera is the single-pixel camera of chapters 8 and 11: a student $A_s$ with 102 of 1,024 patterns, a teacher
# $A_t$ with 410, handwritten digits. Images and gradients are tensors of shape (N, 1, 32, 32). `val` are the 10
# images on which you may choose, `test` the 16 on which you report.

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 4

# %% [markdown]
# ## Question 1: three losses (4 points, 20 minutes)
#
# A training step takes one iteration of the student with the preconditioner $P_\theta$, and one of the teacher
# without, both from the same point $z$. With the denoiser $D_\sigma$ and the steps $\alpha_s$ and $\alpha_t$,
#
# $$
# d = P_\theta(\nabla g_s(z); z), \qquad
# x_s = D_\sigma(z - \alpha_s d), \qquad
# x_t = D_\sigma(z - \alpha_t \nabla g_t(z)) .
# $$
#
# The three losses of the paper are, for one image with the truth $x^*$,
#
# $$
# L_G = \bigl(1 - S_c(d, \nabla g_t)\bigr)^2, \qquad
# L_I = \lVert x_s - x_t \rVert^2, \qquad
# L_S = \lVert x_s - x^* \rVert^2 ,
# $$
#
# where $S_c$ is the cosine of the angle between two images, taken as vectors. Write
# `losses(d, g_t, x_s, x_t, truth)`: it returns the three losses as three tensors of shape (N,), one number for each
# image. (The library averages them over the batch.)

# %% [raw]
# # BEGIN SOLUTION

# %%
def losses(d, g_t, x_s, x_t, truth):
    # BEGIN SOLUTION
    cosine = torch.cosine_similarity(d.flatten(1), g_t.flatten(1))
    imitation = (x_s - x_t).flatten(1).square().sum(dim=1)
    supervised = (x_s - truth).flatten(1).square().sum(dim=1)
    return (1 - cosine) ** 2, imitation, supervised
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_losses_of_a_perfect_student(losses):
    import course
    import set6

    g_t, x_t, truth = (set6.normal((5, 1, 8, 8), seed) for seed in (1, 2, 3))
    found = course.run(losses, 2 * g_t, g_t, x_t, x_t, truth, name="losses")
    course.ensure(len(found) == 3, "`losses` returns three tensors: L_G, L_I and L_S.")
    gradient, imitation, _ = (course.array(value, "losses(...)[i]", (5,)) for value in found)
    course.ensure(abs(gradient).max() < 1e-5, "A direction along the teacher's gradient, of any length, has L_G = 0.")
    course.ensure(abs(imitation).max() < 1e-5, "An iterate that equals the teacher's has L_I = 0.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_gradient_loss(losses):
    import course
    import set6
    import torch

    p = set6.parameters("COURSE_KEY graded")
    x = set6.normal((4, 1, 8, 8), p.seed + 1)
    g_t = set6.normal((4, 1, 8, 8), p.seed + 2)
    d = torch.tensor([2.0, 0.1, -1.0, 0.0]).view(4, 1, 1, 1) * g_t + set6.normal((4, 1, 8, 8), p.seed + 3)
    found = course.array(course.run(losses, d, g_t, x, x, x, name="losses")[0], "L_G", (4,))
    cosine = torch.cosine_similarity(d.flatten(1), g_t.flatten(1))
    course.ensure(not course.close(found, 1 - cosine), "L_G is the square of 1 - S_c: the square is missing.")
    course.ensure(
        not course.close(found, 1 - cosine**2), "The square is around all of 1 - S_c, and not around S_c alone."
    )
    unit = (d.flatten(1) * g_t.flatten(1)).sum(1) / (d.norm() * g_t.norm())
    course.ensure(
        not course.close(found, (1 - unit) ** 2),
        "Each image has a cosine of its own, divided by the norms of its own two vectors and not by those of "
        "the batch.",
    )
    course.ensure(
        course.close(found, (1 - cosine) ** 2),
        "The cosine is the inner product of two whole images over the product of their norms; L_G is (1 - S_c)².",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_distances(losses):
    import course
    import set6

    p = set6.parameters("COURSE_KEY graded")
    g, x_s, x_t, truth = (set6.normal((4, 1, 8, 8), p.seed + i) for i in range(4))
    found = course.run(losses, g, g, x_s, x_t, truth, name="losses")
    L_I, L_S = (course.array(value, name, (4,)) for value, name in zip(found[1:], ("L_I", "L_S")))
    right = [(x_s - other).flatten(1).square().sum(1) for other in (x_t, truth)]
    course.ensure(
        not course.close(L_I, right[0] / 64), "L_I is a squared norm, the sum over the pixels and not their mean."
    )
    course.ensure(not course.close(L_I, right[0] ** 0.5), "L_I is the squared norm: the square is missing.")
    course.ensure(
        not course.close(L_S, right[0]), "L_S compares with the true image, and not with the teacher's iterate."
    )
    course.ensure(
        course.close(L_I, right[0]), "L_I is the squared distance of the two next iterates, image by image."
    )
    course.ensure(
        course.close(L_S, right[1]), "L_S is the squared distance of the student's next iterate from the truth."
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# Now a training, live, with the library's losses $L_G + L_I$: 120 steps of 8 states each, a small U-Net, a few
# seconds. (The shipped preconditioner had 23,400 steps of 32 states.)

# %% tags=["study"]
recipe = {"steps": 120, "batch_size": 8, "pool_size": 48, "learning_rate": 5e-3, "momentum": "none"}
recipe |= {"parameters": "small", "seed": p.seed, "progress": False}
live = ddgp_lib.distill(task, **recipe)
yours, shipped = live.preconditioner.requires_grad_(False), ddgp_lib.load_preconditioner("single_pixel")
for name in ("gradient", "imitation"):
    means = torch.tensor(live.history[name]).unfold(0, 10, 10).mean(dim=1)
    print(f"{name:10s} means of ten steps:", *(f"{value:6.2f}" for value in means))
    plt.semilogy(range(5, 120, 10), means, label=name)
plt.xlabel("training step")
plt.ylabel("loss (mean of ten steps)")
plt.legend();

# %% [markdown]
# The pool of states grows older and changes with the network, so these are losses on states that move. The next cell
# uses your `losses` for two fairer looks. First the same states for three preconditioners, the plain solver's after
# three iterations; the first row is the control. Then the states that your network causes itself: which loss is loud
# early, and which late?

# %% tags=["study"]
if not course.is_open(losses(test, test, test, test, test)):
    z = set6.visited(set6.preconditioned(None, 0.07), test, p, 3)[-1]
    print("the same states, k = 3      L_G     L_I     L_S")
    for name, P in {"no P": ddgp_lib.Identity(), "your P": yours, "shipped P": shipped}.items():
        means = [float(v.mean()) for v in losses(*set6.pair(P, z, 3, test, p)[:4], test)]
        print(f"{name:22s}" + "".join(f"{v:8.2f}" for v in means))
    print("along the run of your P")
    for k, z in enumerate(set6.visited(set6.preconditioned(yours, 0.07), test, p, 20)):
        if k in (0, 1, 3, 10, 20):
            means = [float(v.mean()) for v in losses(*set6.pair(yours, z, k, test, p)[:4], test)]
            print(f"k = {k:2d}" + " " * 16 + "".join(f"{v:8.2f}" for v in means))

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 3

# %% [markdown]
# ## Question 2: what the form promises (3 points, 15 minutes)
#
# In the null-space form the network decides about what the camera does not see, and about nothing else:
#
# $$
# P_\theta(g; z) = g + (I - A^+A)\, N_\theta(g, z), \qquad\text{so}\qquad A P_\theta(g; z) = A g .
# $$
#
# (a) Write `null_space_form(n, g, physics)`: the direction, for the gradient `g` and the network's output `n`, both
# of shape (N, 1, H, W). Use `physics.A`, `physics.A_adjoint` and `physics.A_dagger` ($A$, $A^\top$ and $A^+$). It
# must hold for every linear operator. The shipped camera has $A A^\top = I$; the same camera behind an amplifier
# has not.
#
# (b) Write `data_change(P, z, k, y, physics)`: for each image $\lVert A (P(g; z) - g) \rVert / \lVert y \rVert$, a
# tensor of shape (N,), where $g = A^\top(Az - y)$. A preconditioner is called as
# `P(g, ddgp_lib.State(z, k, physics, y))`.

# %% [raw]
# # BEGIN SOLUTION

# %%
def null_space_form(n, g, physics):
    # BEGIN SOLUTION
    return g + n - physics.A_dagger(physics.A(n))
    # END SOLUTION


def data_change(P, z, k, y, physics):
    # BEGIN SOLUTION
    g = physics.A_adjoint(physics.A(z) - y)
    change = P(g, ddgp_lib.State(z, k, physics, y)) - g
    return physics.A(change).flatten(1).norm(dim=1) / y.flatten(1).norm(dim=1)
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_a_silent_network(null_space_form, data_change):
    import course
    import set6

    g, camera = set6.normal((3, 1, 16, 16), 0), set6.Amplified(1.0)
    found = course.run(null_space_form, 0 * g, g, camera, name="null_space_form")
    found = course.array(found, "null_space_form(n, g, physics)", (3, 1, 16, 16))
    course.ensure(course.close(found, g, 1e-4), "A network that returns zero leaves the gradient as it is.")
    change = course.run(data_change, lambda grad, state: grad, g, 0, camera.A(1 - g), camera, name="data_change")
    change = course.array(change, "data_change(...)", (3,))
    course.ensure(abs(change).max() < 1e-4, "The identity changes nothing, and no data either.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_the_form_keeps_the_data(null_space_form):
    import course
    import set6
    from ddgp_lib.checks import check_preconditioner

    for factor in (1.0, 1.7):
        camera = set6.Amplified(factor)
        g, n = (set6.normal((3, 1, 16, 16), seed) for seed in (4, 5))
        found = course.run(null_space_form, n, g, camera, name="null_space_form")
        found = course.array(found, "null_space_form(n, g, physics)", (3, 1, 16, 16))
        course.ensure(
            not course.close(found, g + n - camera.A_adjoint(camera.A(n))) or factor == 1,
            "AᵀA is the projector A⁺A where the rows of A are orthonormal, and nowhere else.",
        )
        course.ensure(
            not course.close(found, g + n, 1e-4),
            "The network's output is not projected onto the null space: P may write over measured data.",
        )
        check_preconditioner(
            lambda grad, state: null_space_form(state.z**2, grad, state.physics),
            camera,
            (3, 1, 16, 16),
            null_space=True,
        )
        hidden = n - camera.A_dagger(camera.A(n))
        course.ensure(
            course.close(found, g + hidden, 1e-4), "To g is added the whole of what the camera does not see of n."
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_data_change(data_change):
    import course
    import set6

    camera = set6.Amplified(1.7)
    z, y = set6.normal((3, 1, 16, 16), 6), camera.A(set6.normal((3, 1, 16, 16), 7) ** 2)

    def P(grad, state):
        return grad + (1 + state.k) * state.z + 0.3 * state.physics.A_adjoint(state.y)

    change = camera.A(3 * z + 0.3 * camera.A_adjoint(y)).flatten(1).norm(dim=1)
    found = course.array(course.run(data_change, P, z, 2, y, camera, name="data_change"), "data_change(...)", (3,))
    g = camera.A_adjoint(camera.A(z) - y)
    whole = camera.A(g + 3 * z + 0.3 * camera.A_adjoint(y)).flatten(1).norm(dim=1)
    scale = y.flatten(1).norm(dim=1)
    course.ensure(
        not course.close(found, whole / scale),
        "The plain gradient changes the data too. What the network adds to it is P(g; z) - g.",
    )
    course.ensure(
        not course.close(found, change), "The change is to be taken relative to the norm of y, image by image."
    )
    course.ensure(
        course.close(found, change / scale), "‖A(P(g; z) - g)‖ / ‖y‖, with the state that P is called with."
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your functions work, the next cell looks at the shipped $P$ and at yours, at the points where the plain solver is
# after three iterations. Beside each stands its control, the same network without the projection.

# %% tags=["study"]
z = set6.visited(set6.preconditioned(None, 0.07), test, p, 3)[-1]
y = measure(A, test, p.seed)
if not course.is_open(data_change(ddgp_lib.Identity(), z, 3, y, A)):
    for name, P in {"shipped P": shipped, "your P": yours}.items():
        with torch.no_grad():
            changes = [float(data_change(q, z, 3, y, A).max()) for q in (P, set6.Unprojected(P))]
        print(f"{name:10s} changes the data by at most {changes[0]:.1e}; without the projection by {changes[1]:.1e}")

# %% [markdown]
# The form protects the data in each gradient step. It says nothing about the image, nor about where many steps
# lead. The rest of the set is about whether $P$ makes images better.

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 6

# %% [markdown]
# ## Question 3: a gain has two kinds of error (6 points, 35 minutes)
#
# (a) Two methods have reconstructed the same N images from the same data. `a` and `b` are their PSNRs in dB,
# tensors of shape (N,). Write `paired_gain(a, b)`: it returns the mean gain of the first method over the second,
# the standard error of that mean over images (one standard error, estimated from these N images), and the index of
# the image on which the first does worst against the second.
#
# (b) Another draw of images would move a gain, and so would another training. `gains`, of shape (S, N), holds the
# gains of S networks that were trained alike but for the seed, each measured on the same N images. Write
# `seed_interval(gains)`: it returns the lower and the upper end of the two-sided 95 % interval for the mean gain
# *over trainings*. Take the trainings as independent, and the mean gain of a training as normal with an unknown
# mean and an unknown variance. `set6.t_quantile(df)` is the 97.5 % quantile of Student's t with `df` degrees of
# freedom (`math.inf` is accepted).

# %% [raw]
# # BEGIN SOLUTION

# %%
def paired_gain(a, b):
    # BEGIN SOLUTION
    gain = a - b
    return float(gain.mean()), float(gain.std() / len(gain) ** 0.5), int(gain.argmin())
    # END SOLUTION


def seed_interval(gains):
    # BEGIN SOLUTION
    means = gains.mean(dim=1)
    count = len(means)
    half = set6.t_quantile(count - 1) * float(means.std()) / count**0.5
    return float(means.mean()) - half, float(means.mean()) + half
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_forms_of_gain_and_interval(paired_gain, seed_interval):
    import course
    import set6

    a, b = 25 + set6.normal((8,), 1), 24 + set6.normal((8,), 2)
    found = [course.run(paired_gain, *pair, name="paired_gain") for pair in ((a, b), (b, a))]
    course.ensure(all(len(one) == 3 for one in found), "`paired_gain` returns three numbers: gain, error, index.")
    gain, back = (course.number(one[0], "gain") for one in found)
    course.ensure(abs(gain + back) < 1e-4 and gain > 0, "The gain of a over b is minus the gain of b over a.")
    ends = course.run(seed_interval, 1 + set6.normal((4, 6), 3), name="seed_interval")
    course.ensure(len(ends) == 2, "`seed_interval` returns two numbers, the lower and the upper end.")
    low, high = (course.number(end, "end") for end in ends)
    middle = float((1 + set6.normal((4, 6), 3)).mean())
    course.ensure(
        low < high and abs((low + high) / 2 - middle) < 1e-4, "The interval lies around the mean of all gains."
    )

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_error_of_the_gain(paired_gain):
    import course
    import set6

    p = set6.parameters("COURSE_KEY graded")
    base = 24 + 3 * set6.normal((7,), p.seed)
    a, b = base + 1 + 0.4 * set6.normal((7,), p.seed + 1), base
    gain, error, _ = course.run(paired_gain, a, b, name="paired_gain")
    course.ensure(abs(course.number(gain, "gain") - float((a - b).mean())) < 1e-4, "The gain is the mean of a - b.")
    error, spread, root = course.number(error, "error"), float((a - b).std()), 7**0.5
    unpaired = float((a.var() + b.var()) ** 0.5) / root

    def is_close(value):
        return abs(error - value) < 1e-3 * value

    course.ensure(
        not is_close(unpaired) and not is_close(unpaired * (6 / 7) ** 0.5),
        "Both methods saw the same images, and images differ more than methods: take the gain image by image "
        "first, then "
        "the error of its mean. These are paired differences.",
    )
    course.ensure(
        not is_close(spread), "This is how much the gain varies from image to image; its mean varies less."
    )
    course.ensure(
        not is_close(spread * (6 / 7) ** 0.5 / root),
        "The spread is estimated around a mean that comes from the same gains: divide by N - 1, not by N.",
    )
    course.ensure(
        not is_close(1.96 * spread / root), "One standard error is asked for, not half of a 95 % interval."
    )
    course.ensure(
        is_close(spread / root), "The standard error of a mean of N numbers is their standard deviation over √N."
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_worst_image(paired_gain):
    import course
    import torch

    a, b = torch.tensor([20.0, 25.0, 30.0, 22.0]), torch.tensor([19.0, 26.5, 24.0, 22.5])
    worst = course.number(course.run(paired_gain, a, b, name="paired_gain")[2], "worst")
    course.ensure(
        worst != 0, "This is the image with the lowest PSNR. Asked for is the one that a makes worst of, against b."
    )
    course.ensure(worst == 1, "On the worst image the difference a - b is least.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_interval_over_seeds(seed_interval):
    import course
    import set6

    p = set6.parameters("COURSE_KEY graded")
    for count in (3, 5):
        gains = 0.5 + 0.2 * set6.normal((count, 1), p.seed + count) + 0.8 * set6.normal((1, 30), p.seed + 9)
        gains = gains + 0.1 * set6.normal((count, 30), p.seed + 10)
        low, high = (course.number(end, "end") for end in course.run(seed_interval, gains, name="seed_interval"))
        half, means = (high - low) / 2, gains.mean(dim=1)
        error = float(means.std()) / count**0.5
        total = gains.numel()
        pooled = float(gains.std()) / total**0.5

        def is_close(value):
            return abs(half - value) < 2e-3 * value

        course.ensure(
            not any(is_close(q * pooled) for q in (1.96, set6.t_quantile(total - 1), set6.t_quantile(count - 1))),
            "The gains of one training on many images are not many trainings: what was repeated is the seed.",
        )
        course.ensure(
            not is_close(1.96 * error),
            "1.96 is for a variance that is known. Here it is estimated from a few seeds, and that needs "
            "Student's t.",
        )
        course.ensure(
            not is_close(set6.t_quantile(count) * error), "The mean has used up one of the degrees of freedom."
        )
        course.ensure(
            not is_close(set6.t_quantile(count - 1) * error * count**0.5),
            "This interval is for the gain of one more training; for their mean the error is smaller.",
        )
        course.ensure(
            not is_close(set6.t_quantile(count - 1) * error * ((count - 1) / count) ** 0.5),
            "The variance of a few numbers around their own mean is the sum of squares over their number minus "
            "one.",
        )
        course.ensure(
            is_close(set6.t_quantile(count - 1) * error),
            "Average over images first: each training gives one number. Then the t interval of the mean of these "
            "numbers.",
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# With your function the next cell reads the study `losses` of chapter 8 again: three seeds for each choice of
# losses, 1,500 steps, gains in dB at iteration 20 over a tuned solver without $P$. Rows with one seed share initial
# weights and images, so differences are taken seed by seed. Beside your interval stands the one with 1.96. Which of
# the differences is established, and which would have been with 1.96?

# %%
gain_of = {(run["row"], run["seed"]): run["gain_20"][0] for run in load_study("losses")["runs"]}
seeds = sorted({seed for _, seed in gain_of})
if not course.is_open(seed_interval(torch.ones(3, 2))):
    for more, less in (("L_S", "L_G"), ("L_G + L_S", "L_S"), ("L_G + L_I", "L_S"), ("L_G + L_I + L_S", "L_S")):
        found = torch.tensor([[gain_of[more, seed] - gain_of[less, seed]] for seed in seeds])
        half = 1.96 * float(found.std()) / len(seeds) ** 0.5
        low, high = seed_interval(found)
        print(f"{more + ' over ' + less:24s} by seed:", *(f"{v:+.2f}" for v in found.flatten()), end="")
        print(f"   yours {low:+.2f} to {high:+.2f}, by 1.96 {found.mean() - half:+.2f} to {found.mean() + half:+.2f}")

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 5

# %% [markdown]
# ## Question 4: what the black background pays for (5 points, 25 minutes)
#
# Six of seven pixels of these images are black, and every method gets most of them right. Write
# `score(x, truth, level=0.05)`, which returns two numbers in dB for estimates `x` and true images `truth` on
# $[0, 1]$, both of shape (N, 1, H, W). The first is the mean over images of the PSNR of the whole image. The second is the mean over images of the
# PSNR over the *foreground*, the pixels in which the true image is above `level`. For image $i$ and a set
# $\Omega_i$ of pixels,
#
# $$
# \mathrm{PSNR}_i = -10 \log_{10} \Bigl( \frac{1}{|\Omega_i|} \sum_{j \in \Omega_i} (x_{ij} - x^*_{ij})^2 \Bigr) .
# $$
#
# (The PSNR of the mean squared error over all images is another number. It is never larger, as $-\log$ is convex,
# and the worst images rule it. Both are in use; a comparison uses one of them throughout and says which.)
#
# Then set `black` to the share of the pixels of your test images that are not foreground, for `level=0.05`.

# %% [raw]
# # BEGIN SOLUTION

# %%
def score(x, truth, level=0.05):
    # BEGIN SOLUTION
    error = (x - truth).flatten(1).square()
    seen = (truth.flatten(1) > level).to(error)
    whole = -10 * error.mean(dim=1).log10()
    foreground = -10 * ((seen * error).sum(dim=1) / seen.sum(dim=1)).log10()
    return float(whole.mean()), float(foreground.mean())
    # END SOLUTION


black = float((test <= 0.05).float().mean())  # SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_an_even_error(score):
    import course
    import set6

    truth = set6.normal((3, 1, 8, 8), 1).abs().clamp(max=1)
    for error, level in ((0.1, 20), (0.01, 40)):
        found = course.run(score, truth + error, truth, name="score")
        course.ensure(len(found) == 2, "`score` returns two numbers: for the whole image, and for the foreground.")
        for value in found:
            course.ensure(
                abs(course.number(value, "score") - level) < 1e-2,
                "An error of a tenth in every pixel is 20 dB, of a hundredth 40 dB, over whichever pixels it is "
                "taken.",
            )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_share_of_black_pixels(env, black):
    import course
    import set6

    _, images = set6.images(set6.parameters("COURSE_KEY", env.get("student", "")))
    share = float((images <= 0.05).double().mean())
    found = course.number(black, "black")
    course.ensure(abs(found - (1 - share)) > 1e-6, "This is the share of the foreground.")
    course.ensure(abs(found - share) < 1e-5, "`black` is not that of your own test images: the ones on which you report.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_mean_over_images(score):
    import course
    import set6
    import torch

    p = set6.parameters("COURSE_KEY graded")
    truth = 0.8 * torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(p.seed))
    size = torch.tensor([0.01, 0.05, 0.1, 0.3]).view(4, 1, 1, 1)
    x = truth + size * set6.normal(truth.shape, p.seed + 1)
    found = course.number(course.run(score, x, truth, name="score")[0], "score[0]")
    error = (x - truth).square().mean(dim=(1, 2, 3))
    course.ensure(
        abs(found + 10 * float(error.mean().log10())) > 0.05,
        "This is the PSNR of the mean squared error: the worst image rules it. Decibels first, then the mean "
        "over images.",
    )
    peak = truth.amax(dim=(1, 2, 3)).log10()
    course.ensure(
        abs(found - float((20 * peak - 10 * error.log10()).mean())) > 0.05
        and abs(found - float(20 * truth.max().log10() - 10 * error.log10().mean())) > 0.05,
        "The peak is the largest value that an image may have, which is 1, and not the largest that is in it.",
    )
    course.ensure(
        abs(found + 10 * float(error.log10().mean())) < 0.02, "The first number is the mean of the images' PSNRs."
    )

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_foreground_of_the_truth(score):
    import course
    import set6
    import torch

    p = set6.parameters("COURSE_KEY graded")
    shape = (4, 1, 12, 12)
    truth = torch.zeros(shape)
    for i in range(4):
        truth[i, 0, 2 : 5 + i, 3:9] = 0.3 + 0.5 * torch.rand(
            3 + i, 6, generator=torch.Generator().manual_seed(p.seed + i)
        )
    x = truth + torch.tensor([0.02, 0.05, 0.1, 0.2]).view(4, 1, 1, 1) * set6.normal(shape, p.seed + 5)
    x[..., 4:7, 2:6] *= 0.02
    found = course.number(course.run(score, x, truth, name="score")[1], "score[1]")
    error, seen = (x - truth).square(), (truth > 0.05).float()

    def masked(mask):
        return float(-10 * ((mask * error).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3))).log10().mean())

    def is_close(value):
        return abs(found - value) < 0.02

    course.ensure(
        not is_close(masked((x > 0.05).float())),
        "The mask comes from the reconstruction: a stroke that a method has lost would not be counted. Take "
        "the truth's.",
    )
    course.ensure(
        not is_close(float(-10 * (seen * error).mean(dim=(1, 2, 3)).log10().mean())),
        "The squared errors of the foreground are divided by the number of all pixels: the background still "
        "dilutes them.",
    )
    course.ensure(
        not is_close(float(-10 * (error[seen > 0].mean()).log10())),
        "All images' foregrounds are thrown together. Each image is a case: its own PSNR first, then the mean.",
    )
    course.ensure(
        is_close(masked(seen)),
        "Mean squared error over the pixels where the truth is above the level, image by image.",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# With your function the next cell compares five estimates after 20 iterations. *Trick* is an estimate in which all
# that is below 0.1 is set to zero: it cannot make a stroke better. What does it do to the three measures? Which of
# the differences would you report as an improvement of the digits?

# %% tags=["study"]
data = measure(A, test, p.seed)
estimates = {"no P, σ = 0.1": set6.run(set6.plain(0.1), data, 20)[-1]}
estimates["no P, σ falls"] = set6.run(set6.Annealed(0.1), data, 20)[-1]
estimates["shipped P"] = set6.run(set6.shipped(), data, 20)[-1]
for name in ("no P, σ falls", "shipped P"):
    estimates[f"{name}, trick"] = torch.where(estimates[name] > 0.1, estimates[name], 0.0)
if not course.is_open(score(test, test)):
    print(f"{'':24s}   whole  foreground     SSIM")
    for name, x in estimates.items():
        whole, foreground = score(x, test)
        print(f"{name:24s}{whole:8.2f}{foreground:12.2f}{float(task.ssim(x, test).mean()):9.3f}")

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 5

# %% [markdown]
# ## Question 5: the rival, tuned, and the iteration, chosen (5 points, 35 minutes)
#
# The rivals here have the same denoiser as $P$'s solver and no $P$: nothing about this camera was learned for them.
# Each has a number to tune, and a run from which somebody chooses an iteration.
#
# (a) Write `choose(grid, scores)`: `grid` is a tuple of ascending values, `scores` a list of their scores on
# validation images, in which a run that diverged has `math.nan`. It returns the value with the highest score. If
# that is the first or the last value of the grid, nobody knows what lies beyond: then raise a `ValueError`.
#
# (b) At a fixed iteration $k$ a gain mixes quality with time. Write
# `best_against_best(own_val, rival_val, own, rival)`. Its arguments are PSNRs of whole runs, `own_val` and `rival_val` (K, M) on validation images, `own` and
# `rival` (K, N) on test images; the first index is the iteration. Each method is stopped at its own best iteration,
# one for all images, and nothing may be chosen on test images. Return the gains of `own` over `rival` on the N test
# images, a tensor of shape (N,).

# %% [raw]
# # BEGIN SOLUTION

# %%
def choose(grid, scores):
    # BEGIN SOLUTION
    found = [-math.inf if math.isnan(one) else one for one in scores]
    best = found.index(max(found))
    if best in (0, len(grid) - 1):
        raise ValueError(f"the best value, {grid[best]}, is at the edge of the grid: extend it")
    return grid[best]
    # END SOLUTION


def best_against_best(own_val, rival_val, own, rival):
    # BEGIN SOLUTION
    k_own, k_rival = (int(curves.mean(dim=1).argmax()) for curves in (own_val, rival_val))
    return own[k_own] - rival[k_rival]
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_forms_of_choice_and_comparison(choose, best_against_best):
    import course
    import set6

    found = course.run(choose, (0.05, 0.1, 0.2), [20.0, 22.0, 21.0], name="choose")
    course.ensure(
        course.number(found, "choose") == 0.1, "`choose` returns the value of the grid that has the best score."
    )
    curves = [20 + set6.normal((6, n), n) for n in (4, 5)]
    found = course.run(best_against_best, curves[0], curves[0], curves[1], curves[1], name="best_against_best")
    found = course.array(found, "best_against_best(...)", (5,))
    course.ensure(abs(found).max() < 1e-4, "A method gains nothing over itself.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_edge_of_the_grid(choose):
    import course

    for scores in ([23.0, 22.0, 21.0, 20.0], [20.0, 21.0, 22.0, 23.0]):
        refused = False
        try:
            choose((0.05, 0.07, 0.1, 0.2), scores)
        except ValueError:
            refused = True
        except Exception:
            pass
        course.ensure(
            refused,
            "The best value is at an edge of the grid. The best may lie beyond it: refuse, and extend the grid.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_a_run_that_diverged(choose):
    import course
    import math

    grid = (0.01, 0.02, 0.05, 0.1, 0.2)
    for scores, best in (([math.nan, 20.0, 22.0, 21.0, 19.0], 0.05), ([18.0, 22.0, 21.0, 19.0, math.nan], 0.02)):
        found = course.number(course.run(choose, grid, scores, name="choose"), "choose")
        course.ensure(found == best, "A run that diverged has no score: it can neither win nor hide the others.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_each_method_at_its_own_iteration(best_against_best):
    import course
    import set6

    p = set6.parameters("COURSE_KEY graded")
    own_val, own = (20 + 0.1 * set6.normal((8, n), p.seed + n) for n in (5, 6))
    rival_val, rival = (20 + 0.1 * set6.normal((8, n), p.seed + n) for n in (7, 6))
    for curves, k, size in ((own_val, 2, 3.0), (rival_val, 6, 3.0), (own, 4, 2.0), (rival, 7, 2.0)):
        curves[k] += size
    own[2] += 1.5
    rival[6] += 1.5
    own_val[5, 0] += 9
    found = course.run(best_against_best, own_val, rival_val, own, rival, name="best_against_best")
    found = course.array(found, "best_against_best(...)", (6,))
    each = own.max(dim=0).values
    course.ensure(
        not any(
            course.close(found, own_k - other)
            for own_k in (own[4], each)
            for other in (rival[6], rival[2], rival[-1])
        ),
        "Your own method's iteration is chosen on the test images, the rival's is not. A peak on test images "
        "flatters "
        "whoever is allowed to look for it.",
    )
    course.ensure(
        not course.close(found, own[4] - rival[7]) and not course.close(found, each - rival.max(dim=0).values),
        "The iterations are chosen on the test images. Choose them where nothing is reported.",
    )
    course.ensure(
        not course.close(found, own[2] - rival[2]) and not course.close(found, own[6] - rival[6]),
        "Both are taken at the iteration that suits one of them: then it is time again that is compared.",
    )
    course.ensure(
        not course.close(found, own[-1] - rival[-1]),
        "The last iteration is a fixed iteration: a run may decay after its best.",
    )
    course.ensure(
        not course.close(found, own[5] - rival[6]),
        "One image with a high peak has decided. The mean over images decides.",
    )
    course.ensure(
        course.close(found, own[2] - rival[6]),
        "For each method one iteration, the best of its mean over validation images; then the difference on "
        "each test image.",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# Now the rivals. *Constant* is plug-and-play FISTA, with $\sigma$ to tune. *Falling* is plug-and-play ADMM with
# exact data steps and a noise level that falls from 0.3 to an end, which is to tune. The first grid for each ends
# at 0.075; where your `choose` refuses it, it is extended. A score is the best mean PSNR of a run of 30 iterations
# on the validation images.

# %% tags=["study"]
wide = (0.025, 0.05, 0.075, 0.1, 0.2)
rivals, curves_val, curves_test = {}, {}, {}
ready = not course.is_open(choose((1, 2, 3), [1.0, 2.0, 1.0]))
for name, make in {"constant": set6.plain, "falling": set6.Annealed}.items():
    if ready:
        runs = {value: set6.path(make(value), val, p) for value in wide}
        scores = [float(run.mean(dim=1).max()) for run in runs.values()]
        print(f"{name:9s}", ", ".join(f"{value}: {one:.2f} dB" for value, one in zip(wide, scores)))
        try:
            value = choose(wide[:3], scores[:3])
        except ValueError as error:
            print(f"{'':9s} refused: {error}")
            value = choose(wide, scores)
        print(f"{'':9s} chosen: {value}")
        rivals[name] = make(value)
        curves_val[name], curves_test[name] = runs[value], set6.path(make(value), test, p)

# %% [markdown]
# And the comparison: the shipped $P$ and yours against each rival, at your iteration $k$ and best against best,
# with the worst image. (The settings of the shipped $P$ were tuned on 50 validation images; yours runs at $\sigma =
# 0.1$, which was chosen on validation images for trainings with other seeds.) Below stand two methods in which
# nothing at all was learned: the least-squares image of least norm, which conjugate gradients reach here in one
# iteration, and total variation with a tuned weight. What would a paper say that showed only the column "at k" of
# the rival *constant*?

# %% tags=["study"]
cost = load_benchmark("single_pixel")["timing"]["milliseconds"]
if ready:
    mine = {"shipped P": set6.shipped(), "your P": set6.preconditioned(yours, 0.1)}
    for name, method in mine.items():
        curves_val[name], curves_test[name] = (set6.path(method, part, p) for part in (val, test))
some = torch.arange(3.0)
answers = (paired_gain(some, some), best_against_best(*[torch.ones(2, 2)] * 4))
if ready and not any(map(course.is_open, answers)):
    print(f"{'':24s}     at k = {p.k:2d}     best against best   worst image")
    for own in mine:
        for rival in rivals:
            at_k = paired_gain(curves_test[own][p.k - 1], curves_test[rival][p.k - 1])
            gains = best_against_best(*(c[name] for c in (curves_val, curves_test) for name in (own, rival)))
            best = paired_gain(gains, 0 * gains)
            print(f"{own + ' over ' + rival:24s}{at_k[0]:+7.2f} ± {at_k[1]:.2f}", end="")
            print(f"{best[0]:+11.2f} ± {best[1]:.2f}{float(gains[best[2]]):+14.2f}")
    weights = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16)
    smooth = [set6.total_variation(measure(A, val, p.seed), weight) for weight in weights]
    weight = choose(weights, [float(task.psnr(x, val).mean()) for x in smooth])
    smooth = set6.total_variation(data, weight)
    for name, x in {"least squares": A.A_adjoint(data), "total variation": smooth}.items():
        print(f"{name:24s}{float(task.psnr(x, test).mean()):6.2f} dB")
    print(f"an iteration with shipped P takes {cost['distilled'] / cost['none']:.1f} times as long as one without")

# %% [raw]
# # BEGIN QUESTION
# name: q6
# points: 3

# %% [markdown]
# ## Question 6: a diagnosis and its control (3 points, 20 minutes)
#
# Does $P$ hallucinate? A test that comes to mind: put the lens cap on, so that $y$ is noise alone, and look at the
# *hidden share* of what the solver returns,
#
# $$
# \frac{\lVert (I - A^+A)\, x \rVert}{\lVert x \rVert} ,
# $$
#
# the part of the image that was never measured. (a) Write `hidden_share(x, physics)`, a tensor of shape (N,), for
# every linear operator. (b) Write `added_by_P(y, with_P, without_P, physics)`, where `with_P` and `without_P` are
# functions that make images of data: for each image, what $P$ has added to the hidden share, a tensor of shape
# (N,).

# %% [raw]
# # BEGIN SOLUTION

# %%
def hidden_share(x, physics):
    # BEGIN SOLUTION
    hidden = x - physics.A_dagger(physics.A(x))
    return hidden.flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)
    # END SOLUTION


def added_by_P(y, with_P, without_P, physics):
    # BEGIN SOLUTION
    return hidden_share(with_P(y), physics) - hidden_share(without_P(y), physics)
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_the_share_is_a_share(hidden_share, added_by_P):
    import course
    import set6

    camera, x = set6.Amplified(1.0), set6.normal((4, 1, 16, 16), 1)
    found = course.array(course.run(hidden_share, x, camera, name="hidden_share"), "hidden_share(x, physics)", (4,))
    course.ensure(found.min() >= 0 and found.max() <= 1, "A share of a norm lies between 0 and 1.")
    seen = course.array(
        course.run(hidden_share, camera.A_adjoint(camera.A(x)), camera, name="hidden_share"), "share", (4,)
    )
    course.ensure(seen.max() < 1e-2, "An image in the range of Aᵀ has no hidden part.")
    y, half = camera.A(x), (lambda y: camera.A_adjoint(y) / 2 + 1)
    found = course.array(course.run(added_by_P, y, half, half, camera, name="added_by_P"), "added_by_P(...)", (4,))
    course.ensure(abs(found).max() < 1e-5, "If both functions return the same image, P has added nothing.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_hidden_share_behind_an_amplifier(hidden_share):
    import course
    import set6

    camera, x = set6.Amplified(1.4), set6.normal((4, 1, 16, 16), 2)
    right = (x - camera.A_dagger(camera.A(x))).flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)
    wrong = (x - camera.A_adjoint(camera.A(x))).flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)
    found = course.array(course.run(hidden_share, x, camera, name="hidden_share"), "hidden_share(x, physics)", (4,))
    course.ensure(
        not course.close(found, wrong), "Behind an amplifier AᵀA is no projector. The hidden part is (I - A⁺A) x."
    )
    course.ensure(not course.close(found, right**2), "The share is a ratio of norms, not of their squares.")
    course.ensure(
        course.close(found, right), "The norm of what the camera does not see, over the norm of the image."
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_what_P_added(added_by_P):
    import course
    import set6

    camera = set6.Amplified(1.4)
    y, a, b = (
        camera.A(set6.normal((4, 1, 16, 16), 3)),
        set6.normal((4, 1, 16, 16), 4),
        set6.normal((4, 1, 16, 16), 5),
    )
    given = []

    def with_P(data):
        given.append(data)
        return 2 * camera.A_dagger(data) + 0.9 * a

    def without_P(data):
        given.append(data)
        return camera.A_dagger(data) + 0.3 * b

    def share(x):
        return (x - camera.A_dagger(camera.A(x))).flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)

    first, control = share(2 * camera.A_dagger(y) + 0.9 * a), share(camera.A_dagger(y) + 0.3 * b)
    found = course.array(
        course.run(added_by_P, y, with_P, without_P, camera, name="added_by_P"), "added_by_P(...)", (4,)
    )
    course.ensure(
        not course.close(found, first) and len(given) > 1,
        "The share with P says nothing about P until its control stands beside it: the denoiser may do the "
        "same alone.",
    )
    course.ensure(
        not course.close(found, control - first), "The sign: what P adds is the share with P minus that without."
    )
    course.ensure(
        all(course.close(data, y, 1e-5) for data in given),
        "Both solvers get the same data: the comparison is paired.",
    )
    course.ensure(course.close(found, first - control), "Share with P minus share without P, image by image.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# With your functions: the lens cap on, 16 draws of noise, 20 iterations with the shipped $P$ and with the same
# settings without it. The last row is a control of another kind, the true digits.

# %% tags=["study"]
cap = A.mask * p.cap * set6.normal(test.shape, p.seed + 2)
methods = set6.shipped(), set6.shipped_without()
solvers = [lambda data, method=method: set6.run(method, data, 20)[-1] for method in methods]
if not any(map(course.is_open, (hidden_share(test, A), added_by_P(cap, *[A.A_adjoint] * 2, A)))):
    with_P, without_P = (hidden_share(solve(cap), A) for solve in solvers)
    added = added_by_P(cap, *solvers, A)
    print(f"lens cap, hidden share with P    {with_P.mean():.3f}")
    print(f"lens cap, without P              {without_P.mean():.3f}")
    print(f"added by P                      {added.mean():+.3f} ± {added.std() / len(added) ** 0.5:.3f}")
    print(f"true digits                      {hidden_share(test, A).mean():.3f}")

# %% [raw]
# # BEGIN QUESTION
# name: q7
# manual: true
# points: 4

# %% [markdown]
# ## Question 7: one honest figure (4 points, 30 minutes)
#
# Draw *one* figure that compares the shipped $P$ with its best rival over the whole run, on the 16 test images,
# with error bands that are right for the comparison. Whoever sees nothing but the figure and its caption should not
# be misled about anything that you know by now. The code goes into the code cell, the caption, of about eight
# lines, into the text cell.
#
# You may use all that is above, in particular `rivals`, `curves_val` and `curves_test` (PSNRs of whole runs, filled
# if your `choose` works), and `set6.path(method, images, p, iterations)` for other methods or longer runs.

# %% [raw]
# # BEGIN SOLUTION

# %% tags=["study"]
# BEGIN SOLUTION
rival = max(rivals, key=lambda name: float(curves_val[name].mean(dim=1).max()))
iterations, ratio = range(1, 30), cost["distilled"] / cost["none"]
at = [round(ratio * k) for k in iterations]
own, other = curves_test["shipped P"], set6.path(rivals[rival], test, p, max(at))
gains = torch.stack([own[k - 1] - other[t - 1] for k, t in zip(iterations, at)])
mean, band = gains.mean(dim=1), set6.t_quantile(gains.shape[1] - 1) * gains.std(dim=1) / gains.shape[1] ** 0.5
other_val = set6.path(rivals[rival], val, p, max(at))
stops = [int(curves.mean(dim=1).argmax()) for curves in (curves_val["shipped P"], other_val)]
figure, (upper, lower) = plt.subplots(2, 1, figsize=(7, 6), sharex=True)
upper.plot(at, own.mean(dim=1)[:29], label="shipped P")
upper.plot(range(1, max(at) + 1), other.mean(dim=1), "--", label=f"no P, {rival}")
upper.set_ylabel("mean PSNR (dB)")
upper.legend()
lower.plot(at, mean, label="gain at equal time")
lower.fill_between(at, mean - band, mean + band, alpha=0.3, label="95 %, paired, over images")
lower.plot(at, gains.min(dim=1).values, "k:", label="worst image")
lower.axhline(float((own[stops[0]] - other[stops[1]]).mean()), color="C3", label="best against best")
lower.axhline(0, color="grey", linewidth=0.8)
lower.set_xlabel(f"time (iterations without P; one with P takes {ratio:.1f})")
lower.set_ylabel("shipped P minus rival (dB)")
lower.set_ylim(top=float((mean + band).max()) + 3)
lower.legend(ncols=2, loc="upper right");
# END SOLUTION

# %% [markdown]
# *A caption.* Single-pixel camera, 102 of 1,024 patterns, simulated data with the noise of the training; means over
# 16 test digits of each image's PSNR on [0, 1], whole images, most of whose pixels are black. Rival: ADMM with the
# same denoiser and no P; the end of its falling noise level was chosen on 10 validation images, inside its grid.
# Its run is as long in time as the 30 iterations of P. Lower panel: the gain of the shipped P, image by image; the
# band is the mean ± t (15 degrees of freedom) times the standard error of the paired differences, at each time by
# itself. Best against best: each method at the iteration that is best on validation images. The band is about other
# digits: P is one trained network, so it says nothing about another seed, another camera or other images.
#
# *Rubric.* 1 point, the band: of the *paired differences* at each iteration, over images, with a multiplier that
# the caption states (one or two standard errors or t are all right). Two bands around the two means, which may
# overlap although the gain is certain: half. Standard deviations, or no statement: none. 1 point, the rival: the
# better one of the two by validation, its number inside the grid; no choice on test images. The rival *constant*
# with the argument that it is the book's: half. 1 point, the whole run and the time: all iterations from the first,
# best against best as a number or a line, and that an iteration with P costs more (or an axis of time). Equal
# iterations with the cost stated are as good as equal time. After 30 iterations the rival still rises a little; who
# extends its run until it is level has seen it well. One iteration in a bar chart: none. 1 point, what the reader
# must be told: which average (the mean of the images' PSNRs), how many images, one trained network so that seeds
# are not in the band, simulated data like the training's; labels with units, a line at zero or unclipped axes. Two
# of these missing: half. *Typical answers.* A smooth band taken as one test for all iterations ("significant from k
# = 1 to 30"): allowed only if the caption says that the band holds at each iteration by itself. A figure of the
# PSNR over the foreground in the place of that over the whole image is as good, if it says so.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q8
# manual: true
# points: 4

# %% [markdown]
# ## Question 8: does the teacher matter? (4 points, 25 minutes)
#
# $L_S$ needs no teacher: true images are there in any training. The study of question 3 is on digits at iteration
# 20. Here is a small one on brain slices (MRI, 64 × 64 pixels, a U-Net, 400 training steps, horizon 30): mean PSNRs
# in dB on 24 test slices of one averaged head. For each network $\sigma$ was chosen on 6 validation slices by the
# PSNR at $k = 20$. Runs with one seed share initial weights.
#
# | | seed | $k = 20$ | $k = 100$ |
# |---|---|---|---|
# | $L_S$ | 1 | 28.65 | 22.19 |
# | | 2 | 28.15 | 24.73 |
# | | 3 | 28.88 | 24.28 |
# | $L_G + L_I$ | 1 | 27.89 | 25.60 |
# | | 2 | 28.46 | 25.71 |
# | | 3 | 29.62 | 26.68 |
#
# (a) Give the 95 % intervals over trainings for what $L_G + L_I$ gains over $L_S$, at $k = 20$ and at $k = 100$.
# What is established, and what would 1.96 have made of it? (b) Somebody claims: "the gain of $P$ comes from its
# teacher." What would $L_S$ alone have to show to refute that? Design the experiment that decides whether the
# teacher matters: which rows, what is equal in all of them, what is repeated, how each is tuned and judged, and
# which result would speak for the teacher and which against. (c) A referee writes about question 6: "With the lens
# cap on, four fifths of the norm of what the solver with $P$ returns were never measured, so $P$ hallucinates."
# What do your numbers say?

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) Differences by seed at 20: -0.76, +0.31, +0.74 dB. Their mean is +0.10, its standard error 0.45, and with two
# degrees of freedom the interval is -1.8 to +2.0 dB: not even the sign is known. At 100: +3.41, +0.98, +2.40, mean
# +2.26, standard error 0.70, interval -0.8 to +5.3 dB. All three are positive and large, but a gain over trainings
# is not established at 95 %; 1.96 would have given +0.9 to +3.6 and a claim. It is a reason for more seeds: with
# this spread, six trainings would give about ±1.3 dB. Nor would an established gain show its cause. Iteration 100
# is far beyond the horizon of the training, both have decayed since 20, and $\sigma$ was chosen for 20. Perhaps the
# teacher helps to hold an image; perhaps $L_S$ needs a longer horizon, another $\sigma$, or fading.
#
# (b) To refute the claim, $L_S$ alone would have to gain as much over the best rival without $P$ as the losses with
# a teacher do: the interval for their difference, best against best *and* late in the run, must lie within a margin
# that was named before (0.2 dB, say). An interval that contains zero is no proof of equality; three seeds can hide
# several tenths, and here 2 dB. (A weaker claim, that nothing can be learned without a teacher, falls as soon as
# $L_S$ alone is ahead of that rival; for digits it is.) The experiment: rows $L_S$; $L_G + L_I$; $L_G + L_I + L_S$,
# or $L_G + L_S$; and as controls a solver without $P$, tuned, and a teacher without content (the partner's
# gradients in another order, or a teacher with the student's own patterns). Equal: network, initial weights,
# images, order of batches, number of gradients and time, pool, horizon. For each row by itself, with equal effort
# and on validation images: learning rate, weights of the losses, $\sigma$, fading. Repeated: the seeds, shared by
# the rows so that differences are paired; as many as the wanted precision asks for (with a spread of differences of
# 0.25 dB, ten seeds give ±0.18 dB). More than one camera. Judged: on test images, whole run to several horizons,
# best against best, foreground too, worst image, t interval over seeds. For the teacher speaks that rows with its
# losses are ahead of $L_S$ by more than the margin after $L_S$ was given a longer horizon and fading, and that the
# empty teacher is not. Against it speaks equality within the margin, or an empty teacher that helps as much.
#
# (c) Without $P$, same settings and same noise, the share is nearly as large; it is the denoiser that fills the
# null space, and what $P$ adds is the small paired difference. Of the true digits, too, more than half of the norm
# is hidden, so a large share is no sign of invention. The diagnosis says nothing about $P$ on real data; there the
# image has to be compared with the truth, or with measurements that were kept back.
#
# *Rubric.* (a) 1 point: half for differences seed by seed with the quantile for two degrees of freedom, half for
# the conclusions: neither is established, 1.96 would have claimed the second. "The teacher is worth 2 dB", or "the
# teacher does nothing": none of the second half, for no evidence of a gain is not evidence of none. (b) 2 points:
# half for what refutes (equality within a margin stated before; "not significant" alone gives nothing), half for
# rows with $L_S$ alone and a control, half for equal budget and equal tuning, half for paired seeds, the whole run,
# and what each result would mean. (c) 1 point: half for the control, half for the conclusion that the test does not
# incriminate $P$. *Typical answers.* (b) "Train $L_S$ with more seeds": half a point in all. "Compare the values of
# the losses": nothing; the losses of two trainings are on different states and in different units. (c) "$P$
# hallucinates, but a little", without the denoiser: half.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION
