"""A model that some of its data were not passed to, though it is known which sites they belong to.

>>> import vipl, vipl.distributions as dist
>>> from vipl.infer.problem.without_data import survey_without_data
>>> @vipl.program
... def model(y=None):
...     mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
...     vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
>>> list(survey_without_data(model(), {"y"}).latents)
['mu']
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from vipl._core.interpreter import Located
from vipl.lang.program import Program
from vipl.tracing.survey import Survey, survey


@dataclasses.dataclass(frozen=True)
class SurveyWithoutData(Survey):
    """The survey of a model in which sites whose data are absent are observed all the same.

    Attributes:
        absent: addresses of these sites; those of others do not matter.
    """

    absent: Collection[str] = ()

    def is_observed(self, located: Located) -> bool:
        """Return whether a site is observed, or would be if the data were there."""
        return located.statement.address in self.absent or super().is_observed(located)


def survey_without_data(program: Program, absent: Collection[str]) -> SurveyWithoutData:
    """Survey a model whose data may be absent at some addresses."""
    return SurveyWithoutData(program, survey(program).staged, absent)
