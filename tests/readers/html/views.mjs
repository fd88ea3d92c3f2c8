// A page in every width and colour scheme.

import { axe, open } from "./browser.mjs";
import { assert, assertSame } from "./report.mjs";

export const VIEWS = [
  { colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { colorScheme: "light", viewport: { width: 360, height: 740 } },
  { colorScheme: "dark", viewport: { width: 360, height: 740 } },
];

// In every width and colour scheme: axe finds nothing serious, and nothing is wider than the window.
export async function inView(browser, path, view) {
  const where = `${view.colorScheme}, ${view.viewport.width} px`;
  const { page, context, seen, elapsed } = await open(browser, path, view);
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert(wide <= window, `${where}: the page is ${wide} px wide`);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  const found = grave.map(({ id, nodes }) => `${id} at ${nodes.slice(0, 3).map((node) => `${node.target}: ${node.failureSummary}`).join("; ")}`);
  assertSame(found, [], `axe, ${where}`);
  assertSame(seen, [], `what the page did, ${where}`);
  await context.close();
  return elapsed;
}
