// Opens a report.html in Chromium, uses it like a person, and compares it with the other files of its report.
//
//     node read.mjs REPORT_FOLDER [LANGUAGE]
//
// Prints how many rows of each list were compared, how many milliseconds the page took to open (the least of several
// times, since other work on the machine is not a property of the page), and the longest time in milliseconds that it
// did not respond while in use. Exits with 1 at the first difference.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { launch, open } from "./browser.mjs";
import { check, copying } from "./lists.mjs";
import { Disagreement, assert, assertSame, grouped, readCsv, readSummary } from "./report.mjs";
import { VIEWS, inView } from "./views.mjs";

const AMOUNTS = ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"];
// Runs before the page's own script. Records the machine names of the columns, from the data that the page carries
// until its script takes it, and the longest time that the page, once ready, does not respond.
const WATCH = () => {
  window.tieoutColumns = {};
  window.tieoutLongest = 0;
  new PerformanceObserver((list) => {
    if (document.documentElement.dataset.ready === undefined) return;
    for (const task of list.getEntries()) window.tieoutLongest = Math.max(window.tieoutLongest, Math.round(task.duration));
  }).observe({ type: "longtask" });
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.removedNodes])) {
      if (!node.id || !node.id.startsWith("data-")) continue;
      const data = JSON.parse(node.textContent);
      window.tieoutColumns[data.name] = data.columns.map((column) => column.name);
    }
  }).observe(document, { childList: true, subtree: true });
};

async function main(folder, language = "en") {
  const path = join(folder, "report.html");
  const browser = await launch();
  try {
    const { page, context, seen, elapsed } = await open(browser, path, { before: WATCH });
    assertSame(await page.locator("html").getAttribute("lang"), language, "the language");
    await essentials(page, folder);
    const counts = await check(page, folder);
    const longest = await page.evaluate(() => window.tieoutLongest);
    assertSame(seen, [], "what else the page did");
    await context.close();
    await withoutScript(browser, path, folder);
    await withoutClipboard(browser, path, folder);
    const times = [elapsed];
    for (const view of VIEWS) times.push(await inView(browser, path, view));
    await colours(browser, path);
    await paper(browser, path, folder);
    console.log(`read: ${JSON.stringify({ ...counts, elapsed: Math.min(...times), longest })}`);
  } finally {
    await browser.close();
  }
}

// Everything that must be there with and without JavaScript.
async function essentials(page, folder) {
  const summary = readSummary(folder);
  const { rows, ...buckets } = summary.population;
  const verdict = await page.locator("#verdict-title").textContent();
  assert(verdict.trim() !== "", "a verdict");
  for (const [bucket, count] of Object.entries(buckets)) {
    const row = page.locator(`tr[data-bucket="${bucket}"] td`);
    assertSame(await row.last().textContent(), grouped(count), `population, ${bucket}`);
  }
  const sums = await page.locator(".population tfoot td").allTextContents();
  assertSame(sums, [grouped(rows), grouped(rows)], "the sum of the population and the rows read");

  const currencies = Object.keys(summary.control_totals);
  for (const amount of currencies.length > 0 ? AMOUNTS : []) {
    const figures = await page.locator(`#control-totals tr[data-total="${amount}"] td`).allTextContents();
    assertSame(figures, currencies.map((currency) => summary.control_totals[currency].amounts[amount]), `control totals, ${amount}`);
  }
  const residuals = await page.locator(".bridge tbody td:last-child").allTextContents();
  assertSame(residuals, currencies.flatMap(() => ["0.00000000", "0.00000000"]), "the residuals of the bridge");

  const checks = await page.locator(".causes tr.check a[data-check]").evaluateAll((links) => links.map((link) => link.dataset.check));
  assertSame(checks.sort(), Object.keys(summary.checks).sort(), "the checks that failed");
  for (const [code, count] of Object.entries(summary.checks)) {
    const row = page.locator(`.causes tr.check:has(a[data-check="${code}"])`).first();
    assertSame(await row.locator("td.integer").textContent(), grouped(count.orders), `orders that fail ${code}`);
    const figures = Object.values(count.differences)[0];
    const shown = await row.locator("td.amount").allTextContents();
    assertSame(shown, figures ? [figures.net, figures.gross] : ["", ""], `differences of ${code}`);
  }
  const manifest = hashes(folder);
  for (const [file, hash] of Object.entries(manifest)) {
    assertSame(await page.locator(`.evidence tr:has-text("${file}") .hash`).textContent(), hash, `the hash of ${file}`);
  }
}

