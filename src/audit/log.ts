import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { checkpointText, type CheckpointSigner } from './checkpoint.ts'
import { auditErrors } from './errors.ts'
import { createMerkleTree, leafHash } from './merkle.ts'
import type { AuditStore } from './ports.ts'
import type {
  AuditEntry,
  AuditQuery,
  AuditRecord,
  Checkpoint,
  ConsistencyProof,
  InclusionProof,
  NewAuditEntry,
} from './types.ts'

/** The log of everything that changes the bank's state. */
export interface AuditLog {
  /**
   * Adds an entry, in the transaction of the unit of work that runs, or in one of its own. Await
   * one append before the next of the same transaction. Throws `audit_entry_invalid` where the
   * reason is empty or the entry too large.
   */
  append(entry: NewAuditEntry): Promise<AuditEntry>
  /** How many entries are committed. */
  readonly size: number
  /** The root of the committed entries, as hex. */
  root(): string
  /** The entry at an index; throws `audit_entry_not_found`. */
  entry(index: number): Promise<AuditRecord>
  /** Entries that match, newest first; at most 1,000 at a time. */
  list(query: AuditQuery): Promise<AuditRecord[]>
  /** All actions and actors there are. */
  facets(): Promise<{ readonly actions: string[]; readonly actors: string[] }>
  inclusionProof(index: number, size?: number): InclusionProof
  consistencyProof(fromSize: number, toSize?: number): ConsistencyProof
  /**
   * Signs what the log holds now and saves it; the one saved last is returned where nothing was
   * added since. Throws `audit_inconsistent`, and signs nothing, where the entries contradict the
   * checkpoint before.
   */
  checkpoint(): Promise<Checkpoint>
  latestCheckpoint(): Promise<Checkpoint | undefined>
  /**
   * The log as lines of NDJSON without line ends: every entry of the latest checkpoint as its
   * leaf, then `{"checkpoint":…}`. This is what `verifyAudit` reads.
   */
  export(): AsyncGenerator<string>
  /** The public key that checks this log's checkpoints, as PEM. */
  readonly publicKey: string
}

export interface AuditLogDependencies {
  readonly clock: Clock
  readonly ids: Ids
  readonly signer: CheckpointSigner
  readonly unit: UnitOfWork
}

/** A leaf is never longer; what is larger belongs into an artifact, named here by its hash. */
const LEAF_CHARACTERS_MAX = 64 * 1024
const REASON_CHARACTERS_MAX = 4000
const LIST_MAX = 1000
const READ_CHUNK = 1000

