"""The runs of watched servers: where each begins, and where it is up. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from triage.model import Launch, Place
from triage.records import dataclass

Server: TypeAlias = tuple[str, str]
"""A source, and the container, pod or host in it; the latter is empty where the source carries one server only."""

NO_STARTS: Mapping[str, Sequence[int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Restart:
    """A run that got up. ``place``: its first line; ``up_line``: the line that shows that requests are taken; ``is_again``: an
    earlier start of the server was seen."""

    place: Place
    up_line: int
    is_again: bool


@dataclass(frozen=True, slots=True)
class _Timeline:
    """One server. ``marks``: lines in which it is said to start, by itself or by others, ascending; ``runs``: for each of them
    where the run begins that goes on behind it; ``launches``: those marks that are its arguments; ``ups``: lines that show that
    requests are taken, ascending."""

    marks: list[int]
    runs: list[int]
    launches: list[int]
    ups: list[int]

    def run(self, line: int) -> int:
        """Where the run begins to which ``line`` belongs."""
        index = bisect_right(self.marks, line)
        return self.runs[index - 1] if index else 0


class ServerRuns:
    """All servers of a report. ``starts``: for each source lines with which runs begin that were told otherwise than by arguments;
    where there are none, what a start prints before its arguments belongs to the run before it. ``up``: sources whose server
    takes requests by what its batches show: not every node of a job prints that it is ready."""

    def __init__(
        self,
        launches: Sequence[Launch],
        starts: Mapping[str, Sequence[int]] = NO_STARTS,
        up: Collection[str] = (),
    ) -> None:
        self._starts, self._up = starts, up
        self._launches: dict[Server, list[Launch]] = {}
        for launch in launches:
            self._launches.setdefault((launch.source, launch.node), []).append(launch)
        self._timelines: dict[Server, _Timeline] = {}

    def server(self, place: Place) -> Server:
        """Who printed it."""
        of_node = (place.source, place.node or "")
        return of_node if of_node in self._launches else (place.source, "")

    def run(self, place: Place) -> int:
        """The line in which the run begins to which ``place`` belongs; 0 is the first one. What stands above the first
        arguments belongs to them."""
        return self._timeline(self.server(place)).run(place.line)

    def is_started_since(self, place: Place) -> bool:
        """The server printed its arguments behind it, or got up. What others say is no proof: systemd stops a service too."""
        launches = self._timeline(self.server(place)).launches
        return (bool(launches) and launches[-1] > place.line) or self.up_since(place) is not None

    def awaits_batches(self, place: Place) -> bool:
        """The server was started behind it, is not up, and may be as soon as its batches are asked for."""
        is_alone = not self.server(place)[1]
        return is_alone and self.is_started_since(place) and self.up_since(place) is None

    def up_since(self, place: Place) -> Restart | None:
        """The first run that was started behind ``place`` and got up."""
        server = self.server(place)
        own = self._timeline(server)
        after = bisect_right(own.marks, place.line)
        if after == len(own.marks):
            return None
        index = bisect_right(own.ups, own.marks[after])
        if index == len(own.ups):
            return None
        up = own.ups[index]
        begin = own.run(up)
        # Of a run that was at work on something else before its arguments these are its start.
        line = begin if begin > place.line else own.marks[bisect_left(own.marks, up) - 1]
        return Restart(Place(server[0], line, 0, node=server[1] or None), up, is_again=after > 0)

    def _timeline(self, server: Server) -> _Timeline:
        if server not in self._timelines:
            self._timelines[server] = self._new_timeline(server)
        return self._timelines[server]

    def _new_timeline(self, server: Server) -> _Timeline:
        launches = self._launches.get(server, [])
        lines = sorted(launch.line for launch in launches if launch.line)
        told = [(line, 0) for line in self._starts.get(server[0], ())]
        marks, runs = list[int](), list[int]()
        run, is_awaited = 0, True
        # Whoever starts a server says so before it does, be it in the same line.
        for line, is_launch in sorted([*told, *((line, 1) for line in lines)]):
            # The arguments that come first in a run are no further one.
            run = run if is_launch and is_awaited else line
            is_awaited = not is_launch
            marks.append(line)
            runs.append(run)
        return _Timeline(marks, runs, lines, self._ups(server, launches))

    def _ups(self, server: Server, launches: Sequence[Launch]) -> list[int]:
        ups = [launch.ready_line for launch in launches if launch.ready_line]
        # Whose batches make the source one that is up is known where it carries one server.
        if server[0] in self._up and not server[1] and launches:
            last = launches[-1]
            if last.line and not last.ready_line and last.last_batch is not None:
                ups.append(last.last_batch.line)
        return sorted(ups)
