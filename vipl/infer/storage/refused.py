"""What is wrong with a file, told where its path is not known.

>>> from vipl.infer.storage.refused import Refused
>>> Refused("is empty").fix
'an undamaged copy; or write the file anew'
"""

from __future__ import annotations

WRITE_ANEW = "an undamaged copy; or write the file anew"


class Refused(Exception):
    """What is wrong with a file, or with what should go into one, and the fix; `archive` makes a CheckpointError of it.

    Args:
        what: a sentence without its subject, the file, and without its full stop.
        fix: the correction.
    """

    def __init__(self, what: str, fix: str = WRITE_ANEW):
        super().__init__(what)
        self.what, self.fix = what, fix
