"""Words for the screens: data that passed the outlet, in styles of our own, and never read as markup."""

from __future__ import annotations

from textual.content import Content

from triage.model import Place, Severity, Value
from triage.reporting.outlet import Outlet

_STYLES = {
    Severity.FATAL: "bold $text-error", Severity.ERROR: "$text-error",
    Severity.WARNING: "$text-warning", Severity.INFO: "$text-accent",
}  # fmt: skip
_BAR = " ▏▎▍▌▋▊▉█"
_EIGHTHS = 8


class Words:
    """Makes content from data. ``outlet`` redacts it and makes it visible."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.names: dict[str, str] = {}
        """Short names of sources; without one the whole name is shown."""

    def data(self, text: str, style: str = "") -> Content:
        """Text from outside."""
        return Content.styled(self.outlet.show(text), style)

    def value(self, value: Value, name: str) -> Content:
        """A fact's value, hidden if its name promises a secret."""
        return Content(str(self.outlet.value(value, name)))

    def place(self, place: Place) -> Content:
        """``server.log:12  10:00:03  TP3``."""
        time = self.outlet.show(place.time or "").rpartition(" ")[2]
        parts = (
            f"{self.outlet.show(self.names.get(place.source, place.source))}:{place.line}",
            time,
            self.outlet.show(place.rank or ""),
        )
        return Content("  ".join(filter(None, parts)))


def own(text: str, style: str = "") -> Content:
    """A phrase of ours, or text that already passed the outlet."""
    return Content.styled(text, style) if style else Content(text)


def joined(*parts: Content | str, gap: str = "") -> Content:
    """Parts side by side."""
    return Content(gap).join([part if isinstance(part, Content) else Content(part) for part in parts])


def stacked(lines: list[Content]) -> Content:
    """Parts one below the other."""
    return Content("\n").join(lines)


def severity(value: Severity) -> Content:
    """The word, in its colour: never the colour alone."""
    return own(f"{value.value:<7}", _STYLES[value])


def bar(share: float, width: int) -> str:
    """``share`` (0 to 1) as a bar of ``width`` cells."""
    eighths = round(max(0.0, min(1.0, share)) * width * _EIGHTHS)
    full, rest = divmod(eighths, _EIGHTHS)
    return ("█" * full + (_BAR[rest] if rest else "")).ljust(width)


def short_names(paths: list[str]) -> dict[str, str]:
    """The end of each path, as short as tells them apart: files of eight ranks are often called alike."""
    parts = [path.rstrip("/").split("/") for path in paths]
    for length in range(1, max(map(len, parts), default=1) + 1):
        ends = ["/".join(part[-length:]) for part in parts]
        if len(set(ends)) == len(set(paths)):
            return dict(zip(paths, ends, strict=True))
    return {}
