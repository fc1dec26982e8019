# %% [markdown]
# (super-resolution)=
# # Super-resolution: what does algebra recover, and does learning add to it?
#
# A camera blurs a face of $64 \times 64$ pixels and keeps one pixel in sixteen. To enlarge the small image again is
# the third task of this book, and the one where $A A^\top \neq I$: some modes are silent, others are only weak. Weak
# modes need no teacher. Algebra recovers them, and a comparison that leaves the algebra out gives its gain to the
# network. This chapter writes the operator down in Fourier space, takes Newton's step as the method to beat, and asks
# whether a distilled preconditioner adds anything to *that*. The answer may be no.
#
# ```{note}
# **Time:** 14 minutes of reading, less than a minute of computing. **Before this:** [linear
# preconditioners](linear-preconditioners), for Newton's step, and the [single-pixel camera](single-pixel). **After it**
# you can
#
# 1. write blur and decimation, their pseudo-inverse and their projectors with a few FFTs;
# 2. tell what is lost to aliasing from what is lost to blur;
# 3. choose a baseline that does not let the network take the credit for a linear system;
# 4. find the frequencies at which a learned preconditioner helps, if any;
# 5. say what noise, another kind of image, a wrong blur and a border that is not periodic do to the result.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import math

import torch
from torch.fft import fft2, ifft2
from torch.nn import functional

import ddgp_lib
from ddgp_lib import answers, figures, widgets, wipes
from ddgp_lib.data import load_portraits
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments import load_benchmark
from ddgp_lib.experiments.seeds import gain as gain_of
from ddgp_lib.experiments.seeds import rivals_of, values_of
from ddgp_lib.experiments.statistics import t_quantile
from ddgp_lib.experiments.study import load_study
from ddgp_lib.experiments.verdicts import (
    lead,
    over_rivals,
    reference_of,
    strongest,
    title_of,
    told,
    verdict,
)
from ddgp_lib.operators import FourierDownsampling, measure, newton, norms
from ddgp_lib.preconditioners import Newton
from ddgp_lib.tables import Column, table

# %% tags=["hide-input"]
measured = load_benchmark("super_resolution")["seeds"]
classical = reference_of(measured)
rival = strongest(measured, rivals_of(measured))

# %% [markdown]
# **Key results**, on all held-out faces after 20 iterations, with 95 % intervals:

# %% tags=["hide-input"]
others = {"none": "the same solver without P", "newton": "Newton's step"}
others[classical] = f"{title_of(classical)}, the best that learns nothing"
others[rival] = f"{title_of(rival)}, the best rival"
word = {}
for number, (name, who) in enumerate(others.items(), 1):
    over = gain_of(measured, "distilled", name)
    word[name] = verdict(over)
    print(f"{number}. P is {word[name]} {who}:")
    print(f"   {told(over)}, worst face {over.worst:+.2f} dB.")

# %% [markdown]
# Sixteen held-out faces, each reduced to $16 \times 16$ pixels with noise of standard deviation 0.001. Every method is
# plug-and-play FISTA {eq}`eq-pnp-fista`: a gradient step on $g(x) = \tfrac12 \lVert A x - y \rVert^2$, a denoiser, and
# momentum where tuning chose it. The denoiser is the same for all; its level, the momentum and how fast it is switched
# off late in the run were tuned for each on validation faces. A *preconditioner* $P$ changes the gradient step alone,
# to $z - \alpha P(\nabla g(z); z)$.
#
# "No $P$" is the plain gradient. "Newton" is a linear $P$ without anything learned. "Distilled" has a network, trained
# to turn the gradient of this camera into that of a *teacher*, which sees more; "gradient only" does the same without
# seeing $z$ ([single-pixel](single-pixel) derives both). The teacher itself is a reference. How much of the way from
# "no $P$" to the teacher does Newton go alone?

# %%
task = ddgp_lib.load_task("super_resolution")
A, images = task.student, task.test_images[:16]
y = task.measure(images)
kinds = {
    "no P": "none",
    "Newton": "newton",
    "gradient only": "distilled_gradient_only",
    "distilled": "distilled",
    "teacher": "teacher",
}
solvers = {name: ddgp_lib.load_solver(task, kind) for name, kind in kinds.items()}
cameras = dict.fromkeys(kinds, A) | {"teacher": task.teacher}
traces = {}
for name, solver in solvers.items():
    options = {"images": images, "physics": cameras[name], "max_iter": 20}
    traces[name] = ddgp_lib.evaluate(task, solver, **options)

# %% mystnb={"figure": {"name": "fig-sr-question", "caption": "A held-out face from 16 by 16 pixels, after 20 iterations, with PSNR and absolute error. The eyes and the nose, framed, are enlarged below each. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "A man with glasses and four reconstructions with error maps below; eyes and nose are enlarged below each. Without P a blur with a few dark places. With Newton's step nose, mouth and the frame of the glasses appear. Distilled, their edges are somewhat clearer. The teacher's image is nearly as sharp as the truth, and its error map is almost black."}} tags=["hide-input"]
shown = 1
drawn = ("no P", "Newton", "distilled", "teacher")
pictures = {name: traces[name].estimate[shown] for name in drawn}
eyes = (8, 16, 32)  # top, left and side of the square that is enlarged
figures.reconstructions(images[shown], pictures, columns=5, inset=eyes)

# %% [markdown]
# The step from the first estimate to the second is Newton's: a linear map that knows nothing about faces. From the
# second to the third it is the network's. No method recovers the rest of the way to the teacher. In the enlarged part
# one sees what is at stake: the eyes are two dark places for all but the teacher.
#
# Newton is not the only method that learns nothing. The best of them, over all held-out faces, stands to the left of the
# border here, and the distilled $P$ to its right. Move the border over the eyes and the mouth.

# %% tags=["hide-input"]
credit = "Face: ORL database, AT&T Laboratories Cambridge."
face = slice(shown, shown + 1)
halves = {title_of(classical): ddgp_lib.load_solver(task, classical)(y[face], A)[0]}
halves["distilled"] = pictures["distilled"]
caption = f"A held-out face after 20 iterations, by two methods. {credit}"
wipes.wipe_estimates(images[shown], halves, what="A face", caption=caption)

