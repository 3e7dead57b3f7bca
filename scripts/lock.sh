#!/bin/sh
# Writes the lock files: exact versions with hashes, for every platform, without the address of any index.
set -eu
cd "$(dirname "$0")/.."

lock() {
    name=$1
    shift
    .venv/bin/uv pip compile pyproject.toml requirements/build.in "$@" --quiet --universal --python-version 3.11 \
        --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file "requirements/$name.lock"
    echo "requirements/$name.lock: $(grep -c '==' "requirements/$name.lock") packages"
}

lock dev --extra test --extra dev --extra solver "$@"
for name in core test solver; do
    # The others start from dev.lock, so that no two environments have different versions of a package.
    cp requirements/dev.lock "requirements/$name.lock"
done
lock core
lock test --extra test --extra solver
lock solver --extra solver
