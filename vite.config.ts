import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The page: sources in web/, built into dist-web/, which the server hands out as it is.
// `vite` (dev server) forwards the API to a running `assay start`.
const serverUrl = process.env.ASSAY_URL ?? 'http://127.0.0.1:7070'

export default defineConfig({
  root: 'web',
  base: '/',
  plugins: [react()],
  build: {
    outDir: '../dist-web',
    emptyOutDir: true,
    target: 'es2022',
    // The whole page is loaded once from loopback or the bank's own network.
    chunkSizeWarningLimit: 2_000,
  },
  server: {
    proxy: { '/api': serverUrl, '/health': serverUrl, '/metrics': serverUrl },
  },
})
