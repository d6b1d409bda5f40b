"""Every operation of the random programs, by name.

To cover a new rule of the pass, add an operation that emits its primitive to the file of its kind.
"""

from provenance import calls, combining, elementwise, indexing, loops, matrices, moving

OPERATIONS = {
    **elementwise.OPERATIONS,
    **moving.OPERATIONS,
    **indexing.OPERATIONS,
    **combining.OPERATIONS,
    **matrices.OPERATIONS,
    **calls.OPERATIONS,
    **loops.OPERATIONS,
}
