// The model of a version that a home keeps, for `assay serve NAME@VERSION`.
import { createFolderArtifacts } from '../../adapters/folder/index.ts'
import type { ServedModel } from '../../serving/index.ts'
import { servedModelOf } from '../served-models.ts'
import { withKept } from './connection.ts'

/** Errors: `home_missing`, `version_not_found`, `alias_not_found`, `version_not_servable`. */
export function servedVersion(named: string, home: string): Promise<ServedModel> {
  const at = named.lastIndexOf('@')
  const [model, wanted] = [named.slice(0, at), named.slice(at + 1)]
  return withKept(home, async ({ registry, home: kept }) => {
    const { version } = /^v?\d{1,15}$/i.test(wanted)
      ? await registry.labelled(model, Number(wanted.replace(/^v/i, '')))
      : await registry.byAlias(model, wanted)
    const artifacts = createFolderArtifacts({ directory: kept.artifacts })
    const document = await servedModelOf(version, {
      modelJson: (name, number) => registry.modelJson(name, number),
      file: (sha256) => artifacts.get(sha256),
    })
    return { ...document, name: version.model, version: String(version.version) }
  })
}
