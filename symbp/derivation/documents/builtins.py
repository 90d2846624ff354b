"""What the words of the language mean on a tape: sums, products, columns, derivatives."""

from __future__ import annotations

from collections.abc import Callable

from symbp.derivation.documents.arrays import Array, Value, column, each, entrywise, filled, product, scalar
from symbp.derivation.documents.language.limits import limits
from symbp.derivation.documents.language.text import written
from symbp.derivation.documents.language.tree import Call, Expression, Ref
from symbp.derivation.documents.records import Fault
from symbp.derivation.documents.world import Environment, World
from symbp.graph.operations import ADD, MULTIPLY, POSITIVE_PART
from symbp.graph.tape import Cell


def _index(tree: Expression) -> str:
    if isinstance(tree, Ref) and not tree.layers:
        return tree.name
    raise Fault("names", f"{written(tree)} is no index")


def _over(world: World, tree: Call, env: Environment, at: int = 1) -> list[Environment]:
    name, low, high = tree.arguments[at : at + 3]
    return _each(world, name, (low, high), env)


def _each(
    world: World, name: Expression, ends: tuple[Expression, Expression], env: Environment
) -> list[Environment]:
    first, last = (world.integer(end, env) for end in ends)
    return [{**env, _index(name): number} for number in range(first, last + 1)]


def _cells(world: World, tree: Call, envs: list[Environment]) -> list[Cell]:
    return [world.scalar(tree.arguments[0], env) for env in envs]


def _sum(world: World, tree: Call, env: Environment) -> Value:
    body, name = tree.arguments[:2]
    values = [world.value(body, inner) for inner in _each(world, name, limits(tree, world.families), env)]
    result: Value = values[0] if values else world.constant(0)
    for value in values[1:]:
        result = entrywise(world.tape, ADD, result, value, written(tree))
    return result


def _descend(world: World, tree: Call, env: Environment) -> Value:
    """The matrix product from a high layer down to a low one."""
    body, name, high, low = tree.arguments
    first, last = world.integer(high, env), world.integer(low, env)
    if first < last:
        raise Fault("range", f"{written(tree)} has no factor from {first} down to {last}")
    result = world.value(body, {**env, _index(name): first})
    for number in range(first - 1, last - 1, -1):
        factor = world.value(body, {**env, _index(name): number})
        result = multiply(world, result, factor, written(tree))
    return result


def multiply(world: World, left: Value, right: Value, what: str) -> Value:
    """Return the matrix product, or the product with a number."""
    if isinstance(left, Array) and isinstance(right, Array):
        return product(world.tape, left, right, what)
    return entrywise(world.tape, MULTIPLY, left, right, what)


def _low(world: World, tree: Call, env: Environment, at: int = 2) -> int:
    return world.integer(tree.arguments[at], env)


def _column(world: World, tree: Call, env: Environment) -> Value:
    return column(_cells(world, tree, _over(world, tree, env)), _low(world, tree, env))


def _row(world: World, tree: Call, env: Environment) -> Value:
    upright = column(_cells(world, tree, _over(world, tree, env)), _low(world, tree, env))
    return Array(upright.cells.T, upright.low[::-1])


def _matrix(world: World, tree: Call, env: Environment) -> Value:
    rows = [_cells(world, tree, _over(world, tree, inner, 4)) for inner in _over(world, tree, env)]
    cells = filled((len(rows), len(rows[0]) if rows else 0), lambda r, c: rows[r][c])
    return Array(cells, (_low(world, tree, env), _low(world, tree, env, 5)))


def _identity(world: World, tree: Call, env: Environment) -> Value:
    order = world.integer(tree.arguments[0], env)
    return Array(filled((order, order), lambda r, c: world.constant(int(r == c))), (1, 1))


def _diag(world: World, tree: Call, env: Environment) -> Value:
    entries = world.array(tree.arguments[0], env)
    if entries.cells.shape[1] != 1:
        raise Fault("shapes", f"{written(tree)}: expected a column")
    order = entries.cells.shape[0]
    cells = filled((order, order), lambda r, c: entries.cells[r, 0] if r == c else world.constant(0))
    return Array(cells, (entries.low[0], entries.low[0]))


