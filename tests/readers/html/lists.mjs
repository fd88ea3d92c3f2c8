// The lists of the page: sorts, filters, pages and copies from them like a person, and compares them with CSV files.

import { assert, assertSame, grouped, readCsv, sortedByAmount } from "./report.mjs";

const PAGE = 100;
const SOME = 4;
const ALWAYS = ["discrepancies", "spend_by_workflow", "spend_by_revision", "pending", "exceptions", "resolved"];
// Tables that only some reports have.
const SOMETIMES = ["spend_by_day", "waivers", "roll_forward", "adjustments_by_month", "adjustments"];
// Columns with words that the page translates, and with times that it shows without the T and the Z.
const TRANSLATED = ["severity", "lifecycle", "bucket", "state", "age_bucket", "waived", "line", "change"];
const TIMES = ["created_at", "updated_at"];

const holder = (page, name) => page.locator(`.list[data-table="${name}"]`);

const cells = (page, name) =>
  holder(page, name).locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

const found = (page, name) => holder(page, name).locator(".found").textContent();

async function press(page, name, button) {
  await holder(page, name).locator(".pager button").nth(["first", "previous", "next", "last"].indexOf(button)).click();
}

function shown(row, column) {
  const text = row[column];
  return TIMES.includes(column) ? text.replace("T", " ").replace("Z", "") : text;
}

// Checks every cell of the rows shown, except translated words.
async function assertRows(page, name, heads, rows, where) {
  const there = await cells(page, name);
  assertSame(there.length, rows.length, `${where}: rows`);
  rows.forEach((row, at) => {
    heads.forEach((head, place) => {
      if (!TRANSLATED.includes(head)) assertSame(there[at][place], shown(row, head), `${where}, row ${at + 1}, ${head}`);
    });
  });
}

// The machine names of the columns in the order of the page, which must be all those of the CSV file.
async function headsOf(page, name, rows) {
  const heads = await page.evaluate((name) => window.tieoutColumns[name], name);
  assertSame([...heads].sort(), Object.keys(rows[0]).sort(), `the columns of ${name}.csv`);
  assertSame(await holder(page, name).locator("thead th[scope=col]").count(), heads.length, `the headings of ${name}`);
  return heads;
}

export async function check(page, folder) {
  const counts = {};
  for (const name of [...ALWAYS, ...SOMETIMES]) {
    if ((await holder(page, name).count()) === 0) {
      if (SOMETIMES.includes(name)) continue;
      assertSame(0, readCsv(folder, name).length, `${name}: rows where the page has no list`);
      continue;
    }
    const rows = readCsv(folder, name);
    counts[name] = rows.length;
    const heads = await headsOf(page, name, rows);
    await paging(page, name, heads, rows);
  }
  if (counts.discrepancies) await discrepancies(page, readCsv(folder, "discrepancies"));
  return counts;
}

// Checks all pages of a list; of a long list, the first few and the last.
async function paging(page, name, heads, rows) {
  const pages = Math.ceil(rows.length / PAGE);
  const slice = (at) => rows.slice(at * PAGE, (at + 1) * PAGE);
  await assertRows(page, name, heads, slice(0), `${name}.csv, page 1`);
  assertSame(await holder(page, name).locator(".pager").isVisible(), pages > 1, `${name}: a pager`);
  for (let at = 1; at < Math.min(pages, SOME); at++) {
    await press(page, name, "next");
    await assertRows(page, name, heads, slice(at), `${name}.csv, page ${at + 1}`);
  }
  if (pages > SOME) {
    await press(page, name, "last");
    await assertRows(page, name, heads, slice(pages - 1), `${name}.csv, the last page`);
  }
  if (pages > 1) await press(page, name, "first");
}

async function discrepancies(page, rows) {
  const name = "discrepancies";
  const heads = await page.evaluate((name) => window.tieoutColumns[name], name);
  const sort = (column) => holder(page, name).locator("thead .sort").nth(heads.indexOf(column)).click();
  const head = (column) => holder(page, name).locator("thead th").nth(heads.indexOf(column));
  const first = (list) => list.slice(0, PAGE);

  for (const column of ["difference", "expected"]) {
    for (const [direction, sign] of [["ascending", 1], ["descending", -1]]) {
      await sort(column);
      assertSame(await head(column).getAttribute("aria-sort"), direction, `aria-sort of ${column}`);
      const sorted = sortedByAmount(rows, column, sign);
      await assertRows(page, name, heads, first(sorted), `discrepancies.csv by ${column}, ${direction}`);
    }
  }
  // Back to the order of input lines, by keyboard.
  await head("input_line").locator("button").focus();
  await page.keyboard.press("Enter");
  await assertRows(page, name, heads, first(rows), "discrepancies.csv by line");

  await choices(page, name, heads, rows);
  await searching(page, name, heads, rows);
  await linking(page, name, heads, rows);
  await copying(page, name, rows);
}

