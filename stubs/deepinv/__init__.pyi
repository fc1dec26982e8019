# The parts of deepinv 0.5.0 that this library uses, as far as it does; tests/test_stubs.py compares them with it.
from . import loss as loss
from . import models as models
from . import optim as optim
from . import physics as physics
from . import unfolded as unfolded
from . import utils as utils
