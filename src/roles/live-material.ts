// What was live last: snapshot, labels and base state, from which a replay can go on or begin anew.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../lib/files.ts'
import type { LiveMaterial } from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'

const fileOf = (home: Home) => join(home.published, 'live.json')

export async function saveMaterial(home: Home, material: LiveMaterial): Promise<void> {
  await writeFileAtomic(fileOf(home), Buffer.from(JSON.stringify(material)))
}

/** Undefined before anything was live. */
export async function readMaterial(home: Home): Promise<LiveMaterial | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(home), 'utf8')) as LiveMaterial
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
