// A real server, a real browser, and a folder for pictures; everything is closed at the end.

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');
export const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const BINARY = process.env.AUTORIG_BIN ? resolve(process.env.AUTORIG_BIN) : '';
export const SHOTS = resolve(process.env.ARTIFACTS ?? join(ROOT, '.cache/shots'));

/** A rig in a debug build, drawn by a software renderer on two shared cores, takes its time. */
export const PATIENCE_MS = 180_000;

/** Why the tests cannot run on this machine, or `false`. */
export function whyNot() {
  if (!BINARY) return 'AUTORIG_BIN does not name the autorig binary';
  if (!existsSync(BINARY)) return `AUTORIG_BIN names ${BINARY}, which is not there`;
  if (!existsSync(BROWSER)) return `there is no Chromium at ${BROWSER} (CHROMIUM names another)`;
  return false;
}

export const VIEWS = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
  small: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 1, hasTouch: true, isMobile: true },
  desktop: { viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 },
};

/** How the browser is started: drawing in software, alone with itself. */
export const ARGUMENTS = [
  '--no-sandbox',
  '--enable-unsafe-swiftshader',
  // On a busy machine drawing in software is slow, not dead: the browser must not give WebGL up for it.
  '--disable-gpu-watchdog',
  '--disable-gpu-process-crash-limit',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the server on a free port with an empty data folder, and the browser. */
export async function start() {
  mkdirSync(SHOTS, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'autorig-pages-'));
  const server = spawn(BINARY, ['serve', '--listen', '127.0.0.1:0', '--data', join(folder, 'data')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await addressOf(server);
  const browser = await chromium.launch({
    executablePath: BROWSER,
    args: ARGUMENTS,
  });
  return {
    url,
    folder,
    sample: (name, ...options) => makeSample(folder, name, options),
    open: (view, options) => open(browser, url, view, options),
    stop: async () => {
      await browser.close();
      const gone = new Promise((done) => server.once('exit', done));
      server.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Makes a character by the command line; returns its path. */
async function makeSample(folder, name, options) {
  const path = join(folder, `${name}.glb`);
  await promisify(execFile)(BINARY, ['sample', name, '-o', path, ...options]);
  return path;
}

/**
 * A page in a browser of its own kind. `page.complaints` collects what a visitor must never cause: errors on
 * the console, uncaught errors, violations of the content policy, and requests to other places.
 */
async function open(
  browser,
  url,
  view,
  { dark = false, language = 'en', motion = 'reduce', expected = [] } = {},
) {
  const context = await browser.newContext({
    ...VIEWS[view],
    baseURL: url,
    locale: language,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: motion,
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.complaints = [];
  const complain = (text) => {
    if (!expected.some((known) => known.test(text))) page.complaints.push(text);
  };
  page.on('console', (message) => message.type() === 'error' && complain(`console: ${message.text()}`));
  page.on('pageerror', (error) => complain(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(url))
      complain(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  page.shot = (name, options) => page.screenshot({ path: join(SHOTS, `${name}.png`), ...options });
  page.leave = () => context.close();
  return page;
}

/** Reads the address that the server prints when it listens. */
function addressOf(server) {
  return new Promise((found, failed) => {
    let said = '';
    const hear = (piece) => {
      said += piece;
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (address) found(address[0]);
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    server.once('exit', (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
    server.once('error', failed);
  });
}