/** Opens the log that a store holds, and builds its tree: about a second per million entries. */
export async function createAuditLog(
  store: AuditStore,
  { clock, ids, signer, unit }: AuditLogDependencies,
): Promise<AuditLog> {
  // The tree holds what is committed. An entry that a failed transaction takes back never enters.
  const tree = createMerkleTree()
  for await (const record of allRecords(store, await store.count())) {
    tree.append(leafHash(record.leaf))
  }

  // Committed leaves that the tree cannot take yet, because the leaf before them has not come.
  const early = new Map<number, Uint8Array>()

  function committed(record: AuditRecord): void {
    early.set(record.entry.index, Buffer.from(record.leafHash, 'hex'))
    for (let leaf = early.get(tree.size); leaf !== undefined; leaf = early.get(tree.size)) {
      early.delete(tree.size)
      tree.append(leaf)
    }
  }

  /** A listener that failed after a commit may have kept the tree from hearing of an entry. */
  async function catchUp(): Promise<void> {
    while (early.size > 0) {
      const [record] = await store.read(tree.size, 1)
      if (record === undefined) {
        throw auditErrors.audit_inconsistent(`Entry ${tree.size} was committed and is missing.`)
      }
      committed(record)
    }
  }

  function append(entry: NewAuditEntry): Promise<AuditEntry> {
    return unit.transaction(async () => {
      await catchUp()
      const record = recordOf(entry, await store.count(), ids('audit'), clock.nowUs())
      await store.append(record)
      unit.afterCommit(() => committed(record))
      return record.entry
    })
  }

  async function entryAt(index: number): Promise<AuditRecord> {
    const [record] = index < tree.size ? await store.read(index, 1) : []
    if (record === undefined) {
      throw auditErrors.audit_entry_not_found(`The log has ${tree.size} entries; ${index} is none.`)
    }
    return record
  }

  function inclusionProof(index: number, size: number = tree.size): InclusionProof {
    if (!(index >= 0 && index < size && size <= tree.size)) {
      throw auditErrors.audit_entry_not_found(`The log has ${tree.size} entries; ${index} is none.`)
    }
    return {
      index,
      size,
      leafHash: hex(tree.leaf(index)),
      root: hex(tree.root(size)),
      path: tree.inclusionPath(index, size).map(hex),
    }
  }

  function consistencyProof(fromSize: number, toSize: number = tree.size): ConsistencyProof {
    if (!(fromSize >= 0 && fromSize <= toSize && toSize <= tree.size)) {
      const asked = `from ${fromSize} to ${toSize}`
      throw auditErrors.audit_entry_not_found(`The log has ${tree.size} entries, not ${asked}.`)
    }
    return {
      fromSize,
      toSize,
      fromRoot: hex(tree.root(fromSize)),
      toRoot: hex(tree.root(toSize)),
      path: tree.consistencyPath(fromSize, toSize).map(hex),
    }
  }

  async function checkpoint(): Promise<Checkpoint> {
    return unit.transaction(async () => {
      await catchUp()
      const before = await store.latestCheckpoint()
      refuseContradiction(before)
      if (before?.size === tree.size && before.keyId === signer.keyId) return before
      const statement = {
        origin: signer.origin,
        size: tree.size,
        root: hex(tree.root()),
        atUs: clock.nowUs(),
      }
      const signature = Buffer.from(signer.sign(checkpointText(statement))).toString('base64')
      const signed = { ...statement, keyId: signer.keyId, signature }
      await store.saveCheckpoint(signed)
      return signed
    })
  }

  function refuseContradiction(before: Checkpoint | undefined): void {
    if (before === undefined) return
    const lost = before.size > tree.size
    if (lost || hex(tree.root(before.size)) !== before.root) {
      const found = lost ? `there are ${tree.size}` : 'they are not the same entries any more'
      throw auditErrors.audit_inconsistent(`${before.size} entries were signed, and ${found}.`)
    }
  }

  async function* exportLines(): AsyncGenerator<string> {
    const signed = await checkpoint()
    for await (const record of allRecords(store, signed.size)) yield record.leaf
    yield canonicalJson({ checkpoint: signed })
  }

  return {
    append,
    get size() {
      return tree.size
    },
    root: () => hex(tree.root()),
    entry: entryAt,
    list: (query) => store.list({ ...query, limit: Math.min(query.limit, LIST_MAX) }),
    facets: () => store.facets(),
    inclusionProof,
    consistencyProof,
    checkpoint,
    latestCheckpoint: () => store.latestCheckpoint(),
    export: exportLines,
    publicKey: signer.publicKey,
  }
}

async function* allRecords(store: AuditStore, size: number): AsyncGenerator<AuditRecord> {
  for (let from = 0; from < size;) {
    const records = await store.read(from, Math.min(READ_CHUNK, size - from))
    if (records.length === 0) {
      throw auditErrors.audit_inconsistent(`Entry ${from} of ${size} is missing.`)
    }
    yield* records
    from += records.length
  }
}

function recordOf(entry: NewAuditEntry, index: number, id: string, atUs: number): AuditRecord {
  const { actor, action, object, reason, details } = entry
  if (reason.trim() === '' || reason.length > REASON_CHARACTERS_MAX) {
    throw auditErrors.audit_entry_invalid(
      `The reason for ${action} has ${reason.length} characters; ` +
        `it needs some, and at most ${REASON_CHARACTERS_MAX}.`,
    )
  }
  if (!/^[a-z][a-z-]*(\.[a-z][a-z-]*)+$/.test(action)) {
    throw new Error(`"${action}" is no action: write room.what-happened in lower case.`)
  }
  const full = { index, id, atUs, actor, action, object, reason, details }
  const leaf = canonicalJson(full)
  if (leaf.length > LEAF_CHARACTERS_MAX) {
    throw auditErrors.audit_entry_invalid(
      `The entry for ${action} has ${leaf.length} characters; at most ${LEAF_CHARACTERS_MAX} fit.`,
    )
  }
  // Read back, so that the entry returned is the one that is recorded (undefined members left out).
  return { entry: JSON.parse(leaf) as AuditEntry, leaf, leafHash: hex(leafHash(leaf)) }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
