// The bases that a namespace keeps: the live state that history ended in, copied in when it was loaded.
// A base cannot be had from the journal alone, so one that is lost or damaged is looked for where else it
// lies; what is not found is made again by `assay repair`. A file counts only under its own hash.
import * as path from 'node:path'
import { isAssayError } from '../lib/errors.ts'
import { fileErrorCode } from '../lib/files.ts'
import type { FileSystem } from '../lib/files.ts'
import { copyCheckpoint, readCheckpoint } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { decisionErrors } from './errors.ts'
import { outlinesIn, recordsIn, type SegmentOutline } from './outlines.ts'
import type { StateHolder } from './recovery.ts'
import { decodeRecord } from './records.ts'
import type { BaseRecord } from './records.ts'

export interface BaseHolder {
  /** Of the namespace. */
  readonly directory: string
  readonly options: {
    readonly files: FileSystem
    /** The folder in which bases are made; only who may write to the namespace has one. */
    readonly bases?: string | undefined
    readonly onWarning?: (message: string, error: unknown) => void
  }
}

type Base = Checkpoint & { readonly hash: string }

/** Where a namespace keeps its copy of a base. */
export function baseFile(directory: string, hash: string): string {
  return path.join(directory, 'state', baseName(hash))
}

export function baseName(hash: string): string {
  return `base-${hash.slice(0, 16)}`
}

/**
 * Reads a namespace's base by its hash. One that is lost or damaged is put back from another copy in
 * the same home, where the holder may write. Error: `base_lost`.
 */
export async function readBase(holder: BaseHolder, hash: string): Promise<Base> {
  const { directory, options } = holder
  const file = baseFile(directory, hash)
  try {
    return await readAs(file, hash, options.files)
  } catch (cause) {
    if (!isAssayError(cause, 'checkpoint_invalid')) throw cause
    const copy = await findCopy(holder, hash)
    if (copy === undefined) {
      throw decisionErrors.base_lost(
        `${cause.detail} Live state began with it, and no other copy lies in this home.`,
        { cause },
      )
    }
    await putBase(file, copy.base, options.files)
    options.onWarning?.(`${file} is put back from ${copy.file}.`, cause)
    return copy.base
  }
}

/** Puts a base in its place; what lies there is kept beside it, as `.damaged`. */
export async function putBase(file: string, base: Checkpoint, files: FileSystem): Promise<void> {
  try {
    await files.rename(file, `${file}.damaged`)
  } catch (error) {
    if (fileErrorCode(error) !== 'ENOENT') throw error
  }
  await copyCheckpoint(file, base, files)
}

async function readAs(file: string, hash: string, files: FileSystem): Promise<Base> {
  const base = await readCheckpoint(file, files)
  if (base.hash === hash) return base
  throw decisionErrors.checkpoint_invalid(`${file} is another base, ${base.hash}.`)
}

async function findCopy(
  { directory, options: { files, bases } }: BaseHolder,
  hash: string,
): Promise<{ readonly file: string; readonly base: Base } | undefined> {
  if (bases === undefined) return undefined
  const made = await namesIn(bases, files)
  // Every namespace has a folder and a file beside it.
  const namespaces = await namesIn(path.dirname(directory), files)
  const others = namespaces
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -5))
  const candidates = [
    ...made.filter((name) => name.endsWith('.checkpoint')).map((name) => path.join(bases, name)),
    ...others
      .map((name) => path.join(path.dirname(directory), name))
      .filter((other) => other !== directory)
      .map((other) => baseFile(other, hash)),
  ]
  for (const file of candidates) {
    try {
      return { file, base: await readAs(file, hash, files) }
    } catch (error) {
      if (!isAssayError(error, 'checkpoint_invalid')) throw error
    }
  }
  return undefined
}

async function namesIn(directory: string, files: FileSystem): Promise<string[]> {
  try {
    return await files.list(directory)
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** A base that a namespace's journal names. */
export interface KnownBase {
  readonly namespace: string
  readonly record: BaseRecord
  readonly file: string
  /** Why it cannot be used; null where it is whole, or was put back from another copy. */
  readonly problem: string | null
}

/**
 * Looks over the bases of every namespace in decide's folder, and puts back those of which another
 * copy lies in the home. For who has the home alone.
 */
export async function mendBases(
  decide: string,
  options: BaseHolder['options'],
): Promise<KnownBase[]> {
  const found: KnownBase[] = []
  for (const name of await namesIn(decide, options.files)) {
    if (!name.endsWith('.json')) continue
    const namespace = name.slice(0, -5)
    const directory = path.join(decide, namespace)
    const journal = path.join(directory, 'journal')
    const holdsBase = ({ types }: SegmentOutline) => types.base !== undefined
    for await (const { payload } of recordsIn(journal, options.files, { touches: holdsBase })) {
      const record = decodeRecord(payload)
      if (record.type !== 'base') continue
      const problem = await readBase({ directory, options }, record.checkpoint).then(
        () => null,
        (error: unknown) => {
          if (isAssayError(error, 'base_lost')) return error.detail
          throw error
        },
      )
      found.push({ namespace, record, file: baseFile(directory, record.checkpoint), problem })
    }
  }
  return found
}

/**
 * Counts what a base holds of the journal up to a sequence, segment by segment as their outlines say, and
 * returns the last sequence that is counted. Where other programs read online values, each record must be
 * looked at, and this counts none.
 */
export async function noteHeldSegments(
  { directory, options, state, online }: HoldingState,
  through: number,
): Promise<number> {
  let counted = 0
  if (online !== undefined || through === 0) return counted
  for await (const { outline } of outlinesIn(path.join(directory, 'journal'), options.files)) {
    if (outline.lastSequence > through) break
    state!.noteHeldIn(outline)
    counted = outline.lastSequence
  }
  return counted
}

type HoldingState = Pick<StateHolder, 'directory' | 'options' | 'state' | 'online'>

/** Puts a base that was made again in its place, if it is the recorded one. */
export async function installBase(
  { file, record }: KnownBase,
  made: string,
  files: FileSystem,
): Promise<void> {
  await putBase(file, await readAs(made, record.checkpoint, files), files)
}
