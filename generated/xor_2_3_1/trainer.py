# Trainer of the network xor_2_3_1: 2 - 3 - 1 (sigmoid, sigmoid), cost half_squared_error.
#
# GENERATED FILE, DO NOT EDIT. It was compiled from the derivation of this network: every
# block below carries the equation that it computes, under the labels of the derivation
# that `symbp derive SPEC` typesets.
#
# written by: symbp 0.1.0
# content: sha256 cb1174d71bda0ce9561934d4938074012c32b9c822ceec01d5c6d209cec9a228
# derived with: SymPy 1.14
# options: dtype float64, optimizer sgd, batch size 4, elementary fast, target portable
# regenerate: symbp generate SPEC.toml, where SPEC.toml holds the text of SPEC below
# needs: numpy, numba
"""Train and evaluate the network xor_2_3_1: 2 - 3 - 1.

All weights live in one flat vector w of N_PARAMS numbers, layer after layer, each layer
row by row; where a layer has a bias, it is the last column. See unpack(w).

    w = init_params(seed)
    w, history = fit(w, X, Y, epochs=20)
    H = predict(w, X)

From the command line: python THIS_FILE.py --help
"""

import math
import sys
from functools import partial

import numpy as np
from numba import njit

NAME = "xor_2_3_1"
SIZES = (2, 3, 1)  # N_0 inputs, the layers, N_{L+1} outputs
BIASES = (True, True)
N_PARAMS = 13
DTYPE = np.dtype("float64")
BATCH_SIZE = 4
OPTIMIZER = "sgd"
LEARNING_RATE = 1.0
CLIP_NORM = None
STATES = {}  # what the optimizer keeps for every weight, and how it starts
EPOCHS = 5000
CHUNK = 256  # rows that predict, value_and_gradient and jacobian hold at once
SPEC = """\
[network]
name = "xor_2_3_1"
inputs = 2
cost = "half_squared_error"
layers = [
    { units = 3, activation = "sigmoid" },
    { units = 1, activation = "sigmoid" },
]

[train]
batch_size = 4
epochs = 5000
dtype = "float64"
seed = 0
shuffle = true
elementary = "fast"
target = "portable"

[train.optimizer]
name = "sgd"
learning_rate = 1.0
"""

F = np.float64  # the type of every number in a kernel
I = np.int64  # the integer of the same size


OPTIONS = {
    "fastmath": {"contract"},  # fused multiply-add and nothing else: NaN and infinity stay what they are
    "error_model": "numpy",
    "nogil": True,
    "no_cfunc_wrapper": True,  # nobody takes the address of a kernel
}


def _kernel(function, **more):
    """Compile at the first call, and cache on disk.

    The module's name becomes part of the cache's file names: Numba stores it in what it
    caches, so each name under which this file is loaded needs entries of its own. A module that
    is not in sys.modules could not read back what it wrote, so it compiles in every process.
    """
    function.__qualname__ = f"{__name__}.{function.__name__}"
    options = OPTIONS | more
    known = getattr(sys.modules.get(__name__), "__dict__", None) is globals()
    try:
        return njit(cache=known, **options)(function)
    except RuntimeError:  # nowhere to write a cache: compile in every process
        return njit(**options)(function)


def _shared(function):
    """Compile as a function that kernels call, and that is a part of what is cached of them."""
    return njit(no_cpython_wrapper=True, **OPTIONS)(function)


def _inlined(function):
    """Compile as a part of each kernel that calls it, and of what is cached of that."""
    return njit(forceinline=True, no_cpython_wrapper=True, **OPTIONS)(function)


# The elementary functions of the kernels, in arithmetic that the compiler turns into vector
# instructions once it stands inside a loop. Errors are in units in the last place (ulp).


@_inlined
def sigmoid(x):
    # 1/(1 + exp(-x)): e/(1 + e) or 1/(1 + e) with e = exp(-|x|), which cannot overflow; what exp
    # and the sum lost is put back to first order.
    # exp(r) = 1 + r + r^2 P(r), degree 9, relative error 1.1e-17
    # largest error met in 3,035,112 points: 1.34 ulp
    negative = x < 0.0
    x = max(-abs(x), -746.0)
    magic = 6755399441057279.0
    t = x*1.4426950408889634 + magic
    n = t - magic
    h = x - n*0.6931471805598903
    l = n*5.497923018708371e-14
    r = h - l
    p = 2.5000051548830345e-08
    p = p*r + 2.763023359395362e-07
    p = p*r + 2.755758633799834e-06
    p = p*r + 2.4801493137415457e-05
    p = p*r + 0.00019841269506690973
    p = p*r + 0.0013888888943596148
    p = p*r + 0.00833333333349438
    p = p*r + 0.04166666666653027
    p = p*r + 0.16666666666666413
    p = p*r + 0.5000000000000011
    q = h + (r*r*p - l)
    a = I(F(t).view(I) << I(52)).view(F)
    g = 1.0 + q
    e = g*a*7.458340731200207e-155
    d = (q - (g - 1.0))*a*7.458340731200207e-155
    u = 1.0 + e
    lost = (e - (u - 1.0)) + d
    y = (e if negative else 1.0)/u
    return y + ((d if negative else 0.0) - y*lost)*((1.0 - y) if negative else y)


