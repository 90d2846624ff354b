"""Scripts -> layers, indices and samples, as a notation has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from symbp.errors import FormulaError
from symbp.run.formula.arrays import Arrays, NoSuchEntry
from symbp.run.formula.names import Meaning, Names
from symbp.run.formula.tokens import fault
from symbp.run.formula.tree import Apply, Binary, Line, Name, Number, Part, walk
from symbp.run.formula.value import along


@dataclass(frozen=True)
class Bound:
    """What an index or a layer's letter stands for.

    Attributes
    ----------
    axis : int
        The axis along which an index runs; the samples' own for the number of a sample.
    numbers : ndarray or None
        The values of an index along its axis; None for the number of a sample.
    layer : int or None
        The value of a layer's letter, in the numbers of the notation.
    """

    axis: int = 0
    numbers: NDArray[Any] | None = None
    layer: int | None = None


Environment = Mapping[str, Bound]


@dataclass(frozen=True)
class Scripts:
    """The layer of a quantity, its indices, and the axis of its sample.

    For an accumulator, `before` says whether it is that before its sample; None is after all.
    """

    layer: Part | None
    indices: list[Part]
    axis: int
    before: bool | None = None


def previous(part: Part) -> Part:
    """Return p for p - 1, and anything else as it is."""
    match part:
        case Binary(_, "-", Name() as name, Number(_, "1")):
            return name
    return part


class ScriptReader:
    """Reads scripts, in one line after another.

    Parameters
    ----------
    arrays : Arrays
    names : Names
    """

    def __init__(self, arrays: Arrays, names: Names) -> None:
        self.arrays, self.names = arrays, names
        self.text = ""

    @contextmanager
    def reading(self, line: Line) -> Iterator[None]:
        """Say that what is evaluated stands in this line, which errors show."""
        before, self.text = self.text, line.text
        yield
        self.text = before

    def cost_kind(self, cost: Name) -> str:
        """Return which cost is meant: J, Js or Jr; with the number of a sample it is that of the sample."""
        try:
            return self.names.cost_kind(cost)
        except NoSuchEntry as error:
            raise self.fault(cost, str(error)) from None

    def fault(self, part: Part, reason: str) -> FormulaError:
        return fault(self.text, part.at, reason)

    @staticmethod
    def sample_axis(env: Environment) -> int:
        """Return the axis of what has no number of a sample: in a sum over samples it is of that sample."""
        bound = [b.axis for b in env.values() if b.layer is None and b.numbers is None]
        return bound[-1] if bound else 0

    # Layers and indices -----------------------------------------------------------------

    def whole_number(self, tree: Part, env: Environment) -> int:
        """Return the value of a layer or a size."""
        found = self.index(tree, env)
        if found.size != 1:
            raise self.fault(tree, "expected a layer, not an index")
        return int(found.flat[0])

    def index(self, tree: Part, env: Environment) -> NDArray[Any]:
        """Return the numbers of an index along its axis."""
        match tree:
            case Number(_, text):
                return along([int(text)], 1)
            case Binary(_, sign, left, right):
                a, b = self.index(left, env), self.index(right, env)
                shifted: NDArray[Any] = a + b if sign == "+" else a - b
                return shifted
            case Name(_, name) if name in env:
                bound = env[name]
                if bound.layer is not None:
                    return along([bound.layer], 1)
                if bound.numbers is not None:
                    return bound.numbers
                raise self.fault(tree, f"{name} is the number of a sample here")
            case Name():
                size = self.size(tree, env)
                if size is not None:
                    return along([size], 1)
        name = getattr(tree, "name", "this")
        letters = ", ".join((*env, self.names.depth))
        raise self.fault(tree, f"{name!r} is no index or layer here; known are {letters}")

    def size(self, tree: Name, env: Environment) -> int | None:
        """Return m, L or N_k; None where the name is none of these."""
        names, network = self.names, self.arrays.network
        scripts = (*tree.below, *tree.above)
        if tree.name == names.samples and not scripts:
            return self.arrays.samples
        if tree.name == names.depth and not scripts:
            return names.number_of_layers(network)
        if tree.name == names.width and len(scripts) == 1:
            layer = self.whole_number(scripts[0], env) - names.width_shift
            if not 0 <= layer <= self.arrays.last:
                raise self.fault(tree, "this network has no such layer")
            return network.sizes[layer]
        if tree.name == "M" and names.notation.name == "smatrix" and len(scripts) == 1:
            layer = self.whole_number(scripts[0], env)
            return network.shapes[layer - 1][1] if 1 <= layer <= self.arrays.last else None
        return None

    def scripts(self, tree: Name, meaning: Meaning, env: Environment) -> Scripts:
        """Tell layer, indices and sample of a quantity apart."""
        axis, before = self.sample_axis(env), None
        parts: dict[str, list[Part]] = {"below": list(tree.below), "above": list(tree.above)}
        adds = meaning.adds_up
        for place in parts.values():
            for item in list(place):
                name = previous(item) if adds else item
                if not isinstance(name, Name) or name.below or name.above:
                    continue
                if adds and name.name == self.names.samples:
                    place.remove(item)
                    continue
                bound = env.get(name.name)
                if (bound is not None and bound.layer is None and bound.numbers is None) or (
                    bound is None and name.name in self.names.sample_letters
                ):
                    axis = bound.axis if bound is not None else axis
                    before = name is not item
                    place.remove(item)
        below, above = parts["below"], parts["above"]
        if not meaning.layered:
            if above and not self._is_any_sample(above):
                raise self.fault(tree, f"{tree.name} has no layer; a power is written ({tree.name})^2")
            return Scripts(None, below, axis)
        if tree.name == "T" and meaning.entry == "T":
            return Scripts(None, [*above, *below], axis)
        if above:
            if len(above) > 1:
                raise self.fault(tree, f"{tree.name} has one layer; a power is written (...)^2")
            return Scripts(above[0], below, axis, before if adds else None)
        if len(below) == 1 and meaning.whole:
            return Scripts(below[0], [], axis, before if adds else None)
        raise self.fault(tree, f"{tree.name} needs its layer, such as {tree.name}^1")

    @staticmethod
    def _is_any_sample(above: Sequence[Part]) -> bool:
        """Whether x^(i) is meant: the inputs have no layer, so a letter there is the number of a sample."""
        return len(above) == 1 and isinstance(above[0], Name) and len(above[0].name) == 1

    def indices(self, parts: Sequence[Part], count: int, env: Environment, tree: Part) -> list[NDArray[Any]]:
        """Return the numbers of the indices of an entry."""
        return [self.index(item, env) for item in self.index_parts(parts, count, env, tree)]

    def index_parts(self, parts: Sequence[Part], count: int, env: Environment, tree: Part) -> list[Part]:
        """Return the indices of an entry one by one; ``ij`` are two."""
        items: list[Part] = list(parts)
        if len(items) == 1 and count == 2:
            (item,) = items
            match item:
                case Name(at, name, (), ()) if len(name) == 2 and name not in env:
                    items = [Name(at, name[0]), Name(at + 1, name[1])]
                case Number(at, text) if len(text) == 2:
                    items = [Number(at, text[0]), Number(at + 1, text[1])]
                case Name(at, name, below, ()) if len(name) == 2:
                    items = [Name(at, name[0]), Name(at + 1, name[1], below)]
        if len(items) != count:
            raise self.fault(tree, f"expected {count} {'index' if count == 1 else 'indices'}")
        return items

    def layer_of_function(self, tree: Apply, env: Environment) -> int:
        """Return our layer whose activation function is meant: its own script, else that of the argument."""
        glyph = self.names.notation.glyph("Activate")
        scripts = (*tree.function.above, *tree.function.below)
        if scripts and glyph.layer != "none":
            return self.whole_number(scripts[0], env) - glyph.shift
        for part in walk(tree.argument):
            meaning = self.names.meanings.get(part.name) if isinstance(part, Name) else None
            if isinstance(part, Name) and meaning is not None and meaning.layered and meaning.entry != "w":
                scripted = self.scripts(part, meaning, env)
                if scripted.layer is not None:
                    whole = not scripted.indices and meaning.whole
                    shift = meaning.whole_shift if whole else meaning.entry_shift
                    before = int(whole == "InputColumn")
                    return self.whole_number(scripted.layer, env) - shift - before
        raise self.fault(tree, "the function of which layer? Its argument names none")
