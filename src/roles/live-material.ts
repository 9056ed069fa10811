// What was live last: snapshot, labels and base state, from which a replay can go on or begin anew.
import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { writeFileAtomic } from '../lib/files.ts'
import type { LiveMaterial } from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'

const fileOf = (home: Home) => join(home.published, 'live.json')

/** Paths are kept relative to the home, which may be moved or restored elsewhere. */
export async function saveMaterial(home: Home, material: LiveMaterial): Promise<void> {
  const checkpointPath = relative(home.root, material.checkpointPath)
  await writeFileAtomic(fileOf(home), Buffer.from(JSON.stringify({ ...material, checkpointPath })))
}

/** Undefined before anything was live. */
export async function readMaterial(home: Home): Promise<LiveMaterial | undefined> {
  try {
    const material = JSON.parse(await readFile(fileOf(home), 'utf8')) as LiveMaterial
    return { ...material, checkpointPath: resolve(home.root, material.checkpointPath) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
