"""What a document, its networks, its equations and the verdicts on them are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Family:
    """Quantities of one name, one for each layer (or one in all).

    Attributes
    ----------
    name : str
    axes : tuple of str
        The range of each index, such as ``("1..N[l]", "0..N[l-1]")``; a column has one,
        a scalar none.
    layers : str
        Names of the layer keys, ``"l"`` or ``"p, l"``; empty for a single quantity.
    where : str
        Which layers there are.
    value : str
        How it is computed, in the language; empty for inputs and weights, which are free.
    latex : str
        In print, with ``#1``, ``#2`` for the layer keys.
    entry : str
        In print with indices, where that is another letter.
    """

    name: str
    axes: tuple[str, ...] = ()
    layers: str = ""
    where: str = ""
    value: str = ""
    latex: str = ""
    entry: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key.strip() for key in self.layers.split(",")) if self.layers else ()


@dataclass(frozen=True)
class Function:
    """A function that the document names.

    Attributes
    ----------
    name : str
    value : str
        Its formula in the parameter ``u``; with `index`, of the whole column ``u``.
    record : str
        In place of a formula: the name of one of symbp's own activations.
    layers : str
        Names of the layer keys, where each layer has its own.
    index : str
        Name of the index of a function of a layer, such as softmax's.
    latex : str
    """

    name: str
    value: str = ""
    record: str = ""
    layers: str = ""
    index: str = ""
    latex: str = ""


@dataclass(frozen=True)
class Setting:
    """The network (or the few named numbers) that statements speak of, in a document's own terms.

    Attributes
    ----------
    families : tuple of Family
    functions : tuple of Function
    widths : tuple of tuple of int
        Layer sizes of the networks for numbers; in none are two neighbours equal. Without
        `sizes` there is no network, and each only stands for other random numbers.
    small : tuple of int
        Layer sizes of the network for symbols.
    sizes : str
        What the document calls the width of a layer.
    first : int
        The number of the first layer of `widths`.
    depth : tuple of (str, int)
        What it calls its last layer, or L, and the difference from the number of widths.
    integers : mapping
        Other whole numbers: ``{"m": "2", "M[k]": "size(a[k])"}``.
    facts : tuple of str
        Sizes that are the same in every network: ``"N[L] == 1"``.
    layout : str
        "column" or "row": the derivative of a scalar with respect to a column.
    given : mapping
        Numbers of a worked example, by name and layer.
    fixed : bool
        Whether the sizes of `widths` are those of a figure, and the only ones.
    width : str
        What the document prints for the width of a layer, with ``#1`` for the layer.
    entrywise : str
        The sign that the document prints for the product entry by entry, in LaTeX.
    """

    families: tuple[Family, ...]
    functions: tuple[Function, ...] = ()
    widths: tuple[tuple[int, ...], ...] = ((),)
    small: tuple[int, ...] = ()
    sizes: str = "N"
    first: int = 0
    depth: tuple[str, int] = ("L", -1)
    integers: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    layout: str = "column"
    given: Mapping[str, str] = field(default_factory=dict)
    fixed: bool = False
    width: str = ""
    entrywise: str = r"\circ"


def steps_in(label: str) -> tuple[str, ...]:
    """Return the labels of steps in a text with commas."""
    return tuple(part.strip() for part in label.split(",") if part)


@dataclass(frozen=True)
class Equation:
    """One equation of a document.

    Attributes
    ----------
    number : str
        Its number, or a short description of its place.
    printed : str or tuple of str
        The statement as printed; several where the print leaves a reading open, such as
        which product is meant. It is right if one of them is. Empty where it says so in words.
    where : str
        The indices for which it is stated.
    right : str
        The right statement, where the printed one is wrong.
    right_where : str
        Its indices, where these are other ones.
    label : str
        The step of symbp's own derivation that it corresponds to; several with commas between.
    place : str
        What it is, in words, where the derivation has no such step.
    every : str
        The family whose layers the indices take all, where the page says so: "each weight".
    convention : str
        A key of the document's conventions, which the page states elsewhere for this equation.
    setting : str
        A key of the document's settings.
    named : str
        What it needs to know of the document's functions: "" nothing, so that it holds for any
        function; "slope" their derivative in terms of their value; "formula" all.
    because : str
        A remark, one phrase. The verdict does not depend on it.
    quote : str
        The words of the page, where it says so in words, or in a formula outside the language.
    claim : str
        What those words, or a list of formulas, claim, as a statement: it is what is decided.
    """

    number: str
    printed: str | tuple[str, ...]
    where: str = ""
    right: str = ""
    right_where: str = ""
    label: str = ""
    setting: str = "network"
    named: str = ""
    because: str = ""
    quote: str = ""
    claim: str = ""
    place: str = ""
    every: str = ""
    convention: str = ""

    @property
    def steps(self) -> tuple[str, ...]:
        """The labels of the steps that it corresponds to."""
        return steps_in(self.label)

    @property
    def readings(self) -> tuple[str, ...]:
        """The statements of which one must hold."""
        if self.claim:
            return (self.claim,)
        return (self.printed,) if isinstance(self.printed, str) else self.printed


@dataclass(frozen=True)
class Convention:
    """How a document says that some letters are to be read in some equations.

    Attributes
    ----------
    quote : str
        The words that say so.
    reads : mapping of str to str
        What is read for a name, instead of what it was last defined to be.
    """

    quote: str
    reads: Mapping[str, str]


@dataclass(frozen=True)
class Document:
    """A source document.

    Attributes
    ----------
    name : str
        "000" to "004".
    title : str
    settings : mapping of str to Setting
    equations : tuple of Equation
    unstated : mapping of str to str
        Numbers on the page beside which nothing is stated, each with a sentence.
    conventions : mapping of str to Convention
    """

    name: str
    title: str
    settings: Mapping[str, Setting]
    equations: tuple[Equation, ...]
    unstated: Mapping[str, str] = field(default_factory=dict)
    conventions: Mapping[str, Convention] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What the checks of one statement found.

    Attributes
    ----------
    holds : bool
    method : str
        The method that decided: names, shapes, range, numbers or symbols; all that passed
        where the statement holds.
    detail : str
        What was compared, or the counterexample.
    """

    holds: bool
    method: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Verdict(Equation):
    """The word on one equation.

    Attributes
    ----------
    document : str
    verdict : str
        "proved" or "erratum".
    printed, right : str
        The statement as printed (the reading that holds, if one does), and the right one if that is
        another, with its indices in `right_where`.
    method, detail : str
        Of the check that decided it.
    """

    document: str
    verdict: str
    printed: str
    method: str
    detail: str


class Fault(Exception):
    """A statement makes no sense for the network it is made about.

    Attributes
    ----------
    method : str
        The check that finds such faults: names, shapes or range.
    """

    def __init__(self, method: str, detail: str) -> None:
        super().__init__(detail)
        self.method = method
        self.detail = detail
