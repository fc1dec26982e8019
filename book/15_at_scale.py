# %% [markdown]
# (at-scale)=
# # At scale: what do your own data and more machines change, and what must stay?
#
# ```{admonition} Key results
# :class: tip
#
# - **Your own images.** Denoiser, baseline and $P$ must follow the images, in this order. With the denoiser of digits,
#   faces came out worse than the plain back-projection.
# - **More workers.** For nine workers the theory of the noise scale promised more than five times fewer steps. A pair
#   of trainings gained less than half of that.
# - **Half precision.** Only the network bears it. Put around Newton's step, it destroys super-resolution.
#
# All of it was measured on one processor, with workers that take turns. Training on several graphics cards or machines
# is described here and tested with two processes; it was not run at scale.
#
# **Time:** 20 minutes to read, less than one to run. **Before this:** [](distilling), for the losses and the pool; a
# little probability.
# ```
#
# So far everything was small: embedded images of $32 \times 32$ to $128 \times 128$ pixels, one processor. Your own
# images are larger, there are more of them, and perhaps several processors or graphics cards stand ready. What has to
# change with the images, and what breaks in silence if it does not? And what do more machines buy?

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %% tags=["hide-input"]
import copy
import gzip
import struct
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

import ddgp_lib
from ddgp_lib import answers, data, distillation, figures, widgets
from ddgp_lib.checkpoints import WEIGHTS_FOLDER, load_checkpoint
from ddgp_lib.denoisers import load_denoiser
from ddgp_lib.distillation import DistillationRecipe, StatePool
from ddgp_lib.operators import gradient, norms
from ddgp_lib.tables import Column, table
from ddgp_lib.training import SEED_STRIDE

# %% [markdown]
# The two curves below are trainings of the same preconditioner, 150 steps each. One worker uses two states a step; nine
# workers use two states each. Above, the loss stands against the steps, which is the time that a user waits if all
# workers compute at once. Below, it stands against the states that were used, which is what the user pays for. Who is
# ahead?

# %% tags=["hide-input"]
task = ddgp_lib.load_task("single_pixel")
A, A_t = task.student, task.teacher


def loss_of(P, states, supervised=False):
    z, goal = states["z"], states["truth"]
    g = gradient(A, z, states["adjoint_student"])
    d = P(g, ddgp_lib.State(z, states["k"], A, states["y_student"]))
    x = task.denoiser(z - task.stepsize * d, task.sigma)
    with torch.no_grad():
        g_t = gradient(A_t, z, states["adjoint_teacher"])
        if not supervised:
            goal = task.denoiser(z - task.teacher_stepsize * g_t, task.sigma)
    distance = distillation.squared_distance(x, goal)
    return distillation.gradient_loss(d, g_t) + distance, x


# %% tags=["hide-input"]
def train(recipe, workers=1):
    P = distillation.build_preconditioner(recipe, 1, task.img_size)
    options = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    optimiser = torch.optim.AdamW(P.parameters(), **options)
    seeds = [recipe.seed + SEED_STRIDE * rank for rank in range(workers)]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    pools = [StatePool(task, recipe, generator) for generator in generators]
    history = []
    for _ in range(recipe.steps):
        optimiser.zero_grad()
        losses = []
        for pool in pools:
            places, states = pool.draw(recipe.batch_size)
            loss, x = loss_of(P, states)
            (loss / workers).backward()
            pool.put_back(places, x.detach(), x.detach())
            losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(P.parameters(), 1.0)
        optimiser.step()
        history.append(sum(losses) / workers)
    return P, torch.tensor(history), [pool.tensors for pool in pools]


# %% tags=["hide-input", "nbval-ignore-output"]
short = {"batch_size": 2, "pool_size": 20, "parameters": "small"}
short |= {"momentum": "none", "schedule": "constant"}
recipe = DistillationRecipe(steps=150, learning_rate=2e-3, **short)
runs = {workers: train(recipe, workers) for workers in (1, 9)}
histories = {n: history for n, (_, history, _) in runs.items()}
smooth = {n: history.unfold(0, 15, 15).mean(dim=1) for n, history in histories.items()}
ends = {n: history[-45:].mean() for n, history in histories.items()}
for n in smooth:
    print(f"{n} worker(s): loss {ends[n]:.2f} in the last 45 steps,", end=" ")
    print(f"after {2 * n * recipe.steps} states")

# %% tags=["nbval-ignore-output"]
assert ends[9] < 0.95 * ends[1]
assert smooth[1][-1] < 0.7 * smooth[9][0]  # after 300 states of one, and 270 of nine

# %% mystnb={"figure": {"name": "fig-sc-question", "caption": "Training loss of one worker and of nine, with two states each, means over windows of 15 steps. Above: against steps, the time if workers compute at once. Below: against states used, the cost."}, "image": {"alt": "Two panels with two falling curves each. Above, against steps: that of nine workers is smoother and ends a little lower. Below, against states: one worker has fallen further for the few hundred states that it has used, and nine workers need several times as many for the same loss."}} tags=["hide-input", "nbval-ignore-output"]
figure, panels = figures.axes(2, height=2.6)
steps = torch.arange(1, 11) * 15
roles = {"1 worker": "baseline", "9 workers": "distilled"}
look = {"ylabel": "loss", "roles": roles}
curves = dict(zip(roles, smooth.values(), strict=True))
figures.curves(steps, curves, xlabel="steps", ax=panels[0], **look)
spent = {label: 2 * n * steps for label, n in zip(roles, smooth, strict=True)}
look |= {"xscale": "log", "legend": None}
figures.curves(spent, curves, xlabel="states used", ax=panels[1], **look)

