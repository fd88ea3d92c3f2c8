// A browser, with a record of everything that a page does in it.

import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

const modules = process.env.TIEOUT_TEST_NODE_MODULES;
if (!modules) throw new Error("no playwright-core and axe-core (TIEOUT_TEST_NODE_MODULES): run `make test`");
const load = createRequire(join(modules, "loader.js"));
const { chromium } = load("playwright-core");
export const axe = load("axe-core");

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

function executable() {
  for (const folder of process.env.PATH.split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not in this folder.
      }
    }
  }
  throw new Error("no Chromium: run `make test`, which installs it or says how");
}

export const launch = () => chromium.launch({ executablePath: executable(), args: ARGUMENTS });

// Opens a page from the disk. Records what it writes to the console, requests from the network or pops up. Smooth
// scrolling is off, because a click on a scrolling page may miss its button.
export async function open(browser, path, options = {}) {
  const { viewport = { width: 1280, height: 900 }, before, hasScript = true, ...others } = options;
  const context = await browser.newContext({ viewport, reducedMotion: "reduce", ...others });
  const page = await context.newPage();
  const url = pathToFileURL(path).href;
  const seen = [];
  page.on("console", (message) => seen.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    seen.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== url) seen.push(`request: ${request.url()}`);
  });
  if (before) await page.addInitScript(before);
  const started = performance.now();
  await page.goto(url);
  if (hasScript && others.javaScriptEnabled !== false) await page.waitForSelector("html[data-ready]", { state: "attached", timeout: 60_000 });
  return { page, context, seen, elapsed: Math.round(performance.now() - started) };
}
