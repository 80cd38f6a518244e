/** The live page as three files, which a node serves under these names. */
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  build: {
    outDir: '../../dist/adapters/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: {
      output: {
        entryFileNames: 'page.js',
        assetFileNames: 'page.[ext]',
      },
    },
  },
});