# %% [markdown]
# In the end nine workers are ahead of one, and their curve is smoother. But they have not finished nine times as early,
# and for the same number of states the single worker is far ahead. More machines buy time, and pay with states. When is
# that a good bargain? The answer is a number that can be measured, the noise scale of the gradient. Before it come the
# images, without which there is nothing to scale. (One training of each kind is drawn. With two states a step the seed
# matters much: nine workers ended ahead with the few seeds that we tried, by a little or by a factor of two.)
#
# After this chapter you can
#
# 1. put your own images under a task, MNIST, fastMRI and CelebA in their original files included, and name what must
#    change with them and what must not;
# 2. predict the hours and the memory of a training from a few measured steps;
# 3. measure the noise scale of a gradient, and read from it what a larger batch is worth;
# 4. state what several processes compute together, start them with one command, and resume them;
# 5. say which parts of an iteration may run in half precision, and show what happens to the others.
#
# ## How the two trainings were made
#
# A training step of a [distillation](distilling) draws a batch of states, computes a loss, and follows its gradient.
# `loss_of`, in a folded cell above, is the loss {eq}`eq-dn-loss`: $L_G + L_I$, or with `supervised` $L_G + L_S$, where
# the true image takes the place of the teacher's iterate. `train`, in the next cell, is the loop. Here the workers take turns in one
# process; on real machines they work at the same time. Each has a seed of its own, a fixed stride from its
# neighbour's, and so its own images, noise and batches; all follow the mean of their gradients. `backward` adds
# gradients up, so that dividing every loss by the number of workers makes the sum their mean.
#
# With one worker this is the library's training, to rounding. (No momentum in the solver, and a constant learning
# rate.)

# %%
_, by_hand, _ = train(DistillationRecipe(steps=4, **short))
library = ddgp_lib.distill(task, steps=4, progress=False, **short)
total = torch.tensor(library.history["total"])
torch.testing.assert_close(by_hand, total, rtol=1e-3, atol=1e-4)

# %% [markdown]
# ## Your own images: what must change
#
# A `Task` is a set of images, two operators, a denoiser and a few numbers. With new images, some of it must follow.
#
# | part | with your own images |
# |---|---|
# | $A_s$, $A_t$, noise | your instrument; check $\langle A x, y \rangle = \langle x, A^\top y \rangle$ ([](three-cameras)) |
# | projector $I - A^+A$ | must be exact: the null-space form rests on it ([](other-solvers)) |
# | $\alpha = 1/\lVert A_s \rVert^2$ | follows from $A_s$; `load_task` computes it |
# | denoiser $D_\sigma$ | trained on images of your kind, `train_denoiser` |
# | random changes of the images | `augment` turns, stretches and may mirror; `perturbed=0` where that makes impossible images |
# | preconditioner $P$ | distilled with your images, operators and denoiser |
# | $\sigma$, momentum, fading | chosen on your validation images, for the baseline too |
#
# And some must not change: images on the scale $[0, 1]$, since the denoiser is told an absolute $\sigma$; a split by
# person or volume; test images that nobody has looked at while choosing.
#
# The library reads four kinds of files. No data are downloaded, and for two of the sets one has to agree to terms: so
# we write a few small files in the original formats here, and read those. MNIST {cite}`lecun1998gradient` first. Its
# files begin with four numbers of 32 bits, one for the kind of file and three for the shape, and then come bytes:

# %%
place = tempfile.TemporaryDirectory()  # removed when the kernel ends
folder = Path(place.name)


def idx(images):
    return struct.pack(">HBB3I", 0, 8, 3, *images.shape) + images.tobytes()


digits = (255 * task.test_images[:60, 0, 2:30, 2:30]).round().to(torch.uint8).numpy()
(folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(digits[:48])))
(folder / "t10k-images-idx3-ubyte").write_bytes(idx(digits[48:]))
mnist = data.load_mnist(folder)
print(mnist)
brightness = torch.cat([*mnist]).sum(dim=(1, 2, 3)).sort().values

# %%
original = task.test_images[:60].sum(dim=(1, 2, 3)).sort().values
torch.testing.assert_close(brightness, original)

# %% [markdown]
# Of the original files the last 10,000 training images are for validation. The digits that this book embeds, and on
# which its weights were trained, all come from the first 50,000; so with the full set, the shipped weights can be
# judged on images that they have not seen.
#
# Next, pictures in folders. If a folder holds one folder for each person, `load_folder` never divides a person. We
# write the ten views of eight people. CelebA {cite}`liu2015deep` is a folder with a list beside it, in which each line
# names a file and its official part: 0 is training, 1 validation, 2 test.

# %%
people = data.load_faces(88).test.reshape(10, 8, 88, 88)
for view, row in enumerate(people):
    for person, face in enumerate(row):
        path = folder / "faces" / f"person-{person}"
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray((255 * face).round().byte().numpy()).save(path / f"{view}.png")
portraits = data.load_folder(folder / "faces", 32, val=0.15, test=0.25)
print([len(part) for part in portraits])

# %%
assert all(len(part) % 10 == 0 for part in portraits)

# %%
(folder / "img_align_celeba").mkdir()
for number in range(3):
    square = Image.fromarray((255 * people[0, number]).round().byte().numpy())
    file = folder / "img_align_celeba" / f"{number + 1:06d}.jpg"
    square.convert("RGB").resize((178, 218)).save(file)
listed = "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n"
(folder / "list_eval_partition.txt").write_text(listed)
celeba = data.load_celeba(folder, size=64)
print(celeba)

# %% [markdown]
# fastMRI {cite}`zbontar2018fastmri` keeps one volume in one HDF5 file: the complex k-space of its slices, and who it
# was. We write three volumes of our brain slices. The loader transforms k-space back, cuts the oversampled field of
# view to its central square, and divides each volume by its largest magnitude. At a smaller `size` it keeps the field
# of view and takes only the middle of k-space, as a scan at lower resolution would.

# %%
mri = ddgp_lib.load_task("mri")
brains = mri.test_images[:6]
for number, (part, person) in enumerate([("train", "a"), ("train", "b"), ("val", "c")]):
    path = folder / f"singlecoil_{part}" / f"file{number}.h5"
    path.parent.mkdir(exist_ok=True)
    image = torch.complex(*brains[2 * number : 2 * number + 2].unbind(dim=1))
    kspace = np.fft.fft2(np.fft.ifftshift(image, axes=(-2, -1)), norm="ortho")
    with h5py.File(path, "w") as file:
        file["kspace"] = np.fft.fftshift(kspace, axes=(-2, -1))
        file.attrs["patient_id"] = person
volumes, coarse = (data.load_fastmri(folder, size=size) for size in (128, 64))
largest = mri.picture(brains[4:]).max()
torch.testing.assert_close(volumes.test, brains[4:] / largest, rtol=0, atol=1e-5)
print(coarse)

