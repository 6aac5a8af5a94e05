"""Lines that a stream passes over, or takes for a strange event, by what is wrong with them."""

LINES = {
    "a stray quotation mark": b'"never closed',
    "a lone carriage return": b"one\rtwo\rthree",
    "zeros": b"\0\0\0 \0 zero \0",
    "no UTF-8": b"\xff\xfe\x80 caf\xe9",
    "three megabytes": b"z" * 3_000_000,
    "a date beyond the calendar": b"9999-99-99T99:99:99Z INFO order-x y",
    "a year beyond the calendar": b"99999-12-31T23:59:59Z INFO y",
    "deep JSON": b'{"a":' * 50_000,
    "a number beyond float": b"took 1e99999 ms " + b"9" * 5_000,
    "an escape": b"\x1b[31mred\x1b[0m \x07 \x1b]0;title\x07",
    "nothing": b"   ",
}

ROWS = {
    "a stray quotation mark": b'"1700000000,1,2,3',
    "a quotation mark in a later cell": b'1700000000,1,"2,3',
    "a lone carriage return": b"1700000000,1,2\r3,4",
    "zeros": b"zero\0\0\0",
    "no UTF-8": b"\x80\xff caf\xe9",
    "three megabytes": b"1" * 3_000_000,
    "a cell of a megabyte": b'1700000000,1,2,"' + b"3" * 1_000_000 + b'"',
    "a time before the calendar": b"-99000000000,1,2,3",
    "a time beyond the calendar": b"0001-01-01T00:00:00+10:00,x,2,3",
    "a time beyond float": b"1e999,1,2,3",
    "words": b"tail: app.csv: file truncated",
    "too few cells": b"1700000000,1",
    "too many cells": b"1700000000,1,2,3,4",
}

OBJECTS = {
    "no object": b"[1, 2]",
    "cut off": b'{"timestamp": 1700000000, "c0": 1',
    "deep": b'{"a":' * 100_000,
    "deep and closed": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a number of many digits": b'{"timestamp": ' + b"9" * 5_000 + b"}",
    "a time beyond the calendar": b'{"timestamp": -99000000000, "c0": 1}',
    "names that multiply": b'{"' + b"k" * 9_000 + b'": {'
    + b", ".join(b'"%x": 1' % n for n in range(5_000)) + b"}}",
    "two megabytes": b'{"timestamp": 1700000000, "c0": "' + b"x" * 2_000_000 + b'"}',
}  # fmt: skip