// Checks the count of every choice and the rows that it leaves.
async function choices(page, name, heads, rows) {
  for (const column of ["severity", "check"]) {
    const select = holder(page, name).locator(`select[data-choice="${column}"]`);
    const words = [...new Set(rows.map((row) => row[column]))].sort();
    if (words.length < 2) continue;
    const options = await select.locator("option").evaluateAll((all) => all.map((option) => [option.value, option.textContent]));
    assertSame(options.map(([word]) => word), ["", ...words], `the choices of ${column}`);
    for (const [word, label] of options) {
      const left = rows.filter((row) => word === "" || row[column] === word);
      assert(label.endsWith(`(${grouped(left.length)})`), `${column} ${word}: ${label}, expected ${left.length}`);
      await select.selectOption(word);
      assert((await found(page, name)).includes(grouped(left.length)), `${column} ${word}: ${await found(page, name)}`);
      await assertRows(page, name, heads, left.slice(0, PAGE), `discrepancies.csv with ${column} ${word}`);
    }
    await select.selectOption("");
  }
  // A choice counts only rows that the other choice leaves.
  const word = rows[0].check;
  await holder(page, name).locator('select[data-choice="check"]').selectOption(word).catch(() => {});
  const severity = holder(page, name).locator('select[data-choice="severity"] option[value="error"]');
  if ((await severity.count()) === 1) {
    const left = rows.filter((row) => row.check === word && row.severity === "error").length;
    const label = await severity.textContent();
    assert(label.endsWith(`(${grouped(left)})`), `errors among ${word}: ${label}, expected ${left}`);
  }
  await holder(page, name).locator(".tools button").click();
}

async function searching(page, name, heads, rows) {
  const box = holder(page, name).locator('input[type="search"]');
  const wanted = rows[rows.length - 1];
  const searched = async (text, left, where) => {
    await box.fill(text);
    await page.waitForTimeout(400);
    assert((await found(page, name)).includes(grouped(left.length)), `${where}: ${await found(page, name)}`);
    await assertRows(page, name, heads, left.slice(0, PAGE), where);
  };
  const id = wanted.run_order_id;
  if (id.trim() !== "" && !/\s/.test(id)) {
    const holds = (row) => Object.values(row).some((text) => text.toLowerCase().includes(id.toLowerCase()));
    await searched(id.toUpperCase(), rows.filter(holds), "the search for an ID");
  }
  // Orders of a dataset have no lifecycle.
  const second = wanted.lifecycle || wanted.discrepancy_id;
  const both = (row) => [wanted.check, second].every((word) => Object.values(row).some((text) => text.toLowerCase().includes(word)));
  await searched(`${second}  ${wanted.check}`, rows.filter(both), "the search for two words");
  await box.fill(`${wanted.check} nothing-like-this`);
  await page.waitForTimeout(400);
  assert((await found(page, name)).startsWith("0 "), `the search for nothing: ${await found(page, name)}`);
  await holder(page, name).locator(".tools button").click();
  assert((await found(page, name)).includes(grouped(rows.length)), "everything is shown again");
}

// A check in the table of causes links to its rows.
async function linking(page, name, heads, rows) {
  const link = page.locator(".causes tr.check a[data-check]").first();
  const code = await link.getAttribute("data-check");
  await link.click();
  const left = rows.filter((row) => row.check === code);
  await assertRows(page, name, heads, left.slice(0, PAGE), `the rows of ${code}`);
  await holder(page, name).locator(".tools button").click();
}

// The copied text can be pasted.
export async function copying(page, name, rows) {
  const row = rows.findIndex((row) => row.run_order_id !== "");
  if (row < 0 || row >= PAGE) return;
  const id = rows[row].run_order_id;
  const button = holder(page, name).locator("tbody tr").nth(row).locator("button.copy");
  const label = await button.getAttribute("aria-label");
  assert(label.includes(id), `the label of the button that copies: ${label}`);
  await button.click();
  const said = () => page.locator("#said").textContent();
  for (let waited = 0; waited < 30_000 && !(await said()).includes(id); waited += 100) await page.waitForTimeout(100);
  assert((await said()).includes(id), `what is said once ${JSON.stringify(id)} was copied: ${JSON.stringify(await said())}`);
  const box = holder(page, name).locator('input[type="search"]');
  await box.fill("");
  await box.focus();
  await page.keyboard.press("Control+V");
  assertSame(await box.inputValue(), id, "what was copied");
  await holder(page, name).locator(".tools button").click();
}
