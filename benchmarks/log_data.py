"""The logs of `benchmarks.logs`: logs with labels, and logs of normal sessions only.

The data from outside is in a folder with

    hdfs/           train.log, dev.log, dev_labels.csv: HDFS (Xu, Huang, Fox, Patterson, Jordan,
                    *Detecting Large-Scale System Problems by Mining Console Logs*, SOSP 2009)
    logs_labelled/  BGL.tr.log, BGL.te.log, BGL.labels.csv: BGL (loghub, 2,000 lines, without the
                    labels of the lines); osk.tr.log, osk.te.log, osk.labels.csv: OpenStack's events
                    as words (Kalaki et al., from ait-aecid's collection)

The training logs have normal sessions only.
"""

import heapq
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import log_generators
from keras_recipes.data import labels

PREVALENCE = 1 / 30
"""The share of anomalies for which HDFS' precision is given; its DEV has one in ten."""


@dataclass(frozen=True)
class Labelled:
    """A log of normal sessions to learn from, and one with labels to measure on.

    Attributes:
        name: A name for people.
        train: The normal log.
        test: The log to judge.
        labels: The labels of its sessions.
        options: The options of the fit.
        prevalence: The share of anomalies for which precision is given; None takes the log's.
    """

    name: str
    train: Path
    test: Path
    labels: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    prevalence: float | None = None


def hdfs(folder: Path) -> Labelled:
    train, test, truth = (folder / "hdfs" / n for n in ("train.log", "dev.log", "dev_labels.csv"))
    return Labelled("HDFS", train, test, truth, prevalence=PREVALENCE)


def bgl(folder: Path) -> Labelled:
    return Labelled("BGL, windows of 20 lines", *_three(folder, "BGL"), {"window": "20"})


def openstack(folder: Path) -> Labelled:
    return Labelled("OpenStack, events as words", *_three(folder, "osk"), {"session": r"sess_\w+"})


def openstack_in_sentences(folder: Path, scratch: Path) -> Labelled:
    """Return the same events, each of which is one word of a sentence.

    Args:
        folder: The folder of the data.
        scratch: The folder to write the logs to.
    """
    words = openstack(folder)
    train, test = (in_sentences(path, scratch / path.name) for path in (words.train, words.test))
    name = "OpenStack, `service emitted NAME done`"
    return Labelled(name, train, test, words.labels, words.options)


def in_sentences(path: Path, target: Path) -> Path:
    """Write a log of sessions and words with each word inside a sentence."""
    text = path.read_bytes()
    target.write_bytes(re.sub(rb"(?m)^(\S+) (\S+)$", rb"\1 service emitted \2 done", text))
    return target


