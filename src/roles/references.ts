// What live values are compared with, one file a model, named by the model's hash.
import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from '../lib/files.ts'
import { directoryDeployments } from '../decisions/index.ts'
import type { MonitoringReference } from '../monitoring/index.ts'
import type { Home } from '../projects/index.ts'
import { deploymentsDirectory } from '../server/decide/index.ts'
import type { References } from '../server/keep/index.ts'

/** Reads references by model or by deployment; both never change, so each is read once. */
export function openReferences(home: Home): References {
  const known = new Map<string, MonitoringReference>()
  const modelOf = new Map<string, string>()
  const documents = directoryDeployments(deploymentsDirectory(home))

  async function read(modelHash: string): Promise<MonitoringReference | undefined> {
    const cached = known.get(modelHash)
    if (cached !== undefined) return cached
    try {
      const reference = JSON.parse(
        await readFile(fileOf(home, modelHash), 'utf8'),
      ) as MonitoringReference
      known.set(modelHash, reference)
      return reference
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  return {
    read,
    async ofDeployment(deployment) {
      let model = modelOf.get(deployment)
      if (model === undefined) {
        model = (await documents.read(deployment))?.model.version
        if (model === undefined) return undefined
        modelOf.set(deployment, model)
      }
      return read(model)
    },
  }
}

export async function keepReference(
  home: Home,
  modelHash: string,
  reference: MonitoringReference,
): Promise<void> {
  await writeFileAtomic(fileOf(home, modelHash), Buffer.from(JSON.stringify(reference)))
}

function fileOf(home: Home, modelHash: string): string {
  if (!/^[0-9a-f]{64}$/.test(modelHash)) throw new Error(`${modelHash} is no hash.`)
  return join(home.published, `reference-${modelHash}.json`)
}
