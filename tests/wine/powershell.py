#!/usr/bin/env python3
# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether scripts are PowerShell by their syntax: powershell.py FILE..."""
import sys
import tree_sitter_powershell
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_powershell.language()))


def wrong(node):
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from wrong(child)


found = [f"{path}:{node.start_point[0] + 1}:{node.start_point[1] + 1}: not PowerShell"
         for path in sys.argv[1:] for node in wrong(parser.parse(open(path, "rb").read()).root_node)]
print("\n".join(found) or f"PowerShell by its syntax: {', '.join(sys.argv[1:])}")
sys.exit(bool(found))
