// Takes the pictures of a report.html for the documentation.
//
//     node pictures.mjs REPORT_HTML PICTURE_PNG [light|dark [WIDTH]]

import { launch, open } from "./browser.mjs";

const [path, picture, colorScheme = "light", width = "1280"] = process.argv.slice(2);
const browser = await launch();
const { page } = await open(browser, path, { colorScheme, viewport: { width: Number(width), height: 960 } });
await page.screenshot({ path: picture });
await browser.close();
