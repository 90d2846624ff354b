"""A gradient that is written down as text, in the names of any notation.

::

    text --> lines (tree) --> meaning (names of the notation) --> arrays of a network --> gradient
"""
