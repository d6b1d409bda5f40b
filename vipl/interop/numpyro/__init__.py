"""NumPyro's statements as vipl's: sites with their plates, masks and scales, parameters, and control flow.

`Translate` is a handler of NumPyro that stands outside of all handlers of the model, so each statement comes to it as
those have made it, and leaves as a statement of vipl.
"""

from vipl.interop.numpyro.translate import Translate

__all__ = ["Translate"]
