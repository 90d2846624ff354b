"""Which mistake gives just the numbers of a wrong gradient: constant factors, penalties, suspects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from symbp.run import plain
from symbp.run.evaluate import Floats
from symbp.run.formula.written import Stated
from symbp.run.mistakes import calculus, of_numbers
from symbp.run.mistakes_of_parts import parts_of, penalty, places
from symbp.run.mistakes_of_slopes import Suspect
from symbp.run.reference import Reference
from symbp.run.report import relative_errors

# How far a factor may be from a known one.
NEAR = 1e-6
# So many entries of a part are no multiple of the right ones by chance.
FEW = 3


def reason(right: Reference, stated: Stated, tolerance: float) -> str | None:
    """Return the likeliest mistake in words, or None if no known one gives these numbers.

    Parameters
    ----------
    right : Reference
    stated : Stated
    tolerance : float
    """
    simple = simple_reason(right, stated, tolerance)
    if simple is not None:
        return simple
    data = _of_data(right, stated)
    layers = _not_alike(right, stated, data, tolerance)
    return _suspected(right, stated, tolerance, calculus(right, layers))


def simple_reason(right: Reference, stated: Stated, tolerance: float) -> str | None:
    """Return the likeliest mistake of averaging, layout or a penalty, for which nothing is derived anew."""
    if not np.isfinite(stated.values[:, stated.said]).all():
        return "a value that is not finite"
    of_sample = _is_of_sample(stated)
    if of_sample and _is(right, stated.values.mean(axis=0), right.right, stated, tolerance):
        return "it is the average over the samples, not the derivative of the cost of one sample"
    data = _of_data(right, stated)
    return (
        _of_penalty(right, stated, data, tolerance)
        or _of_parts(right, stated, data, of_sample, tolerance)
        or _suspected(right, stated, tolerance, of_numbers(right.derivation, right.point, right.right))
    )


def _of_data(right: Reference, stated: Stated) -> Floats:
    """Return what is given without the right penalty, averaged over the samples.

    Every mistake in the gradient of each sample is the same mistake in their average.
    """
    mean = stated.values.mean(axis=0) - np.where(stated.penalised, right.slope, 0.0)
    found: Floats = np.where(stated.said, mean, 0.0)
    return found


def _is_of_sample(stated: Stated) -> bool:
    return bool(stated.of_sample[stated.said].all())


def _suspected(right: Reference, stated: Stated, tolerance: float, suspects: Iterable[Suspect]) -> str | None:
    """Return the first mistake whose gradient is the given one, perhaps times a constant."""
    data = _of_data(right, stated)
    for suspect in suspects:
        if suspect.gradient.shape != data.shape:
            continue
        guess = np.where(stated.said, suspect.gradient, 0.0)
        size = float(guess @ guess)
        factor = float(data @ guess) / size if size else 0.0
        if factor and _is(right, data, factor * guess, stated, tolerance):
            one = suspect.gradient is right.right
            return _with_factor(suspect.reason, factor, one, right, _is_of_sample(stated))
    return None


def _not_alike(right: Reference, stated: Stated, data: Floats, tolerance: float) -> tuple[int, ...]:
    """Return the layers whose derivatives are not the multiple of the right ones that most layers are."""
    parts = [plain.unpack(right.network, values) for values in (data, right.right, right.scale, stated.said)]
    layers = list(zip(*parts, strict=True))

    def fits(layer: int, factor: float) -> bool:
        given, own, scale, said = layers[layer]
        return bool((relative_errors(given, factor * own, scale)[said] <= tolerance).all())

    factors = [1.0]
    for given, own, _, said in layers:
        size = float(np.sum(own[said] ** 2))
        factors.append(float(np.sum(given[said] * own[said])) / size if size else 1.0)
    best = max(factors, key=lambda factor: sum(fits(n, factor) for n in range(len(layers))))
    return tuple(n + 1 for n in range(len(layers)) if not fits(n, best))


def _is(right: Reference, a: Floats, b: Floats, stated: Stated, tolerance: float) -> bool:
    return bool(np.max(relative_errors(a, b, right.scale)[stated.said]) <= tolerance)


def _factors(right: Reference, of_sample: bool) -> dict[float, str]:
    samples, outputs = right.point.Y.shape
    known = {
        -1.0: "the sign is wrong",
        2.0: "a factor 2 too much",
        0.5: "a factor 1/2 too much",
    }
    if of_sample:
        known[float(samples)] = "a factor m too much: it is the derivative of the cost of one sample"
        known[1 / samples] = "a factor 1/m too much: it is the derivative of the cost of one sample"
    else:
        known[float(samples)] = "the factor 1/m is missing: a sum over the samples instead of their mean"
        known[1 / samples] = "the factor 1/m stands in it twice"
    if outputs > 1:
        known.setdefault(1 / outputs, "it is averaged over the outputs, where the cost sums over them")
    return known


def _named_factor(right: Reference, factor: float, of_sample: bool) -> str | None:
    known = _factors(right, of_sample).items()
    return next((text for value, text in known if abs(factor - value) < NEAR * abs(value)), None)


def _with_factor(words: str, factor: float, only_factor: bool, right: Reference, of_sample: bool) -> str:
    named = _named_factor(right, factor, of_sample) or f"it is {factor:.6g} times the right one"
    if only_factor:
        return named
    return words if abs(factor - 1) < NEAR else f"{words}; and {named}"


def _of_penalty(right: Reference, stated: Stated, data: Floats, tolerance: float) -> str | None:
    """Return what is wrong with a penalty: it does not belong there, is missing, or of another size."""
    floor = tolerance * float(np.max(right.scale))
    difference = np.where(stated.said, data - right.right, 0.0)
    missing = np.where(stated.said & stated.penalised, right.slope, 0.0)
    if missing.any():
        if np.max(np.abs(difference + missing)) <= floor:
            return "the derivative of the penalty is missing"
        if np.max(np.abs(difference - missing)) <= floor:
            return "the derivative of the penalty stands in it twice"
        samples = len(right.point.X)
        if samples > 1 and np.max(np.abs(difference + missing * (1 - 1 / samples))) <= floor:
            return "the penalty is divided by m: it is no average over the samples"
    found = penalty(right.network, np.where(stated.said, right.point.w, 0.0), difference, floor)
    if found is None:
        return None
    return (
        f"the derivative of a penalty on {found.where} stands in it: "
        f"{found.strength:.6g} times the weight is added"
    )


def _of_parts(
    right: Reference, stated: Stated, data: Floats, of_sample: bool, tolerance: float
) -> str | None:
    """Return which parts are known multiples of the right ones, where the whole is not one multiple."""
    factors: dict[str, float] = {}
    for name, mask in parts_of(right.network):
        chosen = mask & stated.said
        own = right.right[chosen]
        size = float(own @ own)
        if not size:
            continue
        factor = float(data[chosen] @ own) / size
        if not np.max(relative_errors(data[chosen], factor * own, right.scale[chosen])) <= tolerance:
            return None
        factors[name] = factor
    wrong = {name: factor for name, factor in factors.items() if abs(factor - 1) > NEAR}
    if len(wrong) in (0, len(factors)) and len({round(f, 9) for f in factors.values()}) < 2:
        return None  # one factor for all, which is said without places
    said = list(_parts_in_words(right, wrong, tuple(factors), of_sample))
    return None if any(words is None for words in said) else "; ".join(w for w in said if w is not None)


def _parts_in_words(
    right: Reference, wrong: dict[str, float], given: tuple[str, ...], of_sample: bool
) -> Iterator[str | None]:
    for value in dict.fromkeys(round(factor, 9) for factor in wrong.values()):
        names = [name for name, factor in wrong.items() if round(factor, 9) == value]
        where = places(names, given)
        if abs(value) < NEAR:
            yield f"the derivatives by {where} are 0"
            continue
        words = _named_factor(right, value, of_sample)
        if words is None and _is_no_chance(right, names):
            words = f"it is {value:.6g} times the right one"
        yield None if words is None else f"in the derivatives by {where}: {words}"


def _is_no_chance(right: Reference, names: list[str]) -> bool:
    """Whether parts have entries enough that all are one multiple of the right ones only by a factor."""
    sizes = {name: int(mask.sum()) for name, mask in parts_of(right.network)}
    return all(sizes[name] >= FEW for name in names)
