import { contentHash } from '../lib/hash.ts'
import { fail } from './errors.ts'
import type { SnapshotOrigin, SnapshotRecord } from './ports.ts'

/**
 * What a dataset's version is named by: its snapshots in order, each with the contract that its rows
 * passed. A snapshot's hash covers every value, so the version's covers all of its content, however
 * the rows lie in files.
 */
export interface DatasetManifest {
  readonly format: 'assay-dataset/1'
  readonly dataset: string
  readonly kind: 'source' | 'labels'
  /** Oldest first; rows of a later one stand behind those of an earlier one of the same time. */
  readonly snapshots: readonly {
    readonly hash: string
    /** Version of the contract. */
    readonly contract: string
  }[]
}

/** What a state of a dataset was when it was recorded, and what became of it. */
export interface DatasetVersion {
  readonly dataset: string
  readonly kind: 'source' | 'labels'
  /** 1, 2, … in the order in which the dataset's states were recorded. */
  readonly number: number
  /** SHA-256 (hex) of the manifest's canonical JSON: equal content has an equal name. */
  readonly hash: string
  /** The state before it; null for the first. */
  readonly parent: number | null
  /** The version whose content a roll-back brought again; null for ingestions. */
  readonly restores: number | null
  /** Whether it started the content anew or added to its parent's. */
  readonly mode: 'replace' | 'append'
  /** Version of the newest snapshot's contract. */
  readonly contractVersion: string
  readonly snapshots: number
  /** Hash of the newest snapshot: what a model's record names. */
  readonly lastSnapshot: string
  readonly rows: number
  /** Time of the first and last row, µs UTC; null where there are none. */
  readonly fromUs: number | null
  readonly toUs: number | null
  readonly origin: SnapshotOrigin
  readonly recordedAtUs: number
  /** Who recorded it and why; null for versions older than this record. */
  readonly recordedBy: string | null
  readonly reason: string | null
  /** Set once retention took it away: then its rows can no longer be read. */
  readonly removed: VersionRemoval | null
}

export interface VersionRemoval {
  readonly atUs: number
  readonly by: string
  readonly reason: string
}

/** Error: `dataset_version_removed`, where the version's rows can no longer be read. */
export function refuseRemoved({ dataset, number, removed }: DatasetVersion): void {
  if (removed === null) return
  throw fail.dataset_version_removed(
    `Version ${number} of ${dataset} was removed by ${removed.by}: ${removed.reason}`,
  )
}

/** What a version says of a snapshot: of thousands nothing more is read. */
export interface VersionPart extends Pick<
  SnapshotRecord,
  'dataset' | 'kind' | 'hash' | 'mode' | 'rows' | 'fromUs' | 'toUs'
> {
  readonly contract: { readonly version: string }
}

/** The manifest of a state that consists of these snapshots, oldest first. */
export function datasetManifest(parts: readonly VersionPart[]): DatasetManifest {
  const { dataset, kind } = parts.at(-1)!
  return {
    format: 'assay-dataset/1',
    dataset,
    kind,
    snapshots: parts.map(({ hash, contract }) => ({ hash, contract: contract.version })),
  }
}

/** The name of a state of a dataset: the SHA-256 (hex) of its manifest's canonical JSON. */
export function datasetHash(parts: readonly VersionPart[]): string {
  return contentHash(datasetManifest(parts))
}

/** What only the recording of a version knows; the rest follows from its snapshots. */
export interface VersionFacts {
  readonly number: number
  readonly restores: number | null
  readonly recordedAtUs: number
  readonly recordedBy: string | null
  readonly reason: string | null
  /** Of its newest snapshot. */
  readonly origin: SnapshotOrigin
}

/** A version as it is when it is recorded. `parts` are its snapshots, oldest first; at least one. */
export function versionOf(parts: readonly VersionPart[], facts: VersionFacts): DatasetVersion {
  const last = parts.at(-1)!
  return {
    dataset: last.dataset,
    kind: last.kind,
    number: facts.number,
    hash: datasetHash(parts),
    parent: facts.number === 1 ? null : facts.number - 1,
    restores: facts.restores,
    mode: facts.restores === null ? last.mode : 'replace',
    contractVersion: last.contract.version,
    snapshots: parts.length,
    lastSnapshot: last.hash,
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    fromUs: extreme(
      Math.min,
      parts.map(({ fromUs }) => fromUs),
    ),
    toUs: extreme(
      Math.max,
      parts.map(({ toUs }) => toUs),
    ),
    origin: facts.origin,
    recordedAtUs: facts.recordedAtUs,
    recordedBy: facts.recordedBy,
    reason: facts.reason,
    removed: null,
  }
}

/** The snapshots of a version as a roll-back records them again: the first starts anew. */
export function restored(parts: readonly SnapshotRecord[]): SnapshotRecord[] {
  return parts.map((part, index) => ({ ...part, mode: index === 0 ? 'replace' : 'append' }))
}

/** How a person names a version of a dataset. */
export type VersionName =
  | { readonly by: 'latest' }
  | { readonly by: 'number'; readonly number: number }
  | { readonly by: 'hash'; readonly prefix: string }
  | { readonly by: 'tag'; readonly tag: string }

const hashPrefixMin = 8

/** `latest`, `3` or `v3`, the first eight or more digits of a hash, else a tag. */
export function parseVersionName(text: string): VersionName {
  if (text === 'latest') return { by: 'latest' }
  const number = /^v?(\d{1,9})$/.exec(text)
  if (number !== null) return { by: 'number', number: Number(number[1]) }
  if (text.length >= hashPrefixMin && /^[0-9a-f]{8,64}$/.test(text)) {
    return { by: 'hash', prefix: text }
  }
  return { by: 'tag', tag: text }
}

/** Whether a text can be a tag: nothing that could be read as another name of a version. */
export function isTag(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(text) && parseVersionName(text).by === 'tag'
}

function extreme(of: (...values: number[]) => number, values: readonly (number | null)[]) {
  const known = values.filter((value) => value !== null)
  // Spreading thousands of values into one call could exceed the stack.
  return known.length === 0 ? null : known.reduce((a, b) => of(a, b))
}
