// Opens the index.html of a reports folder in Chromium, and compares it with the reports beside it.
//
//     node nights.mjs REPORTS_FOLDER [LANGUAGE]
//
// Prints how many reports are shown, and how many of them as damaged. Exits with 1 at the first difference.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { launch, open } from "./browser.mjs";
import { Disagreement, assert, assertSame, grouped } from "./report.mjs";
import { VIEWS, inView } from "./views.mjs";

const units = (amount) => BigInt(amount.replace(".", ""));

function amount(units) {
  const digits = String(units).padStart(9, "0");
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

// What a report says about itself, or only its time and link where its summary is not the one in its manifest.
function read(folder, name) {
  const manifest = JSON.parse(readFileSync(join(folder, name, "manifest.json"), "utf8"));
  const page = manifest.formats.includes("html") ? "report.html" : "";
  const time = manifest.as_of.replace("T", " ").replace("Z", " UTC");
  const text = readFileSync(join(folder, name, "summary.json"));
  const stamp = manifest.files.find((file) => file.name === "summary.json");
  const night = { time, path: join(folder, name, page) };
  if (createHash("sha256").update(text).digest("hex") !== stamp.sha256) return night;
  const summary = JSON.parse(text);
  const errors = Object.values(summary.checks).filter((check) => check.severity === "error");
  const lines = Object.entries(summary.control_totals).map(([currency, totals]) => {
    const gross = errors.map((check) => units(check.differences[currency]?.gross ?? "0.00000000"));
    const differences = amount(gross.reduce((sum, one) => sum + one, 0n));
    return [totals.amounts.final_amount, differences, totals.frozen.quote_amount];
  });
  const findings = summary.findings.error + summary.findings.warning;
  return { ...night, counts: [grouped(summary.population.rows), grouped(findings)], lines };
}

// What the page shows, one entry per report.
const shown = () => {
  const nights = [];
  for (const row of document.querySelectorAll(".nights tbody tr")) {
    const link = row.querySelector("th a");
    if (link) {
      const mark = row.querySelector(".mark").textContent;
      nights.push({ time: link.textContent, href: link.href, mark, year: row.closest("table").caption.textContent });
      if (row.querySelector(".reason")) continue;
      const counts = [...row.querySelectorAll("td:not(.text)")].slice(0, 2);
      Object.assign(nights.at(-1), { counts: counts.map((cell) => cell.firstChild.data), lines: [] });
    }
    const money = [...row.querySelectorAll("td:not(.text)")].slice(-3);
    nights.at(-1).lines?.push(money.map((cell) => cell.textContent));
  }
  return nights;
};

async function main(folder, language = "en") {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  const expected = names.map((entry) => read(folder, entry.name)).sort((one, other) => (one.time < other.time ? 1 : -1));
  const path = join(folder, "index.html");
  const browser = await launch();
  try {
    const { page, context, seen } = await open(browser, path, { hasScript: false });
    assertSame(await page.locator("html").getAttribute("lang"), language, "the language");
    const nights = await page.evaluate(shown);
    assertSame(nights.map(({ href }) => fileURLToPath(href).replace(/\/$/, "")), expected.map(({ path }) => path.replace(/\/$/, "")), "the links");
    assert(expected.every(({ path }) => existsSync(path)), "every link leads to something");
    const compared = ({ time, counts, lines }) => ({ time, counts, lines });
    assertSame(nights.map(compared), expected.map(compared), "the reports");
    assert(nights.every(({ time, year }) => time.startsWith(year)), "each report in its year");
    assert(nights.every(({ mark }) => mark.trim() !== ""), "a word for every verdict");
    assertSame(await page.locator(".verdicts rect").count(), new Set(nights.map(({ time }) => time.slice(0, 10))).size, "days");
    const heading = await page.locator("#verdict-title").textContent();
    assert(heading.endsWith(nights[0].mark), "the newest verdict on top");
    assertSame(await page.locator("script, button").count(), 0, "scripts and buttons");
    assertSame(seen, [], "what else the page did");
    await page.emulateMedia({ media: "print" });
    assertSame(await page.locator("nav:visible").count(), 0, "navigation on paper");
    const pdf = await page.pdf({ preferCSSPageSize: true });
    assert(pdf.length > 10_000 && pdf.subarray(0, 5).toString() === "%PDF-", "a PDF");
    await context.close();
    for (const view of VIEWS) await inView(browser, path, { ...view, hasScript: false });
    const damaged = nights.filter(({ lines }) => !lines).length;
    console.log(`read: ${JSON.stringify({ nights: nights.length, damaged })}`);
  } finally {
    await browser.close();
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.log(error instanceof Disagreement ? `differs: ${error.message}` : error);
  process.exit(1);
});
