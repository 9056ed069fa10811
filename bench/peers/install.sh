#!/usr/bin/env bash
# Installs the peers that learning, tracking and logs are measured against from PyPI into bench/.venv.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r peers/requirements.txt
# drain3 pins a cachetools that MLflow refuses; it runs on a newer one as well.
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps drain3==0.9.11 jsonpickle==1.5.1
