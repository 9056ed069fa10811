// Models that another thread or server computes, on rows of a table: to become a version of the project,
// and to be compared with as its champion.
import { createFolderArtifacts } from '../adapters/folder/index.ts'
import { selectColumns } from '../lib/matrix.ts'
import type { AdoptableOutside, ScoreOutside } from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'
import {
  chancesOf,
  goldenFor,
  openRuntime,
  readServedModel,
  rowInputs,
  rowTensors,
  writeServedModel,
  type ServedModel,
} from '../serving/index.ts'
import { rolesErrors } from './errors.ts'
import { openOutside, type OutsideBody, type OutsideOptions } from './outside-runtimes.ts'

export interface OpenAdoptable {
  readonly model: AdoptableOutside
  close(): Promise<void>
}

/** Errors: those of `openOutside`. */
export async function openAdoptable(
  named: Pick<ServedModel, 'name' | 'version'> & { readonly body: OutsideBody },
  options: OutsideOptions,
): Promise<OpenAdoptable> {
  const { name, version, body } = named
  const runtime = await openOutside(body, options)
  const { signature } = runtime
  return {
    model: {
      kind: 'outside',
      inputs: rowInputs(signature),
      score: (x) => chancesOf(runtime, x),
      async document(rows) {
        const golden = await goldenFor(runtime, body, rowTensors(signature, rows))
        return writeServedModel({ format: 1, name, version, body, golden })
      },
    },
    close: () => runtime.close(),
  }
}

/** The chances by an adopted model, whose document the run keeps that measured it. */
export function scoreOutside(home: Home, options: OutsideOptions): ScoreOutside {
  const artifacts = createFolderArtifacts({ directory: home.artifacts })
  return async ({ served, features }, x) => {
    const { body } = await servedDocument(served, (sha256) => artifacts.get(sha256))
    const runtime = await openRuntime(body, (outside) => openOutside(outside, options))
    try {
      return await chancesOf(runtime, selectColumns(x, features), { each: false })
    } finally {
      await runtime.close()
    }
  }
}

/** Errors: `version_not_servable` where it is not kept any more, `served_model_invalid`. */
export async function servedDocument(
  served: string,
  file: (sha256: string) => Promise<Uint8Array | undefined>,
): Promise<ServedModel> {
  const bytes = await file(served)
  if (bytes !== undefined) return readServedModel(bytes, served)
  throw rolesErrors.version_not_servable(
    `The document ${served} by which the version is computed is not among the files of this home.`,
  )
}