@_kernel
def _forward(w, X, rows, start, count, work):
    """Compute H for the samples rows[start:start + count]."""
    capacity = (work.size - 6)//12
    C1 = work[0*capacity:3*capacity].reshape((capacity, 3))
    W1 = w[0:9].reshape((3, 3))
    O1 = work[3*capacity:6*capacity].reshape((capacity, 3))
    C2 = work[6*capacity:7*capacity].reshape((capacity, 1))
    W2 = w[9:13].reshape((1, 4))
    H = work[7*capacity:8*capacity].reshape((capacity, 1))

    # (2.6b, k=1)  c_r^1 = sum_{s=1}^2 w_{rs}^1 x_s + w_{r3}^1
    for p in range(count):
        row = rows[start + p]
        for r in range(3):
            total = W1[r, 2]
            for s in range(2):
                total += W1[r, s]*X[row, s]
            C1[p, r] = total

    # (1.3, k=1)  o_i^1 = 1/(1 + exp(-c_i^1))
    C1_flat = C1.reshape(-1)
    O1_flat = O1.reshape(-1)
    for t in range(count*3):
        O1_flat[t] = sigmoid(C1_flat[t])

    # (2.6b, k=2)  c_r^2 = sum_{s=1}^3 w_{rs}^2 o_s^1 + w_{r4}^2
    for p in range(count):
        for r in range(1):
            total = W2[r, 3]
            for s in range(3):
                total += O1[p, s]*W2[r, s]
            C2[p, r] = total

    # (1.8)  h_q = 1/(1 + exp(-c_q^2))
    C2_flat = C2.reshape(-1)
    H_flat = H.reshape(-1)
    for t in range(count*1):
        H_flat[t] = sigmoid(C2_flat[t])


@_inlined
def _answer(w, X, work):
    """Compute H for the one row of X."""
    capacity = 1
    C1 = work[0*capacity:3*capacity].reshape((capacity, 3))
    W1 = w[0:9].reshape((3, 3))
    O1 = work[3*capacity:6*capacity].reshape((capacity, 3))
    C2 = work[6*capacity:7*capacity].reshape((capacity, 1))
    W2 = w[9:13].reshape((1, 4))
    H = work[7*capacity:8*capacity].reshape((capacity, 1))

    # (2.6b, k=1)  c_r^1 = sum_{s=1}^2 w_{rs}^1 x_s + w_{r3}^1
    for r in range(3):
        total = W1[r, 2]
        for s in range(2):
            total += W1[r, s]*X[0, s]
        C1[0, r] = total

    # (1.3, k=1)  o_i^1 = 1/(1 + exp(-c_i^1))
    for i in range(3):
        O1[0, i] = sigmoid(C1[0, i])

    # (2.6b, k=2)  c_r^2 = sum_{s=1}^3 w_{rs}^2 o_s^1 + w_{r4}^2
    for r in range(1):
        total = W2[r, 3]
        for s in range(3):
            total += O1[0, s]*W2[r, s]
        C2[0, r] = total

    # (1.8)  h_q = 1/(1 + exp(-c_q^2))
    for q in range(1):
        H[0, q] = sigmoid(C2[0, q])


@partial(_kernel, forceinline=True, no_cfunc_wrapper=False)
def predict_one(prepared, x, h):
    """h[:] = the outputs for one sample.

    For compiled code of your own: prepared is what prepare(w) returns, for one thread at a time;
    x, shape (2,), and h, shape (1,), are contiguous and of type float64.
    """
    if x.size != 2 or h.size != 1:
        raise ValueError("predict_one: expected x of 2 and h of 1 numbers")
    w, work = prepared
    _answer(w, x.reshape((1, 2)), work)
    capacity = 1
    H = work[7*capacity:8*capacity].reshape((capacity, 1))
    for q in range(1):
        h[q] = H[0, q]


