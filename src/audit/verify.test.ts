import { verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { createIds } from '../lib/ids.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { checkpointNote, createCheckpointSigner, generateSigningKey } from './checkpoint.ts'
import { createAuditLog } from './log.ts'
import { createMemoryAuditStore } from './memory.ts'
import type { Checkpoint } from './types.ts'
import {
  verifyAudit,
  verifyAuditExport,
  verifyCheckpoint,
  type AuditFindingKind,
  type AuditVerdict,
} from './verify.ts'

const SIZE = 13
const signer = createCheckpointSigner(generateSigningKey(), 'assay/test')
const { publicKey } = signer

let entries: string[]
let checkpoint: Checkpoint
let earlier: Checkpoint
let leafHashes: string[]

beforeAll(async () => {
  const store = createMemoryAuditStore()
  const clock = manualClock(1_700_000_000_000_000)
  const unit = createMemoryUnitOfWork([store])
  const ids = createIds(clock, (length) => new Uint8Array(length))
  const log = await createAuditLog(store, { clock, ids, signer, unit })
  for (let i = 0; i < SIZE; i++) {
    const object = { kind: 'thing', id: String(i) }
    const details = { note: 'größer' }
    await log.append({ actor: 'system', action: 'room.changed', object, reason: 'Test', details })
    if (i === 6) earlier = await log.checkpoint()
    clock.advance(1000)
  }
  checkpoint = await log.checkpoint()
  const records = await store.read(0, SIZE)
  entries = records.map((record) => record.leaf)
  leafHashes = records.map((record) => record.leafHash)
})

function kinds(verdict: AuditVerdict): AuditFindingKind[] {
  expect(verdict.intact).toBe(verdict.findings.length === 0)
  return [...new Set(verdict.findings.map((finding) => finding.kind))]
}

function check(tampered: readonly (string | Uint8Array)[], signed = checkpoint): AuditVerdict {
  return verifyAudit(tampered, signed, { publicKey })
}

describe('the verifier finds', () => {
  test('nothing in the log as it was written', () => {
    expect(check(entries)).toMatchObject({ intact: true, size: SIZE, findings: [] })
    const verdict = verifyAudit(entries, checkpoint, { publicKey, known: [earlier], leafHashes })
    expect(verdict.intact).toBe(true)
  })

  test('every byte that is flipped', () => {
    for (const [i, entry] of entries.entries()) {
      const bytes = Buffer.from(entry)
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes)
        flipped[at] ^= 1 << (at % 8)
        expect(check(entries.with(i, flipped as never)).intact).toBe(false)
      }
    }
  })

  test('which entry was changed, where leaf hashes were kept elsewhere', () => {
    const tampered = entries.with(4, entries[4].replace('Test', 'Tset'))
    const verdict = verifyAudit(tampered, checkpoint, { publicKey, leafHashes })
    expect(kinds(verdict)).toEqual(['entry-changed', 'root-wrong'])
    expect(verdict.findings[0]).toMatchObject({ index: 4 })
  })

  test('every entry that is dropped', () => {
    for (let i = 0; i < SIZE; i++) {
      const found = kinds(check(entries.toSpliced(i, 1)))
      expect(found).toContain('entries-missing')
      if (i < SIZE - 1) expect(found).toContain('entry-out-of-place')
    }
  })

  test('every two entries that are swapped', () => {
    for (let i = 0; i < SIZE; i++) {
      for (let j = i + 1; j < SIZE; j++) {
        const swapped = entries.with(i, entries[j]).with(j, entries[i])
        expect(kinds(check(swapped))).toEqual(['entry-out-of-place', 'root-wrong'])
      }
    }
  })

  test('an entry that is inserted anywhere, also with an index that fits', () => {
    for (let i = 0; i <= SIZE; i++) {
      const forged = JSON.stringify({ ...JSON.parse(entries[0]), index: i, id: 'audit_forged' })
      expect(kinds(check(entries.toSpliced(i, 0, forged)))).toContain('entries-added')
      const renumbered = entries.toSpliced(i, 0, forged).slice(0, SIZE)
      const numbered = renumbered.map((entry, index) =>
        JSON.stringify({ ...JSON.parse(entry), index }),
      )
      if (i < SIZE) expect(kinds(check(numbered))).toEqual(['root-wrong'])
    }
  })

  test('a log that is cut off, and one that is empty', () => {
    for (let size = 0; size < SIZE; size++) {
      expect(kinds(check(entries.slice(0, size)))).toEqual(['entries-missing'])
    }
  })

  test('an entry that is repeated', () => {
    const repeated = entries.with(3, entries[2].replace('"index":2', '"index":3'))
    expect(kinds(check(repeated))).toEqual(['entry-out-of-place', 'root-wrong'])
  })

  test('a fork: other entries with a checkpoint signed by the same key', () => {
    const forked = entries.map((entry) => entry.replace('Test', 'Fork'))
    const signed = sign({ root: check(forked).root, size: SIZE })
    expect(check(forked, signed).intact).toBe(true)
    const verdict = verifyAudit(forked, signed, { publicKey, known: [earlier] })
    expect(kinds(verdict)).toEqual(['history-rewritten'])
  })

  test('an old backup: genuine entries with the genuine checkpoint of then', () => {
    const restored = entries.slice(0, earlier.size)
    expect(check(restored, earlier).intact).toBe(true)
    const verdict = verifyAudit(restored, earlier, { publicKey, known: [checkpoint] })
    expect(kinds(verdict)).toEqual(['history-rewritten'])
  })

  test('any change to the checkpoint', () => {
    const changes: Partial<Checkpoint>[] = [
      { origin: 'assay/other' },
      { size: SIZE + 1 },
      { root: earlier.root },
      { root: checkpoint.root.toUpperCase() },
      { atUs: checkpoint.atUs + 1 },
      { keyId: '00000000' },
      { signature: earlier.signature },
      { signature: `${checkpoint.signature} ` },
      { signature: '' },
    ]
    for (const changed of changes) {
      const verdict = check(entries, { ...checkpoint, ...changed })
      expect(kinds(verdict)).toContain('signature-wrong')
    }
  })

  test('a checkpoint signed with another key, and a key that is none', () => {
    const other = createCheckpointSigner(generateSigningKey(), 'assay/test')
    const byOther = verifyAudit(entries, checkpoint, { publicKey: other.publicKey })
    expect(kinds(byOther)).toEqual(['signature-wrong'])
    expect(kinds(verifyAudit(entries, checkpoint, { publicKey: 'no key' }))).toEqual([
      'signature-wrong',
    ])
    expect(verifyCheckpoint(checkpoint, publicKey)).toBe(true)
    expect(verifyCheckpoint(checkpoint, other.publicKey)).toBe(false)
  })

  test('an export without a checkpoint, or with a broken one', async () => {
    const broken = [...entries, '{"checkpoint":{"size":"13"}}']
    expect(kinds(await verifyAuditExport(entries, { publicKey }))).toEqual(['checkpoint-missing'])
    expect(kinds(await verifyAuditExport([], { publicKey }))).toEqual(['checkpoint-missing'])
    expect(kinds(await verifyAuditExport(broken, { publicKey }))).toEqual(['checkpoint-unreadable'])
    expect(kinds(await verifyAuditExport([...entries, '{'], { publicKey }))).toEqual([
      'checkpoint-unreadable',
    ])
  })

  test('no more than a hundred things at a time', () => {
    const rubbish = Array.from({ length: 500 }, () => 'rubbish')
    expect(check(rubbish).findings).toHaveLength(100)
  })
})

