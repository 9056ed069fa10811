import { cpSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openHome } from '../projects/index.ts'
import { readMaterial, saveMaterial } from './live-material.ts'

test('what was live is found again in a home that was moved', async () => {
  const home = await openHome(mkdtempSync(join(tmpdir(), 'assay-home-')), '0.1.0')
  expect(await readMaterial(home)).toBeUndefined()
  const checkpointPath = join(home.checkpoints, 'base.checkpoint')
  const material = { snapshot: 'a', labelsSnapshot: 'b', checkpointPath }
  await saveMaterial(home, material)
  expect(await readMaterial(home)).toEqual(material)
  const elsewhere = mkdtempSync(join(tmpdir(), 'assay-home-'))
  cpSync(home.root, elsewhere, { recursive: true })
  const moved = await openHome(elsewhere, '0.1.0')
  expect(await readMaterial(moved)).toEqual({
    ...material,
    checkpointPath: join(moved.checkpoints, 'base.checkpoint'),
  })
})