@_kernel
def _sensitivities(w, X, Y, rows, start, count, m, work):
    """Compute delta of every layer, the last first, for samples that _forward has seen."""
    capacity = (work.size - 6)//12
    D2 = work[8*capacity:9*capacity].reshape((capacity, 1))
    H = work[7*capacity:8*capacity].reshape((capacity, 1))
    D1 = work[9*capacity:12*capacity].reshape((capacity, 3))
    O1 = work[3*capacity:6*capacity].reshape((capacity, 3))
    W2 = w[9:13].reshape((1, 4))

    # (D.1f)  delta_r^2 = h_r (1 - h_r) (h_r - y_r)/m
    for p in range(count):
        row = rows[start + p]
        for r in range(1):
            D2[p, r] = (1.0 - H[p, r])*(H[p, r] - Y[row, r])*H[p, r]/m

    # (D.5f, k=1)  delta_s^1 = o_s^1 (1 - o_s^1) sum_{r=1}^1 w_{rs}^2 delta_r^2
    for p in range(count):
        for s in range(3):
            D1[p, s] = 0.0
        for r in range(1):
            d2 = D2[p, r]
            for s in range(3):
                D1[p, s] += d2*W2[r, s]
    for p in range(count):
        for s in range(3):
            D1[p, s] = (1.0 - O1[p, s])*D1[p, s]*O1[p, s]


@_kernel
def _gradient(w, X, Y, rows, start, count, m, gradient, work):
    """Add the samples' share of dJ/dw to gradient and return their share of J; J averages m samples."""
    _forward(w, X, rows, start, count, work)
    _sensitivities(w, X, Y, rows, start, count, m, work)
    capacity = (work.size - 6)//12
    H = work[7*capacity:8*capacity].reshape((capacity, 1))
    G2 = gradient[9:13].reshape((1, 4))
    D2 = work[8*capacity:9*capacity].reshape((capacity, 1))
    O1 = work[3*capacity:6*capacity].reshape((capacity, 3))
    G1 = gradient[0:9].reshape((3, 3))
    D1 = work[9*capacity:12*capacity].reshape((capacity, 3))
    cost = 0.0

    # (2.1)  J = (1/m) sum_{p=1}^m sum_{q=1}^1 (h_q^p - y_q^p)^2/2
    for p in range(count):
        row = rows[start + p]
        for q in range(1):
            cost += 0.5*(H[p, q] - Y[row, q])*(H[p, q] - Y[row, q])
    cost = cost/m

    # (D.6a, k=2)  dJ/dw_{ij}^2 = sum_{p=1}^m delta_i^{2,p} o_j^{1,p}
    for i in range(1):
        for p in range(count):
            d2 = D2[p, i]
            for j in range(3):
                G2[i, j] += d2*O1[p, j]

    # (D.6b, k=2)  dJ/dw_{i4}^2 = sum_{p=1}^m delta_i^{2,p}
    for i in range(1):
        total = 0.0
        for p in range(count):
            total += D2[p, i]
        G2[i, 3] += total

    # (D.6a, k=1)  dJ/dw_{ij}^1 = sum_{p=1}^m delta_i^{1,p} x_j^p
    for i in range(3):
        for p in range(count):
            row = rows[start + p]
            d1 = D1[p, i]
            for j in range(2):
                G1[i, j] += d1*X[row, j]

    # (D.6b, k=1)  dJ/dw_{i3}^1 = sum_{p=1}^m delta_i^{1,p}
    for i in range(3):
        total = 0.0
        for p in range(count):
            total += D1[p, i]
        G1[i, 2] += total

    return cost


@_shared
def _jacobian_of_sample(w, X, row, start, p, work, jacobian):
    """Fill jacobian[start + p] with dh/dw at the sample X[row], by the T-product (2.17)."""
    capacity = (work.size - 6)//12
    H = work[7*capacity:8*capacity].reshape((capacity, 1))
    O1 = work[3*capacity:6*capacity].reshape((capacity, 3))
    S1 = work[12*capacity + 0:12*capacity + 3].reshape((1, 3))
    W2 = w[9:13].reshape((1, 4))

    # (2.17af, k=2)  dh_q/dw_{ij}^2 = delta_{qi} o_j^1 h_q (1 - h_q)
    for q in range(1):
        for i in range(1):
            for j in range(3):
                jacobian[start + p, q, 9 + 4*i + j] = (1.0 - H[p, q])*(1.0 if i == q else 0.0)*H[p, q]*O1[p, j]

    # (2.17bf, k=2)  dh_q/dw_{i4}^2 = delta_{qi} h_q (1 - h_q)
    for q in range(1):
        for i in range(1):
            jacobian[start + p, q, 9 + 4*i + 3] = (1.0 - H[p, q])*(1.0 if i == q else 0.0)*H[p, q]

    # (2.12f, k=1)  [S_1]_{rs} = w_{rs}^2 o_s^1 (1 - o_s^1)
    for r in range(1):
        for s in range(3):
            S1[r, s] = (1.0 - O1[p, s])*O1[p, s]*W2[r, s]

    # (2.17af, k=1)  dh_q/dw_{ij}^1 = x_j h_q (1 - h_q) [S_1]_{qi}
    for q in range(1):
        for i in range(3):
            for j in range(2):
                jacobian[start + p, q, 3*i + j] = (1.0 - H[p, q])*H[p, q]*S1[q, i]*X[row, j]

    # (2.17bf, k=1)  dh_q/dw_{i3}^1 = h_q (1 - h_q) [S_1]_{qi}
    for q in range(1):
        for i in range(3):
            jacobian[start + p, q, 3*i + 2] = (1.0 - H[p, q])*H[p, q]*S1[q, i]


