// A store of derived data is never worth a start that fails: one that is damaged is put aside and a new
// one is made, which its owner fills from what it follows from.
import { fork } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isAssayError } from '../../lib/errors.ts'
import { checkWhole } from './whole-file.ts'

/**
 * What the last end of this process says of its stores. LMDB trusts its file: a page that was spoilt may
 * end the process with a signal, which nothing can catch. `looked-over`: a process of its own reads the
 * whole store first, so that it is that process which falls. `spoilt`: it fell again though nothing was
 * found, so no store of before is opened.
 */
export type Suspicion = 'none' | 'looked-over' | 'spoilt'

export interface MendOptions {
  readonly suspicion?: Suspicion | undefined
  /** Of a store that has several. */
  readonly tables?: readonly string[]
  /** Other processes write to it: nobody can say that its file has all its pages. */
  readonly isShared?: boolean
  /** Told of a store that was put aside, and where it lies now. */
  readonly onDamaged?: ((message: string) => void) | undefined
  /** A store that takes longer to look over counts as damaged: to make it anew is bounded too. */
  readonly lookMsMax?: number | undefined
}

const LOOK_MS_MAX = 60_000

/** Opens the store in a directory, or a new one where that cannot be opened for what lies in it. */
export async function openMended<Store>(
  directory: string,
  open: () => Store | Promise<Store>,
  options: MendOptions = {},
): Promise<Store> {
  const why = await damageOf(directory, options)
  if (why !== undefined) putAside(directory, why, options)
  try {
    return await open()
  } catch (error) {
    if (!existsSync(directory) || isRefusedBySystem(error)) throw error
    putAside(directory, String(error), options)
    return await open()
  }
}

/** Tells the next opening that what lies in a directory is not what was put there. */
export function noteDamage(directory: string): void {
  writeFileSync(noteFile(directory), '')
}

/** Where a damaged store is kept for people to look at; the one before it is removed. */
export function asideOf(directory: string): string {
  return `${directory}.damaged`
}

async function damageOf(directory: string, options: MendOptions): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined
  if (existsSync(noteFile(directory))) return 'a value in it is not what was put there'
  try {
    if (options.isShared !== true) checkWhole(directory)
  } catch (error) {
    return (error as Error).message
  }
  switch (options.suspicion ?? 'none') {
    case 'none':
      return undefined
    case 'spoilt':
      return 'the process fell twice over its stores'
    case 'looked-over':
      return await look(directory, options)
  }
}

function putAside(directory: string, why: string, { onDamaged }: MendOptions): void {
  const aside = asideOf(directory)
  rmSync(aside, { recursive: true, force: true })
  renameSync(directory, aside)
  rmSync(noteFile(directory), { force: true })
  mkdirSync(directory, { recursive: true })
  onDamaged?.(`${directory} is damaged (${why}); it is kept as ${aside} and made anew.`)
}

function noteFile(directory: string): string {
  return `${directory}.note`
}

/** A full disk, missing rights and the like are not the store's fault. */
function isRefusedBySystem(error: unknown): boolean {
  if (isAssayError(error)) return !isAssayError(error, 'cold_store_damaged', 'index_damaged')
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' && /^E[A-Z]+$/.test(code)
}

/** Why a process that reads all of a store did not come to its end; undefined where it did. */
function look(
  directory: string,
  { tables = [], lookMsMax: msMax = LOOK_MS_MAX }: MendOptions,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = fork(new URL('./look.ts', import.meta.url), [directory, ...tables], {
      stdio: 'ignore',
      execArgv: [],
      timeout: msMax,
      killSignal: 'SIGKILL',
    })
    child.once('error', (error) => resolve(`it could not be looked over: ${error.message}`))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined)
      else if (signal === 'SIGKILL') resolve(`it was not read within ${msMax} ms`)
      else resolve(`it cannot be read (${signal ?? `code ${code}`})`)
    })
  })
}