# %% mystnb={"figure": {"name": "fig-sc-files", "caption": "What the loaders return: a digit, a face of the folder and one of the list, and the magnitude of a slice at two resolutions."}, "image": {"alt": "Five pictures: a handwritten digit, a coarse face, a finer face, and a brain slice at 128 and at 64 pixels, the second coarser with the same field of view."}} tags=["hide-input"]
shown = {"MNIST": mnist.test[0], "folder, 32": portraits.test[0]}
shown["CelebA, 64"] = celeba.test[0]
for part in (volumes.test, coarse.test):
    shown[f"fastMRI, {part.shape[-1]}"] = mri.picture(part)[0]
figures.images(shown, columns=3)

# %% [markdown]
# Each loader returns a `Split`, and every task takes one:
# `load_task("mri", images=data.load_fastmri(folder))`. A task refuses images of another shape or on another scale. We
# try that on digits in 0 to 255.

# %%
bytes_by_mistake = data.Split(*(255 * part for part in mnist))
try:
    ddgp_lib.load_task("single_pixel", images=bytes_by_mistake)
except ValueError as error:
    print(error)
own = ddgp_lib.load_task("single_pixel", images=portraits)
assert own.img_size == (1, 32, 32)

# %% [markdown]
# ## What breaks in silence
#
# A wrong scale is refused. Two other mistakes are not, because no program can see them.
#
# *The family of the images.* The task `own` has faces, and still the denoiser and $P$ of digits. We run two denoisers,
# each without and with the digits' $P$, for 20 iterations without momentum, each with the best of four $\sigma$. We
# compare with the back-projection $A^\top y$.

# %%
faces = data.load_faces(32).val[:12]
P_digits = ddgp_lib.load_preconditioner("single_pixel")
y = own.measure(faces)
alien = {"back-projection": float(own.psnr(own.student.A_adjoint(y), faces).mean())}
denoisers = {"digits": own.denoiser, "faces": load_denoiser("super_resolution")}
for kind, D in denoisers.items():
    for P, also in ((None, ""), (P_digits, ", P of digits")):
        tried = []
        for sigma in (0.02, 0.03, 0.05, 0.1):
            options = {"stepsize": own.stepsize, "sigma": sigma, "momentum": "none"}
            x = ddgp_lib.PreconditionedFISTA(D, P, **options)(y, own.student)
            tried.append(float(own.psnr(x, faces).mean()))
        alien[f"denoiser of {kind}{also}"] = max(tried)

# %%
listed = {label: [quality] for label, quality in alien.items()}
head = [Column("PSNR", "dB", best="high")]
table("Faces from 102 numbers each, means over 12 validation faces.", head, listed)

# %%
assert alien["denoiser of digits"] < alien["back-projection"] - 0.3
assert alien["denoiser of digits, P of digits"] < alien["back-projection"] - 2
assert alien["denoiser of faces"] > alien["back-projection"] + 0.8
assert alien["denoiser of faces, P of digits"] < alien["denoiser of faces"]

# %% [markdown]
# With the digits' denoiser both solvers are worse than no solver. With the right denoiser the baseline gains, and
# the digits' $P$ takes some of that away. So the order of work with new images is: denoiser, baseline, and only then
# $P$. Do not expect the data residual to show it: for another camera it did not ({ref}`ex-os-guard`).
#
# *The split.* Ten views of one face look alike. Cut at random, the test set has a near twin of almost every image in
# the training set, and what is measured is memory. Here is how far the nearest training image is, as a share of the
# image's norm, for a split by person and for a random one.

# %%
everyone = data.load_faces(32)
order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
mixed = torch.cat([*everyone])[order]
splits = {"by person": (everyone.train, everyone.test)}
splits["at random"] = mixed[:280], mixed[320:]
twin = {}
for name, (training, test) in splits.items():
    nearest = torch.cdist(test.flatten(1), training.flatten(1)).min(dim=1).values
    twin[name] = float((nearest / norms(test)).median())
    print(f"{name}: median distance {twin[name]:.2f}")

# %%
assert twin["at random"] < 0.75 * twin["by person"]

# %% [markdown]
# The same holds for neighbouring slices of one volume, and for frames of one film. `load_folder` and `load_fastmri`
# therefore divide people and not files, by the hash of their names, so that every machine divides alike.
#
# ## What a step costs
#
# How long will a training take? We predict that of the shipped preconditioner, whose loss is $L_G + L_S$, from a few
# steps. Three things are computed for every state: the network and the denoiser, each forwards and backwards, and
# products with $A^\top A$ and the projector. ($L_I$ calls the denoiser once more, for the teacher.) PyTorch can count
# the multiplications and additions of convolutions and matrix products. It does not count Fourier transforms, which in
# MRI take the place of the matrix products.

# %%
chosen = ddgp_lib.presets.PRESETS["single_pixel"].recipes["distilled"]
network = distillation.build_preconditioner(chosen, 1, task.img_size)
generator = torch.Generator().manual_seed(0)
pool = StatePool(task, DistillationRecipe(pool_size=32), generator)


def take(states, places):
    return {name: tensor[places] for name, tensor in states.items()}


def step(count):
    loss_of(network, take(pool.tensors, slice(count)), supervised=True)[0].backward()


# %%
def flops(compute):
    with FlopCounterMode(display=False) as counter:
        compute()
    return counter.get_total_flops()


def random_image(side, channels=1):
    return torch.rand(1, channels, side, side, requires_grad=channels == 1)


# %%
whole = flops(lambda: step(1))


def network_alone(side):
    network.network(random_image(side, 2)).sum().backward()


def denoiser_alone():
    task.denoiser(random_image(32), task.sigma).sum().backward()


counts = {"network": flops(lambda: network_alone(32))}
counts["denoiser"] = flops(denoiser_alone)
counts["operators"] = whole - sum(counts.values())
table(
    "Multiplications and additions of a training step, for one state.",
    [Column("operations", "millions", digits=1), Column("share", "%", digits=1)],
    {name: [count / 1e6, 100 * count / whole] for name, count in counts.items()},
)

