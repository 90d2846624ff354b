"""Every error that symbp raises on purpose.

Each message is one line that says where, what and the remedy; the command line
prints it as it is and leaves with exit status 2.
"""


class SymbpError(Exception):
    """Base of all errors of symbp: catch it to catch them all."""

    def __str__(self) -> str:
        """Return the message as the one line that it is, also if a name in it has several."""
        return " ".join(super().__str__().splitlines())


class SpecError(SymbpError, ValueError):
    """A network, layer, option or TOML file is declared wrongly.

    Usual causes: a misspelt key or name (the nearest known one is suggested), a
    number of units that is not a positive integer, an activation that does not
    go with the cost.
    """


class ExpressionError(SpecError):
    """The text of an activation, a cost or an update rule is not a formula symbp accepts.

    Usual causes: a name that is not declared (an activation knows only ``z``, a
    cost ``h`` and ``y``), a function outside the list, an expression over the
    stated limits.

    Attributes
    ----------
    excerpt : tuple of str
        The formula and, under it, a caret at the offending place; empty where the whole
        formula is meant. The command line prints them below the message, and so does Python
        below a traceback: they are a note of the exception.
    """

    excerpt: tuple[str, ...] = ()

    def point_at(self, formula: str, column: int) -> None:
        """Let the excerpt show the formula, or a part of it, with a caret under `column` (from 0)."""
        first = max(0, column - 50)
        part = formula[first : first + 72]
        before, after = "... " if first else "", " ..." if first + 72 < len(formula) else ""
        caret = " " * (len(before) + column - first) + "^"
        shown = "".join(c if c.isascii() and c.isprintable() else "?" for c in part)
        self._show((f"{before}{shown}{after}", caret))

    def inside(self, where: str) -> "ExpressionError":
        """Return the same error, said to be in a place: the record that holds the formula."""
        error = type(self)(f"{where}: {self}")
        error._show(self.excerpt)
        return error

    def _show(self, excerpt: tuple[str, ...]) -> None:
        self.excerpt = excerpt
        if excerpt:
            self.add_note("\n".join(excerpt))


class SymbpWarning(UserWarning):
    """Something is legal and may not be what was meant: a formula is not real somewhere, or overflows."""


class DataError(SymbpError, ValueError):
    """Data do not fit the network: file, columns, shape, NaN or labels."""


class DerivationError(SymbpError):
    """A step of a derivation could not be made, or one of its checks failed.

    The message starts with the label of the step.
    """


class GradientError(SymbpError, ValueError):
    """A gradient that is to be checked cannot be evaluated.

    Usual causes: the function raises, or returns something without the shape of the weights.
    """


class FormulaError(GradientError, ExpressionError):
    """The text of a gradient is not a formula in the names of the notation.

    Usual causes: a name that the notation does not have, a layer or an entry that the network
    does not have, shapes that do not fit.
    """


class DocumentError(SymbpError):
    """A statement of a source document is not of the language, or there is no such document."""


class GraphError(SymbpError, ValueError):
    """A computation graph cannot be built or evaluated.

    Usual causes: a name without a value, names that are defined by each other, a text
    that is no formula.
    """


class PlanError(SymbpError):
    """A derivation could not be lowered, or a pass broke the kernel program.

    This is a fault of symbp or of an own function, never of the data; the message
    names the statement, the index and the operands.
    """


class RenderError(SymbpError):
    """A page or a trainer cannot be written in the form that was asked for.

    Usual causes: an unknown notation or format, no TeX for ``--format pdf``.
    """


class TrainerError(SymbpError):
    """A trainer file cannot be used: edited by hand, another version, failed self-test."""


class TrainingError(SymbpError, ArithmeticError):
    """Training stopped because the cost is no longer a finite number."""