test('the verifier imports nothing but node:crypto', () => {
  const source = readFileSync(new URL('verify.ts', import.meta.url), 'utf8')
  const imported = [...source.matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g)]
  expect(imported.map((match) => match[1])).toEqual(['node:crypto'])
})

test('a checkpoint can be written as a signed note that outside witnesses can check', () => {
  const note = checkpointNote(checkpoint)
  const [text, line] = note.split('\n\n') as [string, string]
  const [dash, origin, blob] = line.trim().split(' ')
  const bytes = Buffer.from(blob, 'base64')
  expect([dash, origin]).toEqual(['\u2014', 'assay/test'])
  expect(bytes.toString('hex', 0, 4)).toBe(checkpoint.keyId)
  expect(verify(null, Buffer.from(`${text}\n`), publicKey, bytes.subarray(4))).toBe(true)
})

function sign(changes: Pick<Checkpoint, 'root' | 'size'>): Checkpoint {
  const { origin, atUs } = checkpoint
  const root = Buffer.from(changes.root, 'hex').toString('base64')
  const text = `${origin}\n${changes.size}\n${root}\n${atUs}\n`
  const signature = Buffer.from(signer.sign(text)).toString('base64')
  return { origin, atUs, keyId: signer.keyId, ...changes, signature }
}
