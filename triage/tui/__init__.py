"""The session on a screen. Only here textual is imported, and only ``triage.cli.tui`` imports this package, when it is called."""
