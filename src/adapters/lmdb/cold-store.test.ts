import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { coldStoreCases } from '../../features/cold.cases.ts'
import { openLmdbColdStore } from './cold-store.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-lmdb-cold-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let made = 0

coldStoreCases('LMDB', () =>
  openLmdbColdStore(join(root, String(made++)), { waitingBytesMax: 5_000 }),
)