@_kernel
def _jacobian(w, X, rows, start, count, work, jacobian):
    """Fill jacobian[start:start + count] with dh/dw of the samples rows[start:start + count]."""
    _forward(w, X, rows, start, count, work)
    for p in range(count):
        _jacobian_of_sample(w, X, rows[start + p], start, p, work, jacobian)


@_kernel
def _input_gradient(w, X, Y, rows, start, count, m, work, input_gradient):
    """Fill input_gradient[start:start + count] with dJ/dx of the samples; J averages m samples."""
    _forward(w, X, rows, start, count, work)
    _sensitivities(w, X, Y, rows, start, count, m, work)
    capacity = (work.size - 6)//12
    D1 = work[9*capacity:12*capacity].reshape((capacity, 3))
    W1 = w[0:9].reshape((3, 3))

    # (X.13, k=1)  dJ/dx_j = sum_{r=1}^3 w_{rj}^1 delta_r^1
    for p in range(count):
        for j in range(2):
            input_gradient[start + p, j] = 0.0
        for r in range(3):
            d1 = D1[p, r]
            for j in range(2):
                input_gradient[start + p, j] += d1*W1[r, j]


@_shared
def _input_jacobian_of_sample(w, X, row, start, p, work, input_jacobian):
    """Fill input_jacobian[start + p] with dh/dx at the sample X[row], by the T-product (X.8)."""
    capacity = (work.size - 6)//12
    S1 = work[12*capacity + 0:12*capacity + 3].reshape((1, 3))
    O1 = work[3*capacity:6*capacity].reshape((capacity, 3))
    W2 = w[9:13].reshape((1, 4))
    R1 = work[12*capacity + 3:12*capacity + 6].reshape((1, 3))
    H = work[7*capacity:8*capacity].reshape((capacity, 1))
    W1 = w[0:9].reshape((3, 3))

    # (2.12f, k=1)  [S_1]_{rs} = w_{rs}^2 o_s^1 (1 - o_s^1)
    for r in range(1):
        for s in range(3):
            S1[r, s] = (1.0 - O1[p, s])*O1[p, s]*W2[r, s]

    # (X.9f, k=1)  dh_q/dc_s^1 = h_q (1 - h_q) [S_1]_{qs}
    for q in range(1):
        for s in range(3):
            R1[q, s] = (1.0 - H[p, q])*H[p, q]*S1[q, s]

    # (X.10, k=1)  dh_q/dx_j = sum_{s=1}^3 w_{sj}^1 dh_q/dc_s^1
    for q in range(1):
        for j in range(2):
            input_jacobian[start + p, q, j] = 0.0
        for s in range(3):
            r1 = R1[q, s]
            for j in range(2):
                input_jacobian[start + p, q, j] += r1*W1[s, j]


@_kernel
def _input_jacobian(w, X, rows, start, count, work, input_jacobian):
    """Fill input_jacobian[start:start + count] with dh/dx of the samples rows[start:start + count]."""
    _forward(w, X, rows, start, count, work)
    for p in range(count):
        _input_jacobian_of_sample(w, X, rows[start + p], start, p, work, input_jacobian)


@_kernel
def _update(w, gradient, learning_rate):
    """One step of sgd."""
    # (2.2)  w_{ij}^k <- w_{ij}^k - eta dJ/dw_{ij}^k
    for t in range(13):
        w[t] = w[t] - learning_rate*gradient[t]


@_kernel
def _epoch_in_parts(w, X, Y, rows, batch_size, learning_rate, gradients, work):
    """Update w once per batch; return the mean cost of a sample and the batch that diverged, or -1.

    The gradient is kept, and added up over parts of CHUNK samples.
    """
    total = 0.0
    n = rows.size
    batches = (n + batch_size - 1)//batch_size
    thread = 0
    gradient = gradients[thread]
    for batch in range(batches):
        start = batch*batch_size
        count = min(batch_size, n - start)
        gradient[:] = 0
        cost = F(0)
        begin, end = 0, count
        for part in range(begin, end, CHUNK):
            size = min(CHUNK, end - part)
            cost += _gradient(w, X, Y, rows, start + part, size, F(count), gradient, work)
        if thread == 0:
            if math.isfinite(cost):
                _update(w, gradient, learning_rate)
        if not math.isfinite(cost):
            return float(cost), batch
        total += cost*count
    return total/max(n, 1), -1


