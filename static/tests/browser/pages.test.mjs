import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test as nodeTest } from 'node:test';
import { PATIENCE_MS, start, whyNot } from './harness.mjs';
import { faintTexts, sidewaysScroll, smallTargets } from './looks.mjs';

const LANGUAGES = ['en', 'ru', 'zh', 'hi'];
const FIRST_SCRIPTS_LIMIT = 100 * 1024;
const TOUCH_TARGET_PX = 44;

const skip = whyNot();
/** Each test says by itself why it is skipped: a skipped suite would count as nothing at all. */
const test = (name, run) => nodeTest(name, { skip }, run);

describe('the pages in a browser', { timeout: 15 * 60_000 }, () => {
  let site;
  let human;
  let large;
  let taskUrl;

  before(async () => {
    if (skip) return;
    site = await start();
    human = await site.sample('human');
    large = await site.sample('cartoon', '--triangles', '1500000');
  });
  after(() => site?.stop());

  test('an empty history says so, and what is accepted is stated before anything is sent', async () => {
    const page = await site.open('desktop');
    await page.goto('/');
    await page.locator('[data-test=history] .empty').waitFor();
    const facts = await page.locator('.facts').textContent();
    for (const word of ['GLB', 'glTF', 'OBJ', 'VRM', '256', '5,000,000'])
      assert.ok(facts.includes(word), word);
    await page.locator('[data-test=queue]').waitFor();
    await page.shot('home-desktop-empty');
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('a character is uploaded by the picker, watched, and shown rigged with its skeleton', async () => {
    const page = await site.open('desktop');
    await page.goto('/');
    await page.locator('[data-test=picker]').setInputFiles(human);
    await page.waitForURL(/\/task\?id=/);
    taskUrl = page.url();
    await shown(page);
    assert.equal(await page.locator('[data-test=status]').getAttribute('data-status'), 'done');
    assert.equal(await page.locator('h1').textContent(), 'human');
    assert.equal(await page.locator('[data-action=skeleton]').getAttribute('aria-pressed'), 'true');
    await page.locator('[data-test=report]').waitFor();
    await page.shot('task-desktop-light');
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('the skeleton, the wireframe and the pose test change the picture, and rest brings it back', async () => {
    const page = await openRigged('desktop');
    const changed = async (what, act) => {
      const earlier = await picture(page);
      await act();
      const later = await picture(page);
      assert.ok(!earlier.equals(later), `${what} changes the picture`);
    };
    const press = (name) => () => page.locator(`[data-action=${name}]`).click();
    await changed('the skeleton', press('skeleton'));
    await changed('the wireframe', press('wireframe'));
    await press('wireframe')();
    await press('pose')();
    const resting = await picture(page);
    for (const preset of ['raise', 'sit', 'walk', 'bow']) {
      await changed(preset, () => page.locator(`[data-preset=${preset}]`).click());
      await page.shot(`pose-${preset}`);
    }
    await changed('rest', () => page.locator('[data-preset=rest]').click());
    assert.ok(resting.equals(await picture(page)), 'rest looks as before');
    await changed('the elbow dial', () => page.locator('[data-dial=elbows]').fill('90'));
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('a joint chosen in the list is marked in the picture by its name', async () => {
    const page = await openRigged('desktop');
    await page.locator('[data-test=joints] summary').click();
    await page.getByRole('button', { name: 'leftHand' }).first().click();
    await page.locator('.joint-label', { hasText: 'leftHand' }).waitFor();
    await page.shot('task-joint');
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('keys do what the list of keys says, until they are switched off', async () => {
    const page = await openRigged('desktop');
    const wireframe = page.locator('[data-action=wireframe]');
    const pressed = () => wireframe.getAttribute('aria-pressed');
    await page.keyboard.press('w');
    assert.equal(await pressed(), 'true');
    await page.keyboard.press('?');
    const dialog = page.locator('dialog[open]');
    assert.match(await dialog.textContent(), /Wireframe[\s\S]*Fit the view/);
    await page.shot('task-shortcuts');
    await dialog.getByRole('checkbox').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('w');
    assert.equal(await pressed(), 'true');
    await page.locator('canvas').focus();
    const earlier = await picture(page);
    await page.keyboard.press('ArrowRight');
    assert.ok(!earlier.equals(await picture(page)), 'arrow keys turn the view');
    await page.leave();
  });

  test('the rig is downloaded as a GLB with a skin, under its name', async () => {
    const page = await openRigged('desktop');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('[data-key=rigged_glb]').click(),
    ]);
    assert.equal(download.suggestedFilename(), 'human_rigged.glb');
    const gltf = readGlb(await download.path());
    const names = gltf.skins[0].joints.map((index) => gltf.nodes[index].name);
    for (const joint of ['hips', 'head', 'leftHand', 'rightFoot']) assert.ok(names.includes(joint), joint);
    assert.ok(gltf.meshes.some((mesh) => mesh.primitives.some((part) => 'WEIGHTS_0' in part.attributes)));
    await page.leave();
  });

  test('the view is saved as a picture', async () => {
    const page = await openRigged('desktop');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('[data-action=screenshot]').click(),
    ]);
    assert.equal(download.suggestedFilename(), 'human.png');
    assert.ok(readFileSync(await download.path()).length > 5000);
    await page.leave();
  });

  test('the history leads back to the task', async () => {
    const page = await site.open('desktop');
    await page.goto('/');
    const row = page.locator('[data-test=history] a').first();
    assert.match(await row.textContent(), /human[\s\S]*Ready/);
    await row.click();
    assert.equal(page.url(), taskUrl);
    await page.leave();
  });

  for (const [name, bytes, code] of [
    ['empty.glb', Buffer.alloc(0), 'empty_file'],
    ['picture.glb', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'not_a_model'],
    ['points.obj', Buffer.from('v 0 0 0\nv 1 0 0\nv 0 1 0\n'), 'no_geometry'],
  ]) {
    test(`${name} is refused with what to send instead, and another file can follow`, async () => {
      const page = await site.open('desktop', { expected: [/status of 4\d\d/] });
      const path = join(site.folder, name);
      writeFileSync(path, bytes);
      await page.goto('/');
      await page.locator('[data-test=picker]').setInputFiles(path);
      const problem = page.locator('[data-test=problem]');
      await problem.waitFor();
      assert.equal(await problem.getAttribute('data-code'), code);
      assert.ok((await problem.locator('[data-test=remedy]').textContent()).length > 10);
      await page.shot(`refused-${code}`);
      if (page.url().includes('/task')) await problem.getByRole('link').click();
      await page.locator('[data-test=picker]').waitFor({ state: 'attached' });
      assert.deepEqual(page.complaints, []);
      await page.leave();
    });
  }

  test('a slow upload shows how far it is and how long it takes, and can be stopped', async () => {
    const page = await site.open('desktop');
    await page.goto('/');
    const network = await page.context().newCDPSession(page);
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 800 * 1024 };
    await network.send('Network.emulateNetworkConditions', slow);
    await page.locator('[data-test=picker]').setInputFiles(large);
    const upload = page.locator('[data-test=upload]');
    await upload.locator('.numbers', { hasText: /\d%.* MB of .* MB.*left/ }).waitFor();
    assert.ok(Number(await upload.locator('progress').getAttribute('value')) > 0);
    await page.shot('uploading');
    await upload.getByRole('button').click();
    await page.locator('[data-test=drop]').waitFor();
    assert.equal(await page.locator('[data-test=problem]').count(), 0);
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('a running rig is followed stage by stage, and cancelled from its page', async () => {
    const page = await site.open('phone', { dark: true, expected: [/status of 4\d\d/] });
    // Showing a model of this size keeps the page busy longer than the rig may take, so it comes after the cancel.
    let show;
    const cancelled = new Promise((resolve) => {
      show = resolve;
    });
    await page.route('**/prepared.glb', async (route) => {
      await cancelled;
      await route.continue().catch(() => {});
    });
    await page.goto('/');
    await page.locator('[data-test=picker]').setInputFiles(large);
    await page.locator('[data-test=progress] [aria-current=step]').waitFor();
    await page.locator('[data-test=cancel]').click();
    await page.locator('[data-test=cancelled]').waitFor();
    show();
    await page.shot('task-phone-cancelled', { fullPage: true });
    assert.equal(await page.locator('[data-test=status]').getAttribute('data-status'), 'cancelled');
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('a file dropped anywhere on the page is taken', async () => {
    const page = await site.open('desktop', { expected: [/status of 4\d\d/] });
    await page.goto('/');
    await page.locator('[data-test=drop]').waitFor();
    const dataTransfer = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['no model at all'], 'dropped.glb'));
      return transfer;
    });
    await page.dispatchEvent('h1', 'dragover', { dataTransfer });
    await page.locator('[data-hovering]').waitFor();
    await page.dispatchEvent('h1', 'drop', { dataTransfer });
    await page.locator('[data-test=problem]').waitFor();
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('a link to a private address is refused with the remedy', async () => {
    const page = await site.open('phone', { expected: [/status of 4\d\d/] });
    await page.goto('/');
    await page.locator('#link').fill('http://127.0.0.1:1/hero.glb');
    await page.locator('#link').press('Enter');
    const problem = page.locator('[data-test=problem]');
    await problem.waitFor();
    assert.equal(await problem.getAttribute('data-code'), 'link_forbidden_address');
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('a task that is not there and an address that leads nowhere are said in words', async () => {
    const page = await site.open('phone', { expected: [/status of 4\d\d/] });
    for (const path of [
      '/task?id=018f0000-0000-7000-8000-000000000000',
      '/task?id=what',
      '/task',
      '/no-such-page',
    ]) {
      await page.goto(path);
      await page.locator('[data-test=missing]').waitFor();
    }
    await page.shot('missing-phone');
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('a language is chosen from the browser, changed in the header, and remembered', async () => {
    const page = await site.open('desktop', { language: 'ru-RU' });
    await page.goto('/');
    await page.locator('html[lang=ru] h1').waitFor();
    const russian = await page.locator('h1').textContent();
    await page.locator('[data-test=language]').selectOption('hi');
    await page.locator('html[lang=hi]').waitFor({ state: 'attached' });
    assert.notEqual(await page.locator('h1').textContent(), russian);
    await page.reload();
    await page.locator('html[lang=hi] h1').waitFor();
    assert.deepEqual(page.complaints, []);
    await page.leave();
  });

  test('a theme chosen in the header is kept over a reload', async () => {
    const page = await site.open('desktop');
    await page.goto('/');
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await background();
    await page.locator('[data-test=theme]').click();
    await page.locator('[data-test=theme]').click();
    assert.notEqual(await background(), light);
    await page.reload();
    assert.notEqual(await background(), light);
    await page.leave();
  });

  for (const language of LANGUAGES) {
    test(`${language}: nothing scrolls sideways at 360 pixels, and fingers find every control`, async () => {
      const page = await site.open('small', { language, expected: [/status of 4\d\d/] });
      for (const [name, path] of [
        ['home', '/'],
        ['task', taskUrl],
        ['missing', '/task?id=what'],
      ]) {
        await page.goto(path);
        await page
          .locator({ home: '.rows', task: '[data-shown=rigged]', missing: '[data-test=missing]' }[name])
          .waitFor();
        if (name === 'task') await page.locator('[data-action=pose]').click();
        assert.ok((await sidewaysScroll(page)) <= 0, `${name} fits`);
        assert.deepEqual(await smallTargets(page, TOUCH_TARGET_PX), [], name);
        await page.shot(`${name}-360-${language}`, { fullPage: true });
      }
      assert.deepEqual(page.complaints, []);
      await page.leave();
    });
  }

  for (const dark of [false, true]) {
    const theme = dark ? 'dark' : 'light';
    test(`${theme}: every text stands out from what is behind it, on a phone and on a desktop`, async () => {
      for (const view of ['phone', 'desktop']) {
        const page = await site.open(view, { dark });
        await page.goto('/');
        await page.locator('.rows').waitFor();
        assert.deepEqual(await faintTexts(page), [], `home on ${view}`);
        await page.shot(`home-${view}-${theme}`);
        await page.goto(taskUrl);
        await shown(page);
        await page.locator('[data-action=pose]').click();
        assert.deepEqual(await faintTexts(page), [], `task on ${view}`);
        await page.locator('[data-preset=walk]').click();
        await page.shot(`task-${view}-${theme}`);
        assert.deepEqual(page.complaints, []);
        await page.leave();
      }
    });
  }

  test('the first page needs little script, and none of the 3D view', async () => {
    const page = await site.open('desktop');
    await page.goto('/', { waitUntil: 'networkidle' });
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter(({ name }) => name.endsWith('.js'))
        .map(({ name, encodedBodySize }) => ({ name, encodedBodySize })),
    );
    const total = scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    assert.ok(scripts.length > 0 && total <= FIRST_SCRIPTS_LIMIT, `${total} bytes`);
    assert.ok(!scripts.some(({ name }) => name.includes('viewer')));
    await page.leave();
  });

  async function openRigged(view, options) {
    const page = await site.open(view, options);
    await page.goto(taskUrl);
    await shown(page);
    return page;
  }
});

/** Waits for the rig in the 3D view, or for the reason why it will not come. */
async function shown(page) {
  const ended = ['[data-shown=rigged]', '[data-phase^=no_]', '[data-test=problem]'];
  await page.locator(ended.join(', ')).first().waitFor({ timeout: PATIENCE_MS });
  const stage = page.locator('[data-test=viewer]');
  assert.equal(await stage.getAttribute('data-shown'), 'rigged', await page.locator('main').textContent());
}

/** The middle of the 3D view, where no panel lies over it. */
function picture(page) {
  return page.screenshot({ clip: { x: 350, y: 130, width: 480, height: 640 } });
}

function readGlb(path) {
  const bytes = readFileSync(path);
  assert.equal(bytes.toString('latin1', 0, 4), 'glTF');
  return JSON.parse(bytes.toString('utf8', 20, 20 + bytes.readUInt32LE(12)));
}
