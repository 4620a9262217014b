"""Edits of single words, written into an argv or into the text that the words were read from; all else stays as typed."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from triage.preflight.shell_words import OPERATORS, Word, shell_words
from triage.records import dataclass, field

Span = tuple[int, int]
Quote = Callable[[str], str]
_ASSIGNING = re.compile(r"(?P<name>(?:--)?[A-Za-z_][\w-]*=)(?P<value>.*)", re.DOTALL)
_IN_SINGLE_QUOTES = re.compile("'")
_IN_DOUBLE_QUOTES = re.compile(r'["$`]|\\(?!\n)')


def shell_quoted(text: str) -> str:
    """The word for a shell; of ``NAME=value`` and ``--option=value`` only the value is quoted, as an assignment needs it."""
    found = _ASSIGNING.fullmatch(text)
    if found is None:
        return shlex.quote(text)
    return found["name"] + (shlex.quote(found["value"]) if found["value"] else "")


def siblings(words: Sequence[str], word: Word) -> Iterator[Word]:
    """The words among which ``word`` stands: those of the argv, or of the script that one of them is."""
    if word.span is None:
        return (Word(text, index) for index, text in enumerate(words))
    return shell_words(words[word.index], word.index)


def place(word: Word) -> tuple[int, int]:
    """Where a word stands, for comparisons."""
    return word.index, word.span[0] if word.span else 0


@dataclass(slots=True)
class _Change:
    """``now`` makes the new text of a word, given as typed or as meant; None: the word goes."""

    now: Callable[[str, Quote], str] | None = None
    is_changed: bool = False
    before: list[str] = field(default_factory=list)
    behind: list[tuple[tuple[str, ...], Word | None]] = field(default_factory=list)


@dataclass(slots=True)
class WordEdits:
    """What becomes of words. A word without a span is one of the argv; with one it stands in the script that ``index`` names."""

    _changes: dict[Word, _Change] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._changes)

    def write(self, word: Word, text: str) -> None:
        """Put ``text`` in the word's place."""
        change = self._of(word)
        change.now, change.is_changed = lambda _, quote: quote(text), True

    def swap(self, word: Word, old: str, new: str) -> None:
        """Put ``new`` in place of the first ``old`` in the word; what else is in it stays as typed, ``$VARIABLES`` too."""
        change = self._of(word)
        change.now, change.is_changed = lambda typed, _: typed.replace(old, new, 1), True

    def remove(self, word: Word) -> None:
        """Leave the word out, with the blanks that kept it from the word before."""
        change = self._of(word)
        change.now, change.is_changed = None, True

    def put_before(self, word: Word, *texts: str) -> None:
        """Words more in front of ``word``."""
        self._of(word).before.extend(texts)

    def put_behind(self, word: Word, *texts: str, like: Word | None = None) -> None:
        """Words more behind ``word``, set off as ``like`` is from the word before it (on a line of its own, say)."""
        self._of(word).behind.append((texts, like))

    def _of(self, word: Word) -> _Change:
        return self._changes.setdefault(word, _Change())

    def applied_to_words(self, words: Sequence[str]) -> tuple[str, ...]:
        """The argv with all changes."""
        outer, inner = self._by_place()
        found: list[str] = []
        for index, text in enumerate(words):
            change = outer.get(index, _Change())
            found += change.before
            if not change.is_changed:
                found.append(_edited(text, inner[index]) if index in inner else text)
            elif change.now is not None:
                found.append(change.now(text, str))
            found += [item for texts, _ in change.behind for item in texts]
        return tuple(found)

    def applied_to_text(self, text: str, words: Sequence[str], places: Sequence[Span], quote: Quote) -> str:
        """The text that ``words`` were read from, each at its place.

        Raises:
            ValueError: a script in quotes within it would change, and the quotes are not simple ones.
        """
        outer, inner = self._by_place()
        spans = {places[index]: change for index, change in outer.items()}
        for index, changes in inner.items():
            raw = text[slice(*places[index])]
            new = _requoted(raw, words[index], _edited(words[index], changes))
            change = spans.setdefault(places[index], _Change())
            change.now, change.is_changed = _constant(new), True
        likes = {word: places[word.index] for word in self._likes() if word.span is None}
        return _edited(text, spans, quote, likes)

    def _by_place(self) -> tuple[dict[int, _Change], dict[int, dict[Span, _Change]]]:
        outer: dict[int, _Change] = {}
        inner: dict[int, dict[Span, _Change]] = {}
        for word, change in self._changes.items():
            if word.span is None:
                outer[word.index] = change
            else:
                inner.setdefault(word.index, {})[word.span] = change
        return outer, inner

    def _likes(self) -> Iterator[Word]:
        return (like for change in self._changes.values() for _, like in change.behind if like is not None)


def _constant(text: str) -> Callable[[str, Quote], str]:
    return lambda _, __: text


def _requoted(raw: str, meant: str, new: str) -> str:
    quote = raw[:1]
    if quote not in ("'", '"') or raw != f"{quote}{meant}{quote}":
        raise ValueError("the command stands in a text with escapes, which must be changed by hand")
    special = _IN_SINGLE_QUOTES if quote == "'" else _IN_DOUBLE_QUOTES
    if Counter(special.findall(new)) - Counter(special.findall(meant)):
        raise ValueError("the change needs quotes within the quotes that the command stands in; make it by hand")
    return f"{quote}{new}{quote}"


def _edited(
    script: str, changes: Mapping[Span, _Change], quote: Quote = shell_quoted, likes: Mapping[Word, Span] | None = None
) -> str:
    tokens = list(shell_words(script, 0))
    gone = {span for span, change in changes.items() if change.is_changed and change.now is None}
    pieces: list[tuple[int, int, str]] = []
    for (start, end), change in changes.items():
        if change.before:
            pieces.append((start, start, "".join(f"{quote(text)} " for text in change.before)))
        if change.now is not None:
            pieces.append((start, end, change.now(script[start:end], quote)))
        elif change.is_changed:
            pieces.append((*_with_gap(tokens, (start, end), gone), ""))
        for texts, like in change.behind:
            at = like and ((likes or {}).get(like) or like.span)
            pieces.append((end, end, (_gap_before(script, tokens, at) if at else " ") + " ".join(map(quote, texts))))
    found: list[str] = []
    done = 0
    # Two words that go may share the blanks between them, so each piece begins no earlier than the last one ended.
    for start, end, text in sorted(pieces, key=lambda piece: piece[:2]):
        found += [script[done : max(done, start)], text]
        done = max(done, end)
    return "".join((*found, script[done:]))


def _with_gap(tokens: Sequence[Word], span: Span, gone: set[Span]) -> Span:
    """The span of a word that goes, with the blanks on the side of the word that stays."""
    kept = [token for token in tokens if token.span not in gone]
    before = next((token for token in reversed(kept) if token.span and token.span[1] <= span[0]), None)
    if before is not None and before.span and not (before.bare and before.text in OPERATORS):
        return before.span[1], span[1]
    behind = next((token for token in kept if token.span and token.span[0] >= span[1]), None)
    return span[0], behind.span[0] if behind and behind.span and behind.text != "\n" else span[1]


def _gap_before(script: str, tokens: Sequence[Word], span: Span) -> str:
    before = max((token.span[1] for token in tokens if token.span and token.span[1] <= span[0]), default=span[0])
    gap = script[before : span[0]]
    return gap if "\n" in gap and gap.strip() == "\\" else " "
