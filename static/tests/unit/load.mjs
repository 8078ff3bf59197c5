import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

export const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');

/** Imports a TypeScript module of the pages, by its path under `src/`. */
export async function load(path) {
  const { module } = await runnerImport(resolve(ROOT, 'src', path), {
    root: ROOT,
    configFile: false,
    logLevel: 'error',
  });
  return module;
}