# How the weights of each layer start: (first, last, rows, columns, columns without bias,
# distribution, standard deviation or limit). Biases start at 0.
INITIAL = (
    # glorot uniform: Glorot and Bengio 2010, eq. 16
    (0, 9, 3, 3, 2, "uniform", 1.0954451150103321),
    # glorot uniform: Glorot and Bengio 2010, eq. 16
    (9, 13, 1, 4, 3, "uniform", 1.224744871391589),
)


def init_params(rng_or_seed=0):
    """Return a flat vector of start weights, shape (N_PARAMS,); biases start at 0.

    Layer 1, 2: glorot, uniform, square of the limit 6/(fan_in + fan_out) (Glorot and Bengio 2010, eq. 16).
    """
    rng = _random(rng_or_seed)
    w = np.zeros(N_PARAMS, DTYPE)
    for first, last, rows, columns, regular, distribution, scale in INITIAL:
        if distribution == "normal":
            start = rng.normal(0.0, scale, (rows, regular))
        else:
            start = rng.uniform(-scale, scale, (rows, regular))
        w[first:last].reshape(rows, columns)[:, :regular] = start
    return w


def unpack(w):
    """Return views [W_1, ..., W_{L+1}] of a flat vector, W_k of shape (N_k, N_{k-1} + bias)."""
    w = np.asarray(w)
    if w.shape != (N_PARAMS,):
        raise ValueError(f"w has shape {w.shape}, expected ({N_PARAMS},)")
    return [w[first:last].reshape(rows, columns) for first, last, rows, columns, *_ in INITIAL]


def predict(w, X):
    """Return H, shape (n, 1), for inputs X of shape (n, 2)."""
    w, X = _weights(w), _inputs(X)
    result = np.empty((len(X), 1), DTYPE)
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    capacity = (work.size - 6)//12
    H = work[7*capacity:8*capacity].reshape((capacity, 1))
    for start, count in _chunks(len(X)):
        _forward(w, X, rows, start, count, work)
        result[start:start + count] = H[:count]
    return result


def prepare(w):
    """Return the weights as predict_one wants them; do it again when they have changed."""
    w, work = _weights(w).copy(), _workspace(1)
    return w, work


def value_and_gradient(w, X, Y):
    """Return J, averaged over the n samples, and its gradient, shape (N_PARAMS,)."""
    w, X = _weights(w), _inputs(X)
    Y = _targets(Y, len(X))
    gradient, cost = np.zeros(N_PARAMS, DTYPE), 0.0
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    for start, count in _chunks(len(X)):
        cost += float(_gradient(w, X, Y, rows, start, count, F(len(X)), gradient, work))
    return cost, gradient


def jacobian(w, X):
    """Return dh_q/dw of every sample, shape (n, 1, N_PARAMS), by the T-product (2.17)."""
    w, X = _weights(w), _inputs(X)
    result = np.empty((len(X), 1, N_PARAMS), DTYPE)
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    for start, count in _chunks(len(X)):
        _jacobian(w, X, rows, start, count, work, result)
    return result


def input_gradient(w, X, Y):
    """Return dJ/dX, shape (n, 2), of the cost that averages the n samples, by the sensitivities (X.13)."""
    w, X = _weights(w), _inputs(X)
    Y = _targets(Y, len(X))
    result = np.empty((len(X), 2), DTYPE)
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    for start, count in _chunks(len(X)):
        _input_gradient(w, X, Y, rows, start, count, F(len(X)), work, result)
    return result


def input_jacobian(w, X):
    """Return dh_q/dx of every sample, shape (n, 1, 2), by the T-product (X.8)."""
    w, X = _weights(w), _inputs(X)
    result = np.empty((len(X), 1, 2), DTYPE)
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    for start, count in _chunks(len(X)):
        _input_jacobian(w, X, rows, start, count, work, result)
    return result


class History(list):
    """The mean cost of every epoch. ``state`` is what fit(..., state=history.state) continues from."""

    state = None


