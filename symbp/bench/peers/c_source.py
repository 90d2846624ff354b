"""The C text of a workload: what a careful programmer writes for one network, with its sizes as literals.

Written by hand for the comparison. ``naive`` takes sample by sample and sums up a gradient;
``batched`` takes the batch through a layer at once, with W_k^T beside W_k so that every inner
loop runs along a row.

Both export ``put`` and ``get`` of all weights, flat, and ``train(X, labels, steps, epochs)``; where
outputs are asked for, ``predict(X, H, steps, epochs)`` instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbp.bench.workloads import LEARNING_RATE, Workload

_HEAD = """\
/* {title} */
#include <math.h>
#include <stdint.h>
#include <string.h>
typedef {real} real;
#define RATE ((real){rate})
#define BATCH {batch}
"""

_TRAIN = """
void train(const real *X, const int64_t *labels, int64_t steps, int64_t epochs) {{
  for (int64_t epoch = 0; epoch < epochs; epoch++)
    for (int64_t n = 0; n < steps; n++)
      step(X + n*BATCH*{inputs}, labels + n*BATCH);
}}
"""

_PREDICT = """
void predict(const real *X, real *H, int64_t steps, int64_t epochs) {{
  for (int64_t epoch = 0; epoch < epochs; epoch++)
    for (int64_t n = 0; n < steps; n++)
      answer(X + n*BATCH*{inputs}, H + n*BATCH*{outputs});
}}
"""

_REAL = {"float32": "float", "float64": "double"}
_SUFFIX = {"float32": "f", "float64": ""}


def naive(workload: Workload, dtype: str) -> str:
    """Return the text that goes sample by sample."""
    body = _naive_step if workload.purpose == "train" else _naive_answer
    return _text(workload, dtype, [*_naive_arrays(workload), *body(workload, _SUFFIX[dtype])])


def batched(workload: Workload, dtype: str) -> str:
    """Return the text that goes layer by layer through a batch."""
    body = _batched_step if workload.purpose == "train" else _batched_answer
    return _text(workload, dtype, [*_batched_arrays(workload), *body(workload, _SUFFIX[dtype])])


def _text(workload: Workload, dtype: str, body: list[str]) -> str:
    head = _HEAD.format(
        title=workload.title, real=_REAL[dtype], rate=repr(LEARNING_RATE), batch=workload.batch
    )
    loop = _TRAIN if workload.purpose == "train" else _PREDICT
    run = loop.format(inputs=workload.sizes[0], outputs=workload.sizes[-1])
    return "\n".join([head, *body, *_exchange(workload), run])


def _layers(workload: Workload) -> list[tuple[int, int, int]]:
    """Return (k, N_{k-1}, N_k) of every layer."""
    sizes = workload.sizes
    return [(k, sizes[k - 1], sizes[k]) for k in range(1, len(sizes))]


def _exchange(workload: Workload) -> Iterator[str]:
    for name, first, copy in (("put", "const real *w", "{own} = *w++;"), ("get", "real *w", "*w++ = {own};")):
        yield f"void {name}({first}) {{"
        for k, m, n in _layers(workload):
            yield f"  for (int s = 0; s < {n}; s++) {{"
            yield f"    for (int i = 0; i < {m}; i++) {copy.format(own=f'W{k}[s][i]')}"
            yield f"    {copy.format(own=f'b{k}[s]')}"
            yield "  }"
        if name == "put":
            yield "  refresh();"
        yield "}"


def _activation(workload: Workload, z: str, suffix: str) -> str:
    return f"tanh{suffix}({z})" if workload.activation == "tanh" else f"({z} > 0 ? {z} : 0)"


def _slope(workload: Workload, o: str) -> str:
    return f"(1 - {o}*{o})" if workload.activation == "tanh" else f"({o} > 0 ? (real)1 : (real)0)"


def _softmax(z: str, h: str, n: int, suffix: str, scale: str = "") -> Iterator[str]:
    """Fill h with softmax of the weighted sums z, over the scale."""
    yield f"    real top = {z}[0], total = 0;"
    yield f"    for (int q = 1; q < {n}; q++) if ({z}[q] > top) top = {z}[q];"
    yield f"    for (int q = 0; q < {n}; q++) {{ {h}[q] = exp{suffix}({z}[q] - top); total += {h}[q]; }}"
    yield f"    for (int q = 0; q < {n}; q++) {h}[q] /= total{scale};"


def _sensitivities(z: str, d: str, n: int, suffix: str, label: str) -> Iterator[str]:
    """Fill d with the sensitivities of softmax with cross-entropy, from the weighted sums z."""
    yield from _softmax(z, d, n, suffix, "*BATCH")
    yield f"    {d}[{label}] -= (real)1/BATCH;"


def _naive_arrays(workload: Workload) -> Iterator[str]:
    for k, m, n in _layers(workload):
        yield f"static real W{k}[{n}][{m}], b{k}[{n}], G{k}[{n}][{m}], g{k}[{n}], O{k}[{n}], D{k}[{n}];"
    yield "static void refresh(void) {}"


def _naive_forward(workload: Workload, suffix: str) -> Iterator[str]:
    """The weighted sums of the last layer for sample p."""
    layers = _layers(workload)
    yield f"    const real *O0 = X + p*{workload.sizes[0]};"
    for k, m, n in layers:
        yield f"    for (int s = 0; s < {n}; s++) {{"
        yield f"      real z = b{k}[s];"
        yield f"      for (int i = 0; i < {m}; i++) z += W{k}[s][i]*O{k - 1}[i];"
        yield f"      O{k}[s] = {'z' if k == len(layers) else _activation(workload, 'z', suffix)};"
        yield "    }"


def _naive_answer(workload: Workload, suffix: str) -> Iterator[str]:
    last, _, outputs = _layers(workload)[-1]
    yield "static void answer(const real *X, real *H) {"
    yield "  for (int p = 0; p < BATCH; p++) {"
    yield from _naive_forward(workload, suffix)
    yield from _softmax(f"O{last}", f"(H + p*{outputs})", outputs, suffix)
    yield "  }"
    yield "}"


def _naive_step(workload: Workload, suffix: str) -> Iterator[str]:
    layers = _layers(workload)
    last, _, outputs = layers[-1]
    yield "static void step(const real *X, const int64_t *labels) {"
    for k, *_ in layers:
        yield f"  memset(G{k}, 0, sizeof G{k}); memset(g{k}, 0, sizeof g{k});"
    yield "  for (int p = 0; p < BATCH; p++) {"
    yield from _naive_forward(workload, suffix)
    yield from _sensitivities(f"O{last}", f"D{last}", outputs, suffix, "labels[p]")
    for k, m, n in reversed(layers):
        yield f"    for (int s = 0; s < {n}; s++) {{"
        yield f"      for (int i = 0; i < {m}; i++) G{k}[s][i] += D{k}[s]*O{k - 1}[i];"
        yield f"      g{k}[s] += D{k}[s];"
        yield "    }"
        if k > 1:
            o, d = f"O{k - 1}[i]", f"D{k - 1}[i]"
            yield f"    for (int i = 0; i < {m}; i++) {d} = 0;"
            yield f"    for (int s = 0; s < {n}; s++)"
            yield f"      for (int i = 0; i < {m}; i++) {d} += W{k}[s][i]*D{k}[s];"
            yield f"    for (int i = 0; i < {m}; i++) {d} *= {_slope(workload, o)};"
    yield "  }"
    for k, m, n in layers:
        yield f"  for (int s = 0; s < {n}; s++) {{"
        yield f"    for (int i = 0; i < {m}; i++) W{k}[s][i] -= RATE*G{k}[s][i];"
        yield f"    b{k}[s] -= RATE*g{k}[s];"
        yield "  }"
    yield "}"


def _batched_arrays(workload: Workload) -> Iterator[str]:
    layers = _layers(workload)
    for k, m, n in layers:
        yield f"static real W{k}[{n}][{m}], T{k}[{m}][{n}], b{k}[{n}], G{k}[{m}][{n}];"
        yield f"static real g{k}[{n}], O{k}[BATCH][{n}], D{k}[BATCH][{n}];"
    yield "static void refresh(void) {"
    for k, m, n in layers:
        yield f"  for (int i = 0; i < {m}; i++) for (int s = 0; s < {n}; s++) T{k}[i][s] = W{k}[s][i];"
    yield "}"


def _batched_forward(workload: Workload, suffix: str) -> Iterator[str]:
    """The weighted sums of the last layer for all samples."""
    layers = _layers(workload)
    yield f"  const real (*O0)[{workload.sizes[0]}] = (const real (*)[{workload.sizes[0]}])X;"
    for k, m, n in layers:
        yield "  for (int p = 0; p < BATCH; p++) {"
        yield f"    for (int s = 0; s < {n}; s++) O{k}[p][s] = b{k}[s];"
        yield f"    for (int i = 0; i < {m}; i++) {{"
        yield f"      real o = O{k - 1}[p][i];"
        yield f"      for (int s = 0; s < {n}; s++) O{k}[p][s] += o*T{k}[i][s];"
        yield "    }"
        if k != len(layers):
            z = f"O{k}[p][s]"
            yield f"    for (int s = 0; s < {n}; s++) {z} = {_activation(workload, z, suffix)};"
        yield "  }"


def _batched_answer(workload: Workload, suffix: str) -> Iterator[str]:
    last, _, outputs = _layers(workload)[-1]
    yield "static void answer(const real *X, real *H) {"
    yield from _batched_forward(workload, suffix)
    yield "  for (int p = 0; p < BATCH; p++) {"
    yield from _softmax(f"O{last}[p]", f"(H + p*{outputs})", outputs, suffix)
    yield "  }"
    yield "}"


def _batched_step(workload: Workload, suffix: str) -> Iterator[str]:
    layers = _layers(workload)
    last, _, outputs = layers[-1]
    yield "static void step(const real *X, const int64_t *labels) {"
    yield from _batched_forward(workload, suffix)
    yield "  for (int p = 0; p < BATCH; p++) {"
    yield from _sensitivities(f"O{last}[p]", f"D{last}[p]", outputs, suffix, "labels[p]")
    yield "  }"
    for k, m, n in reversed(layers):
        if k > 1:
            o, d = f"O{k - 1}[p][i]", f"D{k - 1}[p][i]"
            yield "  for (int p = 0; p < BATCH; p++) {"
            yield f"    for (int i = 0; i < {m}; i++) {d} = 0;"
            yield f"    for (int s = 0; s < {n}; s++) {{"
            yield f"      real d = D{k}[p][s];"
            yield f"      for (int i = 0; i < {m}; i++) {d} += d*W{k}[s][i];"
            yield "    }"
            yield f"    for (int i = 0; i < {m}; i++) {d} *= {_slope(workload, o)};"
            yield "  }"
        yield f"  memset(G{k}, 0, sizeof G{k});"
        yield "  for (int p = 0; p < BATCH; p++)"
        yield f"    for (int i = 0; i < {m}; i++) {{"
        yield f"      real o = O{k - 1}[p][i];"
        yield f"      for (int s = 0; s < {n}; s++) G{k}[i][s] += o*D{k}[p][s];"
        yield "    }"
        yield f"  for (int i = 0; i < {m}; i++) for (int s = 0; s < {n}; s++) T{k}[i][s] -= RATE*G{k}[i][s];"
        yield f"  memcpy(g{k}, D{k}[0], sizeof g{k});"
        yield f"  for (int p = 1; p < BATCH; p++) for (int s = 0; s < {n}; s++) g{k}[s] += D{k}[p][s];"
        yield f"  for (int s = 0; s < {n}; s++) b{k}[s] -= RATE*g{k}[s];"
        yield f"  for (int s = 0; s < {n}; s++) for (int i = 0; i < {m}; i++) W{k}[s][i] = T{k}[i][s];"
    yield "}"
