#!/bin/sh
# Builds the source archive and the wheel into dist/, checks both, and installs the wheel in a fresh environment.
# Usage: tools/release.sh PYTHON
set -eu
python=$(command -v "$1")
cd "$(dirname "$0")/.."
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
"$python" -m venv "$temporary/tools"
"$temporary/tools/bin/python" -m pip install --quiet --disable-pip-version-check 'build>=1.2' 'twine>=6'
rm -rf dist
"$temporary/tools/bin/python" -m build --outdir dist .
"$temporary/tools/bin/python" -m twine check --strict dist/*.whl dist/*.tar.gz
"$python" -m venv "$temporary/fresh"
"$temporary/fresh/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
cd "$temporary"
printf 'the cat sat on the mat\n' > reference.txt
printf 'the cat sat on a mat\n' > hypothesis.txt
fresh/bin/earwitness --version
fresh/bin/earwitness score reference.txt hypothesis.txt
fresh/bin/earwitness run sample --limit 2 --model fake:echo --no-speech
echo "dist/ has the files, and the wheel works in a fresh environment."
