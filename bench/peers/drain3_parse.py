"""drain3 (PyPI) over the lines that the measurement of logs asks for, from raw line to cluster.

One JSON request on standard input: {"rounds": n, "systems": [{"file", "header", "masks", "similarity",
"depth"}]}. One JSON answer: lines, processor seconds, and the cluster of each line of the first round.
"""

import json
import re
import sys
import time

from drain3.drain import Drain
from drain3.masking import LogMasker, MaskingInstruction


def parse(system, rounds):
    header = re.compile(system["header"], re.S)
    with open(system["file"], encoding="utf8") as file:
        lines = file.read().split("\n")
    masker = LogMasker([MaskingInstruction(mask, "*") for mask in system["masks"]], "<", ">")
    drain = Drain(depth=system["depth"], sim_th=system["similarity"], param_str="<*>")
    clusters = []
    parsed = 0
    started = time.process_time()
    for round_ in range(rounds):
        for line in lines:
            match = header.match(line.strip())
            if match is None:
                continue
            cluster, _ = drain.add_log_message(masker.mask(match.group(system["content"] + 1)))
            parsed += 1
            if round_ == 0:
                clusters.append(cluster.cluster_id)
    return {"lines": parsed, "s": time.process_time() - started, "clusters": clusters}


def main():
    request = json.load(sys.stdin)
    json.dump([parse(system, request["rounds"]) for system in request["systems"]], sys.stdout)


main()
