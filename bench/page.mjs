// Opens a report.html in Chromium several times, each in a new page, and prints the median seconds until it responds.
//
//     node page.mjs REPORT_HTML TIMES

import { launch, open } from "../tests/readers/html/browser.mjs";

const [path, times] = process.argv.slice(2);
const browser = await launch();
const took = [];
for (let time = 0; time < Number(times); time++) {
  const { context, elapsed } = await open(browser, path);
  took.push(elapsed);
  await context.close();
}
await browser.close();
took.sort((one, other) => one - other);
console.log((took[Math.floor(took.length / 2)] / 1000).toFixed(2));
