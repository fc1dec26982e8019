# %% [markdown]
# (your-own-camera)=
# # Your own camera: what must you write, and which gain may you believe?
#
# The three cameras of this book came with everything. Yours will not. This chapter starts with an operator of deepinv
# and a folder of pictures, and goes the whole way: a task, checks, a teacher, a training, a file, tuned rivals, and a
# verdict. The camera is a photographer's: it shook while the shutter was open. No chapter has prepared its numbers, and
# the verdict is what came out.
#
# After this chapter you can
#
# 1. make a task of two linear operators, a folder and a denoiser, in ten lines;
# 2. check an operator before anything is trained on it, and say what counts as hidden;
# 3. train, save and load a preconditioner of your own, and tune it with the command line;
# 4. name the methods without training that it has to beat, and compare with paired errors;
# 5. find where the model of the camera ends, and measure what that costs.

# %% tags=["remove-cell", "colab-install"]
import subprocess
import sys

if "google.colab" in sys.modules:
    library = "ddgp_lib[notebooks] @ git+https://github.com/OWNER/REPOSITORY"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", library], check=True)

# %%
import tempfile
from pathlib import Path

import torch
from deepinv.physics import Blur, BlurFFT, GaussianNoise
from PIL import Image

import ddgp_lib
from ddgp_lib import answers, checks, data, figures, widgets
from ddgp_lib.operators import measure, newton, norms, null_projection
from ddgp_lib.presets.deblurring import exposed, shaken_path

# %% [markdown]
# ## The question in one picture
#
# While the shutter is open, the image wanders over the sensor. Each pixel collects the mean of what passed over it. So
# the photograph is a convolution of the sharp image with the trace of the path, the kernel $h$, and
#
# $$
# y = h * x + w, \qquad \hat y(f) = \hat h(f)\, \hat x(f) + \hat w(f) .
# $$ (eq-yc-blur)
#
# The path here is 15 pixels long. It turns smoothly at random, with a fixed seed. Open the shutter for a shorter time,
# and only the middle of the path is traced. That is the teacher: the same hand, and 0.3 of the exposure. A real camera
# would pay for it with less light and more noise. The teacher exists only in training, and keeps the noise of 0.01.

# %%
path = shaken_path(15.0, seed=0)
trace, short_trace = exposed(path), exposed(path, 0.3)
noise = {"noise_model": GaussianNoise(0.01, rng=torch.Generator().manual_seed(0))}
student = BlurFFT((1, 64, 64), filter=trace[None, None], **noise)
teacher = BlurFFT((1, 64, 64), filter=short_trace[None, None], **noise)

# %% mystnb={"figure": {"name": "fig-yc-question", "caption": "A held-out face, the trace of the path, and what student and teacher see. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Four pictures. A face. A curved bright line on black, the kernel. The face smeared along the curve, features hardly to be told. The face with a slight smear, features recognisable."}} tags=["hide-input"]
faces = data.load_faces(64).test
seen = {"student": measure(student, faces[:1], 0), "teacher": measure(teacher, faces[:1], 0)}
figures.images({"face": faces[0], "path": trace / trace.max()} | {k: v[0] for k, v in seen.items()})

# %% [markdown]
# Can the sharp face be had from the smeared one? The path is known, so much can be undone by division. The question of
# this chapter is what a learned $P$ adds to that. The control shows the trace and the photograph for several
# exposures.


# %% tags=["hide-input"]
def draw_exposure(share):
    kernel = exposed(path, share)
    camera = BlurFFT((1, 64, 64), filter=kernel[None, None])
    side = torch.zeros(1, 19, 19)
    first = 9 - len(kernel) // 2
    side[0, first : first + len(kernel), first : first + len(kernel)] = kernel / kernel.max()
    return figures.images({"path": side, "photograph": camera.A(faces[:1])[0]})


def describe_exposure(share):
    camera = BlurFFT((1, 64, 64), filter=exposed(path, share)[None, None])
    weak = float((camera.mask < 0.3).float().mean())
    return f"The trace of {share:g} of the exposure, and a face smeared by it. {weak:.0%} of the modes are below 0.3."


slider = {
    "draw": draw_exposure,
    "values": (0.05, 0.1, 0.3, 0.6, 1.0),
    "label": "Share of the exposure",
    "start": 4,
    "dpi": 90,
}
widgets.frames(**slider, alt=describe_exposure, caption="Face: ORL database, AT&T Laboratories Cambridge.")

