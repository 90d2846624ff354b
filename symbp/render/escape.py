"""Text of the user (names, reasons) made harmless for the format it is put into."""

from __future__ import annotations

import re

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"$\mathdollar$",  # \$ would take another font, as bitmaps
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': "''",
    }
)

_MARKDOWN = str.maketrans({character: "\\" + character for character in r"\`*_{}[]<>#$|"})


def latex(text: object) -> str:
    """Return the text as LaTeX that prints it letter by letter."""
    return str(text).translate(_LATEX)


def markdown(text: object) -> str:
    """Return the text as Markdown that shows it letter by letter."""
    return str(text).translate(_MARKDOWN)


def slug(text: object) -> str:
    """Return the text as the name of a place on a page: lower case, with hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", str(text).lower()).strip("-")
