// `assay models adopt`: a version that a client logged, or a model of another server, becomes a version of
// the project's own model.
import { resolve } from 'node:path'
import { exitCodes, type ModelsOptions, type Terminal } from '../../cli/index.ts'
import { contentHash } from '../../lib/hash.ts'
import { adoptModel, type AdoptRequest, type Examined } from '../../pipelines/index.ts'
import { codeEnvironment, codeRevision, type Home } from '../../projects/index.ts'
import { examineLogged } from '../../registry/index.ts'
import { version as assayVersion } from '../config.ts'
import type { Metadata } from '../metadata.ts'
import { openAdoptable, scoreOutside } from '../outside-adoption.ts'
import { allowsPrivate } from '../outside-runtimes.ts'
import { byCommand, withMetadata } from './connection.ts'
import { snapshotsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { loggedFiles } from './models-score.ts'
import { oneVersion } from './models.ts'
import { projectIn } from './project.ts'
import { isModelUrl, remoteBody } from './remote-body.ts'

/**
 * Ends with `notHeld` where the gate refuses it. Errors: `version_not_adopted`, `inputs_unbound`,
 * `test_rows_missing`, `adopted_unmeasured`, and those of what computes it.
 */
export async function adopt(
  name: string,
  options: ModelsOptions,
  terminal: Terminal,
): Promise<number> {
  const { compiled: project, directory } = await projectIn(options.project ?? '.')
  const outside = { allowPrivate: allowsPrivate() }
  const examined = await withMetadata(resolve(options.home), async (metadata, home) => {
    const { brought, model, close } = isModelUrl(name)
      ? await openRemoteModel(name, outside)
      : await openBrought(name, { metadata, home, device: options.device }, outside)
    try {
      const by = byCommand('models adopt')
      await metadata.projects.apply(project, by)
      return await adoptModel(
        { project, brought, model, names: options.input ?? {} },
        {
          ...metadata,
          snapshots: snapshotsOf(home),
          scoreOutside: scoreOutside(home, outside),
          by,
          codeRevision: codeRevision(directory, assayVersion),
          environment: codeEnvironment(directory),
        },
        (figure) => progress(figure, terminal),
      )
    } finally {
      await close?.()
    }
  })
  const { out } = terminal
  if (options.json) out.line(JSON.stringify(summaryOf(examined), null, 2))
  else print(examined, terminal)
  return examined.gate.passed ? exitCodes.ok : exitCodes.notHeld
}

/** Largest model file that is adopted, which is the largest that is served. */
const FILE_BYTES_MAX = 128 * 1024 * 1024

type Opened = Pick<AdoptRequest, 'brought' | 'model'> & { close?(): Promise<void> }
type Outside = Parameters<typeof openAdoptable>[1]

/** Read as data where our engine computes it, else made ready in ONNX Runtime. */
async function openBrought(
  name: string,
  {
    metadata,
    home,
    device,
  }: { readonly metadata: Metadata; readonly home: Home; readonly device: string | undefined },
  outside: Outside,
): Promise<Opened> {
  const brought = await oneVersion(metadata.registry, name)
  const { model, version } = brought
  const files = brought.brought?.files
  if (files === undefined) {
    throw commandErrors.version_not_adopted(`${model} version ${version} was made here.`)
  }
  const { content, description } = await examineLogged(await loggedFiles(brought, files, home), {
    hasOnnxRuntime: true,
    maxBytes: FILE_BYTES_MAX,
  })
  if (content === undefined) {
    throw commandErrors.version_not_adopted(`${model} version ${version}: ${description.why}`)
  }
  if (content.by === 'engine') {
    if (device === undefined) return { brought, model: content.model }
    throw commandErrors.option_invalid(
      `${model} version ${version} is computed by the engine, on the processor: leave --device out.`,
    )
  }
  const { bytes, features } = content
  const file = Buffer.from(bytes).toString('base64')
  const body = {
    kind: 'onnx',
    file,
    ...(features && { features }),
    ...(device && { device }),
  } as const
  const opened = await openAdoptable({ name: model, version: String(version), body }, outside)
  return { ...opened, brought }
}

/** Under a name alone another model could answer tomorrow, so the version is part of the address. */
async function openRemoteModel(url: string, outside: Outside): Promise<Opened> {
  const body = remoteBody(url)
  const { model, version } = body
  if (version === undefined) {
    throw commandErrors.option_invalid(`${url} names no version: end it with /versions/N.`)
  }
  const opened = await openAdoptable({ name: model, version, body }, outside)
  return { ...opened, brought: { model, version, hash: contentHash(body), trainedBy: [] } }
}

function progress(figure: string, { err }: Terminal): void {
  if (err.interactive) err.raw(`\r\u001b[K${err.style('dim', `… ${figure}`)}`)
}

function summaryOf({ version, gate }: Examined) {
  const { model, version: number, status, metrics, thresholds } = version
  return { model, version: number, status, metrics, thresholds, checks: gate.checks }
}

function print({ version, gate }: Examined, { out, err }: Terminal): void {
  if (err.interactive) err.raw('\r\u001b[K')
  const mark = gate.passed ? out.style('green', '✓') : out.style('red', '✗')
  const { model, version: number, status } = version
  out.line(`${mark} ${out.style('bold', `${model} version ${number}`)}: ${status}`)
  for (const check of gate.checks) out.line(`    ${check.passed ? '✓' : '✗'} ${check.message}`)
}
