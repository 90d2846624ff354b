"""Elementary functions in plain arithmetic, which compilers turn into vector instructions."""

from symbp.elementary.records import Elementary, Fit
from symbp.elementary.tables import FITS, FUNCTIONS

__all__ = ["FITS", "FUNCTIONS", "Elementary", "Fit"]