// The hashes of the evidence in the manifest; none if there is no manifest.
function hashes(folder) {
  try {
    const { files } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    const evidence = files.filter((file) => ["run_orders.parquet", "evidence.jsonl"].includes(file.name));
    return Object.fromEntries(evidence.map((file) => [file.name, file.sha256]));
  } catch (error) {
    if (error.code === "ENOENT") return {};
    throw error;
  }
}

async function withoutScript(browser, path, folder) {
  const { page, context, seen } = await open(browser, path, { javaScriptEnabled: false });
  await essentials(page, folder);
  const rows = readCsv(folder, "discrepancies");
  if (rows.length > 0) {
    const list = page.locator('.list[data-table="discrepancies"]');
    assertSame(await list.locator("tbody tr").count(), Math.min(rows.length, 200), "rows without JavaScript");
    const ids = await list.locator("tbody th").allTextContents();
    assertSame(ids, rows.slice(0, 200).map((row) => row.run_order_id), "IDs without JavaScript");
    assertSame(await list.locator("[data-static]").count(), rows.length > 200 ? 1 : 0, "a note that rows are missing");
  }
  assertSame(await page.locator("button:visible, input:visible, select:visible").count(), 0, "controls without JavaScript");
  assertSame(seen, [], "what the page did without JavaScript");
  await context.close();
}

async function withoutClipboard(browser, path, folder) {
  const rows = readCsv(folder, "discrepancies");
  if (rows.length === 0) return;
  const before = () => Object.defineProperty(navigator, "clipboard", { value: undefined });
  const { page, context, seen } = await open(browser, path, { before });
  await copying(page, "discrepancies", rows);
  assertSame(seen, [], "what the page did without a clipboard");
  await context.close();
}

// The colour button switches from the system's scheme to the other one and back.
async function colours(browser, path) {
  const { page, context } = await open(browser, path, { colorScheme: "dark" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.locator("#theme").click();
  const light = await paper();
  assert(light !== dark, "light colours on demand");
  await page.locator("#theme").click();
  assertSame(await paper(), dark, "dark colours on demand");
  await context.close();
}

// On paper: no controls, light colours, and every section.
async function paper(browser, path, folder) {
  const { page, context } = await open(browser, path, { colorScheme: "dark" });
  await page.emulateMedia({ media: "print" });
  // A button that sorts is also the heading of its column, so it is printed.
  assertSame(await page.locator("button:not(.sort):visible, input:visible, select:visible, nav:visible").count(), 0, "controls on paper");
  assertSame(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)", "the paper");
  const before = await page.locator('.list[data-table="discrepancies"] tbody tr').count();
  const pdf = await page.pdf({ preferCSSPageSize: true });
  assert(pdf.length > 10_000 && pdf.subarray(0, 5).toString() === "%PDF-", "a PDF");
  const rows = readCsv(folder, "discrepancies").length;
  const shown = await page.locator('.list[data-table="discrepancies"] tbody tr').count();
  assertSame(shown, Math.min(rows, before), "the rows after printing");
  await context.close();
}

main(...process.argv.slice(2)).catch((error) => {
  console.log(error instanceof Disagreement ? `differs: ${error.message}` : error);
  process.exit(1);
});
