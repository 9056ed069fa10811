/**
 * The offline verifier. It shares no code with the writer of the log, and needs nothing but
 * `node:crypto`, so that one mistake cannot hide in both; an auditor can read it in one sitting,
 * or write it again from RFC 9162 §2.1 and C2SP tlog-checkpoint.
 */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'

/** A checkpoint as an export holds it. */
export interface VerifiableCheckpoint {
  readonly origin: string
  readonly size: number
  readonly root: string
  readonly atUs: number
  readonly keyId: string
  readonly signature: string
}

export type AuditFindingKind =
  | 'checkpoint-missing'
  | 'checkpoint-unreadable'
  | 'signature-wrong'
  | 'entry-unreadable'
  | 'entry-out-of-place'
  | 'entry-changed'
  | 'entries-missing'
  | 'entries-added'
  | 'root-wrong'
  | 'history-rewritten'

/** One thing that is not as it was signed. */
export interface AuditFinding {
  readonly kind: AuditFindingKind
  /** The entry's index, where one entry is meant. */
  readonly index?: number
  readonly message: string
}

export interface AuditVerdict {
  readonly intact: boolean
  /** How many entries were read, and the root that they have, as hex. */
  readonly size: number
  readonly root: string
  /** What is wrong, at most 100 findings; empty exactly when intact. */
  readonly findings: readonly AuditFinding[]
}

export interface VerifyOptions {
  /** The public key as PEM, from a source other than the export itself. */
  readonly publicKey: string
  /**
   * Checkpoints known from elsewhere (an earlier export, a witness). Only these can show that the
   * whole log, checkpoint included, was replaced by an older or another one.
   */
  readonly known?: readonly VerifiableCheckpoint[]
  /** Leaf hashes as hex kept elsewhere: they tell which entry was changed, not just that one was. */
  readonly leafHashes?: readonly string[]
}

const FINDINGS_MAX = 100

/** Verifies entries, each as the exact bytes or text of its leaf, against a checkpoint. */
export function verifyAudit(
  entries: Iterable<Uint8Array | string>,
  checkpoint: VerifiableCheckpoint,
  options: VerifyOptions,
): AuditVerdict {
  const verifier = createAuditVerifier(options)
  for (const entry of entries) verifier.entry(entry)
  return verifier.finish(checkpoint)
}

/** Verifies the lines of an export, whose last is the checkpoint. */
export async function verifyAuditExport(
  lines: Iterable<string> | AsyncIterable<string>,
  options: VerifyOptions,
): Promise<AuditVerdict> {
  const verifier = createAuditVerifier(options)
  let held: string | undefined
  for await (const line of lines) {
    if (held !== undefined) verifier.entry(held)
    held = line
  }
  return verifier.finish(readCheckpoint(held))
}

