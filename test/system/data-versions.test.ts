// Versions of a data set in a running bank: a correction, what it changed, and the way back.
import { describe, expect, test } from 'vitest'
import { runningBank } from './bank.ts'
import { createClient } from './client.ts'
import { run } from './server.ts'

const bank = runningBank('versions')
const client = bank.admin

const params = { dataset: 'payments' }
const versions = async () => (await client.ask('datasetVersions', { params })).items

/** A feature of history: how many payments a customer had made by a time. */
async function history() {
  const answer = await client.ask('featureHistory', {
    params: { set: 'behaviour' },
    body: {
      rows: [
        { paid_at: '2018-07-12T12:00:00Z', customer_id: 17, terminal_id: 20, amount: '12.50' },
      ],
    },
    headers: { accept: 'application/json' },
  })
  return { rows: answer.rows, events: answer.facts.events as number }
}

/** Corrects the one row in quarantine whose amount was mistyped. */
async function correct() {
  const { items } = await client.ask('quarantine')
  const typo = items.find((row: { value: string }) => row.value === '1O2.50')
  const fields = Object.fromEntries(
    typo.fields.map(({ name, value }: { name: string; value: string }) => [name, value]),
  )
  const rows = [{ id: typo.id, fields: { ...fields, TX_AMOUNT: '102.50' } }]
  return client.ask('resubmit', { body: { rows, reason: 'The O is a zero' } })
}

describe('versions of a data set', () => {
  test('come with each ingestion; what changed is told; an old one comes back', async () => {
    const [first, ...none] = await versions()
    expect(none).toEqual([])
    expect(first).toMatchObject({ number: 1, parent: null, mode: 'replace', removed: null })
    expect(first.usedBy).toContainEqual(
      expect.objectContaining({ kind: 'version', id: 'tiny-fraud/1' }),
    )
    const before = await history()

    expect(await correct()).toMatchObject({ accepted: 1 })
    const [second] = await versions()
    expect(second).toMatchObject({ number: 2, parent: 1, mode: 'append', rowsAgainstParent: 1 })
    expect((await history()).events).toBe(before.events + 1)
    const query = { before: '1', after: 'latest', profile: 'yes' }
    const difference = await client.ask('datasetDifference', { params, query })
    expect(difference).toMatchObject({
      sentence: 'From version 1 to 2: 1 row added, 0 removed, 0 changed.',
      rows: { before: first.rows, after: first.rows + 1, added: 1 },
      parts: { before: 1, after: 2, shared: 1, rowsRead: 1 },
      schema: { sameContract: true },
      sample: { added: [{ id: '900004', after: { amount: '102.50', customer_id: '(personal)' } }] },
    })
    expect(difference.profile.map((each: { column: string }) => each.column)).toContain('amount')

    const reason = 'The correction was wrong'
    const back = await client.ask('rollBackDataset', { params, body: { version: '1', reason } })
    expect(back.sentence).toBe('payments holds the content of version 1 again, as version 3.')
    const [third] = await versions()
    expect(third).toMatchObject({ number: 3, restores: 1, hash: first.hash, reason })
    expect(await history()).toEqual(before)
    // The bank goes on deciding, and the labels of what it decided still arrive.
    const { clock } = await client.ask('session')
    const body = {
      payment_id: 'after-the-roll-back',
      paid_at: clock.now,
      customer_id: 596,
      terminal_id: 31,
      amount: '57.16',
    }
    const decided = await client.send('decide', { params: { policy: 'tiny' }, body })
    expect(decided.status).toBe(200)
    const label = [{ event_id: 'after-the-roll-back', value: 'fraud' }]
    const fed = await client.ask('sendEvents', { params: { source: 'fraud' }, body: label })
    expect(fed).toMatchObject({ accepted: 1 })
    expect(
      await client.refusal('rollBackDataset', { params, body: { version: '1', reason } }),
    ).toBe('409 dataset_version_current')
  }, 60_000)

  test('are tagged, held and kept as people say, each with its entry in the log', async () => {
    const reason = 'What the champion learnt from'
    const tag = { tag: 'training', version: '1', reason }
    await client.ask('tagDataset', { params, body: tag })
    await client.ask('retainDataset', { params, body: { versions: 1, days: null, reason } })
    await client.ask('holdDataset', { params, body: { version: '2', until: null, reason } })
    const { items, tags, holds, retention, may } = await client.ask('datasetVersions', { params })
    expect(tags).toMatchObject([{ tag: 'training', version: 1 }])
    expect(holds).toMatchObject([{ version: 2, until: null, reason }])
    expect(items[1]).toMatchObject({ number: 2, held: true })
    expect(retention.sentence).toContain('the newest 1 version')
    expect(may).toMatchObject({ tag: { allowed: true }, manage: { allowed: true } })
    const dry = { body: { dryRun: true, reason } }
    expect(await client.ask('cleanData', dry)).toMatchObject({ versions: [], files: 0 })
    const hold = holds[0].id
    await client.ask('releaseDataset', { params: { ...params, hold }, body: { reason } })
    const cleaned = await client.ask('cleanData', { body: { dryRun: false, reason } })
    expect(cleaned.versions).toEqual([{ dataset: 'payments', number: 2 }])
    const query = { before: '1', after: '2' }
    expect(await client.refusal('datasetDifference', { params, query })).toBe(
      '410 dataset_version_removed',
    )
    const { items: entries } = await client.ask('audit', { query: { kind: 'dataset', limit: 20 } })
    const actions = entries.map(({ action }: { action: string }) => action)
    expect(actions).toEqual(
      expect.arrayContaining([
        'data.rolled-back',
        'data.tag-put',
        'data.retention-set',
        'data.hold-placed',
        'data.hold-released',
        'data.versions-removed',
      ]),
    )
  }, 60_000)

  test('are read by everyone, and managed by administrators alone', async () => {
    const made = run([
      'keys',
      'create',
      '--name',
      'Looks on',
      '--role',
      'reader',
      '--home',
      bank.server.home,
    ])
    const reader = createClient(bank.server.url, /ak_[\w-]{43}/.exec(made.out)![0])
    const { may } = await reader.ask('datasetVersions', { params })
    expect(may).toMatchObject({ tag: { allowed: false }, manage: { allowed: false } })
    const reason = 'I may not'
    const tag = { tag: 'mine', version: '1', reason }
    expect(await reader.refusal('tagDataset', { params, body: tag })).toBe('403 forbidden')
    const version = { version: '1', reason }
    expect(await reader.refusal('rollBackDataset', { params, body: version })).toBe('403 forbidden')
    expect(await reader.refusal('cleanData', { body: { dryRun: true, reason } })).toBe(
      '403 forbidden',
    )
  }, 60_000)
})