# %%
assert flops(lambda: step(8)) == 8 * whole
assert flops(lambda: network_alone(64)) == 4 * counts["network"]
assert 0 < counts["operators"] < 0.02 * whole
assert 0.6 < counts["network"] / whole < 0.75

# %% [markdown]
# About two thirds go into the network, one third into the denoiser, and next to nothing into the camera. The work is proportional to the batch, and since everything
# large is a convolution, to the number of pixels. Time is nearly so: a fixed part for each step, and a part for each
# state.


# %% tags=["nbval-ignore-output"]
def seconds(count):
    start = time.process_time()
    step(count)
    return time.process_time() - start


timed = {count: min(seconds(count) for _ in range(4)) for count in (4, 32)}
each = (timed[32] - timed[4]) / 28
fixed = max(0.0, timed[4] - 4 * each)
print(f"a step: {1e3 * fixed:.0f} ms and {1e3 * each:.1f} ms a state", end=" ")
print(f"({whole / each / 1e9:.0f} GFLOP/s)")
hours = chosen.steps * (fixed + chosen.batch_size * each) / 3600
print(f"{chosen.steps} steps of {chosen.batch_size}:", end=" ")
print(f"{hours:.2f} hours predicted on this processor,")
shipped_file = WEIGHTS_FOLDER / "single_pixel-distilled.safetensors"
note = load_checkpoint(shipped_file)[1]["metrics"]
print(f"{note['training_seconds'] / 3600:.2f} hours noted in the shipped file")

# %% [markdown]
# The last lines are prediction and fact. (The noted time is that of another machine perhaps, fresh states and
# checkpoints included.) For other sizes, multiply what belongs to a state by the ratio of pixels.
#
# Memory is fixed for the weights, and proportional to batch and pixels for what the backward pass needs. We catch every
# tensor that is kept for it. There is one more item: the pool keeps up to six images for each of its states in the main
# memory, wherever the iterations run.


# %%
def bytes_kept(count):
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss_of(network, take(pool.tensors, slice(count)), supervised=True)
    return sum(tensor.nbytes for tensor in kept.values())


# %%
memory = {count: bytes_kept(count) for count in (1, 2, 8)}
each_state = memory[2] - memory[1]
print(f"kept for the backward pass: {each_state / 2**20:.2f} MiB", end=" ")
print("for each state at 32×32")
assert abs(memory[8] - memory[1] - 7 * each_state) < 0.02 * memory[8]
in_images = (tensor.nbytes for tensor in pool.tensors.values() if tensor.ndim == 4)
assert sum(in_images) == 6 * 32 * 32**2 * 4

# %%
listed = {}
for side, channels in ((32, 1), (128, 2), (320, 2)):
    batch = 32 * each_state * (side / 32) ** 2
    in_pool = 6 * 512 * channels * side**2 * 4
    listed[f"{side} × {side}"] = [batch / 2**30, in_pool / 2**30]
heads = [Column("batch of 32 states", "GiB"), Column("pool of 512 states", "GiB")]
table("Memory beside the weights.", heads, listed, corner="image")

# %% [markdown]
# A batch that does not fit a graphics card can be divided among several. The next section says what that computes.
#
# ## Several workers are one larger batch
#
# Let $\mathcal{L}_i(\theta)$ be the loss of one state, $G_i$ its gradient in $\theta$, and $S_r$ the batch of worker
# $r$, of $B$ states. Every loss of this book is a mean over the batch, so for $W$ workers
#
# $$
# \frac1W \sum_{r=1}^{W} \nabla_\theta \frac1B \sum_{i \in S_r} \mathcal{L}_i
# = \frac{1}{WB} \sum_{i \in S_1 \cup \dots \cup S_W} G_i :
# $$ (eq-sc-parallel)
#
# the mean of the workers' gradients is the gradient of one batch of $WB$ states. The same holds for the step of Adam,
# since it sees the mean alone; it would not hold if each worker took a step of its own. We test
# {eq}`eq-sc-parallel` with the states in which the training with nine workers ended: the gradient of each state alone,
# the mean gradient of each worker's pool, and the gradient of all.


# %%
def gradient_of(P, states, **options):
    parts = torch.autograd.grad(loss_of(P, states, **options)[0], list(P.parameters()))
    return torch.cat([part.flatten() for part in parts])


late, _, pools = runs[9]
states = {name: torch.cat([pool[name] for pool in pools]) for name in pools[0]}
N = len(states["k"])
rows = torch.stack([gradient_of(late, take(states, [i])) for i in range(N)])
whole_batch = gradient_of(late, states)
workers = torch.stack([gradient_of(late, pool) for pool in pools])
tolerance = {"rtol": 1e-3, "atol": 1e-3 * float(whole_batch.abs().max())}
torch.testing.assert_close(rows.mean(dim=0), whole_batch, **tolerance)
torch.testing.assert_close(workers.mean(dim=0), whole_batch, **tolerance)

# %% [markdown]
# ## How much noise the mean removes
#
# A batch is a sample. Let $G = \mathbb{E}\, G_i$ be the true gradient, and $\Sigma$ the covariance of $G_i$. For a
# batch of $B$ independent draws, the batch's gradient $G_B$ has
#
# $$
# \mathbb{E}\, \lVert G_B - G \rVert^2 = \frac{\operatorname{tr} \Sigma}{B}, \qquad
# \mathbb{E}\, \lVert G_B \rVert^2 = \lVert G \rVert^2 + \frac{\operatorname{tr} \Sigma}{B} .
# $$ (eq-sc-noise)
#
# Noise and gradient have equal squared length at the *noise scale* {cite}`mccandlish2018empirical`
#
# $$
# B_\mathrm{noise} = \frac{\operatorname{tr} \Sigma}{\lVert G \rVert^2} .
# $$ (eq-sc-scale)
#
# With the gradients of single states at hand, all of this is algebra with their Gram matrix: a batch is a vector of
# weights $w$, and $\lVert G_B \rVert^2 = w^\top K w$ with $K_{ij} = G_i^\top G_j$. For a moment we take our 180 states
# for the whole population, so that $G$ is their mean and $\operatorname{tr} \Sigma$ the mean of $\lVert G_i \rVert^2$
# less $\lVert G \rVert^2$, and draw 300 batches of each size from them.


