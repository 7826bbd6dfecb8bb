"""The two messages of the choose programs."""

import darkriftpy
from darkriftpy.types import int32

messages = darkriftpy.MessageContainer()


@messages.add
class Choose(darkriftpy.Message, tag=1):
    items: list[int32]


@messages.add
class Choice(darkriftpy.Message, tag=2):
    item: int32
