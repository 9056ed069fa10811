// What a run reads from outside: files of the project, data sets, products of other pipelines. Each is
// named by its digest when it is first asked for, and once more where it might have changed since.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { pipelineErrors } from '../errors.ts'
import type { CompiledInput } from './compiled.ts'
import { fileMark } from './file-mark.ts'
import type { OutputKind } from './kinds.ts'
import { digestFile, digestFolder, type PipelineObjects } from './objects.ts'
import type { KeptOutput, PipelineEngineStore, ProductVersion } from './records.ts'
import type { StepInput } from './step-run.ts'

/** Versions of data sets, as their catalogue knows them. */
export interface DatasetVersions {
  /** The newest version, or the one with this hash; undefined where there is none. */
  find(
    dataset: string,
    version: string | null,
  ): Promise<{ readonly digest: string; readonly paths: readonly string[] } | undefined>
}

export interface OutsidePorts {
  readonly directory: string
  readonly datasets: DatasetVersions
  readonly store: Pick<PipelineEngineStore, 'product'>
  readonly objects: PipelineObjects
  readonly partition: string | null
  /** Digests of files that were read before, by path; kept between runs. */
  readonly digests: Map<string, { readonly mark: string; readonly digest: string }>
}

export interface FoundInput extends StepInput {
  readonly source: string
  /** Where it may change while it is read: its path and what it looked like. */
  readonly watched: { readonly path: string; readonly mark: string } | null
}

type OutsideInput = Exclude<CompiledInput, { readonly from: 'step' }>

export interface Outside {
  /** Errors: `pipeline_input_missing`. */
  find(input: OutsideInput): Promise<FoundInput>
  /** The first of these that is not any more what it was. */
  changed(inputs: readonly FoundInput[]): FoundInput | undefined
}

/** Finds inputs from outside of the pipeline; the same one is looked at once in a run. */
export function createOutside(ports: OutsidePorts): Outside {
  const known = new Map<string, Promise<FoundInput>>()
  return {
    find(input) {
      const key = canonicalJson(input)
      const found = known.get(key) ?? findInput(input, ports)
      known.set(key, found)
      return found
    },
    changed(inputs) {
      return inputs.find(
        ({ watched }) => watched !== null && fileMark(watched.path) !== watched.mark,
      )
    },
  }
}

async function findInput(input: OutsideInput, ports: OutsidePorts): Promise<FoundInput> {
  switch (input.from) {
    case 'value':
      return findValue(input.value, input.kind, ports)
    case 'dataset':
      return findDataset(input, ports)
    case 'product':
      return findProduct(input, ports)
    case 'file':
    case 'folder':
      return findPath(input, ports)
  }
}

/** A file or folder of the project. Error: `pipeline_input_missing`. */
export async function findPath(
  { kind, from, path: named }: OutsideInput & { readonly from: 'file' | 'folder' },
  { directory, partition, digests }: Pick<OutsidePorts, 'directory' | 'partition' | 'digests'>,
): Promise<FoundInput> {
  const name = named.replaceAll('{partition}', partition ?? '')
  const path = join(directory, name)
  const mark = fileMark(path)
  if (mark === undefined || mark.startsWith('folder') !== (from === 'folder')) {
    throw pipelineErrors.pipeline_input_missing(`There is no ${from} ${path}.`)
  }
  const source = `${from} ${name}`
  if (from === 'folder') {
    const { digest } = await digestFolder(path)
    return { kind, digest, paths: [path], source, watched: null }
  }
  const before = digests.get(path)
  const digest = before?.mark === mark ? before.digest : (await digestFile(path)).digest
  digests.set(path, { mark, digest })
  return { kind, digest, paths: [path], source, watched: { path, mark } }
}

async function findDataset(
  { kind, dataset, version }: OutsideInput & { readonly from: 'dataset' },
  { datasets }: OutsidePorts,
): Promise<FoundInput> {
  const found = await datasets.find(dataset, version)
  if (found === undefined) {
    const which = version === null ? 'no version' : `no version ${version}`
    throw pipelineErrors.pipeline_input_missing(`The data set ${dataset} has ${which}.`)
  }
  return { kind, ...found, source: `data set ${dataset}`, watched: null }
}

async function findProduct(
  input: OutsideInput & { readonly from: 'product' },
  ports: OutsidePorts,
): Promise<FoundInput> {
  const { pipeline, output } = input
  const { partition, store } = ports
  // A pipeline of the same partitions reads its own; one without reads the whole.
  const found: ProductVersion | undefined =
    (partition === null ? undefined : await store.product(pipeline, output, partition)) ??
    (await store.product(pipeline, output, null))
  if (found === undefined) {
    throw pipelineErrors.pipeline_input_missing(
      `The pipeline ${pipeline} has not made its product ${output} yet.`,
    )
  }
  const source = `product ${pipeline}/${output} ${found.version}`
  return { ...(await keptInput(found.kept, source, ports.objects)), source, watched: null }
}

/** What a value is kept as. */
export function valueText(value: unknown): string {
  return canonicalJson(value)
}

async function findValue(
  value: unknown,
  kind: OutputKind,
  { objects }: OutsidePorts,
): Promise<FoundInput> {
  const text = valueText(value)
  const digest = sha256Hex(text)
  const path = objects.path(digest)
  if (!(await objects.has(digest))) {
    await mkdir(join(path, '..'), { recursive: true })
    const temporary = `${path}.value`
    await writeFile(temporary, text)
    await objects.adopt(temporary, 'file')
  }
  return { kind, digest, paths: [path], source: 'a value', watched: null }
}

/**
 * What another step made as an input. Error: `pipeline_input_missing` where it is gone, or is not any
 * more what its name says.
 */
export async function keptInput(
  { kind, digest }: KeptOutput,
  source: string,
  objects: PipelineObjects,
): Promise<StepInput> {
  if (await objects.has(digest, kind)) return { kind, digest, paths: [objects.path(digest)] }
  throw pipelineErrors.pipeline_input_missing(
    `What was kept of ${source} (${digest}) is gone or was changed; run what makes it anew.`,
  )
}
