"""Programs made of programs: marginals and posteriors, whose densities are estimates.

Such a program is one equation of the program around it (`vipl._core.estimated_density`). `staged` puts a program inside
of another, `particle` runs it there, and each folder has an inference algorithm.
"""

from vipl.programs.exact.options import Exact
from vipl.programs.importance.options import Importance
from vipl.programs.marginal import marginal
from vipl.programs.normalize import normalize
from vipl.programs.smc.options import SMC

__all__ = ["SMC", "Exact", "Importance", "marginal", "normalize"]