def fit(
    w,
    X,
    Y,
    *,
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
    learning_rate=LEARNING_RATE,
    clip_norm=CLIP_NORM,
    shuffle=True,
    seed=0,
    callback=None,
    state=None,
    total_epochs=None,
    threads=1,
):
    """Train from the weights w, which stay as they are.

    Parameters
    ----------
    w : array, shape (N_PARAMS,)
    X : array, shape (n, 2)
    Y : array
        Values of shape (n, 1) or (n,).
    epochs, batch_size : int
        The last batch of an epoch may be smaller.
    learning_rate : float
    clip_norm : float
        The largest norm of the gradient; only where the trainer was written with one.
    shuffle : bool
        Whether every epoch takes the samples in a new order; no data are copied for it.
    seed : int or numpy.random.Generator
        The same seed gives bitwise the same weights.
    callback : callable, optional
        Called as callback(epoch, epochs, cost) after every epoch, counted from 1.
    state : dict, optional
        ``history.state`` of an earlier call: the optimizer goes on where that one ended.
    total_epochs : int, optional
        The length of the whole run, for a schedule; by default what was done and `epochs`.
    threads : int
        Has no effect: this trainer was written for any machine, and works alone.

    Returns
    -------
    w : array, shape (N_PARAMS,)
    history : History
        A list: the mean cost of every epoch, as met while training.

    Raises
    ------
    FloatingPointError
        If the cost stops being finite.
    ValueError
        If shapes, targets or options do not fit.
    """
    w, X = _weights(w).copy(), _inputs(X)
    Y = _targets(Y, len(X))
    for what, values in (("w", w), ("X", X), ("Y", Y)):
        _finite(what, values)
    epochs, batch_size = _count("epochs", epochs, 0), _count("batch_size", batch_size, 1)
    learning_rate = _positive("learning_rate", learning_rate)
    if clip_norm is not None:
        raise ValueError("clip_norm: this trainer does not clip; write it again with clip_norm among its options")
    states, step, done = _state(state)
    threads = _count("threads", threads, 1)
    whole = done + epochs if total_epochs is None else _count("total_epochs", total_epochs, done + epochs)
    batches = (len(X) + batch_size - 1)//batch_size
    rate = DTYPE.type(learning_rate)
    rng = _random(seed)
    rows = np.arange(len(X))
    history = History()
    gradients, work = np.empty((1, N_PARAMS), DTYPE), _workspace(min(batch_size, len(X), CHUNK))
    for epoch in range(1, epochs + 1):
        if shuffle:
            rng.shuffle(rows)
        cost, diverged = _epoch_in_parts(
            w, X, Y, rows, batch_size, rate, gradients, work
        )
        step += batches
        if diverged >= 0:
            raise FloatingPointError(
                f"the cost became {cost} in epoch {epoch}, batch {diverged + 1}, with learning rate "
                f"{learning_rate}: try a smaller one"
            )
        history.append(float(cost))
        if callback is not None:
            callback(epoch, epochs, float(cost))
    if not np.isfinite(w).all():  # the last step, which no cost has seen
        raise FloatingPointError(
            f"a weight is no longer finite after epoch {epochs}, with learning rate {learning_rate}: try a smaller one"
        )
    kept = dict(zip(STATES, states, strict=True))
    history.state = {"optimizer": OPTIMIZER, "step": step, "epochs": done + epochs, "states": kept}
    return w, history


def _workspace(rows):
    """Return the memory for the layers of `rows` samples: nothing is allocated in a loop."""
    return np.empty(12*max(rows, 1) + 6, DTYPE)


def _chunks(n):
    """Yield (start, count) of pieces of at most CHUNK samples."""
    for start in range(0, n, CHUNK):
        yield start, min(CHUNK, n - start)


def _numbers(what, values, kind=DTYPE):
    """Return the values in memory as the kernels want it, by default in the trainer's type."""
    try:
        if np.iscomplexobj(values):
            raise TypeError("a complex number")
        return np.asarray(values, kind, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: expected an array of real numbers ({error})") from None


def _weights(w):
    w = _numbers("w", w)
    if w.shape != (N_PARAMS,):
        raise ValueError(f"w has shape {w.shape}, expected ({N_PARAMS},)")
    return w


def _inputs(X):
    X = _numbers("X", X)
    if X.ndim != 2 or X.shape[1] != SIZES[0]:
        raise ValueError(f"X has shape {X.shape}, expected (n, {SIZES[0]})")
    return X


def _targets(Y, n):
    """Return the targets as rows, shape (n, 1)."""
    Y = np.asarray(Y)
    outputs = SIZES[-1]
    if n == 0:
        raise ValueError("X has no rows: there is nothing to average over")
    rows = _numbers("Y", Y)
    if rows.ndim == 1 and outputs == 1:
        rows = rows.reshape(-1, 1)
    if rows.shape != (n, outputs):
        expected = f"({n},) or ({n}, 1)" if outputs == 1 else f"({n}, {outputs})"
        raise ValueError(f"Y has shape {Y.shape}, expected {expected}")
    return rows


def _finite(what, values):
    if not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0].tolist()
        raise ValueError(f"{what}{place} is {values[tuple(place)]}: expected finite numbers")


def _count(name, value, least):
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name} = {value!r}: expected a whole number of at least {least}")
    return int(value)