def _three(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Return the paths of the normal log, of the log to judge and of its labels."""
    inside = folder / "logs_labelled"
    return inside / f"{name}.tr.log", inside / f"{name}.te.log", inside / f"{name}.labels.csv"


class Sessions:
    """The lines of whole sessions, in the order of the sessions' first lines.

    Attributes:
        lines: All lines.
        numbers: The numbers of each session's lines, from 0.
    """

    def __init__(self, lines: Sequence[bytes], key: bytes) -> None:
        self.lines = lines
        found: dict[bytes, list[int]] = {}
        for number, line in enumerate(lines):
            match = re.search(key, line)
            assert match is not None, line
            found.setdefault(match[0], []).append(number)
        self.numbers = list(found.values())

    def __len__(self) -> int:
        return len(self.numbers)

    def write(self, chosen: np.ndarray, path: Path) -> Path:
        """Write the lines of these sessions in their order."""
        kept = np.sort(np.concatenate([self.numbers[session] for session in chosen]))
        path.write_bytes(b"".join(self.lines[number] + b"\n" for number in kept.tolist()))
        return path


@dataclass(frozen=True)
class NormalLog:
    """A log that has normal sessions only, and seldom invents kinds of events.

    Attributes:
        name: A name for people.
        key: Regular expression of a session's key.
        read: Returns about so many sessions' lines for a seed; logs from outside have their own
            number.
        new: Texts of kinds that the log does not have.
        inserted: Returns a line with such a text, of the same session, time and level as another.
        options: The options of the fit.
        status: Regular expression of an HTTP status; empty if the log has none.
    """

    name: str
    key: bytes
    read: Callable[[int, int], list[bytes]]
    new: tuple[bytes, ...]
    inserted: Callable[[bytes, bytes], bytes]
    options: Mapping[str, Any] = field(default_factory=dict)
    status: bytes = b""


def normal_logs(folder: Path) -> list[NormalLog]:
    """Return the logs of normal sessions, two of them from outside."""
    return [hdfs_normal(folder), openstack_normal(folder), *generated()]


def promised_logs(folder: Path) -> list[NormalLog]:
    """Return the logs on which promised false alarms are compared with the outcome."""
    sshd, _, _, application = generated()
    return [hdfs_normal(folder), openstack_normal(folder), sshd, application]


def hdfs_normal(folder: Path) -> NormalLog:
    log, key = hdfs(folder), rb"blk_-?\d+"
    return NormalLog(
        "HDFS",
        key,
        lambda count, seed: _normal_lines(log, key, 13),
        (
            b"dfs.DataNode$DataXceiver: volume remounted read-only, dropping {key}",
            b"dfs.FSNamesystem: quota of the tenant exceeded by {key}",
            b"dfs.Balancer: kernel out of file handles for {key}",
        ),
        lambda line, text: b" ".join(
            [*line.split(b" ")[:4], text.replace(b"{key}", _of(key, line))]
        ),
    )


def openstack_normal(folder: Path) -> NormalLog:
    log, key = openstack(folder), rb"sess_\w+"
    return NormalLog(
        "OpenStack",
        key,
        lambda count, seed: _normal_lines(log, key, 0),
        (b"evzz", b"evqxw", b"evwyv"),
        lambda line, text: _of(key, line) + b" " + text,
        log.options,
    )


def generated() -> list[NormalLog]:
    """Return the logs that need no data."""
    return [
        NormalLog(
            "sshd, synthetic",
            rb"sshd\[\d+\]",
            log_generators.sshd,
            (
                b"kernel segfault in auth module",
                b"fatal: privilege separation helper vanished",
                b"error: account database locked by another writer",
            ),
            _after(rb"sshd\[\d+\]: "),
        ),
        NormalLog(
            "cron, synthetic",
            rb"CRON\[\d+\]",
            log_generators.cron,
            (
                b"DEATH (can't lock /var/run/crond.pid)",
                b"failed to fork child: resource temporarily unavailable",
                b"segmentation violation inside job wrapper",
            ),
            _after(rb"CRON\[\d+\]: "),
        ),
        NormalLog(
            "web access, synthetic",
            rb"^\S+",
            log_generators.web,
            (
                b"PROPFIND /webdav/config/main.xml",
                b"DELETE /orders/archive/all",
                b"POST /cgi-bin/php/shell",
            ),
            lambda line, text: re.sub(rb'"\S+ \S+ HTTP', b'"' + text + b" HTTP", line, count=1),
            status=rb'(?<=HTTP/1.1" )\d+',
        ),
        NormalLog(
            "application, synthetic JSON",
            rb'"requestId": "[^"]*"',
            log_generators.application,
            (
                b"deadlock detected, transaction rolled back",
                b"certificate of the payment provider expired",
                b"disk quota of tenant exceeded",
            ),
            _with_message,
            status=rb'(?<="status": )\d+',
        ),
    ]


def _of(key: bytes, line: bytes) -> bytes:
    match = re.search(key, line)
    assert match is not None, line
    return match[0]


def _after(head: bytes) -> Callable[[bytes, bytes], bytes]:
    """Return a function that puts a text in place of all that comes after this pattern."""

    def inserted(line: bytes, text: bytes) -> bytes:
        match = re.search(head, line)
        assert match is not None, line
        return line[: match.end()] + text

    return inserted


def _with_message(line: bytes, text: bytes) -> bytes:
    values = json.loads(line)
    kept = {name: values[name] for name in ("ts", "level", "requestId")}
    return json.dumps({**kept, "msg": text.decode()}).encode()


def _normal_lines(log: Labelled, key: bytes, time: int) -> list[bytes]:
    """Return the lines of all normal sessions.

    Args:
        log: The log.
        key: Regular expression of a session's key.
        time: The number of bytes of a line that sort by time.
    """
    truth = labels.read(str(log.labels))
    judged = (
        line for line in log.test.read_bytes().splitlines() if not truth[_of(key, line).decode()]
    )
    learned = log.train.read_bytes().splitlines()
    return list(heapq.merge(learned, judged, key=lambda line: line[:time]))
