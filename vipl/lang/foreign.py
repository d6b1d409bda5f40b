"""NumPyro's own statements inside of a vipl program: they would be constants there, so they are refused."""

from __future__ import annotations

from numpyro.primitives import Messenger

from vipl._core import ambient
from vipl._core.errors import ProgramError
from vipl._core.source import user_source


class RefuseNumPyro(Messenger):
    """A handler of NumPyro that refuses every statement made inside of a program."""

    def process_message(self, msg):
        """Refuse the statement; NumPyro's stack is one for all threads, the surroundings are not."""
        if ambient.current() is None:
            return
        statement = "factor" if type(msg.get("fn")).__name__ == "Unit" else msg["type"]
        raise ProgramError(
            f"numpyro.{statement}({msg.get('name')!r}, …) is no statement of a vipl program.",
            where=user_source(),
            fix=f"vipl.{statement}({msg.get('name')!r}, …)",
        )
