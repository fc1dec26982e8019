"""A grid grows until the best is inside it, each point is tried once, and what stays at an edge is said."""

import math

import pytest

from ddgp_lib.experiments.measured.choosing import Tried, choose_inside


def bowl(*centre):
    """Return a function that is lowest at a centre, in logarithms, and the points that it was asked for."""
    asked = []

    def run(point):
        asked.append(point)
        return Tried(sum((math.log(a / b)) ** 2 for a, b in zip(point, centre, strict=True)), len(asked))

    return run, asked


@pytest.mark.parametrize(("centre", "best"), [(3.9, 4), (30, 32), (0.26, 0.25)])
def test_one_parameter_finds_the_lowest_beyond_either_end(centre, best):
    run, asked = bowl(centre)
    chosen = choose_inside([(1, 2, 4, 8)], run)
    assert chosen.point == (best,)
    assert chosen.edges == ()
    assert len(asked) == len(set(asked))
    assert {(best / 2,), (2 * best,)} <= set(asked)


def test_two_parameters_grow_apart_and_the_grid_is_tried_in_full():
    run, asked = bowl(0.1, 50)
    chosen = choose_inside([(1, 2), (1, 3, 9)], run)
    assert chosen.point == (0.125, 81) or chosen.point == (0.125, 27)
    assert chosen.edges == ()
    assert {(a, b) for a in (1, 2) for b in (1, 3, 9)} <= set(asked)
    assert chosen.tried == Tried(min(run(point).error for point in list(asked)), chosen.tried.stop)


def test_growth_ends_and_says_where():
    run, asked = bowl(1e-9, 1.0)
    chosen = choose_inside([(1, 2), (0.5, 1, 2)], run, most=2)
    assert chosen.point == (0.25, 1)
    assert chosen.edges == (0,)
    assert len(asked) == 8


def test_what_is_not_finite_is_the_worst():
    chosen = choose_inside([(1, 2, 4)], lambda point: Tried(math.nan if point[0] != 2 else 5.0, 3))
    assert chosen == ((2,), (5.0, 3), ())


@pytest.mark.parametrize("axes", [[], 3, [(1,)], [(2, 1)], [(0, 1)], [(1, math.nan)], [("a", "b")], [None]])
def test_what_is_no_grid_is_named(axes):
    with pytest.raises(ValueError, match=r"^axes="):
        choose_inside(axes, lambda point: Tried(0.0, 1))
    with pytest.raises(ValueError, match=r"^run="):
        choose_inside([(1, 2)], None)
    with pytest.raises(ValueError, match=r"^most="):
        choose_inside([(1, 2)], lambda point: Tried(0.0, 1), most=-1)