# %%
K, equal = (rows @ rows.T).double(), torch.full((N,), 1 / N, dtype=torch.float64)
generator = torch.Generator().manual_seed(0)


def squared(w):
    return ((w @ K) * w).sum(dim=-1)


def batches(size, count=300):
    drawn = torch.randint(N, (count, size), generator=generator)
    one = torch.full(drawn.shape, 1 / size).double()
    return torch.zeros(count, N, dtype=torch.float64).scatter_add_(1, drawn, one)


# %% tags=["nbval-ignore-output"]
true_square = squared(equal)
scale = float((K.diag().mean() - true_square) / true_square)
sizes = [1, 2, 4, 8, 16, 32, 64, 128]
found = [squared(batches(size) - equal).mean() / true_square for size in sizes]
found = torch.stack(found)
along = (K @ equal).var(correction=0) / true_square  # variance along the true gradient
along = float(along / true_square / scale)
print(f"noise scale of these states: {scale:.0f};", end=" ")
print(f"{along:.0%} of the noise lies along the true gradient")
relative = found * torch.tensor(sizes) / scale
assert ((relative - 1).abs() < 0.35).all()
assert 0.05 < along < 0.4

# %% mystnb={"figure": {"name": "fig-sc-law", "caption": "Squared distance of a batch's gradient from the true one, in units of the true gradient's squared length: mean of 300 batches, and the law. The horizontal line is where both have equal length; the law crosses it at the noise scale."}, "image": {"alt": "A falling straight line on logarithmic axes with the measured points on it. It crosses the horizontal line at one where the batch is as large as the noise scale."}} tags=["hide-input", "nbval-ignore-output"]
figures.curves(
    sizes,
    {"measured": found, "law": torch.tensor([scale / size for size in sizes])},
    xlabel="states in a batch",
    ylabel="squared distance, relative",
    xscale="log",
    yscale="log",
    horizontal={"noise = gradient": 1.0},
    vertical={"noise scale": scale},
    legend="above",
)

# %% [markdown]
# The next control shows single batches. Each bar is one batch; its two parts are the shares of the squared length of
# $G_B$ that lie along the true gradient and across it. (A batch that points the other way gets nothing for the first.)
# Only the first part is worth its step. Move the slider: at which size are the bars half and half?


# %%
def shares(size):
    w = batches(size, 6)
    along = (w @ K @ equal).clamp(min=0) / true_square.sqrt()
    return along.square() / squared(w)


shown_shares = {size: shares(size).clamp(0, 1).tolist() for size in sizes}


def bars_of(size):
    parts = {
        f"batch {i + 1}": {"along the true gradient": share, "across": 1 - share}
        for i, share in enumerate(shown_shares[size])
    }
    look = {"xlabel": "share of the squared length", "roles": {"across": "other"}}
    return figures.bars(parts, **look)


# %% tags=["hide-input", "nbval-ignore-output"]
def describe_bars(size):
    mean = sum(shown_shares[size]) / 6
    words = f"On average {mean:.0%} of a bar points along the true gradient."
    return f"Six bars for batches of {size} states. {words}"


slider = {"draw": bars_of, "values": sizes, "label": "States in a batch", "start": 3}
caption = "Six batches of each size: what of a step points along the gradient."
widgets.frames(**slider, alt=describe_bars, caption=caption)

# %% [markdown]
# Somewhat below the noise scale. There, by {eq}`eq-sc-noise`, gradient and noise have the same length. Most of the noise
# is across. The share that was printed lies along the true gradient, since some states call for a longer step than
# others, and it counts for the first part.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**slider)

# %% [markdown]
# ## What a larger batch is worth
#
# A step against $G_B$ with the rate $\eta$ changes the loss, to second order and with the Hessian $H$, on average by
# $-\eta \lVert G \rVert^2 + \tfrac12 \eta^2 (G^\top H G + \operatorname{tr}(H \Sigma)/B)$. With the best rate the gain
# is
#
# $$
# \Delta(B) = \frac{\Delta_{\max}}{1 + B_H / B}, \qquad
# B_H = \frac{\operatorname{tr}(H \Sigma)}{G^\top H G},
# $$ (eq-sc-gain)
#
# and if $H$ is a multiple of the identity, $B_H$ is $B_\mathrm{noise}$. So, if a progress takes one unit of steps
# without noise, it takes $1 + B_\mathrm{noise}/B$ of them with it, and $B + B_\mathrm{noise}$ states in that unit. Far
# below the noise scale, twice the batch halves the steps, and the states cost nothing extra. Far above it, twice the
# batch doubles the states and saves no steps. At the noise scale one pays twice the least for both.
#
# This is a theory of plain gradient descent with the best rate for each batch, without Adam, clipping and a moving pool.
# Where are we on this curve, and does the place change during a training?
# We estimate $B_\mathrm{noise}$ without bias {cite}`mccandlish2018empirical` from two mean squares, for one state and
# for $N$: for our network, and for the shipped one before and after its training. (The loss of the latter is $L_G + L_S$.
# Its states are fresh ones, five iterations on by the network in question.)


# %%
def noise_scale(P, states, **options):
    total, squares = 0.0, []
    for i in range(len(states["k"])):
        row = gradient_of(P, take(states, [i]), **options)
        total = total + row
        squares.append(row.square().sum())
    n, single = len(squares), torch.stack(squares).mean()
    trace = (single - (total / n).square().sum()) * n / (n - 1)
    return float(trace), float(single - trace)  # tr Σ and ‖G‖²


def visited(P, states):
    with torch.no_grad():
        for _ in range(5):
            x = loss_of(P, states, supervised=True)[1]
            states = states | {"x": x, "z": x, "k": states["k"] + 1}
    return states


# %% tags=["nbval-ignore-output"]
stages = {"ours, after 150 steps": noise_scale(late, states)}
seeded = torch.Generator().manual_seed(0)
fresh = StatePool(task, DistillationRecipe(pool_size=N), seeded).tensors
shipped = copy.deepcopy(P_digits).requires_grad_(True)
for name, P in {"shipped, untrained": network, "shipped": shipped}.items():
    stages[name] = noise_scale(P, visited(P, fresh), supervised=True)
