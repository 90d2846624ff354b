"""What :func:`symbp.check_gradient` found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One weight at which the gradients differ.

    Attributes
    ----------
    weight : str
        Such as ``w^2_1,4``: layer 2, neuron 1, input 4; for a text, as its notation writes it.
    given, right : float
    error : float
        Relative to the size of the gradient of the weight's layer.
    """

    weight: str
    given: float
    right: float
    error: float


@dataclass(frozen=True)
class GradientReport:
    """The result of :func:`check_gradient`.

    Attributes
    ----------
    ok : bool
        Whether everything that is given is right, and every weight is given (or the caller asked for
        a part only).
    compared : int
        How many derivatives were compared; 0 where shapes or layers do not fit.
    error, tolerance : float
        The worst relative error, and the largest that is accepted.
    worst : tuple of Difference
        The weights with the largest errors, worst first; empty if all are right.
    layers : tuple of int
        The layers with wrong derivatives, counted from 1.
    reason : str or None
        The likeliest mistake: the one that gives just these numbers; None if none does.
    correction : str or None
        One change to a gradient given as text that makes it right.
    left_out : tuple of str
        What a gradient given as text says nothing of, such as "biases of layer 2".
    remark : str or None
        What a letter of the text that no line defines was taken for.
    misfit : str or None
        Which shapes or layers of a text do not fit; then no number was compared.
    excerpt : tuple of str
        The line of the text and a mark under the place, for `misfit`.
    """

    ok: bool
    compared: int
    error: float
    tolerance: float
    worst: tuple[Difference, ...] = ()
    layers: tuple[int, ...] = ()
    reason: str | None = None
    correction: str | None = None
    left_out: tuple[str, ...] = ()
    remark: str | None = None
    misfit: str | None = None
    excerpt: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether some derivatives are not given."""
        return bool(self.left_out)

    def __str__(self) -> str:
        lines = self._wrong() if self.misfit is not None or self.worst else [self._right()]
        if self.partial:
            lines.append(f"not given: {', '.join(self.left_out)}")
        return "\n".join(lines)

    def _right(self) -> str:
        how = "right as far as it goes" if self.partial else "right"
        return f"{how}: {self.compared:,} derivatives, worst relative error {self.error:.1e}"

    def _wrong(self) -> list[str]:
        if self.misfit is not None:
            lines = [f"wrong: {self.misfit}", *(f"  {line}" for line in self.excerpt)]
        else:
            lines = [
                f"wrong: worst relative error {self.error:.1e}, tolerance {self.tolerance:.0e}, "
                f"in {_layers(self.layers)} of {self.compared:,} derivatives compared",
                f"  {'weight':<16}{'given':>16}{'right':>16}{'error':>10}",
            ]
            lines += [f"  {d.weight:<16}{d.given:>16.8g}{d.right:>16.8g}{d.error:>10.1e}" for d in self.worst]
        if self.reason is not None:
            lines.append(f"likeliest reason: {self.reason}")
        elif self.correction is None:
            numbers = "gives these numbers" if self.misfit is None else "explains this"
            lines.append(f"no mistake that symbp knows {numbers}")
        if self.correction is not None:
            lines.append(f"right would be: {self.correction}")
        if self.remark is not None:
            lines.append(self.remark)
        return lines


def _layers(numbers: tuple[int, ...]) -> str:
    return f"layer{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
