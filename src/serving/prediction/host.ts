/** The models that a process serves, by name and version, each with how it stands. */
import { isAssayError } from '../../lib/errors.ts'
import { servingErrors } from '../errors.ts'
import type { ServedBody, ServedModel } from './document.ts'
import { engineRuntime, preparedRuntime } from './engine-runtime.ts'
import type { ModelRuntime } from './ports.ts'
import { warmUp } from './warm-up.ts'

export type ModelState =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly runtime: ModelRuntime }
  | { readonly state: 'unavailable'; readonly reason: string }

export interface HostedModel {
  readonly name: string
  readonly version: string
  readonly standing: ModelState
}

/** What the doors ask of whoever hosts models. */
export interface ModelHost {
  /** Without a version the one that the name stands for. Error: `served_model_unknown`. */
  find(name: string, version?: string): HostedModel
  /** By name, then in the order in which they were loaded. */
  list(): readonly HostedModel[]
}

/** Makes a body ready that this room does not compute itself. */
export type OpenRuntime = (
  body: Exclude<ServedBody, { kind: 'engine' | 'prepared' }>,
) => Promise<ModelRuntime>

export interface LoadingHost extends ModelHost {
  /**
   * Makes a model ready and warms it up; resolves when it is ready or unavailable, which is told in
   * its standing, never thrown.
   */
  load(document: ServedModel): Promise<HostedModel>
  close(): Promise<void>
}

/** The runtime of any body. Errors: `model_invalid` and those of `open`. */
export async function openRuntime(body: ServedBody, open: OpenRuntime): Promise<ModelRuntime> {
  switch (body.kind) {
    case 'engine':
      return engineRuntime(body.model)
    case 'prepared':
      return preparedRuntime(body.model)
    case 'onnx':
    case 'remote':
      return open(body)
    default:
      throw servingErrors.served_model_invalid('The document names no kind of model that is known.')
  }
}

/** Of a name without a version the one that was loaded last answers. */
export function createModelHost(open: OpenRuntime): LoadingHost {
  const models = new Map<string, HostedModel[]>()

  function put(model: HostedModel): HostedModel {
    const others = (models.get(model.name) ?? []).filter(({ version }) => version !== model.version)
    models.set(model.name, [...others, model])
    return model
  }

  return {
    find: (name, version) => findIn(models.get(name) ?? [], name, version),
    list: () => [...models.values()].flat(),
    async load({ name, version, body, golden }) {
      put({ name, version, standing: { state: 'loading' } })
      return put({ name, version, standing: await prepare(body, golden, open) })
    },
    async close() {
      const hosted = [...models.values()].flat()
      models.clear()
      await Promise.all(
        hosted.map(async ({ standing }) => standing.state === 'ready' && standing.runtime.close()),
      )
    },
  }
}

/** Error: `served_model_unknown`. */
export function findIn(
  models: readonly HostedModel[],
  name: string,
  version: string | undefined,
): HostedModel {
  const found =
    version === undefined ? models.at(-1) : models.find((model) => model.version === version)
  if (found !== undefined) return found
  const what = version === undefined || models.length === 0 ? '' : ` in version ${version}`
  throw servingErrors.served_model_unknown(`No model ${name.slice(0, 100)}${what} is served here.`)
}

/** The runtime of a model that is ready. Error: `served_model_unready`, with the reason. */
export function runtimeOf({ name, version, standing }: HostedModel): ModelRuntime {
  if (standing.state === 'ready') return standing.runtime
  const why =
    standing.state === 'loading' ? 'is being loaded' : `is unavailable: ${standing.reason}`
  throw servingErrors.served_model_unready(`${name} version ${version} ${why}`, {
    extra: { retryAfter: 1 },
  })
}

async function prepare(
  body: ServedBody,
  golden: ServedModel['golden'],
  open: OpenRuntime,
): Promise<ModelState> {
  let runtime: ModelRuntime | undefined
  try {
    runtime = await openRuntime(body, open)
    await warmUp(runtime, body, golden)
    return { state: 'ready', runtime }
  } catch (error) {
    await runtime?.close()
    return { state: 'unavailable', reason: isAssayError(error) ? error.detail : String(error) }
  }
}
