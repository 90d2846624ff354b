"""Elementary functions in plain arithmetic, which compilers turn into vector instructions."""

from symbp.elementary.records import Elementary, Fit
from symbp.elementary.tables import CALLS, FITS, FUNCTIONS, calls

__all__ = ["CALLS", "FITS", "FUNCTIONS", "Elementary", "Fit", "calls"]
