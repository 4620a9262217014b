"""How fast a scan is, beside other tools on the same bytes in the same minute. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_ROOT))  # so that `python bench/run.py` finds its neighbours under the name the checker knows

from bench.logs import small_log  # noqa: E402
from bench.measure import Series, interleaved, run_once  # noqa: E402
from bench.surroundings import command_here, environment_in, size_of  # noqa: E402

_SLICE = 50
_SLICE_CAP = 2 << 20
_SLOW_S = 120.0
Row = dict[str, Any]


def main() -> None:
    """Run what the arguments ask for, print tables and write the JSON."""
    args = _arguments()
    results: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
    }
    with tempfile.TemporaryDirectory(prefix="sgltriage-bench-") as name:
        folder = Path(name)
        bench = Bench(folder, args.command.split() if args.command else command_here(), args.repetitions)
        if args.startup:
            results["startup"] = bench.startup()
        elif args.signatures_factor:
            results["signatures"] = bench.signatures(args.size, args.signatures_factor)
        else:
            for kind in ("decode", "storm") if args.kind == "both" else (args.kind,):
                results[kind] = bench.throughput(args.size, kind)
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=size_of, default=1 << 30, help="bytes of the log, with K, M or G (default 1G)")
    parser.add_argument("--kind", choices=("decode", "storm", "both"), default="both")
    parser.add_argument("--repetitions", type=int, default=5, help="rounds of all tools in turn (default 5)")
    parser.add_argument("--signatures-factor", type=int, metavar="N", help="compare with N times as many signatures")
    parser.add_argument("--startup", action="store_true", help="measure the start of the command instead")
    parser.add_argument("--command", help="the sgltriage to measure (default: beside this Python, or python -m triage)")
    parser.add_argument("--json", metavar="OUT", help="write all numbers to this file")
    return parser.parse_args()


class Bench:
    """The measurements. All files are made in ``folder``; the pattern cache is there too and is warmed first."""

    def __init__(self, folder: Path, command: list[str], repetitions: int) -> None:
        self._folder = folder
        self._command = command
        self._repetitions = repetitions
        self._environment = environment_in(folder)

    def throughput(self, size: int, kind: str) -> list[Row]:
        """One log against every tool."""
        log = self._folder / f"{kind}.log"
        lines = self._write_log(log, size, kind)
        real = log.stat().st_size
        scan = [*self._command, "scan", "--format", "json", str(log)]
        self._warm(scan)
        commands, notes = self._whole_file_tools(log, scan)
        series = interleaved(commands, self._environment, self._repetitions)
        failures = [f"{name}: {_failure(item)}" for name, item in series.items() if _failure(item)]
        rows = [_row(name, item, real) for name, item in series.items() if not _failure(item)]
        rows += self._sliced_tools(log, real)
        log.unlink()
        _print_throughput(f"{kind}: {real / 1e6:,.0f} MB, {lines:,} lines", rows, notes + failures)
        return rows

    def startup(self) -> list[Row]:
        """Medians of 15 interleaved runs of Python, --help and a scan of a small log."""
        log = self._folder / "small.log"
        log.write_bytes(small_log())
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "--help": [*self._command, "--help"],
            "scan small.log": [*self._command, "scan", str(log)],
        }
        self._warm(commands["scan small.log"])
        series = interleaved(commands, self._environment, 15)
        base = series["python -c pass"].median
        rows = [
            {
                "tool": name,
                "median_ms": item.median * 1e3,
                "over_python_ms": (item.median - base) * 1e3,
                "failed": _failure(item),
            }
            for name, item in series.items()
        ]
        print(f"{'start':<18} {'median ms':>10} {'over python ms':>15}")
        for row in rows:
            print(f"{row['tool']:<18} {row['median_ms']:>10.1f} {row['over_python_ms']:>15.1f}  {row['failed'] or ''}")
        return rows

    def signatures(self, size: int, factor: int) -> list[Row]:
        """The same log with the bundled signatures and with ``factor`` times as many."""
        log, pack = self._folder / "decode.log", self._folder / "pack"
        from bench.patterns import write_copies

        self._write_log(log, size, "decode")
        files = write_copies(_ROOT / "signatures", pack, factor - 1)
        scan = [*self._command, "scan", "--format", "json", str(log)]
        commands = {"bundled": scan, f"x{factor}": [*scan, "--kb", str(pack)]}
        compiling = {name: self._warm(argv) for name, argv in commands.items()}
        series = interleaved(commands, self._environment, self._repetitions)
        base = series["bundled"].best
        rows = [
            {
                **_row(name, item, log.stat().st_size),
                "first_run_s": compiling[name],
                "ratio": item.best / base,
                "failed": _failure(item),
            }
            for name, item in series.items()
        ]
        print(f"{files:,} signatures more; first run = the patterns are compiled and cached")
        print(
            f"{'signatures':<12} {'first run s':>11} {'min s':>8} {'median s':>9} {'MB/s':>8} {'peak MiB':>9} {'time ratio':>10}"
        )
        for row in rows:
            print(
                f"{row['tool']:<12} {row['first_run_s']:>11.2f} {row['min_s']:>8.3f} {row['median_s']:>9.3f} "
                f"{row['mb_per_s']:>8,.0f} {row['peak_mib']:>9.0f} {row['ratio']:>10.2f}  {row['failed'] or ''}"
            )
        return rows

    def _whole_file_tools(self, log: Path, scan: list[str]) -> tuple[dict[str, list[str]], list[str]]:
        commands = {"sgltriage scan": scan}
        notes = []
        if shutil.which("rg"):
            commands["rg -c -f"] = ["rg", "--no-config", "-c", "-f", str(self._patterns("rust")), str(log)]
        else:
            notes.append("rg is not installed: left out, and no ratio")
        if shutil.which("wc"):
            commands["wc -l"] = ["wc", "-l", str(log)]
        else:
            notes.append("wc is not installed: left out")
        return commands, notes

    def _sliced_tools(self, log: Path, size: int) -> list[Row]:
        """Tools that are too slow for the whole log: run on its first fiftieth (at most 2 MiB), and labelled so."""
        part = self._folder / "slice.log"
        with log.open("rb") as whole:
            part.write_bytes(whole.read(min(max(size // _SLICE, 1 << 16), _SLICE_CAP)))
        share = size / part.stat().st_size
        rows = []
        commands = {
            "python regex loop": [
                sys.executable,
                str(_ROOT / "bench" / "naive.py"),
                str(self._patterns("python")),
                str(part),
            ]
        }
        if shutil.which("grep"):
            patterns, left_out = self._extended_patterns()
            name = f"grep -c -E -f ({left_out} patterns left out)" if left_out else "grep -c -E -f"
            commands[name] = ["grep", "-c", "-E", "-f", str(patterns), str(part)]
        else:
            print("grep is not installed: left out")
        for name, argv in commands.items():
            series = Series([run_once(argv, self._environment, limit_s=_SLOW_S)])
            if failure := _failure(series):
                print(f"{name}: {failure}")
                continue
            rows.append(_row(f"{name}, x{share:.0f}", series, size, share))
        return rows

    def _patterns(self, flavour: str) -> Path:
        path = self._folder / f"patterns.{flavour}"
        if not path.exists():
            done = run_once([*self._command, "kb", "export-patterns", "--flavour", flavour], self._environment)
            if done.status:
                raise SystemExit(f"export-patterns failed: {done.errors.decode(errors='replace')[-500:]}")
            path.write_bytes(done.output)
        return path

    def _write_log(self, path: Path, size: int, kind: str) -> int:
        """In a process of its own: a child's peak memory begins with what its parent held when it was started."""
        writer = [sys.executable, str(_ROOT / "bench" / "logs.py"), str(path), str(size), kind]
        done = run_once(writer, self._environment)
        if done.status:
            raise SystemExit(f"the log could not be written: {done.errors.decode(errors='replace')[-500:]}")
        return int(done.output)

    def _extended_patterns(self) -> tuple[Path, int]:
        from bench.patterns import extended

        lines = self._patterns("rust").read_text(encoding="utf-8").splitlines()
        kept = [converted for line in lines if (converted := extended(line)) is not None]
        path = self._folder / "patterns.extended"
        path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        return path, len(lines) - len(kept)

    def _warm(self, scan: list[str]) -> float:
        """Fill the page cache and the pattern cache; return the seconds that took."""
        done = run_once(scan, self._environment)
        if done.status not in (0, 1):
            raise SystemExit(f"{' '.join(scan)} failed: {done.errors.decode(errors='replace')[-500:]}")
        return done.seconds


