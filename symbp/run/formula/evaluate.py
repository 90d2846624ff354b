"""Trees -> values, in the letters of a notation, at one point of a network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symbp.errors import FormulaError
from symbp.functions.names import nearest
from symbp.run.formula.arrays import NoSuchEntry
from symbp.run.formula.definitions import Definitions
from symbp.run.formula.operations import ELEMENTARY, VALUES
from symbp.run.formula.scripts import Environment
from symbp.run.formula.tree import Binary, Name, Negative, Number, Part, Power, walk
from symbp.run.formula.value import Misfit, Value, entrywise, number, total


class Evaluator(Definitions):
    """Evaluates formulas of one notation at one point."""

    # Values -----------------------------------------------------------------------------

    def value(self, tree: Part, env: Environment) -> Value:
        """Return the value of a tree.

        Raises
        ------
        FormulaError
            If a name is unknown, a layer or an entry does not exist, or shapes do not fit.
        """
        try:
            return VALUES[type(tree)](self, tree, env)
        except (NoSuchEntry, Misfit) as error:
            raise self.fault(tree, str(error)) from error

    def gradient(self, tree: Part, env: Environment) -> Value:
        """Return a value summed over the samples, term by term: what has no sample counts once."""
        try:
            with np.errstate(all="ignore"):
                return self._summed(tree, env)
        except (NoSuchEntry, Misfit) as error:
            raise self.fault(tree, str(error)) from error

    def _summed(self, tree: Part, env: Environment) -> Value:
        match tree:
            case Binary(_, "+" | "-" as sign, left, right):
                operation = np.add if sign == "+" else np.subtract
                return entrywise(operation, self.gradient(left, env), self.gradient(right, env), sign)
            case Negative(_, operand):
                value = self.gradient(operand, env)
                return replace(value, data=-value.data)
            case Binary(_, operator, left, right) if self._is_constant(right, env):
                inner, factor = self.gradient(left, env), self.value(right, env)
                return entrywise(np.divide if operator == "/" else np.multiply, inner, factor, operator)
            case Binary(_, "@" | "*", left, right) if self._is_constant(left, env):
                return entrywise(np.multiply, self.value(left, env), self.gradient(right, env), "times")
            case Name():
                found = self.definition(tree, env)
                if found is not None and self.adds_up(found):
                    return self.defined(tree, found, env, summed=True)
        return total(self.value(tree, env), 0, 1)

    def _is_constant(self, tree: Part, env: Environment) -> bool:
        """Whether a factor is a number that is the same for all samples and indices: 2, 1/m."""
        return all(
            isinstance(part, Number | Binary | Negative | Power)
            or (
                isinstance(part, Name)
                and part.name in (self.names.samples, self.names.depth, *self.names.strengths)
            )
            for part in walk(tree)
        )

    # Quantities ---------------------------------------------------------------------------

    def named(self, tree: Name, env: Environment) -> Value:
        found = self.definition(tree, env)
        if found is not None:
            return self.defined(tree, found, env)
        power = self._power(tree)
        if power is not None:
            return power
        if tree.name in self.names.strengths:
            return number(self._strength(tree))
        size = self.size(tree, env)
        if size is not None:
            return number(size)
        meaning = self.names.meanings.get(tree.name)
        if meaning is None:
            raise self._unknown(tree, env)
        scripts = self.scripts(tree, meaning, env)
        if not scripts.indices and meaning.entry == "w" and not meaning.whole:  # w^l for the matrix W^l
            matrix = next(m for m in self.names.meanings.values() if m.whole == "WeightMatrix")
            return self.whole(matrix, scripts, env, tree)
        if not scripts.indices and meaning.whole:
            return self.whole(meaning, scripts, env, tree)
        if not scripts.indices or not meaning.entry:
            raise self.fault(
                tree, f"{tree.name} is {'an entry' if meaning.entry else 'a whole matrix'} in this notation"
            )
        return self.entry(meaning, scripts, env, tree)

    def _power(self, tree: Name) -> Value | None:
        """Return m^2: of what has no layer, a number above is a power."""
        (above,) = tree.above if len(tree.above) == 1 else (None,)
        if tree.name not in (self.names.samples, *self.names.strengths) or not isinstance(above, Number):
            return None
        base = self.named(replace(tree, above=()), {})
        return replace(base, data=base.data ** int(above.text))

    def _unknown(self, tree: Name, env: Environment) -> FormulaError:
        name = tree.name
        if name[0] == "d" and self.names.is_quantity(name[1:]):
            return self.fault(tree, f"{name}: a derivative is written {name}/dw")
        if name == "lambda":
            return self.fault(tree, "lambda is the strength of a penalty, and none is given (l2 = ...)")
        defined = [line.left.name for line in self.definitions if line.left is not None]
        known = sorted({*self.names.all, *defined, *ELEMENTARY})
        return self.fault(
            tree, f"unknown name {name!r} in the notation {self.names.notation.name}{nearest(name, known)}"
        )

    def _strength(self, tree: Name) -> float:
        """Return a parameter of the penalty."""
        part = tree.below[0] if tree.below else None
        below = part.name if isinstance(part, Name) else part.text if isinstance(part, Number) else ""
        if tree.above or (tree.name, below) not in self.names.constants:
            known = ", ".join(f"{a}_{b}" if b else a for a, b in self.names.constants)
            raise self.fault(tree, f"the parameters of the penalty are {known}")
        return self.names.constants[tree.name, below]