def _rows(world: World, tree: Call, env: Environment) -> Value:
    """Rows low..high of an array."""
    array = world.array(tree.arguments[0], env)
    low, high = (world.integer(argument, env) for argument in tree.arguments[1:3])
    start, stop = low - array.low[0], high - array.low[0] + 1
    if not 0 <= start <= stop <= array.cells.shape[0]:
        last = array.low[0] + array.cells.shape[0] - 1
        raise Fault("range", f"{written(tree)}: the rows are {array.low[0]}..{last}")
    return Array(array.cells[start:stop], (low, *array.low[1:]))


def _append(world: World, tree: Call, env: Environment) -> Value:
    array, last = world.array(tree.arguments[0], env), world.scalar(tree.arguments[1], env)
    return column([*array.cells[:, 0], last], array.low[0])


def _prepend(world: World, tree: Call, env: Environment) -> Value:
    first, array = world.scalar(tree.arguments[0], env), world.array(tree.arguments[1], env)
    return column([first, *array.cells[:, 0]], array.low[0] - 1)


def _kronecker(world: World, tree: Call, env: Environment) -> Value:
    a, b = (world.integer(argument, env) for argument in tree.arguments)
    return world.constant(int(a == b))


def _size(world: World, tree: Call, env: Environment) -> Value:
    return world.constant(world.integer(tree, env))


def _derivative(world: World, tree: Call, env: Environment) -> Value:
    """d of / d wrt, by the chain rule on the tape; shaped as the document's layout says."""
    of = world.value(tree.arguments[0], env)
    wrt = world.value(tree.arguments[1], env)

    def one(a: Cell, b: Cell) -> Cell:
        return world.tape.leaf(world.tape.derivative(a, b))

    if isinstance(of, Array) and of.cells.size == 1:
        of = scalar(of)
    if isinstance(wrt, Cell) and isinstance(of, Cell):
        return one(of, wrt)
    if isinstance(of, Cell) and isinstance(wrt, Array):
        number, variables = of, wrt.cells
        cells = filled(variables.shape, lambda *at: one(number, variables.item(at)))
        turned = world.setting.layout == "row" and wrt.cells.shape[1] == 1
        return Array(cells.T, wrt.low[::-1]) if turned else Array(cells, wrt.low)
    assert isinstance(of, Array)
    if of.cells.shape[1] != 1:
        raise Fault("shapes", f"{written(tree)}: the derivative of a matrix has too many axes")
    rows = list(of.cells[:, 0])
    if isinstance(wrt, Cell):
        return column([one(cell, wrt) for cell in rows], of.low[0])
    # A column by a column is a matrix, a column by a matrix has three axes.
    inner = wrt.cells.shape[:1] if wrt.cells.shape[1] == 1 else wrt.cells.shape
    flat = list(wrt.cells.flat)
    cells = filled((len(rows), len(flat)), lambda r, c: one(rows[r], flat[c]))
    return Array(cells.reshape(len(rows), *inner), (of.low[0], *wrt.low[: len(inner)]))


def _lone(world: World, tree: Call, env: Environment) -> Value:
    raise Fault("names", f"{written(tree)} stands alone: a derivative has a d above and a d below")


def _gradient(world: World, tree: Call, env: Environment) -> Value:
    """The derivative of a number in the shape of the variable, whatever the layout."""
    found = _derivative(world, tree, env)
    wrt = world.value(tree.arguments[1], env)
    if isinstance(found, Array) and isinstance(wrt, Array) and found.cells.shape != wrt.cells.shape:
        return Array(found.cells.T, found.low[::-1])
    return found


def _positive(world: World, tree: Call, env: Environment) -> Value:
    return each(lambda cell: world.tape.apply(POSITIVE_PART, cell), world.value(tree.arguments[0], env))


BUILTINS: dict[str, Callable[[World, Call, Environment], Value]] = {
    "sum": _sum,
    "descend": _descend,
    "column": _column,
    "row": _row,
    "matrix": _matrix,
    "identity": _identity,
    "diag": _diag,
    "rows": _rows,
    "append": _append,
    "prepend": _prepend,
    "kronecker": _kronecker,
    "size": _size,
    "positive": _positive,
    "D": _derivative,
    "d": _lone,
    "grad": _gradient,
    "nabla": _gradient,
}
