"""The public face of a derivation: it also typesets itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from symbp.derivation.derive import derive as _derive
from symbp.derivation.records import Derivation as _Derivation
from symbp.derivation.records import Step as _Step
from symbp.derivation.stability.report import warn_of_own_functions
from symbp.functions import Penalty, Schedule, UpdateRule
from symbp.graph.chain import Chain as _Chain
from symbp.graph.chain import build as _build
from symbp.network import Network
from symbp.spec import TrainOptions


@dataclass(frozen=True)
class Step(_Step):
    """One labelled equation that also shows itself in a notebook.

    Attributes
    ----------
    home : Derivation
        What it is a step of: it shows itself in the notation of that derivation and, once that is
        proved, with the verdicts.
    """

    home: Derivation = field(kw_only=True, repr=False, compare=False)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        from symbp.render.notebook import step_bundle

        known = self.home.known(self)
        return step_bundle(known, self.home.network, self.home.notation, include, exclude)

    def _repr_latex_(self) -> str:
        from symbp.render.notebook import step_latex

        return step_latex(self, self.home.network, self.home.notation)


@dataclass(frozen=True)
class Derivation(_Derivation):
    """The equations of a network, or of any network, which also typeset themselves.

    ``d.prove()`` checks them, ``d["D.5"]`` is one :class:`Step`, and ``d.replace(label, statement)``
    derives what follows from another statement.

    Attributes
    ----------
    network : Network or None
        None for any number of layers and neurons.
    steps : tuple of Step
        In the order in which they follow from each other, with the labels of document 000.
    training : Training
        The update rule (eq. 2.2), schedule, penalty and clipping that it has.
    notation : str
        Whose symbols it shows itself in: see :meth:`in_notation`.
    """

    notation: str = "smatrix"

    def __post_init__(self) -> None:
        # Rules make plain steps; those of this class show themselves, however it came about.
        names = [part.name for part in fields(_Step)]
        steps = (Step(**{name: getattr(step, name) for name in names}, home=self) for step in self.steps)
        object.__setattr__(self, "steps", tuple(steps))

    def in_notation(self, name: str) -> Derivation:
        """Return the derivation as it is; in a notebook, it and its steps show themselves in that notation.

        Raises
        ------
        RenderError
            If there is no such notation.
        """
        from symbp.notation import get

        return replace(self, notation=get(name).name)

    def latex(self, notation: str = "smatrix", translate: str | None = None) -> str:
        """Return a complete LaTeX article; a step that does not pass its checks is shown as it fails.

        Parameters
        ----------
        notation : str
            A name of :data:`symbp.notation.NOTATIONS`.
        translate : str, optional
            Another: the page then has a table from the one to the other.

        Raises
        ------
        RenderError
            If there is no such notation.
        """
        from symbp.render import page

        return page.latex(self, notation, translate)

    def html(self, notation: str = "smatrix", translate: str | None = None) -> str:
        """Return a web page in one file, formulas in MathML, without scripts; as :meth:`latex`."""
        from symbp.render import web

        return web.html(self, notation, translate)

    def text(self, notation: str = "smatrix", translate: str | None = None) -> str:
        """Return the derivation for the terminal; as :meth:`latex`."""
        from symbp.render import page

        return page.text(self, notation, translate)

    def markdown(self, notation: str = "smatrix", translate: str | None = None) -> str:
        """Return the derivation as Markdown with formulas between dollar signs; as :meth:`latex`."""
        from symbp.render import page

        return page.markdown(self, notation, translate)

    def components(self) -> Derivation:
        """Return the derivation of a small network, every index and every sum written out.

        Raises
        ------
        DerivationError
            If there is no network, or if it has too many weights to be read.
        """
        from symbp.derivation.components import components

        return components(self)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        from symbp.render.notebook import derivation_bundle

        return derivation_bundle(self, self.notation, include, exclude)

    def _repr_latex_(self) -> str:
        from symbp.render.notebook import derivation_latex

        return derivation_latex(self.checked(), self.notation)


def derive(
    network: Network | None = None,
    optimizer: str | Mapping[str, Any] | UpdateRule = "sgd",
    *,
    schedule: str | Mapping[str, Any] | Schedule = "constant",
    clip_norm: float | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    penalty: str | Mapping[str, Any] | Penalty | None = None,
) -> Derivation:
    """Derive the backpropagation of a network, or of any sequential dense network.

    Parameters
    ----------
    network : Network, optional
        One architecture. Without it the number of layers and all sizes stay symbols.
    optimizer : str, mapping or UpdateRule
        The rule of eq. 2.2; gradient descent if left out.
    schedule, clip_norm, l1, l2, penalty : optional
        As in :class:`symbp.TrainOptions`; what is not asked for has no equations.

    Returns
    -------
    Derivation
        Its steps are made but not yet checked: ``prove()`` runs the oracles.

    Raises
    ------
    SpecError
        If `network` is no Network, or an option is not acceptable.
    """
    options = TrainOptions(optimizer, schedule=schedule, clip_norm=clip_norm, l1=l1, l2=l2, penalty=penalty)
    found = _derive(network, options.training)
    warn_of_own_functions(found, "float64")
    return Derivation(found.network, found.steps, found.recipe, found.training)


class Chain(_Chain):
    """A computation graph that also typesets itself; made by :func:`symbp.chain`.

    ``graph["a"]`` is one node, ``graph.derivative("a")`` the derivative of the output by it.

    Attributes
    ----------
    vertices : tuple of Vertex
        Name, formula, value and derivative of each node, operands first; the output is the last.
    edges : tuple of Edge
        With the local derivatives.
    output : str
    remarks : tuple of str
        Which letters are numbers, and where a node has a kink at the given point.
    """

    def text(self) -> str:
        """Return values and derivatives for the terminal."""
        from symbp.render import chain

        return chain.text(self)

    def markdown(self) -> str:
        """Return values and derivatives as Markdown with formulas between dollar signs."""
        from symbp.render import chain

        return chain.markdown(self)

    def latex(self) -> str:
        """Return a complete LaTeX article with the drawing of the graph."""
        from symbp.render import chain

        return chain.latex(self)

    def html(self) -> str:
        """Return a web page in one file, formulas in MathML; it needs neither network nor scripts."""
        from symbp.render import chain_web

        return chain_web.html(self)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        from symbp.render.notebook import chain_bundle

        return chain_bundle(self, include, exclude)


def chain(expression: object, at: Mapping[str, object] | None = None) -> Chain:
    """Return the computation graph of an expression, with derivatives accumulated backwards.

    Parameters
    ----------
    expression : str, sympy.Expr or mapping
        ``"(a + b)*c"`` is split into its operations. In ``"y = 2*a1 + a2; a1 = 3*x; a2 = -x"``
        each assignment is a node, in any order; the output is what no other node uses. A text stays
        as it is written; ``pi`` and ``e`` in it are the numbers, unless they are assigned or in `at`.
    at : mapping, optional
        Values of all inputs, such as ``{"a": -12, "b": 14, "c": "1/3"}``; decimals are exact.

    Returns
    -------
    Chain
        Nodes, edges with local derivatives, and where `at` is given values and derivatives
        as numbers (001, figure 6; 003, section 2).

    Raises
    ------
    GraphError
        If names are defined by each other or have no value, or this is no expression.
    ExpressionError
        If a text is not a formula.
    """
    found = _build(expression, at)
    return Chain(found.vertices, found.edges, found.output, found.remarks)
