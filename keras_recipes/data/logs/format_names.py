"""The formats of logs by name: what the option `log_format` takes, and what a card keeps."""

from typing import Literal

FormatName = Literal[
    "text",
    "syslog",
    "jsonl",
    "logfmt",
    "w3c",
    "combined",
    "haproxy",
    "alb",
    "elb",
    "s3",
    "squid",
]
