"""Were calls made in an order? And the text of the failure where they were not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kms import assertions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_kms.assertions import Expectation
    from pytest_kms.state.trail import Event
    from pytest_kms.state.world import World


@dataclass(frozen=True, slots=True)
class CallOrder:
    """Calls that are expected one after the other; others may come between."""

    world: World
    steps: Sequence[Expectation]

    def check(self) -> None:
        """Fail unless there is a call for each step, each after that of the step before."""
        __tracebackhide__ = True
        told = ", then ".join(step.text + assertions.conditions(step) for step in self.steps)
        came = self._come()
        if len(came) == len(self.steps):
            return
        assertions.fail(
            f"expected in this order: {told}; {self._where(len(came))}.",
            *self._what_happened(came),
            assertions.COMPARE if self.world.trail else assertions.CHECK_THE_CODE,
        )

    def _come(self) -> list[int]:
        """Return the places of the calls for the first steps, as many as there are."""
        came: list[int] = []
        for place, event in enumerate(self.world.trail):
            if len(came) < len(self.steps) and self.steps[len(came)].wanted.matches(event):
                came.append(place)
        self.world.trail.seen.update(came)
        return came

    def _where(self, number: int) -> str:
        """Say where it stopped."""
        missing = self.steps[number].text
        return f"there was no {missing} after step {number}" if number else f"there was no {missing}"

    def _what_happened(self, came: list[int]) -> list[str]:
        if not self.world.trail:
            return [assertions.NOTHING]
        events = list(self.world.trail)
        steps = [
            f"  {assertions.numbered(self.world, events[place])}   <-- step {number}"
            for number, place in enumerate(came, start=1)
        ]
        others = [event for place, event in enumerate(events) if place not in came]
        missing = self.steps[len(came)]
        others.sort(key=lambda event: assertions.distance(missing, event))

        def tell(event: Event) -> str:
            mark = assertions.marks(missing, event) or "   <-- too early"
            return f"{assertions.numbered(self.world, event)}{mark}"

        nearest = [f"Nearest to step {len(came) + 1}:", *assertions.first(others, tell)] if others else []
        return [*(["What happened:", *steps] if steps else []), *nearest]
