// The viewer page from disk: no server, no network, one file.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test as nodeTest } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { ARGUMENTS, BROWSER, PATIENCE_MS, SHOTS, VIEWS } from './harness.mjs';
import { faintTexts, sidewaysScroll, smallTargets } from './looks.mjs';
import { wavingArm } from './waving-arm.mjs';

const TEMPLATE = resolve(fileURLToPath(import.meta.url), '../../../dist/standalone.html');
const LARGEST = 4 * 1024 * 1024;

const skip = !existsSync(TEMPLATE)
  ? 'dist/standalone.html is not built'
  : !existsSync(BROWSER) && `there is no Chromium at ${BROWSER}`;
const test = (name, run) => nodeTest(name, { skip }, run);

describe('the viewer page from disk', { timeout: 10 * 60_000 }, () => {
  let browser;
  let folder;
  let file;

  before(async () => {
    if (skip) return;
    mkdirSync(SHOTS, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'autorig-viewer-'));
    file = join(folder, 'viewer.html');
    // VIEWER_GLB shows another model, for looking at the pictures.
    const glb = process.env.VIEWER_GLB ? readFileSync(process.env.VIEWER_GLB) : wavingArm();
    writeFileSync(file, filled(glb, 'Waving <arm>'));
    browser = await chromium.launch({ executablePath: BROWSER, args: ARGUMENTS });
  });
  after(async () => {
    await browser?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a file; `page.complaints` collects errors and whatever is asked of other places. */
  async function open(view, { dark = false, language = 'en', path = file } = {}) {
    const context = await browser.newContext({
      ...VIEWS[view],
      locale: language,
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.complaints = [];
    page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
    page.on('pageerror', (error) => page.complaints.push(error.message));
    page.on('request', (request) => {
      if (
        !/^(blob|data):/.test(request.url()) &&
        request.url() !== page.url() &&
        !request.isNavigationRequest()
      )
        page.complaints.push(`request: ${request.url()}`);
    });
    await page.goto(pathToFileURL(path).href);
    return page;
  }

  const ready = (page) => page.waitForSelector('html[data-ready=true]', { timeout: PATIENCE_MS });
  /** The canvas as a PNG: two that differ show two pictures. */
  const picture = async (page) => (await page.locator('canvas').screenshot()).toString('base64');

  test('the page is small enough to send by mail', () => {
    assert.ok(statSync(TEMPLATE).size < LARGEST, `${statSync(TEMPLATE).size} bytes`);
  });

  for (const [view, dark] of [
    ['desktop', false],
    ['desktop', true],
    ['phone', false],
  ]) {
    test(`it draws the model on a ${view}${dark ? ' in the dark' : ''}, asks nothing of a network and complains of nothing`, async () => {
      const page = await open(view, { dark });
      await ready(page);
      assert.equal(await page.title(), 'Waving <arm>');
      assert.equal(await page.locator('h1').textContent(), 'Waving <arm>');
      assert.deepEqual(await sidewaysScroll(page), 0);
      assert.deepEqual(await smallTargets(page, 44), []);
      assert.deepEqual(await faintTexts(page), []);
      await page.screenshot({ path: join(SHOTS, `viewer-page-${view}${dark ? '-dark' : ''}.png`) });
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    });
  }

  test('skeleton, wireframe, clip, scrubbing and keys change the picture', async () => {
    const page = await open('desktop');
    await ready(page);
    const still = await picture(page);
    await page.locator('[data-action=skeleton]').click();
    const bones = await picture(page);
    assert.notEqual(bones, still);
    await page.keyboard.press('w');
    assert.equal(await page.locator('[data-action=wireframe]').getAttribute('aria-pressed'), 'true');
    assert.notEqual(await picture(page), bones);
    await page.screenshot({ path: join(SHOTS, 'viewer-page-skeleton.png') });
    await page.keyboard.press('w');
    await page.keyboard.press('s');
    const scrub = page.locator('input[type=range]');
    await scrub.fill('0.5');
    const raised = await picture(page);
    assert.notEqual(raised, still);
    await page.locator('canvas').focus();
    await page.keyboard.press('ArrowLeft');
    assert.notEqual(await picture(page), raised);
    await page.keyboard.press(' ');
    assert.equal(await page.locator('[data-action=play]').getAttribute('aria-pressed'), 'true');
    await page.waitForFunction(
      (before) => document.querySelector('output')?.textContent !== before,
      await page.locator('output').textContent(),
    );
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });

  test('it speaks the visitor’s language, and the bare template says what it is', async () => {
    const page = await open('small', { language: 'ru' });
    await ready(page);
    assert.equal(await page.locator('[data-action=skeleton]').textContent(), 'Скелет');
    assert.deepEqual(await sidewaysScroll(page), 0);
    await page.context().close();
    const bare = await open('desktop', { path: TEMPLATE });
    await bare.locator('[role=status]', { hasText: 'template' }).waitFor();
    assert.deepEqual(bare.complaints, []);
    await bare.context().close();
  });
});

/** What the engine does with the template. */
function filled(glb, title) {
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return readFileSync(TEMPLATE, 'utf8')
    .replace('%AUTORIG_TITLE%', () => escaped)
    .replace('%AUTORIG_FACTS%', () => JSON.stringify({ title }).replaceAll('<', '\\u003c'))
    .replace('%AUTORIG_MODEL%', () => Buffer.from(glb).toString('base64'));
}