# %% [markdown]
# ## Sixteen frequencies for one
#
# Let $\hat b$ be the Fourier transform of the blur on the grid of $64 \times 64$ pixels. To keep one pixel in
# $4 \times 4$ repeats the spectrum of the blurred image with a period of 16 along each axis. So every frequency $f$
# of the small image collects the sixteen frequencies $f' = f + 16 j$, $j \in \{0, 1, 2, 3\}^2$, of the large one:
#
# $$
# \widehat{A x}(f) = \frac{1}{16} \sum_{f' \equiv f} \hat b(f')\, \hat x(f') .
# $$ (eq-sr-fold)
#
# This folding is **aliasing**. The adjoint copies $\hat y(f)$ to the sixteen places and multiplies each by the
# conjugate of $\hat b(f')$. Together, $A A^\top$ multiplies each small frequency by one number,
#
# $$
# \widehat{A A^\top y}(f) = \Gamma(f)\, \hat y(f), \qquad
# \Gamma(f) = \frac{1}{16} \sum_{f' \equiv f} \lvert \hat b(f') \rvert^2 ,
# $$ (eq-sr-gamma)
#
# so the singular values of $A$ are the $\sqrt{\Gamma(f)}$ {cite}`zhao2016fast`. Two functions are all that is
# needed: $\hat b$ from the taps of the camera's filter, centred on pixel 0, and the sum over sixteen frequencies.


