import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, count, milliseconds, money, percent, rate } from "../format.js";

test("bytes are in powers of ten with three figures", () => {
    assert.deepEqual([0, 999, 1_000, 12_345, 5e18].map(bytes), ["0 B", "999 B", "1.00 kB", "12.3 kB", "5000 PB"]);
});

test("rates are in Mbit/s, and in Gbit/s from a thousand", () => {
    assert.deepEqual([rate(0), rate(512_000), rate(12.34e6), rate(2.5e9)], ["0 Mbit/s", "0.51 Mbit/s", "12.3 Mbit/s", "2.50 Gbit/s"]);
});

test("a share close to all of it is not rounded to all of it", () => {
    assert.deepEqual([percent(0), percent(0.1234), percent(0.9987), percent(1)], ["0.0 %", "12.3 %", "99.87 %", "100.0 %"]);
});

test("money has cents, and more where it is less", () => {
    assert.equal(money(1_234_560_000, "EUR"), "1,234.56 EUR");
    assert.equal(money(12_300, "USD"), "0.0123 USD");
    assert.equal(money(0, "USD"), "0.00 USD");
});

test("times and counts", () => {
    assert.deepEqual([milliseconds(812.4), milliseconds(1_234), count(12_345.6)], ["812 ms", "1.23 s", "12,346"]);
});
