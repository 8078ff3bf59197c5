import { resolve } from 'node:path';
import { defineConfig } from 'vite';

/** Puts scripts and styles into the page itself, so that it is one file. */
function oneFile() {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_, bundle) {
      const parts = Object.values(bundle);
      const page = parts.find((part) => part.fileName.endsWith('.html'));
      const scripts = parts.filter((part) => part.type === 'chunk');
      const styles = parts.filter((part) => part.fileName.endsWith('.css'));
      const rest = parts.filter((part) => part !== page && !scripts.includes(part) && !styles.includes(part));
      if (!page || scripts.length !== 1 || rest.length > 0)
        this.error(`expected one page and one script, got ${parts.map((part) => part.fileName).join(', ')}`);
      // Neither may close its own element, nor begin a comment that hides the end of it.
      const script = scripts[0].code
        // The list of files to load before a part, which Vite fills in only after this: there are none.
        .replaceAll('__VITE_PRELOAD__', 'void 0')
        .replaceAll('</script', '<\\/script')
        .replaceAll('<!--', '<\\!--');
      const style = styles.map((part) => part.source.replaceAll('</style', '<\\/style')).join('\n');
      page.source = page.source
        .replace(/\s*<link rel="stylesheet"[^>]*>/g, '')
        .replace(/\s*<script type="module"[^>]*><\/script>/, '')
        .replace('</head>', () => `<style>${style}</style>\n  </head>`)
        .replace('</body>', () => `<script type="module">${script}</script>\n  </body>`);
      for (const part of [...scripts, ...styles]) delete bundle[part.fileName];
    },
  };
}

/** The viewer that opens from disk: `dist/standalone.html`, a template that the engine puts a model into. */
export default defineConfig({
  plugins: [oneFile()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    // The pages are there already.
    emptyOutDir: false,
    copyPublicDir: false,
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      input: resolve(import.meta.dirname, 'standalone.html'),
      output: { codeSplitting: false },
    },
  },
});
