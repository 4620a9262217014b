"""Hand-built nouns: signatures from YAML text as a pack would bring them, and lines as matching would hand them over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from textwrap import indent

import pytest

from triage.knowledge.base import KnowledgeBase
from triage.knowledge.errors import Problems
from triage.knowledge.loading import decode_files
from triage.knowledge.pack import PackFile
from triage.model import (
    Context,
    ErrorLine,
    Fact,
    Finding,
    Hit,
    Input,
    Launch,
    Observation,
    Phase,
    Place,
    Report,
    Signature,
    Value,
)
from triage.reasoning.candidate import Candidate, candidate_for
from triage.reasoning.diagnose import diagnose
from triage.reasoning.evidence import seen_by_source
from triage.reasoning.rivalry import compete

SOURCE = "server.log"


@lru_cache(maxsize=4)
def _decoded(files: tuple[PackFile, ...]) -> KnowledgeBase:
    """Kept, for the properties ask for the same few signatures again and again."""
    problems = Problems(collect=True)
    base = decode_files(files, problems)
    assert [str(problem) for problem in problems.found] == []
    return base


@dataclass(slots=True)
class Bench:
    """A knowledge base that grows by ``cause`` and what was seen, which grows by ``sees``, ``knows`` and ``starts``.

    A log item's only pattern has the key ``cause/item/0``, which ``sees`` writes as ``cause/item``.
    """

    files: list[PackFile] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    errors: list[ErrorLine] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def cause(self, identifier: str, evidence: str, **fields: str) -> Bench:
        """Add a signature: ``evidence`` is the YAML list, ``fields`` are YAML values of the other keys."""
        values = {
            "title": f"The cause {identifier}",
            "component": "tests",
            "severity": "fatal",
            "role": "root",
            "prevalence": "common",
            "explanation": "It happens.",
            "fix": "Mend it.",
            "examples": "[a line of the log]",
            "near_misses": "[another line]",
            **fields,
        }
        head = "\n".join(f"{key}: {value}" for key, value in values.items())
        text = f"id: {identifier}\n{head}\nevidence:\n{indent(evidence.strip(), '  ')}\n"
        self.files.append(PackFile(f"signatures/tests/{identifier}.yaml", "tests", text.encode()))
        return self

    def simple(self, identifier: str, strength: str = "decisive", **fields: str) -> Bench:
        """Add a signature with one line of evidence, ``line``."""
        return self.cause(
            identifier, f"- {{id: line, log: 'the line of {identifier}', strength: {strength}}}", **fields
        )

    def sees(
        self,
        key: str,
        line: int,
        *,
        source: str = SOURCE,
        seconds: float | None = None,
        rank: str | None = None,
        block: int | None = None,
        phase: Phase = Phase.UNKNOWN,
        context: Context = Context.NORMAL,
        count: int | None = None,
    ) -> Bench:
        """A line that a pattern matched; ``count`` is that of the whole finding."""
        full = key if key.count("/") == 2 else f"{key}/0"
        place = Place(source, line, line * 100, None, seconds, rank)
        text = f"line {line} of {source}"
        self.hits.append(Hit(full, place, text, (), context, line if block is None else block, phase))
        if count is not None:
            self.counts[full, source] = count
        return self

    def knows(self, name: str, value: Value, source: str = SOURCE) -> Bench:
        """A fact that ``source`` states."""
        self.facts.append(Fact(name, value, f"{source}:1", source))
        return self

    def fails(self, text: str, line: int, *, source: str = SOURCE, block: int | None = None) -> Bench:
        """A line that speaks of an error."""
        self.errors.append(ErrorLine(text, Place(source, line, line * 100), line if block is None else block))
        return self

    def starts(
        self, line: int, *, ready: int = 0, batch: int = 0, batch_seconds: float | None = None, source: str = SOURCE
    ) -> Bench:
        """A start of the server, and what became of it."""
        last = Place(source, batch, batch * 100, None, batch_seconds) if batch else None
        self.launches.append(Launch(source, line, ready, last))
        return self

    def base(self) -> KnowledgeBase:
        """The signatures, as they are read from a pack."""
        return _decoded(tuple(self.files))

    def signature(self, identifier: str) -> Signature:
        """One of them."""
        return self.base().get(identifier)

    def findings(self) -> tuple[Finding, ...]:
        """The hits by pattern and source."""
        grouped: dict[tuple[str, str], list[Hit]] = {}
        for hit in self.hits:
            grouped.setdefault((hit.key, hit.place.source), []).append(hit)
        found = []
        for (key, source), hits in grouped.items():
            ordered = sorted(hits, key=lambda hit: hit.place.line)
            count = self.counts.get((key, source), len(hits))
            found.append(Finding(key, source, count, tuple(ordered), ordered[-1].place))
        return tuple(found)

    def observation(self) -> Observation:
        """Everything that was seen."""
        return Observation(
            inputs=(Input(SOURCE, 100, 1),),
            findings=self.findings(),
            facts=tuple(self.facts),
            errors=tuple(self.errors),
            error_count=len(self.errors),
            launches=tuple(self.launches),
        )

    def report(self) -> Report:
        """What the reasoning makes of it."""
        return diagnose(self.observation(), self.base())

    def reversed_report(self) -> Report:
        """The same with the findings in the opposite order."""
        observation = self.observation()
        return diagnose(replace(observation, findings=observation.findings[::-1]), self.base())

    def candidate(self, identifier: str) -> Candidate | None:
        """The signature's candidate before it meets its rivals."""
        return candidate_for(self.signature(identifier), seen_by_source(self.findings(), self.facts))

    def candidates(self) -> dict[str, Candidate]:
        """All candidates after they competed, by id."""
        base, views = self.base(), seen_by_source(self.findings(), self.facts)
        found = [item for signature in base for item in [candidate_for(signature, views)] if item]
        compete(found)
        return {item.id: item for item in found}


@pytest.fixture(name="bench")
def bench_fixture() -> Bench:
    """An empty `Bench`."""
    return Bench()


@pytest.fixture(name="new_bench", scope="session")
def new_bench_fixture() -> type[Bench]:
    """The class, for tests that need several."""
    return Bench
