import { describe, expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import { createIds } from '../lib/ids.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createCheckpointSigner, generateSigningKey } from './checkpoint.ts'
import { createAuditLog } from './log.ts'
import { createMemoryAuditStore } from './memory.ts'
import type { NewAuditEntry } from './types.ts'
import { verifyAuditExport, verifyConsistency, verifyInclusion } from './verify.ts'

const signer = createCheckpointSigner(generateSigningKey(), 'assay/test')

async function open(store = createMemoryAuditStore()) {
  const clock = manualClock(1_700_000_000_000_000)
  const unit = createMemoryUnitOfWork([store])
  const ids = createIds(clock, (length) => new Uint8Array(length))
  const log = await createAuditLog(store, { clock, ids, signer, unit })
  return { log, store, unit, clock }
}

function change(id: string, more: Partial<NewAuditEntry> = {}): NewAuditEntry {
  const object = { kind: 'thing', id }
  const details = { version: 1 }
  return { actor: 'system', action: 'room.changed', object, reason: 'A test', details, ...more }
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const collected: string[] = []
  for await (const line of lines) collected.push(line)
  return collected
}

describe('the audit log', () => {
  test('numbers entries from 0 and stamps them with time and id', async () => {
    const { log } = await open()
    const first = await log.append(change('a'))
    const second = await log.append(change('b'))
    expect([first.index, second.index]).toEqual([0, 1])
    expect(first.atUs).toBe(1_700_000_000_000_000)
    expect(first.id).toMatch(/^audit_[0-9a-z]{26}$/)
    expect((await log.entry(1)).entry).toEqual(second)
    expect(log.size).toBe(2)
  })

  test('holds the entries of a transaction only once it is committed', async () => {
    const { log, unit } = await open()
    await log.append(change('a'))
    const root = log.root()
    const undone = unit.transaction(async () => {
      await log.append(change('b'))
      await log.append(change('c'))
      expect(log.size).toBe(1)
      throw new Error('undo')
    })
    await expect(undone).rejects.toThrow('undo')
    expect([log.size, log.root()]).toEqual([1, root])
    await unit.transaction(async () => {
      await log.append(change('d'))
      await log.append(change('e'))
    })
    expect(log.size).toBe(3)
    const [newest] = await log.list({ limit: 1 })
    expect(newest.entry.object.id).toBe('e')
    expect((await verifyAuditExport(log.export(), { publicKey: log.publicKey })).intact).toBe(true)
  })

  test('keeps order and root when many append at once, each in its own transaction', async () => {
    const { log } = await open()
    const entries = await Promise.all(
      Array.from({ length: 50 }, (_, i) => log.append(change(String(i)))),
    )
    expect(entries.map((entry) => entry.index)).toEqual(entries.map((_, i) => i))
    expect((await verifyAuditExport(log.export(), { publicKey: log.publicKey })).intact).toBe(true)
  })

  test('has the same root when it is opened again', async () => {
    const { log, store } = await open()
    for (let i = 0; i < 13; i++) await log.append(change(String(i)))
    const { log: again } = await open(store)
    expect(again.root()).toBe(log.root())
  })

  test('leaves out details that are undefined, and returns what it recorded', async () => {
    const { log } = await open()
    const entry = await log.append(change('a', { details: { kept: 1, left: undefined } }))
    expect(entry.details).toEqual({ kept: 1 })
  })

  test('refuses an entry without a reason, and one that is too large', async () => {
    const { log } = await open()
    await expect(log.append(change('a', { reason: ' ' }))).rejects.toMatchObject({
      code: 'audit_entry_invalid',
    })
    const details = { text: 'x'.repeat(70_000) }
    await expect(log.append(change('a', { details }))).rejects.toMatchObject({
      code: 'audit_entry_invalid',
    })
    await expect(log.append(change('a', { action: 'Changed!' }))).rejects.toThrow('no action')
    expect(log.size).toBe(0)
  })

  test('answers an unknown index with an error', async () => {
    const { log } = await open()
    await log.append(change('a'))
    await expect(log.entry(1)).rejects.toMatchObject({ code: 'audit_entry_not_found' })
    expect(() => log.inclusionProof(1)).toThrow('has 1 entries')
    expect(() => log.inclusionProof(-1)).toThrow('has 1 entries')
    expect(() => log.consistencyProof(0, 2)).toThrow('has 1 entries')
  })

  test('proves inclusion and consistency', async () => {
    const { log } = await open()
    for (let i = 0; i < 11; i++) await log.append(change(String(i)))
    for (let i = 0; i < 11; i++) expect(verifyInclusion(log.inclusionProof(i))).toBe(true)
    const proof = log.inclusionProof(4)
    expect(proof.leafHash).toBe((await log.entry(4)).leafHash)
    expect(verifyConsistency(log.consistencyProof(6))).toBe(true)
    expect(log.consistencyProof(6, 9).toSize).toBe(9)
  })
})

describe('checkpoints', () => {
  test('are signed anew only when something was added', async () => {
    const { log, clock } = await open()
    await log.append(change('a'))
    const first = await log.checkpoint()
    clock.advance(1_000_000)
    expect(await log.checkpoint()).toEqual(first)
    await log.append(change('b'))
    const second = await log.checkpoint()
    expect(second).toMatchObject({ size: 2, root: log.root(), origin: 'assay/test' })
    expect(await log.latestCheckpoint()).toEqual(second)
  })

  test('are not signed over entries that contradict an earlier one', async () => {
    const { log, store } = await open()
    await log.append(change('a'))
    await log.append(change('b'))
    const signed = await log.checkpoint()

    const rewritten = createMemoryAuditStore()
    const { log: other } = await open(rewritten)
    await other.append(change('a'))
    await rewritten.saveCheckpoint(signed)
    const lost = await other.checkpoint().catch((error: unknown) => error)
    expect(isAssayError(lost, 'audit_inconsistent')).toBe(true)
    await other.append(change('changed'))
    await expect(other.checkpoint()).rejects.toThrow('not the same entries')

    const { log: reopened } = await open(store)
    await reopened.append(change('c'))
    expect((await reopened.checkpoint()).size).toBe(3)
  })

  test('end an export, which verifies', async () => {
    const { log } = await open()
    const empty = await collect(log.export())
    expect(empty).toHaveLength(1)
    expect((await verifyAuditExport(empty, { publicKey: log.publicKey })).intact).toBe(true)
    for (let i = 0; i < 9; i++) await log.append(change(String(i)))
    const lines = await collect(log.export())
    expect(lines).toHaveLength(10)
    const verdict = await verifyAuditExport(lines, { publicKey: log.publicKey })
    expect(verdict).toEqual({ intact: true, size: 9, root: log.root(), findings: [] })
  })
})
