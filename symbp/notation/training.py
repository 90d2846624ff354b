"""Letters of training, the same in every notation: no source document has any for them.

An update rule brings names of its own. One letter is set sans serif, so that Adam's m is not
the number of samples; a Greek name is its letter; ``x_hat`` wears a hat; a number or a word
behind a name is its subscript; a longer name is written out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from symbp.notation.records import Glyph

_GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "phi",
        "chi",
        "psi",
        "omega",
    ]
)
_ACCENTS = ("hat", "bar", "tilde")


@dataclass(frozen=True)
class Named:
    """A letter with a subscript of its own, such as beta_1."""

    glyph: Glyph
    sub: Glyph | None = None


_END = Glyph(r"\mathrm{end}", "end")

# Quantities of the derivation: kinds of nodes, and plain symbols.
GLYPHS: dict[str, Named] = {
    "R": Named(Glyph(r"\Omega", "Omega", "sup", example="")),
    "Jr": Named(Glyph(r"\tilde{J}", "J~")),  # of the letter that the notation has for the cost
    "batch": Named(Glyph("B", "B")),
    "eta_0": Named(Glyph(r"\eta", "eta"), Glyph("0", "0")),
    "step": Named(Glyph(r"\tau", "tau")),
    "steps": Named(Glyph(r"\tau", "tau"), _END),
    "epoch": Named(Glyph(r"\nu", "nu")),
    "epochs": Named(Glyph(r"\nu", "nu"), _END),
    "clip_norm": Named(Glyph(r"\kappa", "kappa")),
    "gradient_norm": Named(Glyph(r"\Gamma", "Gamma")),
    "clip_factor": Named(Glyph(r"\chi", "chi")),
}

MEANINGS: dict[str, str] = {
    "R": "penalty of the weights that lead from layer {source} to layer {to}, without the biases",
    "Jr": "cost with the penalty: what is minimised",
    "batch": "number of samples in a mini-batch",
    "eta_0": "learning rate that is given",
    "step": "number of the update: 1, 2, ...",
    "steps": "number of updates of the whole run",
    "epoch": "number of whole epochs done before the update",
    "epochs": "number of epochs of the whole run",
    "clip_norm": "largest norm of the gradient",
    "gradient_norm": "norm of the gradient of all weights together",
    "clip_factor": "what the gradient is multiplied by to clip it",
}

# Names of parameters and of a rule's quantities with a letter that the field knows.
_KNOWN: dict[str, Named] = {
    "l1": Named(Glyph(r"\lambda", "lambda"), Glyph("1", "1")),
    "l2": Named(Glyph(r"\lambda", "lambda"), Glyph("2", "2")),
    "momentum": Named(Glyph(r"\gamma", "gamma")),
    "weight_decay": Named(Glyph(r"\lambda", "lambda")),
    "clipped": Named(Glyph(r"\bar{\mathsf{g}}", "g_bar")),
}


def penalised(cost: Glyph) -> Glyph:
    """Return the cost with its penalty: the letter of the cost with a tilde."""
    return replace(cost, latex=rf"\tilde{{{cost.latex}}}", text=f"{cost.text}~")


def named(name: str) -> Named:
    """Return how a parameter or a quantity of an update rule is written."""
    if name in _KNOWN:
        return _KNOWN[name]
    head, _, accent = name.rpartition("_")
    if head and accent in _ACCENTS:
        bare = named(head)
        glyph = Glyph(rf"\{accent}{{{bare.glyph.latex}}}", f"{bare.glyph.text}_{accent}")
        return replace(bare, glyph=glyph)
    numbered = re.fullmatch(r"([A-Za-z]+?)_?(\d+)", name)
    if numbered:
        return Named(_letter(numbered[1]), Glyph(numbered[2], numbered[2]))
    first, _, rest = name.partition("_")
    if rest:
        # Only letters and digits can be told apart in a subscript.
        return Named(_letter(first), Glyph(rf"\mathrm{{{rest.replace('_', '')}}}", rest))
    return Named(_letter(name))


def _letter(name: str) -> Glyph:
    if name in _GREEK:
        return Glyph(rf"\{name}", name)
    return Glyph(rf"\mathsf{{{name}}}" if len(name) == 1 else rf"\mathrm{{{name}}}", name)
