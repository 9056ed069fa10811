// Live state built again from nothing but files, for those who copy what it knows.
import * as path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CompiledSource, Row } from '../data/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import type { FileSystem } from '../lib/files.ts'
import { readJournal } from '../lib/journal.ts'
import type { DeploymentFiles } from './deployed.ts'
import { Controls } from './controls.ts'
import { Offsets } from './offsets.ts'
import { decisionErrors } from './errors.ts'
import { applyRecord } from './recovery.ts'
import type { StateHolder } from './recovery.ts'
import { decodeRecord, isEventful } from './records.ts'

export interface RebuildRequest {
  /** The namespace's folder in decide's part of the home directory. */
  readonly directory: string
  readonly files: FileSystem
  readonly deployments: DeploymentFiles
  /** Told of every event of the journal, in its order, as a row of the source. */
  readonly onEvent?: (row: Row, source: CompiledSource) => void
}

export interface RebuiltState {
  readonly featureSets: readonly CompiledFeatureSet[]
  readonly source: CompiledSource
  /** Further sources that the feature sets read. */
  readonly others: readonly CompiledSource[]
  /** For `restoreFeatureState`. */
  readonly snapshot: Uint8Array
}

const RECORDS_A_TURN = 2048

/**
 * Plays the journal from its base on and returns the state that it leads to. Error: `not_ready`
 * where nothing was ever live there.
 */
export async function rebuildLiveState(request: RebuildRequest): Promise<RebuiltState> {
  const { directory, files, deployments, onEvent } = request
  const read = (from = 1) => readJournal(path.join(directory, 'journal'), files, from)
  const holder = emptyHolder(directory, { files, deployments }, read)
  let records = 0
  for await (const { sequence, payload } of read()) {
    const record = decodeRecord(payload)
    await applyRecord(holder, record, sequence)
    const { state } = holder
    if (isEventful(record) && state?.source.name === record.source) {
      onEvent?.(state.rowOf(record.event), state.source)
    }
    if (++records % RECORDS_A_TURN === 0) await nextTurn()
  }
  if (holder.state === undefined) throw decisionErrors.not_ready(`Nothing is live in ${directory}.`)
  const { featureSets, source, others } = holder.state
  return { featureSets, source, others, snapshot: holder.state.snapshot() }
}

/** A namespace without anything in it, to play a journal into. */
export function emptyHolder(
  directory: string,
  options: StateHolder['options'],
  read: StateHolder['journal']['read'],
): StateHolder {
  return {
    directory,
    clockKind: 'wall',
    state: undefined,
    base: null,
    held: undefined,
    policies: new Map(),
    sources: new Map(),
    labels: new Map(),
    layouts: new Map(),
    replayNowUs: null,
    controls: new Controls(),
    offsets: new Offsets(),
    memory: undefined,
    options,
    journal: { read },
  }
}
