"""What a derivation and a step show of themselves in Jupyter: one bundle of formats each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from symbp.derivation.records import Derivation, Step
from symbp.graph.chain import Chain
from symbp.notation.latex import LatexWriter
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer
from symbp.render import chain as graph
from symbp.render import chain_web, page, web
from symbp.render.environment import render

if TYPE_CHECKING:
    from symbp.network import Network

Views = Mapping[str, Callable[[], str]]


def derivation_bundle(
    derivation: Derivation,
    notation: str,
    include: Collection[str] | None,
    exclude: Collection[str] | None,
) -> dict[str, str]:
    """Return a derivation in the formats a notebook may choose from, by MIME type.

    Parameters
    ----------
    derivation : Derivation
    notation : str
    include, exclude : collection of str, optional
        MIME types to restrict the bundle to, or to leave out.
    """
    checked = derivation.checked()
    views: Views = {
        "text/html": lambda: web.cell(checked, notation),
        "text/latex": lambda: derivation_latex(checked, notation),
        "text/markdown": lambda: page.markdown(checked, notation),
        "text/plain": lambda: page.text(checked, notation),
    }
    return _bundle(views, include, exclude)


def step_bundle(
    step: Step,
    network: Network | None,
    notation: str,
    include: Collection[str] | None,
    exclude: Collection[str] | None,
) -> dict[str, str]:
    """Return a step in the formats a notebook may choose from; parameters as for a derivation."""
    tex, words = (page.writer_for(kind, notation, network) for kind in (LatexWriter, TextWriter))
    views: Views = {
        "text/html": lambda: web.step_cell(step, network, notation),
        "text/latex": lambda: step_latex(step, network, notation),
        "text/markdown": lambda: _step("markdown", "notebook_step.md.j2", step, tex),
        "text/plain": lambda: _step("text", "notebook_step.txt.j2", step, words),
    }
    return _bundle(views, include, exclude)


def chain_bundle(
    chain: Chain, include: Collection[str] | None, exclude: Collection[str] | None
) -> dict[str, str]:
    """Return a computation graph in the formats a notebook may choose from, by MIME type."""
    views: Views = {
        "text/html": lambda: chain_web.cell(chain),
        "text/markdown": lambda: graph.markdown(chain),
        "text/plain": lambda: graph.text(chain),
    }
    return _bundle(views, include, exclude)


def derivation_latex(derivation: Derivation, notation: str) -> str:
    """Return the equations, section by section, as LaTeX that needs amsmath and nothing else."""
    network = derivation.network
    writer = page.writer_for(LatexWriter, notation, network)
    parts = page.contents(derivation, writer, page.latex_math(writer))["parts"]
    return render("latex", "notebook.tex.j2", {"parts": parts})


def step_latex(step: Step, network: Network | None, notation: str) -> str:
    """Return the equation with its number as LaTeX that needs amsmath and nothing else."""
    writer = page.writer_for(LatexWriter, notation, network)
    found = page.line(step, writer, page.latex_math(writer), set())
    return render("latex", "notebook_step.tex.j2", {"line": found})


def _step(kind: str, template: str, step: Step, writer: Writer) -> str:
    found = page.line(step, writer, lambda s: (writer.equation(s.statement),), set())
    return render(kind, template, {"line": found})


def _bundle(views: Views, include: Collection[str] | None, exclude: Collection[str] | None) -> dict[str, Any]:
    wanted = [kind for kind in views if (not include or kind in include) and kind not in (exclude or ())]
    return {kind: views[kind]() for kind in wanted}
