"""How hypothesis draws in tests: always the same examples, few of them, and without a clock.

``DDGP_EXAMPLES`` asks for another number of examples of each property, which are then random.
"""

import os

from hypothesis import HealthCheck, settings

MANY = os.environ.get("DDGP_EXAMPLES")

settings.register_profile(
    "book",
    max_examples=int(MANY or 15),
    derandomize=MANY is None,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("book")
