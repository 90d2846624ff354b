"""Letters as Unicode characters: what a notation's glyph, a Greek name or a style is on a web page."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from symbp.errors import RenderError

_GREEK = tuple(
    name
    for line in (
        "alpha beta gamma delta zeta eta theta iota kappa lambda mu",
        "nu xi pi rho sigma tau upsilon chi psi omega",
    )
    for name in line.split()
)

_VARIANTS = {
    "epsilon": "ϵ",
    "varepsilon": "ε",
    "phi": "ϕ",
    "varphi": "φ",
    "vartheta": "ϑ",
    "varrho": "ϱ",
    "varsigma": "ς",
    "ell": "ℓ",
    "nabla": "∇",
    "odot": "⊙",
}


def _named(name: str) -> str:
    # Unicode's spelling of lambda is its own.
    return unicodedata.lookup(f"GREEK SMALL LETTER {name.replace('lambda', 'lamda').upper()}")


SYMBOLS: dict[str, str] = {
    **{name: _named(name) for name in _GREEK},
    **{name.capitalize(): _named(name).upper() for name in (*_GREEK, "epsilon", "phi")},
    **_VARIANTS,
}

# Command -> the style in Unicode's names for it; the empty style is upright.
STYLES = {
    "mathbf": "BOLD",
    "boldsymbol": "BOLD ITALIC",
    "mathsf": "SANS-SERIF",
    "mathcal": "SCRIPT",
    "mathrm": "",
    "operatorname": "",
    "text": "",
}
# The minus and the tilde operator are wide and stand clear of the letter, also in a fraction; the macron and
# the spacing tilde of Unicode are short, and in browsers lie on its upper edge, where they look the same.
ACCENTS = {"hat": "^", "widehat": "^", "tilde": "∼", "bar": "−", "dot": "˙", "vec": "→"}

_WRAPPED = re.compile(r"\\(?P<command>[A-Za-z]+)\s*(?:\{(?P<braced>.*)\}|(?P<single>[A-Za-z]))")


@dataclass(frozen=True)
class Letter:
    """A letter, or a name of several, with what stands over and behind it.

    Attributes
    ----------
    characters : str
    upright : bool
        Whether a letter alone is not to be set in italics.
    accent : str
    primes : int
    """

    characters: str
    upright: bool = False
    accent: str = ""
    primes: int = 0


def letter(latex: str) -> Letter:
    r"""Return the letter of a glyph, which notations state as LaTeX: ``\hat{y}``, ``\mathbf{S}``.

    Only letters have a place here, not formulas: everything around a letter is structure,
    and printed as such.

    Raises
    ------
    RenderError
        If the glyph is not a letter with a known style or accent.
    """
    bare = latex.rstrip("'")
    if bare != latex:
        return replace(letter(bare), primes=len(latex) - len(bare))
    if latex.startswith("\\") and latex[1:] in SYMBOLS:
        return Letter(SYMBOLS[latex[1:]])
    if latex.startswith("{") and latex.endswith("}"):
        return letter(latex[1:-1])
    found = _WRAPPED.fullmatch(latex)
    if found is None:
        if re.fullmatch(r"[^\W_]+", latex):
            return Letter(latex)
        raise RenderError(f"glyph {latex!r}: not a letter that MathML can be written for")
    command, inner = found["command"], letter(found["braced"] or found["single"] or "")
    if command in ACCENTS:
        return replace(inner, accent=ACCENTS[command])
    if command in STYLES:
        style = STYLES[command]
        characters = "".join(styled(c, style) for c in inner.characters) if style else inner.characters
        return replace(inner, characters=characters, upright=style != "BOLD ITALIC")
    raise RenderError(f"glyph {latex!r}: neither a style nor an accent that MathML can be written for")


def styled(character: str, style: str) -> str:
    """Return the character of the style: 𝐒 for a bold S; one that Unicode lacks stays as it is."""
    words = unicodedata.name(character).replace(" LETTER", "").split()
    name = " ".join(words[1:])  # without the script, LATIN or GREEK
    for candidate in (f"MATHEMATICAL {style} {name}", f"{style} {name}"):
        try:
            return unicodedata.lookup(candidate)
        except KeyError:
            continue
    return character