/** The verifier entry by entry, for logs that do not fit in memory. */
export function createAuditVerifier({ publicKey, known = [], leafHashes = [] }: VerifyOptions): {
  entry(content: Uint8Array | string): void
  finish(checkpoint: VerifiableCheckpoint | 'missing' | 'unreadable'): AuditVerdict
} {
  const findings: AuditFinding[] = []
  const ids = new Set<string>()
  // Roots of complete subtrees from left to right, with their widths: a binary counter.
  const peaks: { width: number; hash: Buffer }[] = []
  const rootsWanted = new Set(known.map((checkpoint) => checkpoint.size))
  const rootsFound = new Map<number, string>()
  let size = 0

  function report(kind: AuditFindingKind, message: string, index?: number): void {
    if (findings.length >= FINDINGS_MAX) return
    findings.push(index === undefined ? { kind, message } : { kind, index, message })
  }

  function remember(): void {
    if (rootsWanted.has(size)) rootsFound.set(size, rootOf(peaks))
  }

  function entry(content: Uint8Array | string): void {
    const bytes = Buffer.from(content as string)
    const leaf = sha256(Buffer.from([0]), bytes)
    const expected = leafHashes[size]
    if (expected !== undefined && expected !== leaf.toString('hex')) {
      report('entry-changed', `Entry ${size} is not the one that was recorded.`, size)
    }
    checkContent(bytes, size)
    remember()
    addPeak(peaks, leaf)
    size++
  }

  function checkContent(bytes: Buffer, index: number): void {
    const parsed = parseEntry(bytes)
    if (parsed === undefined) {
      report('entry-unreadable', `Entry ${index} is not the JSON of an entry.`, index)
    } else if (parsed.index !== index) {
      const message = `Entry ${index} says that it is entry ${parsed.index}.`
      report('entry-out-of-place', message, index)
    } else if (ids.has(parsed.id)) {
      report('entry-out-of-place', `Entry ${index} has the id of an earlier one.`, index)
    } else {
      ids.add(parsed.id)
    }
  }

  function finish(checkpoint: VerifiableCheckpoint | 'missing' | 'unreadable'): AuditVerdict {
    remember()
    const root = rootOf(peaks)
    const key = readPublicKey(publicKey)
    if (typeof checkpoint === 'string') {
      report(`checkpoint-${checkpoint}`, `The checkpoint is ${checkpoint}.`)
    } else {
      checkAgainst(checkpoint, root, key)
    }
    for (const earlier of known) checkKnown(earlier, key, checkpoint)
    return { intact: findings.length === 0, size, root, findings }
  }

  function checkAgainst(
    checkpoint: VerifiableCheckpoint,
    root: string,
    key: KeyObject | undefined,
  ): void {
    if (!signatureHolds(checkpoint, key)) {
      report('signature-wrong', 'The checkpoint is not signed by this key.')
    }
    if (size < checkpoint.size) {
      report('entries-missing', `${checkpoint.size} entries were signed; ${size} are here.`)
    } else if (size > checkpoint.size) {
      report('entries-added', `${checkpoint.size} entries were signed; ${size} are here.`)
    } else if (root !== checkpoint.root) {
      report('root-wrong', `The entries have the root ${root}; ${checkpoint.root} was signed.`)
    }
  }

  function checkKnown(
    earlier: VerifiableCheckpoint,
    key: KeyObject | undefined,
    now: VerifiableCheckpoint | 'missing' | 'unreadable',
  ): void {
    if (!signatureHolds(earlier, key)) {
      report(
        'signature-wrong',
        `The known checkpoint of ${earlier.size} is not signed by this key.`,
      )
    } else if (earlier.size > size) {
      const message = `${earlier.size} entries were known before; ${size} are here.`
      report('history-rewritten', message)
    } else if (rootsFound.get(earlier.size) !== earlier.root) {
      const message = `The first ${earlier.size} entries are not those that were known before.`
      report('history-rewritten', message)
    } else if (typeof now !== 'string' && earlier.origin !== now.origin) {
      report('history-rewritten', `This log is ${now.origin}; known before was ${earlier.origin}.`)
    }
  }

  return { entry, finish }
}

