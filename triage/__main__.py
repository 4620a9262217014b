"""``python -m triage`` is the same command as ``sgltriage``."""

from triage.cli.main import run

if __name__ == "__main__":
    run()
