/** The models that a process serves, by name and version, each with how it stands. */
import { servingErrors } from '../errors.ts'
import type { Golden, ServedBody, ServedModel } from './document.ts'
import { engineRuntime, preparedRuntime } from './engine-runtime.ts'
import { keepReady, type KeepReadyOptions, type KeptReady, type ModelState } from './keep-ready.ts'
import type { ModelRuntime } from './ports.ts'
import { compareGolden } from './golden.ts'
import { warmUp } from './warm-up.ts'

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
   * its standing, never thrown. From then on it is made ready again whenever what computes it ends.
   * `golden` gives a golden set beside that of the document, read by the signature of the model.
   */
  load(document: ServedModel, golden?: GoldenReader): Promise<HostedModel>
  close(): Promise<void>
}

export type GoldenReader = (runtime: ModelRuntime) => Golden

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

export type ModelHostOptions = Partial<Pick<KeepReadyOptions, 'onTrouble' | 'later'>>

/** Of a name without a version the one that was loaded last answers. */
export function createModelHost(open: OpenRuntime, options: ModelHostOptions = {}): LoadingHost {
  const models = new Map<string, Kept[]>()
  const { onTrouble = () => {} } = options

  return {
    find: (name, version) => findIn(models.get(name) ?? [], name, version),
    list: () => [...models.values()].flat(),
    async load({ name, version, body, golden }, reader) {
      const model = hosted(name, version, {
        ...options,
        onTrouble,
        open: () => prepare(body, { golden, reader, open }),
      })
      const known = models.get(name) ?? []
      models.set(name, [...known.filter((each) => each.version !== version), model])
      await known.find((each) => each.version === version)?.kept.close()
      await model.kept.tried
      return model
    },
    async close() {
      const all = [...models.values()].flat()
      models.clear()
      await Promise.all(all.map(({ kept }) => kept.close()))
    },
  }
}

interface Kept extends HostedModel {
  readonly kept: KeptReady
}

/** Its standing is what it is at the moment. */
export function hosted(name: string, version: string, options: KeepReadyOptions): Kept {
  const kept = keepReady(options)
  return {
    name,
    version,
    kept,
    get standing() {
      return kept.standing()
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
    standing.state === 'loading' ? 'is being loaded' : `is ${standing.state}: ${standing.reason}`
  throw servingErrors.served_model_unready(`${name} version ${version} ${why}`, {
    extra: { retryAfter: 1 },
  })
}

async function prepare(
  body: ServedBody,
  how: {
    readonly golden: Golden | undefined
    readonly reader: GoldenReader | undefined
    readonly open: OpenRuntime
  },
): Promise<ModelRuntime> {
  const runtime = await openRuntime(body, how.open)
  try {
    if (how.reader !== undefined) await compareGolden(runtime, how.reader(runtime))
    await warmUp(runtime, body, how.golden)
    return runtime
  } catch (error) {
    await runtime.close()
    throw error
  }
}
