# Copyright 2026 Antrea Authors.
# SPDX-License-Identifier: Apache-2.0
"""Sums up what `perf script` printed: samples by what is on the stack, as µs a call."""

import re
import sys
from collections import Counter

calls, rate = int(sys.argv[1]), int(sys.argv[2])

# The first that is found anywhere on the stack counts.
PARTS = [
    ("page faults", r"exc_page_fault"),
    ("exec of the program", r"execve"),
    ("process exit", r"do_exit|do_group_exit"),
    ("system calls on the socket: the agent is woken, and waited for",
     r"unix_|sock_|sys_sendto|sys_recvfrom|sys_connect|sys_poll|sys_socket"),
    ("other system calls", r"do_syscall_64|entry_SYSCALL"),
    ("scheduling", r"schedule|ret_from_fork"),
]
USER = "user space: h2, tonic, serde_json, the allocator"

parts, names = Counter(), Counter()
for sample in sys.stdin.read().split("\n\n"):
    stack = sample.strip().split("\n")[1:]
    if not stack:
        continue
    text = "\n".join(stack)
    part = next((name for name, found in PARTS if re.search(found, text)), USER)
    parts[part] += 1
    if part == "other system calls":
        name = re.search(r"__x64_sys_(\w+)|ksys_(\w+)", text)
        names[name.group(1) or name.group(2) if name else "entry and exit"] += 1

total = sum(parts.values())
print("| part | µs a call, under perf | share |\n| --- | ---: | ---: |")
for name, count in parts.most_common():
    print(f"| {name} | {count / rate / calls * 1e6:.0f} | {100 * count / total:.0f} % |")
most = ", ".join(f"{name} {count / rate / calls * 1e6:.0f}" for name, count in names.most_common(6))
print(f"\nOther system calls in µs: {most}.")
