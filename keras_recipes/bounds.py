"""Ranges that the value of an option may have."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, repr=False)
class Bound:
    """A limit on the values of an option: how they have to compare with it."""

    relation: Literal[">=", ">", "<"]
    limit: float

    def __repr__(self) -> str:
        return f"{self.relation} {self.limit}"


Count = Annotated[int, Bound(">=", 1)]


Whole = Annotated[int, Bound(">=", 0)]


Positive = Annotated[float, Bound(">", 0)]


Seed = Annotated[int, Bound(">=", 0), Bound("<", 2**32)]


NotNegative = Annotated[float, Bound(">=", 0)]


Share = Annotated[float, Bound(">=", 0), Bound("<", 1)]
