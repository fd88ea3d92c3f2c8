// Reads a report folder by plain means: its CSV files as text, its summary as JSON.

import { readFileSync } from "node:fs";
import { join } from "node:path";

// In a CSV file, a text that a spreadsheet would run as a formula has an apostrophe before it.
const NEUTRALISED = /^'(?=[=+\-@\t\r＝＋－＠])/u;

export class Disagreement extends Error {}

export function assert(holds, what) {
  if (!holds) throw new Disagreement(what);
}

export function assertSame(found, expected, where) {
  const [one, other] = [found, expected].map((value) => JSON.stringify(value));
  assert(one === other, `${where}: the page says ${one}, expected ${other}`);
}

// The rows of a CSV file as objects by column, without the apostrophes before formulas.
export function readCsv(folder, name) {
  const [heads, ...rows] = parse(readFileSync(join(folder, `${name}.csv`), "utf8"));
  const shown = (text) => text.replace(NEUTRALISED, "");
  return rows.map((row) => Object.fromEntries(heads.map((head, at) => [head, shown(row[at])])));
}

function parse(text) {
  const rows = [];
  let row = [], cell = "", quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') cell += text[++at];
      else quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "," || char === "\n") {
      row.push(cell);
      cell = "";
      if (char === "\n") {
        rows.push(row);
        row = [];
      }
    } else cell += char;
  }
  return rows;
}

export const readSummary = (folder) => JSON.parse(readFileSync(join(folder, "summary.json"), "utf8"));

const AMOUNT = /^-?\d+\.\d{8}$/;
const units = (amount) => BigInt(amount.replace(".", ""));

// The rows sorted exactly and stably by a column of amounts: texts after amounts, empty cells last.
export function sortedByAmount(rows, column, sign) {
  const kind = (text) => (text === "" ? 2 : AMOUNT.test(text) ? 0 : 1);
  return [...rows].sort((one, other) => {
    const [first, second] = [one[column], other[column]];
    if (kind(first) === 2 || kind(second) === 2) return kind(first) - kind(second);
    if (kind(first) !== kind(second)) return sign * (kind(first) - kind(second));
    if (kind(first) === 1) return sign * (first < second ? -1 : first > second ? 1 : 0);
    const difference = units(first) - units(second);
    return sign * (difference < 0n ? -1 : difference > 0n ? 1 : 0);
  });
}

export const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