def _positive(name, value):
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not (real and math.isfinite(value) and value > 0):
        raise ValueError(f"{name} = {value!r}: expected a positive number")
    return float(value)


def _random(seed):
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise ValueError(
            f"seed = {seed!r}: expected a whole number of at least 0, or a numpy.random.Generator"
        ) from None


def _state(state):
    """Return the states of the optimizer, shape (len(STATES), N_PARAMS), updates and epochs done."""
    states = np.empty((len(STATES), N_PARAMS), DTYPE)
    if state is None:
        for number, initial in enumerate(STATES.values()):
            states[number] = initial
        return states, 0, 0
    if not isinstance(state, dict) or set(state) != {"optimizer", "step", "epochs", "states"}:
        raise ValueError("state: expected history.state of an earlier fit")
    if state["optimizer"] != OPTIMIZER or set(STATES) != set(state["states"]):
        raise ValueError(f"state: it is of the optimizer {state['optimizer']}, this trainer's is {OPTIMIZER}")
    for number, name in enumerate(STATES):
        given = _numbers(f"state: {name}", state["states"][name])
        if given.shape != (N_PARAMS,):
            raise ValueError(f"state: {name} has shape {given.shape}, expected ({N_PARAMS},)")
        states[number] = given
    return states, _count("state: step", state["step"], 0), _count("state: epochs", state["epochs"], 0)


# The test vector: weights and data that _pattern makes, and what the derivation's own
# functions give there, computed with 100 digits and central differences.
TEST_COST = 0.47973366329401107
TEST_OUTPUTS = (
    (0.6042908713916539, ),
    (0.6058663636596381, ),
)
TEST_SLOPES = (-0.060161935158353774, -0.289534079708555, )
TEST_OUTPUT_SLOPES = (
    (-0.0649492492025966, ),
    (-0.05768427901773891, ),
)
TEST_INPUT_SLOPE = 0.00587683718632814
TEST_OUTPUT_INPUT_SLOPES = (
    (0.00612298517232075, ),
    (0.005890506922969343, ),
)
TOLERANCE = 2.0**14*float(np.finfo(DTYPE).eps)

# Position in w, the new weight and the new states after update number 3 of the patterns.
TEST_UPDATE = (
    (0, -0.7525865077014291, ),
    (1, -0.726740405186889, ),
    (2, -0.9508943026723489, ),
    (3, -0.9250482001578086, ),
    (12, 0.3075667224730525, ),
)


def _pattern(first, size, factor, shift, modulus):
    """Numbers between -1 and 1, none of them 0."""
    t = np.arange(first, first + size, dtype=np.int64)
    return (2*((factor*t + shift) % modulus) - modulus)/modulus


def _test_point():
    """Return weights w, inputs X and targets Y of the test vector."""
    n, outputs = len(TEST_OUTPUTS), SIZES[-1]
    w = _pattern(0, N_PARAMS, 7919, 12345, 2003)
    w[0:9] /= 2
    w[9:13] /= 2
    X = _pattern(0, n*SIZES[0], 104729, 777, 1999).reshape(n, SIZES[0])
    Y = _pattern(0, n*outputs, 6151, 421, 1511).reshape(n, outputs)
    return w, X, Y


def _direction(first, shape):
    """Return a direction of change, float64."""
    return _pattern(first, int(np.prod(shape)), 3571, 5, 1013).reshape(shape)


def _test_predict(w, X, *targets):
    for found, expected in zip(predict(w, X).ravel(), np.ravel(TEST_OUTPUTS)):
        _compare("output (1.8)", found, expected, max(1.0, abs(expected)))


def _test_predict_one(w, X, *targets):
    prepared, h = prepare(w), np.empty(SIZES[-1], DTYPE)
    for x, row in zip(X.astype(DTYPE), TEST_OUTPUTS):
        predict_one(prepared, x, h)
        for found, expected in zip(h, row):
            _compare("output (1.8)", found, expected, max(1.0, abs(expected)))


def _test_value_and_gradient(w, X, *targets):
    cost, gradient = value_and_gradient(w, X, *targets)
    _compare("cost (2.1)", cost, TEST_COST, max(1.0, abs(TEST_COST)))
    for number, slope in enumerate(TEST_SLOPES):
        _compare_slope("gradient (D.6)", gradient, _direction(211*number, w.shape), slope)

    w = _pattern(0, N_PARAMS, 7919, 12345, 2003).astype(DTYPE)
    gradient = _pattern(211, N_PARAMS, 3571, 5, 1013).astype(DTYPE)
    _update(w, gradient, F(0.125))
    for t, *expected in TEST_UPDATE:
        found = [w[t]]
        for value, right in zip(found, expected, strict=True):
            # A few operations on numbers of size 1: no sums behind them.
            _compare("update (2.2)", value, right, max(1.0, abs(right)), TOLERANCE/64)