found_scales = {}
for name, (trace, square) in stages.items():
    found_scale = f"{trace / square:.0f}" if square > trace / N else f"above {N}"
    found_scales[name] = [f"{trace:.3g}", f"{square:.3g}", found_scale]
heads = ["tr Σ", "‖G‖²", "noise scale (states)"]
table("The noise scale of three networks, from 180 states each.", heads, found_scales)

# %%
ours, untrained, trained = (square / trace for trace, square in stages.values())
B_noise = 1 / ours
assert abs(B_noise * (1 - scale / N) / scale - 1) < 0.01
assert trained < untrained / 4

# %% [markdown]
# Our own network has a larger scale than a moment ago, on the same states. Now they are a sample, and the squared length
# of their mean is corrected for the noise that is still in it. The shipped network began with a scale of a few states
# and ended with one several times as large. (Read the order of magnitude: the estimate from 180 states is uncertain
# where the true gradient is small.) A likely reason: what all states have in common is learned first, and what is left
# differs from state to state. {cite}`mccandlish2018empirical` found a rising scale in many other problems. So a batch
# that is wasteful at the beginning of a training can be right at its end. A learning rate that falls has a similar
# effect as a batch that grows {cite}`smith2018dont`: it averages over more states.
#
# Does {eq}`eq-sc-gain` describe our two trainings? We look for the step at which nine workers have reached the mean
# loss of the single worker's last 45 steps, and compare with what $1 + B_\mathrm{noise}/B$ promises. And what would
# nine workers more save?

# %% tags=["nbval-ignore-output"]
reached = 15 * (1 + int((smooth[9] <= ends[1]).nonzero()[0]))
expected = (1 + B_noise / 2) / (1 + B_noise / 18)
print(f"nine workers need {reached} of 150 steps,", end=" ")
print(f"{150 / reached:.1f} times fewer; promised {expected:.1f}")
saved = 1 - (1 + B_noise / 36) / (1 + B_noise / 18)
print(f"promised for nine more: {saved:.0%} of the steps")

# %% tags=["nbval-ignore-output"]
assert 1 <= 150 / reached < expected / 2
assert 5 < expected < 9
assert 20 < B_noise < 100

# %% [markdown]
# Nine workers are earlier, by far less than nine times, and in the trainings that we have seen by less than is
# promised. One reason is the learning rate: the promise takes the best one for each batch, and ours was the same for
# both. In plain gradient descent with a rate so small that the second-order term does not count, the batch would make no
# difference at all, since the gain is $\eta \lVert G \rVert^2$ for every $B$. Adam lies between, as it divides by the
# size of what it sees, noise included. Clipping and the moving pool may be others, and one training each is few. The
# noise scale tells where returns diminish: the 18 states of nine workers are still below it, and twice as many would
# save about a third of the steps, by this theory. It does not predict the number of steps.
#
# *Which learning rate, then?* A step that is less noisy can be longer. Two rules are in use: in proportion to the batch
# for plain gradient descent {cite}`goyal2017accurate`, in proportion to its square root for Adam
# {cite}`malladi2022sdes`. Neither can hold far above the noise scale, where little noise is left to average, and both
# were found on other problems. The library applies neither. If you add workers, try larger rates, on validation images.
#
# ## Several processes, in one command
#
# `torchrun` starts one process for each worker; Lightning Fabric tells them which device is theirs and passes messages.
# On one machine with two processes, on the processor or with one graphics card each:
#
# ```sh
# pip install ".[scale]"
# torchrun --nproc-per-node 2 -m ddgp_lib train single_pixel --kind distilled --output weights
# torchrun --nproc-per-node 2 -m ddgp_lib train single_pixel --kind distilled --output weights --device cuda
# ```
#
# On two machines with eight cards each, the same line on both, with the address of the first:
#
# ```sh
# torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint first.example:29500 \
#     -m ddgp_lib train mri --kind distilled --output weights --device cuda
# ```
#
# With your own images it is a script of a few lines, `torchrun --nproc-per-node 8 knees.py`. Its denoiser has been
# trained before, in a single process, by `train_denoiser`, and kept with `save_denoiser`. What it writes is read by
# `load_preconditioner("mri", path="knees-distilled.safetensors")`.
#
# ```python
# import ddgp_lib
# from ddgp_lib.data import load_fastmri
# from ddgp_lib.denoisers import load_denoiser
# from ddgp_lib.training import launch
# from ddgp_lib import save_preconditioner
#
# fabric = launch("cuda")
# images = load_fastmri("fastmri", limit=4000)
# task = ddgp_lib.load_task("mri", images=images, denoiser=load_denoiser("mri", "knees.safetensors"))
# found = ddgp_lib.distill(task, fabric=fabric, checkpoint="training.safetensors", steps=20000, batch_size=8)
# if fabric.is_global_zero:
#     save_preconditioner("knees-distilled.safetensors", found, task, "distilled", {})
# ```
#
# Each process draws `batch_size` states from a pool of its own. After the backward pass the gradients are averaged, as
# one vector of 2 MB, then clipped, and every process takes the same step. All begin with the weights of the first. The
# first process alone writes and shows progress. The checkpoint, on a disk that all machines see, holds the pools and
# generators of *all* processes; a resumed training goes on to the same bits, and another number of processes is
# refused, because the pools would not fit.
#
# What was run for this book: two processes on one processor, in the tests. They check that both end with the same
# weights; that the first step follows the mean of the two gradients, computed once more in a single process; that the
# whole training is that of two threads which exchange their vectors; and that it resumes. With a single process
# nothing is exchanged. What was *not* run: a graphics card, and several machines. For the card, a test follows each
# tensor of an iteration without computing it, and finds none left behind; that is all we can say.
#
# One mistake is silent. If all workers have the same seed, they draw the same states, all gradients are equal, and the
# mean of nine is worth one. The library spaces the seeds of its processes by `SEED_STRIDE`. Not every spacing would do:
# PyTorch's generator on the processor uses 32 bits of a seed.


# %%
def first_numbers(seed):
    return torch.rand(4, generator=torch.Generator().manual_seed(seed))


assert torch.equal(first_numbers(0), first_numbers(2**32))
assert not torch.equal(first_numbers(0), first_numbers(SEED_STRIDE))
assert len({float(first_numbers(SEED_STRIDE * rank)[0]) for rank in range(64)}) == 64

