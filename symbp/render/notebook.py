"""What a derivation and a step show of themselves in Jupyter: one bundle of formats each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from symbp.derivation.records import Derivation, Step
from symbp.graph.chain import Chain
from symbp.notation import get
from symbp.notation.latex import LatexWriter
from symbp.notation.text import TextWriter
from symbp.notation.writer import Writer
from symbp.render import chain as graph
from symbp.render import chain_web, page, web
from symbp.render.environment import render

Views = Mapping[str, Callable[[], str]]


def derivation_bundle(
    derivation: Derivation,
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
    notation: str = "smatrix",
) -> dict[str, str]:
    """Return a derivation in the formats a notebook may choose from, by MIME type.

    Parameters
    ----------
    derivation : Derivation
    include, exclude : collection of str, optional
        MIME types to restrict the bundle to, or to leave out.
    notation : str
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
    widths: Sequence[int] = (),
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
    notation: str = "smatrix",
    biases: Sequence[bool] = (),
) -> dict[str, str]:
    """Return a step in the formats a notebook may choose from; parameters as for a derivation.

    `widths` are those of the network it belongs to, (N_0, ..., N_{L+1}), if it belongs to one, and
    `biases` tell which of its layers have one.
    """
    here = get(notation), widths, biases or None
    tex, words = LatexWriter(*here), TextWriter(*here)
    views: Views = {
        "text/html": lambda: web.step_cell(step, widths, notation, biases or None),
        "text/latex": lambda: step_latex(step, widths, notation, biases),
        "text/markdown": lambda: _step("markdown", "notebook_step.md.j2", step, tex),
        "text/plain": lambda: _step("text", "notebook_step.txt.j2", step, words),
    }
    return _bundle(views, include, exclude)


def chain_bundle(
    chain: Chain, include: Collection[str] | None = None, exclude: Collection[str] | None = None
) -> dict[str, str]:
    """Return a computation graph in the formats a notebook may choose from, by MIME type."""
    views: Views = {
        "text/html": lambda: chain_web.cell(chain),
        "text/markdown": lambda: graph.markdown(chain),
        "text/plain": lambda: graph.text(chain),
    }
    return _bundle(views, include, exclude)


def derivation_latex(derivation: Derivation, notation: str = "smatrix") -> str:
    """Return the equations, section by section, as LaTeX that needs amsmath and nothing else."""
    network = derivation.network
    writer = page.writer_for(LatexWriter, notation, network)
    parts = page.contents(derivation, writer, page.latex_math(writer))["parts"]
    return render("latex", "notebook.tex.j2", {"parts": parts})


def step_latex(
    step: Step, widths: Sequence[int] = (), notation: str = "smatrix", biases: Sequence[bool] = ()
) -> str:
    """Return the equation with its number as LaTeX that needs amsmath and nothing else."""
    writer = LatexWriter(get(notation), widths, biases or None)
    found = page.line(step, writer, page.latex_math(writer), set())
    return render("latex", "notebook_step.tex.j2", {"line": found})


def _step(kind: str, template: str, step: Step, writer: Writer) -> str:
    found = page.line(step, writer, lambda s: (writer.equation(s.statement),), set())
    return render(kind, template, {"line": found})


def _bundle(views: Views, include: Collection[str] | None, exclude: Collection[str] | None) -> dict[str, Any]:
    wanted = [kind for kind in views if (not include or kind in include) and kind not in (exclude or ())]
    return {kind: views[kind]() for kind in wanted}
