import { defineConfig } from 'vite';

/** The page. `vite web` serves it for development against a Candela server on its default port. */
export default defineConfig({
  // Relative, so that the page also works behind a reverse proxy that gives it a path of its own.
  base: './',
  // The texts of the bundled libraries' licences, linked from the page's footer.
  build: { target: 'es2023', license: { fileName: 'licenses.txt' } },
  server: {
    host: '127.0.0.1',
    proxy: {
      // With its slash, or it would take the page's own api-client/ along.
      '/api/': 'http://127.0.0.1:20330',
      '/ws': { target: 'ws://127.0.0.1:20330', ws: true },
    },
  },
});
