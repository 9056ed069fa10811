#!/usr/bin/env bash
# Installs the peers that learning and tracking are measured against from PyPI into bench/.venv.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r peers/requirements.txt
