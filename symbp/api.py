"""The public functions: each names a path through the stages and nothing else."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.derivation.derive import derive as _derive
from symbp.derivation.records import Derivation as _Derivation
from symbp.errors import SpecError
from symbp.functions import UpdateRule
from symbp.functions.names import nearest
from symbp.network import Network
from symbp.spec import Spec, TrainOptions

if TYPE_CHECKING:
    from symbp.run.trainer import Trainer


class Derivation(_Derivation):
    """A derivation that also typesets itself."""

    def latex(self, notation: str = "smatrix") -> str:
        """Return a complete LaTeX article.

        Parameters
        ----------
        notation : str
            A name of :data:`symbp.notation.NOTATIONS`.
        """
        from symbp.render import page

        return page.latex(self, notation)

    def text(self, notation: str = "smatrix") -> str:
        """Return the derivation for the terminal."""
        from symbp.render import page

        return page.text(self, notation)

    def markdown(self, notation: str = "smatrix") -> str:
        """Return the derivation as Markdown with formulas between dollar signs."""
        from symbp.render import page

        return page.markdown(self, notation)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def derive(network: Network | None = None, optimizer: UpdateRule | None = None) -> Derivation:
    """Derive the backpropagation of a network, or of any sequential dense network.

    Parameters
    ----------
    network : Network, optional
        One architecture. Without it the number of layers and all sizes stay symbols.
    optimizer : UpdateRule, optional
        The rule of eq. 2.2; gradient descent if left out.

    Returns
    -------
    Derivation
        Its steps are made but not yet checked: ``prove()`` runs the oracles.
    """
    found = _derive(network, optimizer)
    return Derivation(found.network, found.steps, found.recipe)


def generate(
    what: Network | Spec | _Derivation, path: str | Path, *, prove: bool = True, **options: Any
) -> Trainer:
    """Write the trainer of a network, load it and return it.

    Parameters
    ----------
    what : Network, Spec or Derivation
        A derivation of a network is taken as it is, with whatever was replaced in it.
    path : str or Path
        The file to write; it appears whole or not at all.
    prove : bool
        Whether every step of the derivation must pass its checks first. A trainer of a
        derivation that does not is only good for seeing that :func:`symbp.verify` fails, so
        its self-test is left out too.
    **options
        Options of :class:`symbp.spec.TrainOptions`: optimizer, learning_rate, batch_size,
        epochs, dtype, seed, shuffle.

    Returns
    -------
    Trainer

    Raises
    ------
    SpecError
        If an option is unknown or not acceptable.
    DerivationError
        If a step does not pass its checks.
    """
    from symbp.render.writer import write_trainer
    from symbp.run.load import load

    spec = _spec(what, options)
    derivation = what if isinstance(what, _Derivation) else _derive(spec.network, spec.train.optimizer)
    write_trainer(derivation, spec, path, prove)
    return load(path, self_test=prove)


def _spec(what: Network | Spec | _Derivation, options: dict[str, Any]) -> Spec:
    known = [field.name for field in fields(TrainOptions)]
    for name in options:
        if name not in known:
            raise SpecError(f"generate: unknown option {name!r}{nearest(name, known)}")
    if isinstance(what, Spec):
        given = {name: getattr(what.train, name) for name in known}
        if "optimizer" in options:  # another rule brings its own learning rate
            del given["learning_rate"]
        return Spec(what.network, TrainOptions(**(given | options)))
    network = what.network if isinstance(what, _Derivation) else what
    if not isinstance(network, Network):
        raise SpecError("generate: expected a Network, a Spec or the derivation of a network")
    return Spec(network, TrainOptions(**options))