def _failure(series: Series) -> str | None:
    """Why a series is worth nothing, if so; 1 is an honest answer of grep, rg and scan."""
    for run in series.runs:
        if run.status == -9:
            return f"stopped after {run.seconds:.0f} s"
        if run.status not in (0, 1):
            return f"exit status {run.status}: {run.errors.decode(errors='replace').strip()[-200:]}"
    return None


def _row(name: str, series: Series, size: int, share: float = 1.0) -> Row:
    best = series.best * share
    return {
        "tool": name,
        "min_s": best,
        "median_s": series.median * share,
        "mb_per_s": size / best / 1e6,
        "peak_mib": series.peak_mib,
        "extrapolated": share > 1,
    }


def _print_throughput(title: str, rows: list[Row], notes: list[str]) -> None:
    reference = next((row["min_s"] for row in rows if row["tool"].startswith("rg ")), None)
    print(f"\n{title}")
    print(f"{'tool':<48} {'min s':>9} {'median s':>9} {'MB/s':>9} {'peak MiB':>9} {'speed of rg':>12}")
    for row in rows:
        ratio = f"{reference / row['min_s']:.2f}x" if reference else "-"
        print(
            f"{row['tool']:<48} {row['min_s']:>9.3f} {row['median_s']:>9.3f} {row['mb_per_s']:>9,.1f} "
            f"{row['peak_mib']:>9.0f} {ratio:>12}{'  extrapolated' if row['extrapolated'] else ''}"
        )
    for note in notes:
        print(note)


if __name__ == "__main__":
    main()
