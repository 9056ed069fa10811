import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'

const sourceIndex = fileURLToPath(new URL('src/index.ts', import.meta.url))

export default defineConfig({
  // Inside the tree, `import … from 'assay'` means the sources, never a built dist/.
  resolve: {
    alias: [{ find: /^assay$/, replacement: sourceIndex }],
    conditions: ['assay-source'],
  },
  test: {
    include: [
      'src/**/*.test.ts',
      'test/**/*.test.ts',
      'examples/**/*.test.ts',
      'bench/**/*.test.ts',
      'web/**/*.test.{ts,tsx}',
    ],
    exclude: [...configDefaults.exclude, '**/template/**', '**/.assay/**'],
    setupFiles: process.env.ASSAY_PROPERTY_SEED ? ['test/property-seed.ts'] : [],
    pool: 'forks',
    // Code that a test loads through Node itself (workers, child processes, a project's own
    // files) resolves `assay` the same way.
    execArgv: ['--conditions=assay-source'],
    // Whole-system tests start processes and train models; a unit test that needs more than a
    // second deserves a look, but time never decides whether a test passes.
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
})
