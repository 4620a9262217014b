"""``sgltriage kb``: the knowledge base looked at, checked and tested."""

from __future__ import annotations

from triage.cli.help_page import Group

GROUP = Group(
    "sgltriage kb",
    "The knowledge base: what can go wrong, and how it shows.",
    {
        "list": ("triage.cli.kb.listing", "Every signature: id, severity, role, title."),
        "show": ("triage.cli.kb.show", "A signature's file as it stands."),
        "lint": ("triage.cli.kb.lint", "Every problem of the bundled signatures or of packs, with its place."),
        "test": ("triage.cli.kb.samples", "Run every example and near miss against all signatures."),
        "provenance": ("triage.cli.kb.provenance", "In which releases of SGLang the texts of the patterns occur."),
        "new": ("triage.cli.kb.new", "Start a signature, with every field explained, for you to fill in."),
        "export-patterns": ("triage.cli.kb.export_patterns", "Every log pattern, one a line, for other tools."),
        "schema": ("triage.cli.kb.schema", "The JSON Schema of signature files, for editors."),
    },
)