# %% [markdown]
# In a live kernel, the next cell draws the same; try another seed in `path`.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**slider)

# %% [markdown]
# ## Ten lines from a folder to a task
#
# A *task* is a student, a teacher, images in three parts, a denoiser and its $\sigma$. Step sizes follow from the
# operators. Your pictures lie in a folder, one folder in it for each person or scene. We write such a folder first, from
# the faces of eight people.

# %%
place = tempfile.TemporaryDirectory()  # removed when the kernel ends
folder = Path(place.name)
for number, face in enumerate(data.load_faces(88).test):
    file = folder / "pictures" / f"person-{number % 8}" / f"{number // 8}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((255 * face[0]).round().byte().numpy()).save(file)

# %% [markdown]
# Now the task. `load_folder` keeps each person in one part ([](at-scale) says why). The denoiser was trained on other
# people's faces; for other pictures, train one first.

# %%
pictures = data.load_folder(folder / "pictures", 64, val=0.15, test=0.25)
denoiser = ddgp_lib.load_task("super_resolution").denoiser
mine = ddgp_lib.make_task(student, teacher, pictures, denoiser, sigma=0.03, name="shaken")
print(mine)
assert mine.img_size == (1, 64, 64)
assert abs(mine.stepsize - 1) < 1e-4

# %% [markdown]
# ## Check first
#
# Two checks cost a second and save a training: is `A_adjoint` the adjoint of `A`, and is the step below $2/\lVert A
# \rVert^2$?

# %%
shape = (2, 1, 64, 64)
for physics in (mine.student, mine.teacher):
    assert checks.check_adjoint(physics, shape) < 1e-5
checks.check_stepsize(mine.stepsize, mine.student, shape)

# %% [markdown]
# They pass, as deepinv is tested. Your own code may not be. A classic: the adjoint of a blur turns the kernel by 180
# degrees, and who forgets that gets images that look quite right.


# %%
class Careless(BlurFFT):
    def A_adjoint(self, y, **kwargs):  # noqa: N802
        return self.A(y)


try:
    checks.check_adjoint(Careless((1, 64, 64), filter=trace[None, None]), shape)
except checks.CheckFailed as failure:
    print(failure)

# %% [markdown]
# ## What does this camera hide?
#
# {eq}`eq-yc-blur` multiplies each frequency by $\hat h(f)$, so the singular values are $\lvert \hat h(f) \rvert$. They
# are 1 at most, since the kernel is a mean.

# %% mystnb={"figure": {"name": "fig-yc-spectrum", "caption": "Singular values of student and teacher in falling order, and the relative threshold of this chapter."}, "image": {"alt": "Two falling curves on a logarithmic axis. The student's drops below 0.3 after about a tenth of the modes, the teacher's after about a third. Neither reaches zero."}} tags=["hide-input"]
size = {name: A.mask.abs()[..., 0].flatten() for name, A in (("student", student), ("teacher", teacher))}
figures.spectrum(size, roles={"student": "baseline", "teacher": "teacher"})

# %%
for name, values in size.items():
    weak = [float((values < bound).float().mean()) for bound in (0.3, 0.1, 0.01)]
    print(f"{name}: condition number {float(values.max() / values.min()):.0f};", end=" ")
    print(", ".join(f"{share:.0%} below {b}" for share, b in zip(weak, (0.3, 0.1, 0.01), strict=True)))
assert size["student"].min() > 1e-3
assert (size["student"] < 0.3).sum() > 1.2 * (size["teacher"] < 0.3).sum()

# %% [markdown]
# The teacher is better conditioned by a factor of four, and a third of its modes are strong instead of a tenth. But no
# value is zero. To the letter, this camera has no null space, and that matters: in the null-space form
# {eq}`eq-null-space-form` the network would be projected onto nothing.

# %%
x = faces[:2]
silenced = float((norms(null_projection(mine.student, x)) / norms(x)).max())
task = ddgp_lib.load_task("deblurring")
A, noisy = task.student, task.measure(task.test_images)
hidden = float((norms(null_projection(A, x - x.mean())) / norms(x - x.mean())).mean())
print(f"share of a face in the null space: {silenced:.0e} for BlurFFT, {hidden:.2f} with a threshold of {A.rtol}")
assert silenced < 1e-3
assert 0.1 < hidden < 0.9

