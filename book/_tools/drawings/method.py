"""The method, one step of its training, and the split of a direction into what is seen and what is not."""

from .canvas import SMALL, Canvas


def method() -> Canvas:
    """Draw the loop of the solver, with the teacher that it has in training alone."""
    canvas = Canvas(
        620,
        420,
        "Distilled gradient preconditioning",
        "A loop of five boxes. From the image z the student's camera gives a gradient. The preconditioner P "
        "turns it. A step along the result and a denoiser give the next image, and momentum leads back to z. "
        "Above, in a frame for training only, a teacher that measures more gives its own gradient at the "
        "same z, which P learns to match.",
    )
    canvas.panel(10, 10, 600, 132, "in training only", "teacher")
    canvas.box(110, 50, 150, 66, "teacher *A*_t, *y*_t\nmeasures more", "teacher")
    canvas.box(330, 50, 170, 66, "its gradient\n∇*g*_t(*z*_k)", "teacher")
    canvas.arrow([(260, 83), (330, 83)], "teacher")
    canvas.arrow([(52, 206), (52, 83), (110, 83)], "teacher", dashed=True)
    canvas.arrow([(372, 116), (372, 206)], "teacher", dashed=True)
    canvas.text(384, 172, "*P* learns to match it", "teacher", size=SMALL, anchor="start")
    canvas.box(20, 206, 64, 66, "*z*_k")
    canvas.box(116, 206, 150, 66, "student *A*_s, *y*_s\ngradient ∇*g*_s(*z*_k)", "student")
    canvas.box(300, 206, 144, 66, "preconditioner\n*P*_θ(∇*g*_s; *z*_k)", "distilled")
    canvas.box(480, 206, 124, 66, "step\n*z*_k − *α* *P*_θ")
    canvas.box(480, 330, 124, 66, "denoiser\n*D*_σ", "denoiser")
    canvas.box(300, 330, 144, 66, "next image\n*x*_{k+1}")
    canvas.box(116, 330, 150, 66, "momentum\n*β*_{k+1}")
    for start, end in ((84, 116), (266, 300), (444, 480)):
        canvas.arrow([(start, 239), (end, 239)])
    canvas.arrow([(542, 272), (542, 330)])
    canvas.arrow([(480, 363), (444, 363)])
    canvas.arrow([(300, 363), (266, 363)])
    canvas.arrow([(116, 363), (52, 363), (52, 272)])
    canvas.text(192, 301, "*k* + 1", "muted", size=SMALL)
    return canvas


def step() -> Canvas:
    """Draw one step of the training: a batch from the pool, two gradients, a loss, and the way back."""
    canvas = Canvas(
        620,
        430,
        "One step of the training, with its pool",
        "On the left a pool of states, each an image z, its iteration k and its true image. A batch is drawn "
        "from it. The student's gradient goes through P; the teacher's gradient stands beside it. A loss "
        "compares the two and changes the weights of P. The direction that P gave also makes the next "
        "iterate, which goes back into the pool one iteration older; at the horizon a new image takes its "
        "place.",
    )
    for shift in (16, 8):
        canvas.box(20 + shift, 110 + shift, 120, 120)
    canvas.box(20, 110, 120, 120, "pool of states\n*z*, *k*, *x*^*")
    canvas.text(80, 92, "many ages *k*", "muted", size=SMALL)
    canvas.arrow([(156, 170), (190, 170), (190, 73), (214, 73)])
    canvas.arrow([(156, 170), (190, 170), (190, 213), (214, 213)])
    canvas.text(150, 50, "draw a batch", "muted", size=SMALL)
    canvas.box(214, 40, 124, 66, "student's\ngradient ∇*g*_s", "student")
    canvas.box(214, 180, 124, 66, "teacher's\ngradient ∇*g*_t", "teacher")
    canvas.box(372, 40, 96, 66, "*P*_θ", "distilled")
    canvas.box(500, 110, 106, 66, "loss: how far\napart?")
    canvas.arrow([(338, 73), (372, 73)], "student")
    canvas.arrow([(468, 73), (553, 73), (553, 110)], "distilled")
    canvas.arrow([(338, 213), (553, 213), (553, 176)], "teacher")
    canvas.arrow([(500, 143), (420, 143), (420, 106)], dashed=True)
    canvas.text(412, 153, "change\nthe weights *θ*", "muted", size=SMALL, anchor="end")
    canvas.box(372, 290, 232, 56, "step and denoiser give *x*_{k+1}", "denoiser")
    canvas.line([(486, 73), (486, 200)], "distilled", width=1.5)
    canvas.arrow([(486, 226), (486, 290)], "distilled", width=1.5)
    canvas.line([(486, 200), (486, 226)], "distilled", width=1.5)
    canvas.arrow([(372, 318), (80, 318), (80, 246)])
    canvas.text(226, 336, "put back, one iteration older", "muted", size=SMALL)
    canvas.text(
        310, 396, "A state that reaches the horizon leaves; a new image starts at *k* = 0.", size=SMALL
    )
    return canvas


def split() -> Canvas:
    """Draw what the gradient sees, what it does not, and which of them P adds to."""
    canvas = Canvas(
        620,
        380,
        "The split into what the data see and what they do not",
        "A plane. Its horizontal axis is what the data see, the range of the adjoint; its vertical axis is "
        "what they do not see, the null space. From z the student's step goes along the horizontal axis "
        "alone and ends below the true image. The teacher's step ends above that, nearer to the true image. P adds a "
        "vertical part, so that the sum ends between the two.",
    )
    canvas.arrow([(50, 330), (600, 330)], "muted")
    canvas.arrow([(50, 330), (50, 30)], "muted")
    canvas.text(600, 352, "seen: the range of *A*^⊤", "muted", size=SMALL, anchor="end")
    canvas.text(60, 34, "unseen: the null space of *A*", "muted", size=SMALL, anchor="start")
    canvas.arrow([(110, 270), (376, 108)], "teacher", dashed=True)
    canvas.text(240, 165, "teacher's step", "teacher", size=SMALL, anchor="end")
    canvas.arrow([(110, 270), (380, 270)], "student", width=3)
    canvas.text(245, 290, "student's step −*α* ∇*g*_s", "student", size=SMALL)
    canvas.arrow([(380, 270), (380, 160)], "distilled", width=3)
    canvas.text(390, 222, "what *P* adds: (*I* − *A*^+*A*) *N*_θ", "distilled", size=SMALL, anchor="start")
    canvas.arrow([(110, 270), (376, 163)], "ink", width=3)
    canvas.dot(110, 270, 5)
    canvas.text(98, 256, "*z*_k", anchor="end")
    canvas.dot(380, 78, 5)
    canvas.text(392, 70, "*x*^*", anchor="start")
    return canvas
