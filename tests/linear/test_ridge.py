"""Ridge regressions are their dense solutions, and the best of their rank."""

import pytest
import torch

from ddgp_lib.linear.ridge import Ridge, right_singular_vectors


@pytest.mark.parametrize(("samples", "features"), [(40, 6), (5, 12)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("epsilon", [1e-3, 1.0])
def test_ridge_is_the_dense_solution(samples, features, dtype, epsilon, generator):
    X = torch.randn(3, samples, features, dtype=dtype, generator=generator)
    Y = torch.randn(3, samples, 4, dtype=dtype, generator=generator)
    c = epsilon * float((X.mH @ X).diagonal(dim1=1, dim2=2).real.mean())
    dense = torch.linalg.solve(X.mH @ X + c * torch.eye(features, dtype=dtype), X.mH @ Y)
    torch.testing.assert_close(Ridge(X, Y).weights(epsilon), dense)
    torch.testing.assert_close(Ridge(X, Y, scale=2.0).weights(c / 2), dense)


def test_no_ridge_gives_the_weights_of_least_norm(generator):
    X, Y = (torch.randn(2, 5, n, dtype=torch.float64, generator=generator) for n in (12, 4))
    torch.testing.assert_close(Ridge(X, Y).weights(0), torch.linalg.pinv(X) @ Y)
    twice = torch.cat([X, X], dim=1)
    torch.testing.assert_close(
        Ridge(twice.repeat(1, 2, 1), Y.repeat(1, 4, 1)).weights(0), torch.linalg.pinv(X) @ Y
    )


@pytest.mark.parametrize(("samples", "features", "outputs"), [(30, 6, 5), (5, 12, 9), (8, 9, 20)])
def test_low_rank_ridge_is_the_best_of_its_rank(samples, features, outputs, generator):
    X, Y = (torch.randn(1, samples, n, dtype=torch.float64, generator=generator) for n in (features, outputs))
    regression, c = Ridge(X, Y, scale=1.0), 0.5

    def loss(W):
        return float((Y - X @ W).square().sum() + c * W.square().sum())

    whole = regression.weights(c)
    reading, expand = regression.low_rank_weights(c, 3)
    assert reading.shape == (1, features, 3)
    best = loss(reading @ expand)
    # the loss of W is that of the whole plus ‖R (W − whole)‖², R the root of XᵀX + c I: Eckart and Young say the rest
    root = torch.linalg.cholesky(X.mT @ X + c * torch.eye(features, dtype=X.dtype)).mT
    missing = torch.linalg.svdvals(root @ whole)[0, 3:].square().sum()
    assert best == pytest.approx(loss(whole) + float(missing), rel=1e-9)
    reading, expand = regression.low_rank_weights(c, 40)
    torch.testing.assert_close(reading @ expand, whole)


def test_right_singular_vectors_are_those_of_the_decomposition(generator):
    for shape in ((1, 9, 5), (1, 5, 9)):
        matrix = torch.randn(shape, dtype=torch.float64, generator=generator)
        ours, theirs = right_singular_vectors(matrix, 3), torch.linalg.svd(matrix).Vh.mT[..., :3]
        torch.testing.assert_close(ours @ ours.mT, theirs @ theirs.mT)


def test_bad_arguments_are_named(generator):
    X = torch.randn(1, 5, 3, generator=generator)
    with pytest.raises(ValueError, match=r"Y.shape=\(1, 4, 3\)"):
        Ridge(X, X[:, :4])
    with pytest.raises(ValueError, match="ridge=-1"):
        Ridge(X, X).weights(-1)