/** Whether an entry with this leaf hash is in the tree with this root (RFC 9162 §2.1.3.2). */
export function verifyInclusion(proof: {
  readonly index: number
  readonly size: number
  readonly leafHash: string
  readonly root: string
  readonly path: readonly string[]
}): boolean {
  if (proof.index < 0 || proof.index >= proof.size) return false
  let [fn, sn] = [proof.index, proof.size - 1]
  let hash: Buffer = Buffer.from(proof.leafHash, 'hex')
  for (const step of proof.path) {
    if (sn === 0) return false
    const sibling = Buffer.from(step, 'hex')
    if (fn % 2 === 1 || fn === sn) {
      hash = parent(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      hash = parent(hash, sibling)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && hash.toString('hex') === proof.root
}

/** Whether the larger tree begins with all of the smaller one (RFC 9162 §2.1.4.2). */
export function verifyConsistency(proof: {
  readonly fromSize: number
  readonly toSize: number
  readonly fromRoot: string
  readonly toRoot: string
  readonly path: readonly string[]
}): boolean {
  const { fromSize, toSize, fromRoot, toRoot } = proof
  if (fromSize < 0 || fromSize > toSize) return false
  if (fromSize === toSize) return proof.path.length === 0 && fromRoot === toRoot
  if (fromSize === 0) return proof.path.length === 0 && fromRoot === EMPTY_ROOT
  const path: Buffer[] = proof.path.map((step) => Buffer.from(step, 'hex'))
  if (isPowerOfTwo(fromSize)) path.unshift(Buffer.from(fromRoot, 'hex'))
  const [first, ...rest] = path
  if (first === undefined) return false
  let [fn, sn] = [fromSize - 1, toSize - 1]
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)]
  let [from, to] = [first, first]
  for (const step of rest) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      from = parent(step, from)
      to = parent(step, to)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      to = parent(to, step)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && from.toString('hex') === fromRoot && to.toString('hex') === toRoot
}

/** Whether a checkpoint was signed with the private half of this key. */
export function verifyCheckpoint(checkpoint: VerifiableCheckpoint, publicKey: string): boolean {
  return signatureHolds(checkpoint, readPublicKey(publicKey))
}

const EMPTY_ROOT = sha256().toString('hex')

function signatureHolds(checkpoint: VerifiableCheckpoint, key: KeyObject | undefined): boolean {
  if (key === undefined) return false
  const { origin, size, root, atUs, keyId, signature } = checkpoint
  const text = `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n${atUs}\n`
  const raw = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
  const named = sha256(Buffer.from(`${origin}\n`), Buffer.from([1]), raw).toString('hex', 0, 4)
  const bytes = Buffer.from(signature, 'base64')
  // Base64 and hex have several spellings of the same bytes; only one is the one that was made.
  const exact = bytes.toString('base64') === signature && /^[0-9a-f]{64}$/.test(root)
  return exact && keyId === named && verify(null, Buffer.from(text), key, bytes)
}

function readPublicKey(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem)
    return key.asymmetricKeyType === 'ed25519' ? key : undefined
  } catch {
    return undefined
  }
}

function readCheckpoint(line: string | undefined): VerifiableCheckpoint | 'missing' | 'unreadable' {
  let value: unknown
  try {
    value = (JSON.parse(line ?? '{}') as { checkpoint?: unknown } | null)?.checkpoint
  } catch {
    return 'unreadable'
  }
  if (typeof value !== 'object' || value === null) return 'missing'
  const { origin, size, root, atUs, keyId, signature } = value as Record<string, unknown>
  const texts = [origin, root, keyId, signature].every((text) => typeof text === 'string')
  const numbers = Number.isSafeInteger(size) && Number.isSafeInteger(atUs)
  return texts && numbers ? (value as VerifiableCheckpoint) : 'unreadable'
}

function parseEntry(bytes: Buffer): { index: number; id: string } | undefined {
  try {
    const value = JSON.parse(bytes.toString()) as { index?: unknown; id?: unknown } | null
    const { index, id } = value ?? {}
    return typeof index === 'number' && typeof id === 'string' ? { index, id } : undefined
  } catch {
    return undefined
  }
}

function addPeak(peaks: { width: number; hash: Buffer }[], leaf: Buffer): void {
  let added = { width: 1, hash: leaf }
  while (peaks.at(-1)?.width === added.width) {
    added = { width: added.width * 2, hash: parent(peaks.pop()!.hash, added.hash) }
  }
  peaks.push(added)
}

function rootOf(peaks: readonly { readonly hash: Buffer }[]): string {
  const last = peaks.at(-1)
  if (last === undefined) return EMPTY_ROOT
  const root = peaks.slice(0, -1).reduceRight((right, peak) => parent(peak.hash, right), last.hash)
  return root.toString('hex')
}

function parent(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.from([1]), left, right)
}

function sha256(...parts: Uint8Array[]): Buffer {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isPowerOfTwo(value: number): boolean {
  let power = 1
  while (power < value) power *= 2
  return power === value
}
