"""How a cell is judged, as `vipl.testing` says; a long run takes more draws."""

import functools

from helpers import LONG

from vipl.testing import judgement
from vipl.testing.verdict import NOT_SHOWN, REFUSED, RIGHT, WRONG, Verdict

BATCH = 2**15 if LONG else 2**12
MOST_DRAWS = 2**28 if LONG else 2**24

judge = functools.partial(judgement.judge, batch=BATCH, most_draws=MOST_DRAWS)

__all__ = ["BATCH", "MOST_DRAWS", "NOT_SHOWN", "REFUSED", "RIGHT", "WRONG", "Verdict", "judge"]