def _test_jacobian(w, X, *targets):
    for sample, slopes in zip(jacobian(w, X), TEST_OUTPUT_SLOPES):
        for row, slope in zip(sample, slopes):
            _compare_slope("Jacobian (2.17)", row, _direction(0, w.shape), slope)


def _test_input_gradient(w, X, *targets):
    _compare_slope("input gradient (X.13)", input_gradient(w, X, *targets), _direction(0, X.shape), TEST_INPUT_SLOPE)


def _test_input_jacobian(w, X, *targets):
    for sample, slopes, direction in zip(input_jacobian(w, X), TEST_OUTPUT_INPUT_SLOPES, _direction(0, X.shape)):
        for row, slope in zip(sample, slopes):
            _compare_slope("input Jacobian (X.10)", row, direction, slope)


TESTS = {
    "predict": _test_predict,
    "predict_one": _test_predict_one,
    "value_and_gradient": _test_value_and_gradient,
    "jacobian": _test_jacobian,
    "input_gradient": _test_input_gradient,
    "input_jacobian": _test_input_jacobian,
}


def self_test(*functions):
    """Compare what these functions (names; by default all of TESTS) return with the test vector.

    Raises
    ------
    AssertionError
        Names what differs. A result may be off by 2^14 roundings of its own size: single
        terms of the sums behind it are larger than the sums.
    """
    point = _test_point()
    for name in functions or TESTS:
        TESTS[name](*point)


def _compare_slope(what, gradient, direction, expected):
    terms = gradient.astype(np.float64)*direction
    _compare(what, terms.sum(), expected, np.abs(terms).sum())


def _compare(what, found, expected, size, tolerance=TOLERANCE):
    # Written so that NaN fails.
    if not abs(found - expected) <= tolerance*size:
        raise AssertionError(f"{what}: {found} instead of {expected}")


def main():
    """The command line of this file."""
    # Standard library only, and only when this file is run as a program.
    import argparse
    import contextlib
    import os
    import sys

    parser = argparse.ArgumentParser(
        description="Network xor_2_3_1: 2 - 3 - 1 (sigmoid, sigmoid), cost half_squared_error, float64.",
        epilog="Data are .npz files with an array X, and Y for fit. Written by symbp 0.1.0.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("fit", help="train and write the weights")
    train.add_argument("data", help=".npz file with X and Y")
    train.add_argument("weights", help=".npz file to write; its array is w")
    train.add_argument("--epochs", type=int, default=EPOCHS)
    train.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    train.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--threads", type=int, default=1)
    use = commands.add_parser("predict", help="write the outputs for X")
    use.add_argument("weights", help=".npz file that fit has written")
    use.add_argument("data", help=".npz file with X")
    use.add_argument("output", help=".npz file to write; its array is H")
    commands.add_parser("self-test", help="compare the kernels with the embedded test vector")
    arguments = parser.parse_args()

    def read(path, *names):
        with np.load(path) as arrays:
            missing = [name for name in names if name not in arrays]
            if missing:
                raise ValueError(f"{path}: no array {missing[0]}; found {', '.join(arrays) or 'none'}")
            return [arrays[name] for name in names]

    @contextlib.contextmanager
    def written(path, *sources):
        """Open a file that takes its name when it is complete; what cannot be written is known at once."""
        path = path if path.endswith(".npz") else path + ".npz"
        if any(os.path.realpath(path) == os.path.realpath(source) for source in sources):
            raise ValueError(f"{path}: is read from, too; name another file to write")
        part = f"{path}.{os.getpid()}.part"
        try:
            with open(part, "wb") as file:
                yield file
            os.replace(part, path)
        finally:
            if os.path.exists(part):
                os.remove(part)

    def report(epoch, epochs, cost):
        print(f"epoch {epoch}/{epochs}  cost {cost:.6g}")

    try:
        if arguments.command == "fit":
            X, Y = read(arguments.data, "X", "Y")
            with written(arguments.weights, arguments.data) as file:
                w, _ = fit(
                    init_params(arguments.seed),
                    X,
                    Y,
                    epochs=arguments.epochs,
                    batch_size=arguments.batch_size,
                    learning_rate=arguments.learning_rate,
                    seed=arguments.seed,
                    threads=arguments.threads,
                    callback=report,
                )
                np.savez(file, w=w)
        elif arguments.command == "predict":
            (w,), (X,) = read(arguments.weights, "w"), read(arguments.data, "X")
            with written(arguments.output, arguments.weights, arguments.data) as file:
                np.savez(file, H=predict(w, X))
        else:
            self_test()
            print("self-test passed")
    except Exception as error:  # whatever a broken file makes NumPy raise: one line
        print(f"{NAME}: error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
