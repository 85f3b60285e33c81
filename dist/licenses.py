#!/usr/bin/env python3
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Writes the licence texts of all that is linked into the programs:
licenses.py OUT TARGET PACKAGE..."""
import json, pathlib, subprocess, sys

HERE = pathlib.Path(__file__).parent
TARGET = sys.argv[2]
NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT")

metadata = json.loads(subprocess.check_output(
    ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={TARGET}"], cwd=HERE.parent))
packages = {p["id"]: p for p in metadata["packages"]}
nodes = {n["id"]: n for n in metadata["resolve"]["nodes"]}
own = set(metadata["workspace_members"])


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


linked, todo = set(), [p["id"] for p in metadata["packages"] if p["name"] in sys.argv[3:] and p["id"] in own]
while todo:
    package = todo.pop()
    if package in linked or is_macro(packages[package]):
        continue
    linked.add(package)
    todo += [d["pkg"] for d in nodes[package]["deps"] if any(k["kind"] is None for k in d["dep_kinds"])]

def texts(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.name.upper().startswith(NAMES))
    if files:
        return [f.read_text(errors="replace").strip() for f in files]
    authors = "Copyright " + ", ".join(package["authors"] or [f"the authors of {package['name']}"])
    if "Apache-2.0" in package["license"]:
        return [f"{authors}. Used under the Apache License 2.0: LICENSE."]
    if "MIT" in package["license"]:
        return [f"{authors}\n\n" + (HERE / "mit.txt").read_text().strip()]
    sys.exit(f"{package['name']}: no licence text")


others = sorted((packages[i] for i in linked - own), key=lambda p: (p["name"], p["version"]))
users = {}
for package in others:
    for text in texts(package):
        users.setdefault(text, []).append(f"{package['name']} {package['version']}")
out = ["Licences of what is linked into antrea-cni and antrea-cnictl besides the project's\n"
       "own code, whose licence is in LICENSE.\n"]
out += [f"{p['name']} {p['version']}: {p['license']}" for p in others]
for text, names in users.items():
    out.append(f"\n{'=' * 80}\n{', '.join(names)}\n{'=' * 80}\n{text}")
out.append("\n" + (HERE / "toolchain.txt").read_text())
pathlib.Path(sys.argv[1]).write_text("\n".join(out))
print(f"licences of {len(linked - own)} packages")