# %% [markdown]
# ## Half precision: where the algebra ends
#
# Graphics cards are faster with 16 bits {cite}`micikevicius2018mixed`. In `bfloat16` a number keeps 8 significant bits,
# so rounding changes it by up to $2^{-9}$, two in a thousand. A network bears that. What about the
# identity on which the null-space form rests, $A P(\nabla g; z) = A \nabla g$ ([](when-it-breaks))? PyTorch's
# `autocast` runs convolutions and matrix products in half precision and leaves most of the rest alone. We put it around
# all of $P$, and then around the network in it alone. The library's operators do not let it in: whatever surrounds them,
# they compute in single precision. `Unprotected` takes this protection away, to show what it is for. The gradient and
# the denoiser stay as they are. We measure by how much $P$ changes the step in the measured data,
# $\lVert A (P - R) \nabla g \rVert / \lVert A R \nabla g \rVert$, at an iterate of each task's solver. $R$ is what
# $P$ is without its network: the identity, and for super-resolution Newton's step $R_\lambda$.


# %%
class InHalf(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, *inputs):
        with torch.autocast("cpu", torch.bfloat16):
            return self.module(*inputs).float()


class Unprotected:
    def __init__(self, physics):
        self.physics = physics

    def __getattr__(self, name):
        value = getattr(self.physics, name)
        closed_form = name in ("range_projection", "newton")
        return torch.autocast("cpu", torch.bfloat16)(value) if closed_form else value


class AllInHalf(InHalf):
    def forward(self, grad, state):
        return super().forward(grad, replace(state, physics=Unprotected(state.physics)))


def variants(P):
    mixed = copy.deepcopy(P)
    mixed.network = InHalf(P.network)
    return {"float32": P, "all in bfloat16": AllInHalf(P), "network alone": mixed}


# %%
def changed(here, P, point, y):
    A = here.student
    with torch.no_grad():
        g, state = gradient(A, point, A.A_adjoint(y)), ddgp_lib.State(point, 3, A, y)
        base = getattr(P, "module", P).base(g, state)
        return float((norms(A.A(P(g, state) - base)) / norms(A.A(base))).mean())


# %% [markdown]
# Beside it stands the PSNR after ten iterations, with the settings that were tuned for $P$, over eight test images, two
# for MRI.

# %% tags=["nbval-ignore-output"]
precision = {}
for here in (task, mri, ddgp_lib.load_task("super_resolution")):
    options = ddgp_lib.load_tuning(here.name)["distilled"]["setting"]
    options = options | {"stepsize": here.stepsize, "max_iter": 10}
    truth = here.test_images[: 2 if here is mri else 8]
    y, solver = here.measure(truth), ddgp_lib.load_solver(here.name, task=here)
    *_, (_, point) = solver.iterates(y, here.student, 3)
    for kind, P in variants(ddgp_lib.load_preconditioner(here.name)).items():
        method = ddgp_lib.PreconditionedFISTA(here.denoiser, P, **options)
        *_, (x, _) = method.iterates(y, here.student)
        quality = float(here.psnr(x, truth).mean())
        precision[here.name, kind] = changed(here, P, point, y), quality

# %% tags=["nbval-ignore-output"]
listed = {}
for (name, kind), (change, quality) in precision.items():
    listed[f"{name.replace('_', '-')}, {kind}"] = [f"{change:.0e}", quality]
heads = ["change in the data", Column("PSNR", "dB")]
caption = "Three ways to compute the same preconditioner, after ten iterations."
table(caption, heads, listed)

# %%
for name in ("single_pixel", "mri", "super_resolution"):
    exact, rounded, mixed = (precision[name, kind] for kind in variants(P_digits))
    assert abs(mixed[1] - exact[1]) < 0.1
    assert mixed[0] < 1.5 * exact[0] + 1e-6
    assert (rounded[1] < 0) == (name == "super_resolution")
    assert (rounded[0] > 1000 * exact[0]) == (name == "single_pixel")

# %% [markdown]
# (For super-resolution modes below a few hundredths of $\lVert A \rVert$ count as null space, so that the change is
# not zero in single precision either; see [](super-resolution).)
#
# *Single-pixel.* The projector is two matrix products, and they are rounded. The identity is off by about ten
# thousand times as much as in single precision. At this noise the PSNR does not notice; with better data it could.
#
# *MRI.* The projector is a Fourier transform, and `autocast` does not touch those. Nothing happens.
#
# *Super-resolution.* The reconstruction is destroyed. Newton's step divides by weak eigenvalues. It is computed as
# $\nabla g/\lambda$ less almost the same, by matrix products, and what rounding leaves of that difference is of the
# size of $2^{-9}/\lambda$ times the gradient. Here $\lambda$ is a thousandth: the error is larger than the gradient
# itself, in every step anew.
#
# The remedy is in the last row of each camera. The network alone runs in half precision, where most of the work is;
# projectors and Newton's step stay in single precision. Then every identity holds as before. The
# library trains and runs in single precision throughout. Whoever puts `autocast` around a solver gets the last row: the
# networks in half precision, the operators not. An operator of one's own should be asked for the change in the data.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 15_at_scale
# ```
#
# ## Exercises
#
# ```{exercise} Unequal workers
# :label: ex-sc-unequal
#
# A fast card takes 24 states and a slow one 4. (a) Is the mean of their two gradients that of the 28 states? With which
# weights, the fast card's first, would it be? (b) And if the loss is a *sum* over the batch instead of a mean? (c) Check (a) with two pieces of
# `rows`.
# ```

# %%
answer = None  # (a): put the two weights here, as a tuple
answers.check("ex-sc-unequal", answer)

# %% tags=["hide-cell"]
fast, slow, both = (part.mean(dim=0) for part in (rows[:24], rows[24:28], rows[:28]))
nearly = {"rtol": 1e-3, "atol": 1e-3 * float(both.abs().max())}
torch.testing.assert_close((24 * fast + 4 * slow) / 28, both, **nearly)
assert ((fast + slow) / 2 - both).norm() > 0.05 * both.norm()

