"""Operations on batches of matrices."""

import jax
import jax.numpy as jnp
from jax.lax import linalg
from provenance.drawing import to_float


def matrices(function, right=None):
    """A function of a batch of square matrices, and perhaps of vectors or matrices beside them."""

    def operation(draw):
        size, batch = draw.size() + (right == "matrix"), draw.shape(0, 1)
        operands = [draw.shaped((*batch, size, size))]
        if right:
            operands.append(draw.shaped((*batch, size, draw.size())))
        draw.apply(lambda *xs: jax.tree.map(to_float, function(*xs)), *operands)

    return operation


def _definite(x):
    """Make the lower half that of a positive definite matrix, without mixing elements."""
    return 0.3 * x + 5 * jnp.eye(x.shape[-1])


def _tridiagonal(draw):
    size, batch = draw.size() + 1, draw.shape(0, 1)
    bands = [draw.shaped((*batch, size)) for _ in range(3)]
    draw.apply(
        lambda a, d, c, b: linalg.tridiagonal_solve(a.at[..., 0].set(0), d + 5, c.at[..., -1].set(0), b),
        *bands, draw.shaped((*batch, size, 2)),
    )  # fmt: skip


OPERATIONS = {
    "tridiagonal_solve": _tridiagonal,
    "cholesky": matrices(lambda x: linalg.cholesky(_definite(x), symmetrize_input=False)),
    "eigh": matrices(lambda x: linalg.eigh(_definite(x), symmetrize_input=False)),
    "eig": matrices(linalg.eig),
    "svd": matrices(linalg.svd),
    "qr": matrices(linalg.qr),
    "lu": matrices(linalg.lu),
    "schur": matrices(linalg.schur),
    "hessenberg": matrices(linalg.hessenberg),
    "householder": matrices(lambda x, y: linalg.householder_product(x, x[..., 0, :]), "matrix"),
    "tridiagonal": matrices(lambda x: linalg.tridiagonal(_definite(x))),
    "triangular_solve": matrices(
        lambda x, y: linalg.triangular_solve(_definite(jnp.tril(x)), y, left_side=True, lower=True), "matrix"
    ),
    "right_solve": matrices(
        lambda x, y: linalg.triangular_solve(_definite(jnp.triu(x)), y.mT, transpose_a=True), "matrix"
    ),
    "pivots": matrices(lambda x: linalg.lu_pivots_to_permutation(linalg.lu(x)[1], x.shape[-1])),
    "solve": matrices(lambda x, y: jnp.linalg.solve(_definite(x), y), "matrix"),
    "det": matrices(jnp.linalg.slogdet),
}