# %% [markdown]
# What is hidden is a choice: what the noise hides. Where $\lvert \hat h \rvert = 0.3$, division makes a noise of 0.01
# into one of 0.03, about what the denoiser is told. So the preset `deblurring`, a file of the library, is the same
# camera with one more method: `range_projection`, which counts modes from 0.3 on as seen. It is the only thing
# about this camera that deepinv did not have. From here on `task` is this preset, with all 280 training faces.
#
# ## The rivals that learn nothing
#
# Over `no P`, any method shines that divides by $\hat h$ in some way. So the bar is set by the best methods without a
# preconditioner to train. The damped Newton step is one. With $\lVert A \rVert = 1$,
#
# $$
# z - R_\lambda \nabla g(z) = (A^\top A + \lambda I)^{-1} (A^\top y + \lambda z)
# = \operatorname*{argmin}_u\ \tfrac12 \lVert A u - y \rVert^2 + \tfrac{\lambda}{2} \lVert u - z \rVert^2 :
# $$ (eq-yc-prox)
#
# PnP with Newton's step and no momentum *is* half-quadratic splitting with an exact data step {cite}`zhang2022plug`.

# %%
lam, z, y = 0.03, faces[:2], noisy[:2]
step = z - newton(A, A.A_adjoint(A.A(z) - y), lam)
prox = A.prox_l2(z, y, 1 / lam)
assert (norms(step - prox) < 1e-4 * norms(prox)).all()

# %% [markdown]
# Second, the schedule that is usual for this splitting: $\sigma$ falls geometrically from iteration to iteration, and
# $\lambda = c\, \sigma_w^2 / \sigma^2$ follows it.


# %%
def annealed(y, c, first, last, count=20):
    x = back = A.A_adjoint(y)
    for sigma in torch.logspace(torch.tensor(first).log10(), torch.tensor(last).log10(), count).tolist():
        damping = c * 0.01**2 / sigma**2
        with torch.no_grad():
            x = denoiser(newton(A, back + damping * x, damping), sigma)
    return x


# %% [markdown]
# Third, no network at all: total variation {cite}`rudin1992nonlinear`, $\tfrac12 \lVert A x - y \rVert^2 + \mu \lVert D x
# \rVert_{2,1}$ with the differences $D x$ of neighbours, by 100 iterations of ADMM. Every step is a closed form, as $A$
# and $D$ are both convolutions.


# %%
def slope(x):
    return torch.stack([x.roll(-1, -1) - x, x.roll(-1, -2) - x])


def slope_adjoint(d):
    return d[0].roll(1, -1) - d[0] + d[1].roll(1, -2) - d[1]


point = torch.zeros(1, 1, 64, 64)
point[..., 0, 0] = 1
transfer, laplace = (torch.fft.fft2(f) for f in (A.A(point), slope_adjoint(slope(point))))


# %%
def total_variation(y, mu):
    rho = 10 * mu
    x = back = A.A_adjoint(y)
    d = dual = torch.zeros_like(slope(x))
    for _ in range(100):
        right = torch.fft.fft2(back + rho * slope_adjoint(d - dual))
        x = torch.fft.ifft2(right / (transfer.abs() ** 2 + rho * laplace.real)).real
        v = slope(x) + dual
        length = v.norm(dim=0, keepdim=True).clamp_min(1e-12)
        d = v * (1 - mu / (rho * length)).clamp_min(0)
        dual = v - d
    return x


# %% [markdown]
# Each has parameters, and they are chosen on validation images. The library tunes the kinds of a preset, with one grid
# for all; here we choose for the last two, on twelve faces.

# %%
val = task.val_images[:12]
y_val = task.measure(val)


def best(method, *grid):
    scores = {setting: float(task.psnr(method(y_val, *setting), val).mean()) for setting in grid}
    chosen = max(scores, key=scores.get)
    print(f"{method.__name__}: {chosen}, {scores[chosen]:.2f} dB on validation faces")
    return chosen


# %%
weight = best(total_variation, (5e-4,), (1e-3,), (2e-3,))
schedule = best(annealed, *((c, first, 0.015) for c in (0.2, 0.3, 0.5) for first in (0.1, 0.2)))
assert weight == (1e-3,)  # inside the grid
assert schedule[0] == 0.3

# %% [markdown]
# ## A training, live
#
# `distill` takes any task. Here are 80 steps of a small network in the null-space form, with the teacher's direction
# $L_G$ and the true image $L_S$ as losses. And once more the same states and batches with a learning rate of nearly
# zero: a network that stands still.