# %% [markdown]
# ```{solution} ex-sc-unequal
# :class: dropdown
#
# (a) No: it counts each of the four states six times as much as one of the 24. The weights are $24/28$ and $4/28$.
# (b) The sum of the two gradients is then that of all 28, with no weights, but the mean that Fabric and others take is
# half of it, and with another number of workers another multiple: a learning rate that depends on the machine. (c)
# The cell above.
# ```
#
# ```{exercise} Clip first?
# :label: ex-sc-clip
#
# The training averages, and then clips to norm 1. Suppose that each of nine workers clips its gradient before they are
# averaged. (a) Bound the norm of the result. (b) Compute for the nine worker gradients of `workers`, and for single
# states, `rows`, the cosine between the mean of the clipped ones and the mean gradient. What is the direction of
# the former biased to?
# ```

# %% tags=["hide-cell", "nbval-ignore-output"]
clipped = {}
for name, gradients in (("nine workers", workers), ("single states", rows)):
    factors = 1 / norms(gradients).clamp(min=1)
    mean = factors @ gradients / len(gradients)
    cosine = torch.cosine_similarity(mean, whole_batch, dim=0)
    clipped[name] = float(cosine), float(mean.norm())
    print(f"{name}: cosine {clipped[name][0]:.2f}, norm {clipped[name][1]:.2f}")
assert clipped["single states"][0] < clipped["nine workers"][0] - 0.05
assert clipped["single states"][1] < clipped["nine workers"][1] < 1

# %% [markdown]
# ```{solution} ex-sc-clip
# :class: dropdown
#
# (a) It is at most 1, by the triangle inequality, and smaller the more the gradients disagree. (b) If all are longer
# than 1, the result is the mean of *directions*: every worker has one vote, and a state with a short gradient counts
# as much as one with a long one. The smaller the batches, the larger the difference. Average first, then clip.
# ```
#
# ```{exercise} The noise scale for nothing
# :label: ex-sc-free
#
# Workers exchange their gradients anyway. (a) From the mean of the squared norms of $W$ worker gradients, each of $B$
# states, and the squared norm of their mean, derive unbiased estimates of $\operatorname{tr} \Sigma$ and $\lVert G
# \rVert^2$. (b) Evaluate them for `workers`, and again for 200 random divisions of the 180 states into nine. How
# reliable is a single step?
# ```

# %% tags=["hide-cell", "nbval-ignore-output"]
estimates = []
for _ in range(200):
    w = torch.zeros(9, N, dtype=torch.float64)
    w.scatter_(1, torch.randperm(N, generator=generator).reshape(9, 20), 1 / 20)
    mean_square = squared(w).mean()
    trace = 20 * 9 / 8 * (mean_square - squared(w.mean(dim=0)))
    estimates.append((float(trace), float(mean_square - trace / 20)))
traces, squares = torch.tensor(estimates).T
estimate = traces.mean() / squares.mean()
print(f"noise scale from 200 divisions: {estimate:.0f}, directly {B_noise:.0f}")
print(f"tr Σ from one step: within {traces.std() / traces.mean():.0%}")
assert abs(traces.mean() / squares.mean() / B_noise - 1) < 0.2

# %% [markdown]
# ```{solution} ex-sc-free
# :class: dropdown
#
# (a) By {eq}`eq-sc-noise` the mean of the squares has the expectation $\lVert G \rVert^2 + \operatorname{tr}\Sigma /
# B$ and the square of the mean $\lVert G \rVert^2 + \operatorname{tr}\Sigma / WB$. Their difference times $BW/(W-1)$
# estimates the trace; subtracted again, divided by $B$, it leaves $\lVert G \rVert^2$. (b) The cell above: averaged
# over divisions it agrees with the direct estimate. One step alone is uncertain, so average both numbers over steps,
# and divide then.
# ```
#
# ```{exercise} Hours
# :label: ex-sc-hours
#
# You have fastMRI at $320 \times 320$, two channels, and a card that sustains $10^{13}$ operations per second on
# this network. Predict the hours of 20,000 steps of 32 states from `whole`, the operations of a state with $L_G + L_S$ at
# $32 \times 32$, and for four such cards with 8 states each. What is neglected?
# ```

# %%
answer = None  # hours on one card
answers.check("ex-sc-hours", answer)

# %% [markdown]
# ```{solution} ex-sc-hours
# :class: dropdown
#
# A state costs `whole` times 100, for the pixels; the channels matter in the first and last layers only. Multiply by
# 32 states and 20,000 steps, divide by $10^{13}$: about half an hour, and a quarter of it on four cards.
# Neglected are the Fourier transforms, the fixed time of a step, fresh states that are made on the processor, moving
# states to and from the card, validation, and the exchange of gradients. Any of these can be the largest on a fast
# card: measure a hundred steps.
# ```

# %% [markdown]
# ## Recap
#
# - With new images the denoiser, the baseline's settings and $P$ must follow, in this order. With the wrong denoiser
#   the solvers were worse than the back-projection. The scale $[0, 1]$ and a split by person must stay.
# - A training costs (operations of a state) × (states) × (pixels). About two thirds are the network's, one third the
#   denoiser's.
# - The mean of the gradients of $W$ workers is the gradient of a batch $W$ times as large, as long as every loss is a mean
#   and all batches are equal.
# - Its noise falls as $1/B$. In theory, larger batches pay up to the noise scale: a few states before a training, a few
#   tens after one, be it our short one or the shipped one. Our pair of trainings gained less than half of it.
# - One command runs it in several processes, each with its own states and seed; a checkpoint holds all of them.
# - In half precision only the network is safe. An operator's identities can fail a little, not at all, or completely.
#
# ## Further reading
#
# {cite}`mccandlish2018empirical` introduce the noise scale and measure it from images to games;
# {cite}`shallue2019measuring` compare steps and batch sizes over many problems and caution against simple rules.
# {cite}`goyal2017accurate` is the linear rule with its warm-up, {cite}`malladi2022sdes` the square root for Adam,
# {cite}`smith2018dont` the exchange of rate and batch. How PyTorch averages gradients is in {cite}`li2020pytorch`,
# mixed precision in {cite}`micikevicius2018mixed`. The two large data sets are {cite}`zbontar2018fastmri` and
# {cite}`liu2015deep`.
