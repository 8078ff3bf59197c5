import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const page = (name) => resolve(import.meta.dirname, name);

/** Real HTML pages; the server gives `task.html` for `/task`, and `404.html` where there is nothing. */
export default defineConfig({
  appType: 'mpa',
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    // The server's policy allows no inline script, so nothing may be inlined as one.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // three.js is one chunk of its own, loaded only by the viewer.
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      input: { index: page('index.html'), task: page('task.html'), missing: page('404.html') },
    },
  },
  server: {
    proxy: { '/api': process.env.AUTORIG_URL ?? 'http://127.0.0.1:7070' },
  },
});
