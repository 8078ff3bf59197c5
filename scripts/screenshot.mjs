// AUTORIG_BIN=target/debug/autorig node scripts/screenshot.mjs
//
// Makes the README's picture: the real page, from the real server, with a sample that was rigged for it.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { start } from '../static/tests/browser/harness.mjs';

const PICTURE = fileURLToPath(new URL('../docs/images/task-page.jpg', import.meta.url));
const SAMPLE = process.argv[2] ?? 'human';

mkdirSync(new URL('../docs/images/', import.meta.url), { recursive: true });
const site = await start();
try {
  const page = await site.open('desktop');
  await page.setViewportSize({ width: 1200, height: 750 });
  await page.goto('/');
  await page.locator('[data-test=picker]').setInputFiles(await site.sample(SAMPLE));
  await page.waitForURL(/\/task\?id=/);
  await page.locator('[data-shown=rigged]').waitFor();
  await page.locator('[data-test=report]').waitFor();
  await page.screenshot({ path: PICTURE, type: 'jpeg', quality: 85 });
} finally {
  await site.stop();
}