# %%
def transfer(camera):
    taps = camera.filter[0, 0].double()
    kernel = torch.zeros(64, 64, dtype=torch.float64)
    kernel[: len(taps), : len(taps)] = taps
    return fft2(kernel.roll((-(len(taps) // 2), -(len(taps) // 2)), (0, 1)))


def fold(spectrum):
    return spectrum.reshape(*spectrum.shape[:-2], 4, 16, 4, 16).mean((-4, -2))


# %% [markdown]
# With them, {eq}`eq-sr-fold` and {eq}`eq-sr-gamma` can be checked against the camera.

# %%
b = transfer(A)
gamma = fold(b.abs().square())
small = ifft2(fold(b * fft2(images.double()))).real
torch.testing.assert_close(small.float(), A.A(images), rtol=0, atol=1e-5)
torch.testing.assert_close(gamma, A.spectrum, rtol=0, atol=1e-7)
print(f"‖A‖² = {A.squared_norm:.4f}, so AAᵀ is not I;", end=" ")
print(f"its eigenvalues go down to {gamma.min():.1e}")
assert abs(A.squared_norm - 1 / 16) < 1e-4
assert gamma.max() > 1e6 * gamma.min()

# %% [markdown]
# With $\Gamma$ known, everything that needs $(A A^\top)^{-1}$ is one division per frequency. The pseudo-inverse is
# $A^+ = A^\top (A A^\top)^+$, where $\Gamma(f) \le \eta^2 \lVert A \rVert^2$, $\eta = 0.03$, counts as zero because the
# noise hides it ([three cameras](three-tasks) measures that), and Tikhonov's estimate replaces $\Gamma$ by
# $\Gamma + \lambda \lVert A \rVert^2$:
#
# $$
# \begin{aligned}
# A^+ y &: \quad \hat x(f') = \overline{\hat b(f')}\; \hat y(f) \,/\, \Gamma(f), \\
# (A^\top A + \lambda \lVert A \rVert^2 I)^{-1} A^\top y &: \quad
# \hat x(f') = \overline{\hat b(f')}\; \hat y(f) \,/\, \bigl(\Gamma(f) + \lambda \lVert A \rVert^2\bigr) .
# \end{aligned}
# $$ (eq-sr-inverse)
#
# The second is also one damped Newton step from zero with $\alpha = 1 / \lVert A \rVert^2$, that is, with
#
# $$ P = R_\lambda = \lVert A \rVert^2 \bigl(A^\top A + \lambda \lVert A \rVert^2 I\bigr)^{-1} . $$
#
# In this chapter $\lambda = 0.001$, a damping that [suits this noise](linear-preconditioners), for the method *Newton*
# and inside the distilled preconditioner alike.


# %%
def backward(y, gains):
    return ifft2(b.conj() * (gains * fft2(y.double())).tile(4, 4)).real.float()


seen = gamma > 0.03**2 * gamma.max()
inverse = torch.where(seen, 1 / gamma, 0.0)
damped = 1 / (gamma + 1e-3 * gamma.max())
print(f"{A.rank} of {seen.numel()} measured modes count as seen;", end=" ")
print(f"pixels: {images[0].numel()}")
assert A.rank == int(seen.sum()) == 145

# %% [markdown]
# The library does the same with two small real matrices, which is faster at this size. The formulas agree, the
# projector on what is hidden included.

# %%
tikhonov = task.stepsize * newton(A, A.A_adjoint(y), damping=1e-3)
hidden = images - backward(A.A(images), inverse)
torch.testing.assert_close(backward(y, inverse), A.A_dagger(y), rtol=0, atol=1e-4)
# single precision:
torch.testing.assert_close(backward(y, damped), tikhonov, rtol=0, atol=5e-3)
silent = ddgp_lib.operators.null_projection(A, images)
torch.testing.assert_close(hidden, silent, rtol=0, atol=1e-4)

# %% [markdown]
#
# ## What is lost: folded, or blurred away?
#
# Aliasing is what super-resolution is known for. Does this camera suffer from it? Below is $\lvert \hat b \rvert$
# along one axis. What lies right of a grid's last frequency is folded back to the left of it.

# %% mystnb={"figure": {"name": "fig-sr-transfer", "caption": "The blur's transfer function along one axis, and the highest frequency that each camera's grid holds. The student's blur has died away before folding begins; the teacher's has not."}, "image": {"alt": "Two falling curves on a logarithmic axis over frequencies 0 to 32. The student's falls below the line at 0.03 near frequency 7 and below 0.01 at 8, where its grid ends. The teacher's is still at 0.3 at frequency 16, where its grid ends, and at about 0.015 at 32."}} tags=["hide-input"]
figures.curves(
    range(33),
    {
        "student, blur 4": b[0, :33].abs(),
        "teacher, blur 1": transfer(task.teacher)[0, :33].abs(),
    },
    xlabel="frequency (periods per image)",
    ylabel="transfer $|\\hat b|$",
    yscale="log",
    ylim=(1e-3, 1.5),
    roles={"student, blur 4": "baseline", "teacher, blur 1": "teacher"},
    horizontal={"counts as zero": 0.03},
    vertical={"student's grid ends": 8, "teacher's grid ends": 16},
    legend="above",
)

# %%
f = torch.fft.fftfreq(64, 1 / 64)
content = fft2(images - images.mean((-2, -1), keepdim=True)).abs().square().mean((0, 1))


def folded(camera, factor):
    inside = ((f >= -32 / factor) & (f < 32 / factor)).double()
    power = transfer(camera).abs().square() * content
    return float((power * (1 - torch.outer(inside, inside))).sum() / power.sum())


sharp = FourierDownsampling(4, task.img_size, std=1.0)
shares = {"student": folded(A, 4), "teacher": folded(task.teacher, 2)}
shares["×4, blur 1"] = folded(sharp, 4)
for name, share in shares.items():
    print(f"{name:12s} {share:.1e} of the measured signal was folded")
assert shares["student"] < 1e-5 < shares["teacher"] < 1e-2 < shares["×4, blur 1"]

# %% [markdown]
# (The mean grey level is left out of the signal.) So in this task next to nothing is folded: the blur removes the high
# frequencies before the pixels can mix them up. What is lost is lost to the blur, some of it below the noise, most of
# it altogether. A lens that blurs less would keep more, and then folding begins: with a blur of one pixel, percents of
# what is measured come from high frequencies, which nothing in $A$ can tell from the low ones that they fold onto.
# Which of the two is the better camera is not obvious. (With a blur of one to two pixels, as lenses have it, the task
# is another one: part of it is aliasing. [Three cameras](three-tasks) runs this $P$ behind such cameras too, for which
# it was not trained.)
#
# ## Fair baselines
#
# Before any network, there is a ladder of methods that cost next to nothing. The first is bicubic interpolation. It
# is easily made too weak: this camera keeps the pixels $0, 4, 8, \dots$, and a resize function that lays the
# two images edge on edge puts them one and a half pixels off.


# %%
def bicubic(y):
    side = 4 * y.shape[-1]
    wrapped = functional.pad(y, (0, 1, 0, 1), mode="circular")
    options = {"mode": "bicubic", "align_corners": True}
    return functional.interpolate(wrapped, side + 1, **options)[..., :side, :side]


shifted = functional.interpolate(y, size=(64, 64), mode="bicubic")
placed = bicubic(y)
torch.testing.assert_close(placed[..., ::4, ::4], y, rtol=0, atol=1e-5)

# %% [markdown]
# The second of these passes through the measured values, as it should. Here is the whole ladder.

# %%
direct = {"bicubic, misplaced": shifted, "bicubic": placed}
direct |= {"pseudo-inverse": A.A_dagger(y), "one Newton step": tikhonov}
quality = {name: float(task.psnr(x, images).mean()) for name, x in direct.items()}
psnr = {name: trace.psnr.mean(dim=1) for name, trace in traces.items()}
quality |= {f"{name}, k = 20": float(curve[-1]) for name, curve in psnr.items()}
rows = {name: [value] for name, value in quality.items()}

# %%
assert quality["bicubic"] > quality["bicubic, misplaced"] + 0.3
assert quality["one Newton step"] > quality["bicubic"] + 2.5
assert quality["one Newton step"] > quality["no P, k = 20"] + 0.5
assert psnr["Newton"][0] > psnr["no P"][-1] + 0.5
assert quality["Newton, k = 20"] > quality["no P, k = 20"] + 1
table("Mean PSNR over sixteen faces.", [Column("PSNR", "dB")], rows)

# %% [markdown]
# Interpolation draws smooth curves through blurred values and does not know that they are blurred. **One** Newton
# step from zero, a closed form with no denoiser and no iteration, is more than 2.5 dB better, and also ahead of
# twenty iterations of plug-and-play without $P$. The reason is in {eq}`eq-sr-gamma`: a plain step with
# $\alpha = 1/\lVert A \rVert^2$ corrects a mode by the share $\Gamma / \lVert A \rVert^2$, which for the weakest mode
# that is seen is about a thousandth. This is slowness, which [algebra can treat](linear-preconditioners).
# Inside plug-and-play, Newton's step then gains a little more from the denoiser.

# %% mystnb={"figure": {"name": "fig-sr-curves", "caption": "Mean PSNR over sixteen faces against iterations."}, "image": {"alt": "Five curves of PSNR against iterations 1 to 20 on a logarithmic axis, and two guide lines, bicubic interpolation near 21 dB and one Newton step near 24 dB. No P rises slowly from below the bicubic line to between the lines. Newton, gradient only and distilled start near the Newton line and level off within a decibel of each other. The teacher rises far above all of them."}} tags=["hide-input"]
roles = ("baseline", "newton", "gradient_only", "distilled", "teacher")
figures.curves(
    range(1, 21),
    psnr,
    xlabel="iteration",
    ylabel="PSNR (dB)",
    xscale="log",
    roles=dict(zip(psnr, roles, strict=True)),
    horizontal={name: quality[name] for name in ("bicubic", "one Newton step")},
    legend="above",
)

# %% [markdown]
# Had we compared with "no $P$" at 20 iterations and said no more, the network would have been credited with all that
# Newton's step does. Against Newton, which every user can have for nothing, it is this, on these faces:


# %%
gain, rows = {}, {}
for name in ("no P", "Newton"):
    each = traces["distilled"].psnr[-1] - traces[name].psnr[-1]
    gain[name] = float(each.mean())
    rows[f"over {name}"] = [(gain[name], float(each.std()) / 4), int((each > 0).sum())]
heads = [Column("gain of P", "dB", signed=True), "better on, of 16"]
table("Sixteen faces after 20 iterations, with the standard error.", heads, rows)

# %%
assert gain["no P"] > gain["Newton"] + 1
assert quality["teacher, k = 20"] > quality["distilled, k = 20"] + 4

# %% [markdown]
# Newton's step is not the only method that learns nothing. Total variation, two plug-and-play methods whose $\sigma$
# falls, and a polynomial in $A^\top A$ were tuned on the same validation faces; [](best-rivals) has their formulas and
# a table of all. Below, the reference is the one of them with the highest mean, whichever that is.
#
# So now all held-out faces. Beside $P$ stand the preconditioner with the paper's
# input, the closed form, and networks that are asked once ([](best-rivals)). Their trainings did not take the same time
# here:

# %% tags=["hide-input"]
spent = {}
for name in ("distilled", *rivals_of(measured)):
    spent[name] = measured["methods"][name]["cpu_seconds"][0]  # of the first training
own = spent.pop("distilled")
others = sum(spent.values()) / len(spent)
print(f"Training of P: {own:.0f} s of one processor,", end=" ")
print(f"{own / others:.0%} of a rival's time.")

# %% [markdown]
# The training of $P$ was stopped early, because validation faces stop gaining: there are 28 persons to train on. So a
# lead of a rival below is one with more time, and a lead of $P$ is one with less.

# %% mystnb={"figure": {"name": "fig-sr-gains", "caption": "Gain over the best method that learns nothing, mean over all held-out faces after 20 iterations, with 95 % intervals over faces and trainings."}, "image": {"alt": "A row with a dot and an error bar for each learned method, the distilled preconditioner first. A vertical line marks a gain of zero."}} tags=["hide-input"]
learned = ("distilled", "distilled_gradient_only", "distilled_linear")
leads = {n: lead(measured, n) for n in (*learned, *rivals_of(measured))}
series = f"over {title_of(classical)}"
gained = {title_of(n): {series: (d.mean, d.interval)} for n, d in leads.items()}
look = {"xlabel": "gain (dB), 95 % interval", "roles": {series: "truth"}}
figures.dots(gained, reference=0, **look)

# %% tags=["hide-input"]
pairs = over_rivals(measured).items()
for phrase in ("ahead of", "even with", "behind"):
    names = [title_of(name) for name, each in leads.items() if verdict(each) == phrase]
    print(f"{phrase} {title_of(classical)}: {', '.join(names) or 'none'};", end=" ")
    names = [title_of(name) for name, each in pairs if verdict(each) == phrase]
    print(f"P is {phrase}: {', '.join(names) or 'none'}")

# %% [markdown]
# A dot at zero, or left of it, is a method that took a training and does no better than one that took none. Each line
# says first which learned methods stand so to the best that learns nothing, and then to which rivals $P$ stands so.
#
# How sure is that? The faces are 80 pictures of eight people, and pictures of one person are alike. So an interval over
# faces is too short. With one number for each person there are eight of them. And does it matter that both are compared
# at iteration 20?

# %%
with_p, without = (values_of(measured, n).mean(dim=0) for n in ("distilled", classical))
people = (with_p - without).reshape(-1, 8).mean(dim=0)
half = t_quantile(8) * float(people.std()) / 8**0.5
late, over_late = lead(measured, k=None), title_of(reference_of(measured, None))
print(f"P over {title_of(classical)} at 20: {told(lead(measured))} over faces,")
print(f"    {people.mean():+.2f} ± {half:.2f} dB over people;")
print(f"best against best it is {verdict(late)} {over_late}: {told(late)} over faces")

# %% tags=["hide-input"]
says = {
    "ahead of": "The network adds to Newton's step, by the number in the key results.",
    "even with": "What the network adds to Newton's step cannot be told from nothing.",
    "behind": "The network takes away from what Newton's step alone would give.",
}
print(says.get(word["newton"], "The two cannot be compared."))

# %% [markdown]
# If the line says that nothing is added, that is a result: behind this camera a network of this size finds nothing that
# squared errors reward and algebra has not found.
#
# ### Is it the number of people?
#
# The training faces are of 28 people. Would more help? We cannot have more, but we can have fewer, and see what that
# does. The study `persons` has trained the same recipe, in short trainings with three seeds, on the first 3, 7 and 14
# people, and on all; and for four times as long on 14 and 28. Each $P$ was judged on held-out people, and on faces that
# it was trained on. Faces differ in how hard they are, so on the same faces we run Newton's step as a control.

# %%
runs = {(run["row"], run["seed"]): run for run in load_study("persons")["runs"]}
test_count = task.preset.counts.study[1]


def newtons_gain(faces):
    """Gain of Newton's step over no P on some faces after 20 iterations."""
    kept = [ddgp_lib.load_solver(task, kind) for kind in ("newton", "none")]
    one, two = (psnr_curves(task, each, faces, A, 20)[-1].mean() for each in kept)
    return float(one - two)


def over_newton(row, field, control):
    """Gain over Newton's step: mean over three seeds, half its 95 % interval."""
    gains = torch.tensor([runs[row, seed][field][0] - control for seed in range(3)])
    return float(gains.mean()), t_quantile(3) * float(gains.std()) / 3**0.5


# %%
found, known, unseen = {}, {}, newtons_gain(task.test_images[:test_count])
for count in (3, 7, 14, 28):
    few = ddgp_lib.load_task("super_resolution", persons=count)
    known[count] = newtons_gain(few.train_images[:test_count])
    for row in (f"{count} persons", f"{count} persons, longer"):
        if (row, 0) in runs:
            own = over_newton(row, "gain_20_trained", known[count])
            new = over_newton(row, "gain_20", unseen)
            found[row] = {"trained on": own, "held out": new}
low, high = min(known.values()), max(known.values())
print(f"Newton over no P: {unseen:.2f} dB on held-out faces,", end=" ")
print(f"{low:.2f} to {high:.2f} dB on those of the training")

# %% mystnb={"figure": {"name": "fig-sr-persons", "caption": "Gain over Newton's step after 20 iterations, on held-out people and on faces of the training; *longer*: trained four times as long. Three seeds, 95 % intervals."}, "image": {"alt": "Six rows of two dots, from 3 persons to 28 persons, longer. With more people, the gain on training faces falls from more than one decibel to nearly zero, and that on held-out faces rises from minus half a decibel to zero. Trained longer, on 14 and 28 people, the first is higher and the second lower."}} tags=["hide-input"]
roles = {"trained on": "guide", "held out": "distilled"}
figures.dots(found, xlabel="gain over Newton (dB)", roles=roles, reference=0)

# %%
gains = {row: [pair[0] for pair in each.values()] for row, each in found.items()}
assert max(map(abs, gains["28 persons"])) < 0.15
few, many = gains["14 persons, longer"], gains["28 persons, longer"]
assert few[0] > 0.6 > many[0] > 0.3 > 0 > many[1] > few[1]

# %% [markdown]
# Two limits show. After the short training on 28 people, $P$ gains nothing over Newton's step, *not even on faces that it
# was trained on*. What ends it there is the length of the training. The longer training does gain on its own people, and
# loses on others, the more so the fewer it was trained on. There the number of people is the limit. (Without the
# control one would have seen a gap of 0.3 dB between the curves of the short training, and blamed the people for it.
# But those of the training are easier: Newton's step gains more on them, too.)
#
# More people would bring the two numbers of the longer training together. They would meet somewhere between them, and
# so, for a network of this size, at half a decibel at most. Where exactly, 28 people cannot tell.
#
# ## The form, and what the network may do
#
# The preconditioner has the form `newton_null_space`,
#
# $$
# P_\theta(\nabla g; z) = R_\lambda \nabla g + (I - A^+A)\, N_\theta(\nabla g, z) .
# $$ (eq-sr-form)
#
# Newton's step takes care of what is seen. The network adds to what is not, and cannot touch the rest: its output goes
# through the projector that we wrote with FFTs above, as in a null-space network {cite}`schwab2019deep`. One look
# inside, after three iterations:

# %%
P = ddgp_lib.load_preconditioner("super_resolution")
z = list(solvers["distilled"].iterates(y[:4], A, 3))[-1][1]
grad = A.A_adjoint(A.A(z) - y[:4])
state = ddgp_lib.State(z, k=3, physics=A, y=y[:4])
added = P(grad, state) - P.base(grad, state)
assert P.form == "newton_null_space"
by_algebra = newton(A, grad, 1e-3)
torch.testing.assert_close(P.base(grad, state), by_algebra, rtol=0, atol=1e-5)
kept = ddgp_lib.operators.null_projection(A, added)
torch.testing.assert_close(kept, added, rtol=0, atol=1e-4)

# %% [markdown]
# Where does it help? The error of each method, in rings of two frequencies around zero, relative to what the faces
# contain there. One means that nothing has been found.

# %%
radius = torch.hypot(f[:, None], f)


def rings(x):
    power = fft2(x).abs().square().mean((0, 1))
    bands = (power[(radius // 2) == band] for band in range(12))
    return torch.stack([band.mean() for band in bands]).sqrt()


left = {n: rings(t.estimate - images) / rings(images) for n, t in traces.items()}
narrowed = left["Newton"] - left["distilled"]
place = int(narrowed.abs().argmax())
print(f"largest difference from Newton: {narrowed.abs().max():.2f}", end=" ")
print(f"at frequency {2 * place} to {2 * place + 2}")

# %% mystnb={"figure": {"name": "fig-sr-rings", "caption": "Error left in rings of frequencies after 20 iterations; the line marks the radius of a disc with as many modes as count as seen."}, "image": {"alt": "Four rising curves of the error left against frequency. No P reaches 0.9 at frequency 7. Newton follows two frequencies later, just beyond the line that ends the seen modes near 7. Distilled runs close to Newton. The teacher's curve stays near zero up to frequency 11 and rises to 0.8 at 21."}} tags=["hide-input"]
roles = {"no P": "baseline", "Newton": "newton"}
roles |= {name: name for name in ("distilled", "teacher")}
figures.curves(
    range(1, 25, 2),
    {name: left[name] for name in roles},
    xlabel="frequency (periods per image)",
    ylabel="error left",
    roles=roles,
    vertical={"seen up to here": math.sqrt(A.rank / math.pi)},
    legend="above",
)

# %% [markdown]
# Newton's step recovers the ring just inside the edge of the seen modes, where the plain method has gone a part of the
# way only. If the network helps, it is in a narrow band just *outside* of that edge. Beyond twice the edge it adds next
# to nothing. That is what one expects where a detail hardly depends on what the camera saw: neither squared errors nor
# the cosine reward a guess of where exactly a hair or a wrinkle lies.

# %%
assert left["no P"][2] > 2 * left["Newton"][2]
assert abs(left["Newton"][2] - left["distilled"][2]) < 0.08
assert (left["Newton"][7:] - left["distilled"][7:]).abs().max() < 0.06
assert left["teacher"][4] < 0.15

# %% [markdown]
# ## Noise: the damping has to follow
#
# The task's noise is about that of rounding to eight bits. Ten to thirty times more noise is typical of low light. For
# Newton's step, $\lambda$ is a ratio of noise to signal variance ([derived here](linear-preconditioners)). So above the
# level $\sigma_0 = 0.001$ it follows the noise's standard deviation $\sigma_w$ as $\lambda\,(\sigma_w / \sigma_0)^2$.
# The shipped $P_\theta$ does that in its Newton part; it is told $\sigma_w$. The $\sigma$ of the denoiser is a noise
# level too, and follows with `sigma_noise`, for all methods alike. To see what the damping protects from, we take a
# copy of $P$ whose damping is constant.

# %%
constant = ddgp_lib.load_preconditioner("super_resolution")
constant.base = Newton(1e-3)
setting = ddgp_lib.load_tuning("super_resolution")["distilled"]["setting"]
options = {"stepsize": task.stepsize, "sigma_noise": 0.001}
fixed = ddgp_lib.PreconditionedFISTA(task.denoiser, constant, **setting, **options)
names = (*measured["baselines"], "distilled")
following = {n: ddgp_lib.load_solver(task, n, sigma_noise=0.001) for n in names}
tried = {title_of(name): solver for name, solver in following.items()}
tried |= {"constant λ": fixed}

# %%
noisy, rows = {}, {}
for noise in (0.01, 0.03):
    camera = ddgp_lib.load_task("super_resolution", noise=noise).student
    data = measure(camera, images[:8], seed=0)
    noisy[noise] = {name: solver(data, camera) for name, solver in tried.items()}
    each = {name: task.psnr(x, images[:8]) for name, x in noisy[noise].items()}
    rows[f"{noise}"] = [float(values.mean()) for values in each.values()]
    best = max(map(title_of, names[:-1]), key=lambda name: each[name].mean())
    over_best = each["distilled"] - each[best]
    rows[f"{noise}"].append((float(over_best.mean()), float(over_best.std()) / 8**0.5))
heads = [Column(name, "dB", digits=1) for name in tried]
heads.append(Column("P over the best that learns nothing", "dB", signed=True))
table("Mean PSNR of eight faces with more noise.", heads, rows, corner="noise")

# %%
assert all(row[-2] < row[-3] - 3 for row in rows.values())

# %% mystnb={"figure": {"name": "fig-sr-noise", "caption": "A face with ten times the noise, all from the same data. Newton and distilled: with a damping that follows the noise. Constant λ: the same network with the damping of the training. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "A face and three reconstructions with error maps. Newton and distilled are alike, blurred but clean. With constant damping coarse bright and dark blobs cover the face, and the error map shows them everywhere."}} tags=["hide-input"]
drawn = ("Newton", "distilled", "constant λ")
pictures = {name: noisy[0.01][name][shown] for name in drawn}
figures.reconstructions(images[shown], pictures)

# %% [markdown]
# With a damping that follows the noise the preconditioned method does not break. With the damping of the training the
# image is lost, although the network is the same. It is the linear part that amplifies: weak modes are divided by
# little more than their eigenvalue, whatever they carry. Other columns that lie far below Newton's belong to methods
# whose inversion is not told the noise either, such as the step of ADMM. What the network is worth at these noises
# stands in the last column, with its standard error. Eight faces are few, so read a difference of less than two
# standard errors as none.
#
# ## Where it fails: a blur that is not the one we were told
#
# Up to here the reconstruction knew the blur exactly. Nobody does. Let the camera blur with 4 pixels while the solver
# is told a blur of $\ell$ pixels. Leave noise and denoiser aside. Where nothing is folded, repeated Newton steps fit
# the data in every mode that counts as seen, and what they find there is not $\hat x$ but
#
# $$
# \frac{\hat b_4(f)}{\hat b_{\ell}(f)}\, \hat x(f)
# \approx \exp\Bigl(\frac{2 \pi^2 (\ell^2 - 4^2)\, \lvert f \rvert^2}{64^2}\Bigr)\, \hat x(f) .
# $$ (eq-sr-mismatch)
#
# (Both blurs are Gaussian, with $\hat b_\ell(f) \approx \exp(-2 \pi^2 \ell^2 \lvert f \rvert^2 / 64^2)$.) Told too
# narrow a blur, the solver leaves a face too soft. Told too wide a one, it sharpens what is sharp already, most at the
# edge of the seen modes, where $\lvert \hat b_{\ell} \rvert = \eta$ and the factor is $\eta^{-(1 - 16/\ell^2)}$.

# %%
widths = (3.0, 3.5, 3.8, 4.0, 4.2, 4.5, 5.0)
told_blur = {w: ddgp_lib.load_task("super_resolution", blur=w).student for w in widths}
wide = transfer(told_blur[5.0])
strength = wide.abs() / wide.abs().max()
factor = float((b / wide).abs()[strength > 0.03].max())
predicted = 0.03 ** -(1 - 16 / 25)
print(f"told 5, the edge is amplified {factor:.2f} times; predicted {predicted:.2f}")
assert abs(factor / predicted - 1) < 0.1

# %% [markdown]
# So much for the theory. Now noise and denoiser are back.

# %%
three = ("no P", "Newton", "distilled")
found, missed, misfit = {}, {}, {}
truth, data = images[:4], y[:4]
noise_level = float((norms(data - A.A(truth)) / norms(data)).mean())
for width, camera in told_blur.items():
    found[width] = {name: solvers[name](data, camera) for name in three}
    psnrs = {n: task.psnr(x, truth).mean() for n, x in found[width].items()}
    missed[width] = {name: float(value) for name, value in psnrs.items()}
    rest = camera.A(found[width]["Newton"]) - data
    misfit[width] = float((norms(rest) / norms(data)).mean())
rows = {f"{w:.1f}": [*missed[w].values(), misfit[w] / noise_level] for w in widths}
heads = [*(Column(name, "dB", digits=1) for name in three), "residual / noise"]

caption = "Mean PSNR of four faces by the blur that is told, and Newton's residual."
table(caption, heads, rows, corner="told")

# %% tags=["hide-input"]
right = missed[4.0]["no P"]
worse = [f"{w:g}" for w in widths if missed[w]["Newton"] < right]
print(f"Told {', '.join(worse)} pixels, Newton is worse than no P with the right blur.")

# %%
assert missed[5.0]["Newton"] < min(missed[5.0]["no P"], missed[4.0]["Newton"] - 2)
assert max(misfit[4.5], misfit[5.0]) < 1.05 * misfit[4.0]

# %% [markdown]
# Told one pixel too much, Newton is below no $P$ with the same wrong blur. The plain method, which had not got to those
# modes, loses far less: to be slow is also a kind of regularisation. The network can repair little of the damage, which
# is in the modes that it must not touch. The data residual grows where the blur is told too narrow. Where it is told
# too wide, which does the harm, the residual gives no warning: it is about that of the right blur, or lower. Nobody
# would see from it that the blur is wrong. Move the blur that the solver is told:

# %% tags=["hide-input"]


def draw_told(width):
    pictures = {name: found[width][name][0] for name in three}
    return figures.reconstructions(images[0], pictures, error_limit=0.4)


def describe_told(width):
    psnrs = {n: float(task.psnr(x[:1], images[:1])) for n, x in found[width].items()}
    words = ", ".join(f"{name} {value:.1f} dB" for name, value in psnrs.items())
    return f"A face blurred with 4 pixels, restored as if with {width:g}: {words}."


slider = {
    "draw": draw_told,
    "values": widths,
    "label": "Blur that the solver is told (pixels)",
    "start": 3,
    "dpi": 90,
}
widgets.frames(
    **slider,
    alt=describe_told,
    text=lambda width: f"{width:g}{' (true)' if width == 4 else ''}",
    caption=f"The camera blurs with 4 pixels. {credit}",
)

# %% [markdown]
# In a live kernel, the next cell draws the same pictures again; change the face in `draw_told`, or `widths` above.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**slider)

# %% [markdown]
# (sr-border)=
# ## Where it fails: the border of a photograph
#
# All operators so far were **periodic**: the blur at the left border gathers pixels from the right one. That makes the
# algebra easy, and no photograph is like that. Beyond its border the scene goes on, and the blur mixes in what is
# there. What does that do *inside* the image? We measure faces within larger pictures, so that the blur has true
# neighbours, and restore them in three ways: with data from a periodic scene, for comparison; with true data and the
# periodic model; and with true data and an operator whose frame reaches as far as the blur, so that the surroundings
# are unknowns too {cite}`almeida2013deconvolving`. Only the inner $32 \times 32$ pixels count, twelve pixels away from
# the border.

# %%
framed = ddgp_lib.load_task("super_resolution", framed=True)
scene = framed.test_images[:8]
photograph = framed.measure(scene)
top, left_edge = (part.start for part in framed.student.kept)
periodic = FourierDownsampling(4, (1, 56, 56), std=4.0, noise=0.001, rtol=0.03)
inner = scene[..., top : top + 56, left_edge : left_edge + 56]
cases = {
    "periodic scene, periodic model": (measure(periodic, inner, 0), periodic, 0, 0),
    "true scene, periodic model": (photograph[..., :14, :14], periodic, 0, 0),
    "true scene, framed model": (photograph, framed.student, top, left_edge),
}

# %%
inside, rows = inner[..., 12:44, 12:44], {}
for case, (data, camera, row, column) in cases.items():
    rows[case] = []
    part = (..., slice(row + 12, row + 44), slice(column + 12, column + 44))
    for name in three:
        restored = solvers[name](data, camera)[part]
        rows[case].append(float(task.psnr(restored, inside).mean()))
heads = [Column(name, "dB", digits=1) for name in three]

# %%
ideal, wrong_model, framed_model = rows.values()
assert wrong_model[1] < ideal[1] - 10
assert framed_model[1] > ideal[1] - 1
table("Mean PSNR of the inner part of eight faces.", heads, rows)

# %% [markdown]
# With the periodic model Newton's step is lost, more than ten decibels below, in the middle of the image. The misfit at
# the border looks to it like a strong signal in weak modes, and these modes extend over the whole image. The distilled
# $P$ has the same linear part and the same fault. The plain method loses least, because it has not got to those modes.
# With the framed operator all is well again: the fault was the model, and not the method. Whoever restores a photograph
# should take such an operator, or blend the border first.
#
# ## In colour, and on people who are not in a data set
#
# Operator, denoiser and network act on neighbourhoods of a grey image, so they apply to other sizes, and to each
# channel of a colour image on its own. Two portraits in the public domain, of $128 \times 128$ pixels, from $32 \times
# 32$ (measured periodically, so that the border plays no role):

# %%
portraits = load_portraits(128)
lens = FourierDownsampling(4, (1, 128, 128), std=4.0, noise=0.001, rtol=0.03)
channels = measure(lens, portraits.reshape(6, 1, 128, 128), seed=0)
colour = {"bicubic": bicubic(channels)}
colour |= {name: solvers[name](channels, lens) for name in ("Newton", "distilled")}
colour = {name: x.reshape(2, 3, 128, 128) for name, x in colour.items()}

# %%
scores = {
    name: [-10 * math.log10((x[i] - portraits[i]).square().mean()) for i in range(2)]
    for name, x in colour.items()
}
harm = [scores["distilled"][i] - scores["Newton"][i] for i in range(2)]
print("distilled against Newton:", ", ".join(f"{value:+.2f} dB" for value in harm))
assert all(scores["Newton"][i] > scores["bicubic"][i] + 2 for i in range(2))

# %% mystnb={"figure": {"name": "fig-sr-colour", "caption": "Eileen Collins (NASA) and Grace Hopper (United States Navy), enlarged fourfold, each colour channel on its own; below, the absolute errors, averaged over the channels."}, "image": {"alt": "Two colour portraits, each with what was measured, three reconstructions and error maps. Bicubic: a blur. Newton: recognisable features, soft. Distilled: much like Newton, with somewhat harder edges and ripples along outlines; its error maps are slightly brighter than Newton's."}} tags=["hide-input"]
small = functional.interpolate(channels.reshape(2, 3, 32, 32), scale_factor=4)
figures.comparison(portraits, colour, seen=("measured", small))

# %% [markdown]
# Newton's step works as before: algebra does not care who is in the picture. The network has been trained on grey
# images of 28 people, photographed in one laboratory, all at one scale; a colour channel of a cap with gold leaves is
# none of that. Where the line above shows a loss, a user is better off with `newton`.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 13_super_resolution
# ```
#
# ## Exercises
#
# ```{exercise} Newton's step without a linear system
# :label: ex-sr-woodbury
#
# Show that $R_\lambda v = \frac{1}{\lambda} \bigl[ v - A^\top (A A^\top + \lambda \lVert A \rVert^2 I)^{-1} A v
# \bigr]$. Write $R_\lambda$ with `fold`, `backward` and $\Gamma$, for any image $v$ and not only for a gradient, and
# check it. By which factor does it multiply an image in the null space, with the damping of this chapter?
# ```

# %%
answer = None  # put the factor here
answers.check("ex-sr-woodbury", answer)

# %% [markdown]
# ```{solution-start} ex-sr-woodbury
# :label: sol-sr-woodbury
# :class: dropdown
# ```
# Multiply the bracket by $A^\top A + \Lambda I$, $\Lambda = \lambda \lVert A \rVert^2$. Since $(A^\top A + \Lambda I)
# A^\top = A^\top (A A^\top + \Lambda I)$, the second term becomes $A^\top A v$, and $(A^\top A + \Lambda I)\, v -
# A^\top A v = \Lambda v$ is left. Divided by $\lambda$ this is $\lVert A \rVert^2 v$, which is what $A^\top A + \Lambda
# I$ must make of $R_\lambda v$. In the null space of $A$ the bracket is $v$, so $R_\lambda$ divides by $\lambda$ there.
# That is why it must be applied to gradients, which have no such part, and why noise in $v$ would be fatal.

# %%
v = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
by_hand = (v - backward(A.A(v), damped)) / 1e-3
# entries are up to thousands:
torch.testing.assert_close(by_hand, newton(A, v, 1e-3), rtol=0, atol=1e-2)
assert by_hand.abs().max() > 900

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Two images, one measurement
# :label: ex-sr-alias
#
# Take the camera `sharp` ($\times 4$, blur of one pixel). Which wave along one axis, with how many periods below 8, can
# it not tell from a wave with 27 periods of the right strength? How strong would the latter have to be for the student
# `A`?
# ```

# %%
answer = None  # put the number of periods here
answers.check("ex-sr-alias", answer)

# %% [markdown]
# ```{solution-start} ex-sr-alias
# :label: sol-sr-alias
# :class: dropdown
# ```
# $27 - 32 = -5$, and a cosine has no sign of its frequency: in {eq}`eq-sr-fold` both belong to the small frequency 5.
# On the pixels $0, 4, 8, \dots$ the two waves are equal, so only the blur distinguishes them, by the factor $\hat b(5)
# / \hat b(27)$. The difference of the two images, with the fast wave scaled by that factor, is in the null space. For
# the student the factor is enormous: a fast wave from black to white leaves as little in the data as a slow one of less
# than a thousandth of that, which the noise hides. That is why next to nothing is folded.

# %%
position = torch.arange(64, dtype=torch.float64) / 64
waves = {n: torch.cos(2 * torch.pi * n * position) for n in (5, 27)}
waves = {n: wave.expand(1, 1, 64, 64) for n, wave in waves.items()}
for name, camera in (("sharp", sharp), ("student", A)):
    spectrum = transfer(camera)
    height = float((spectrum[0, 5] / spectrum[0, 27]).real)
    slow, fast = (fold(spectrum * fft2(wave)) for wave in waves.values())
    print(f"{name}: amplitude {abs(height):.3g} times that of the slow wave")
    torch.testing.assert_close(slow, height * fast, rtol=0, atol=1e-6)
    assert (abs(height) < 100) == (name == "sharp")
    assert (abs(height) > 1000) == (name == "student")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Why the residual says nothing
# :label: ex-sr-residual
#
# Let all $\Gamma(f)$ of a *wrong* operator $B$ be above zero. Show that $B B^+ y = y$ for every $y$. What does this
# say about finding the blur by the smallest data residual? What else could tell a wrong blur from the right one?
# ```
#
# ```{solution-start} ex-sr-residual
# :label: sol-sr-residual
# :class: dropdown
# ```
# $B B^+ = B B^\top (B B^\top)^{-1} = I$: an operator with fewer measurements than pixels and full rank can explain any
# data, with some image. So the smallest residual prefers every operator that passes on all small frequencies, right or
# wrong. What helps has to come from outside of the data term: that the image is implausible (ripples at one
# frequency, values outside of $[0, 1]$), that a known edge in the scene is measured, or a calibration of the lens.

# %%
wrong = FourierDownsampling(4, task.img_size, std=1.0)
rest = norms(wrong.A(wrong.A_dagger(y)) - y) / norms(y)
print(f"told a blur of 1 pixel instead of 4: relative residual {float(rest.max()):.1e}")
assert rest.max() < 1e-5
assert wrong.rank == 256

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# You can now
#
# - write blur and decimation in Fourier space, diagonal but for a sum over sixteen frequencies. $\Gamma(f)$ gives the
#   spectrum, the pseudo-inverse, the projectors and Newton's step in closed form;
# - say why behind a blur as wide as the decimation next to nothing is aliased. Details are gone, not folded;
# - take Newton's step as the reference. One such step from zero is better than twenty plain iterations, and a comparison
#   with "no $P$" alone would have credited the network with what the algebra does;
# - read off a table whether anything learned is ahead of it, and accept "even" as an answer;
# - let damping and $\sigma$ follow the noise;
# - name two failures of the model that hurt Newton's step most: a blur told too wide, which the residual hardly shows, and
#   a periodic border, which a framed operator mends.
#
# What the network adds, if anything, is in the key results at the beginning.
#
# ## Further reading
#
# The closed form for blur and decimation together is from {cite}`zhao2016fast`; spectra without a gap and Tikhonov's
# damping are treated in {cite}`hansen2010discrete`. The faces are those of {cite}`samaria1994parameterisation`. How
# this task compares with the other two, over all held-out faces and 200 iterations, is in
# [three cameras](three-tasks); other ways of making a preconditioner fail are in [when it breaks](when-it-breaks).
