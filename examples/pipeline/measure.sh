#!/bin/sh
# Does the study of earwitness.toml and holds it against baseline.json, both beside this script. What is measured already
# is skipped. Leaves gate.xml (JUnit) and gate.md (a comment). Exit 1: something got worse, or could not be measured.
set -u
cd "$(dirname "$0")" || exit 2
status=0
earwitness run || status=$?
earwitness gate runs --baseline baseline.json --junit gate.xml --markdown gate.md || status=$?
exit "$status"
