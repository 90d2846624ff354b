"""Trees -> the text they are read from."""

from __future__ import annotations

from symbp.derivation.documents.language.tree import (
    Binary,
    Call,
    Cases,
    Expression,
    Literal,
    Negative,
    Number,
    Range,
    Ref,
    Statement,
    Transpose,
)

_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 4}
_UNARY = 3


def written(tree: Expression, strength: int = 0) -> str:
    """Return the text of an expression, in brackets if its operator binds less than `strength`."""
    match tree:
        case Number(text):
            return text
        case Ref(name, layers, entries):
            return name + _keys(layers) + _keys(entries)
        case Call(name, layers, arguments):
            return f"{name}{_keys(layers)}({_list(arguments)})"
        case Binary(operator, left, right):
            own = _STRENGTH[operator]
            apart = "" if operator == "**" else " "
            # (a @ b) * c and a @ (b * c) are different: brackets, though Python would not need them.
            mixed = own == 2 and isinstance(left, Binary) and (operator == "@") != (left.operator == "@")
            text = f"{written(left, own + mixed)}{apart}{operator}{apart}{written(right, own + 1)}"
            return f"({text})" if own < strength else text
        case Negative(operand):
            text = f"-{written(operand, _UNARY)}"
            return f"({text})" if strength > 1 else text
        case Transpose(operand):
            return (
                f"{written(operand, 9)}.T" if isinstance(operand, Ref | Call) else f"({written(operand)}).T"
            )
        case Cases(relation, left, right, yes, no):
            return f"({written(yes)} if {written(left)} {relation} {written(right)} else {written(no)})"
        case Literal(rows):
            if all(len(row) == 1 for row in rows):
                return f"[{_list(tuple(row[0] for row in rows))}]"
            return f"[{', '.join(f'[{_list(row)}]' for row in rows)}]"
    raise TypeError(tree)


def _list(trees: tuple[Expression, ...]) -> str:
    return ", ".join(map(written, trees))


def _keys(trees: tuple[Expression, ...]) -> str:
    # Layers and indices are short, and read better without spaces.
    return f"[{', '.join(written(tree).replace(' ', '') for tree in trees)}]" if trees else ""


def written_statement(statement: Statement) -> str:
    """Return the text of a statement, without its ranges."""
    sign = ", " if statement.relation == "," else f" {statement.relation} "
    return sign.join(map(written, statement.sides))


def written_ranges(ranges: tuple[Range, ...]) -> str:
    """Return the text of ranges."""
    return ", ".join(f"{written(r.low)} <= {r.index} <= {written(r.high)}" for r in ranges)