# %%
options = {"form": "null_space", "parameters": "small", "momentum": "none"}
options |= {"losses": {"gradient": 1.0, "supervised": 1.0}, "steps": 80, "batch_size": 8, "pool_size": 32}
runs = {
    name: ddgp_lib.distill(task, learning_rate=rate, progress=False, **options)
    for name, rate in (("learns", 5e-3), ("stands still", 1e-9))
}
L = {name: torch.tensor(run.history["total"]).unfold(0, 8, 8).mean(dim=1) for name, run in runs.items()}
for name, values in L.items():
    print(f"{name}: loss {values[0]:.1f} in the first eight steps, {values[-2:].mean():.1f} in the last 16")

# %% mystnb={"figure": {"name": "fig-yc-training", "caption": "Training loss of a network that learns and of one that does not, on the same states; means of eight steps."}, "image": {"alt": "Two falling curves, together at first; in the end the one that learns is a little lower."}} tags=["hide-input", "nbval-ignore-output"]
look = {"xlabel": "step", "ylabel": "loss", "roles": {"learns": "distilled", "stands still": "baseline"}}
figures.curves(torch.arange(1, 11) * 8, L, **look)

# %%
falls = {name: 1 - float(values[-2:].mean() / values[0]) for name, values in L.items()}
assert falls["learns"] > 0.2
assert L["learns"][-2:].mean() < 0.99 * L["stands still"][-2:].mean()

# %% [markdown]
# The loss falls by a third, and most of that is not learning. The pool's states grow older, and older states are
# nearer to the truth. What was learned is the gap between the two curves, so far a few per cent. Have such a second curve
# drawn before you believe a first one.
#
# What was trained goes into a file, and comes back by the file's name alone: the file says what it is. The same numbers
# come out, to the last bit.

# %%
file = folder / "mine.safetensors"
ddgp_lib.save_preconditioner(file, runs["learns"], task)
P = ddgp_lib.load_preconditioner(file)
run = {"stepsize": task.stepsize, "sigma": 0.03, "momentum": "none", "max_iter": 5}
trained = runs["learns"].preconditioner
before, after = (ddgp_lib.PreconditionedFISTA(denoiser, Q, **run)(y, A) for Q in (trained, P))
assert torch.equal(before, after)
print(f"{file.stat().st_size / 1e3:.0f} kB, {sum(w.numel() for w in P.parameters()):,d} weights")

# %% [markdown]
# The shipped one has the form of Newton's step plus a network in what is hidden, $R_\lambda \nabla g + (I - A^+A)
# N_\theta$. It took 1,800 steps of 8 states, four minutes of a processor that has nothing else to do.
#
# ## Tuning and verdict
#
# `python -m ddgp_lib tune deblurring` has chosen $\sigma$, the momentum and the fading for every kind, from 48 settings
# each, on twelve validation faces; the baseline and Newton too. Here are the settings, and the mean over all 80 test
# faces after 20 iterations. All methods see the same noise.

# %%
kinds = {"no P": "none", "Newton": "newton", "distilled": "distilled"}
truth = task.test_images
found = {name: ddgp_lib.load_solver(task, kind)(noisy, A) for name, kind in kinds.items()}
found |= {"annealed": annealed(noisy, *schedule), "total variation": total_variation(noisy, *weight)}
quality = {name: task.psnr(x, truth) for name, x in found.items()}
for name, kind in kinds.items():
    print(f"{name:10s}", ddgp_lib.load_tuning(task)[kind]["setting"])

# %% [markdown]
# The error of a mean over faces is mostly that some faces are harder than others, for all methods alike. A
# difference between two methods is known better: it is taken face by face, and the standard error is that of the 80
# differences. We take differences from the best method that learns no $P$.


# %%
def mean_and_error(values):
    return float(values.mean()), float(values.std() / len(values) ** 0.5)


rivals = {name: values for name, values in quality.items() if name != "distilled"}
champion = max(rivals, key=lambda name: float(rivals[name].mean()))
gain = {name: mean_and_error(values - quality[champion]) for name, values in quality.items()}
print(f"{'':17s}{'PSNR (dB)':>11s}{'worst':>8s}   less {champion}")
for name, values in sorted(quality.items(), key=lambda pair: float(pair[1].mean())):
    difference = "" if name == champion else f"{gain[name][0]:+.2f} ± {gain[name][1]:.2f}"
    print(f"{name:17s}{float(values.mean()):11.2f}{float(values.min()):8.2f}   {difference}")
