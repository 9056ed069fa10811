// A bank that changes what a feature means while the old meaning decides: both are there until the
// deployment moves, live events count once in the new state, and what was decided stays as it was.
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { answerOf, decodeRecord, encodeRecord } from '../../src/decisions/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { nodeFiles } from '../../src/lib/files.ts'
import { openJournal, readJournal } from '../../src/lib/journal.ts'
import { formatTimestamp } from '../../src/lib/time.ts'
import { simulate } from '../../examples/card-fraud/simulator.ts'
import { createClient, type Client } from './client.ts'
import { ownProject } from './own-project.ts'
import {
  allDone,
  endsWithTest,
  eventually,
  run,
  startServer,
  temporaryDirectory,
} from './server.ts'

vi.setConfig({ testTimeout: 240_000 })

const CUSTOMER = 424_242
const files = temporaryDirectory('versions')
const data = join(files, 'payments.csv')
const home = temporaryDirectory('versions-home')

/** A bank whose clock is the machine's, and whose past is a file. */
const before = ownProject((text) => text.replace(/^ {2}replay: .*$/m, ''))
/** The same with other means and one more count; the gate is mild, and nobody approves by script. */
const after = ownProject((text) =>
  text
    .replace(/^ {2}replay: .*$/m, '')
    .replace(/^ {2}approvers: .*$/m, '')
    .replace('margin: 0,', 'margin: 0.5,')
    .replace(".over('1d', '7d')", ".over('1d', '7d', '30d')")
    .replace(
      ".over('7d')\n    .as('CUSTOMER_MEAN_7D')",
      ".over('30d')\n    .as('CUSTOMER_MEAN_7D')",
    ),
)

const body = (n: number, at: string, amount: string) => {
  return { payment_id: `live-${n}`, paid_at: at, customer_id: CUSTOMER, terminal_id: 20, amount }
}
type Body = ReturnType<typeof body>

/** A payment as the bank's own systems write it to their file at night. */
const lineOf = ({ payment_id, paid_at, customer_id, terminal_id, amount }: Body) =>
  `${payment_id},${paid_at},${customer_id},${terminal_id},${amount},0,0,0,0\n`

const behaviourFeatures = [
  'AMOUNT',
  'CUSTOMER_COUNT_1D',
  'CUSTOMER_COUNT_7D',
  'CUSTOMER_MEAN_7D',
  'TERMINAL_RISK_7D',
]
const behaviour = { params: { set: 'behaviour' } }

async function valuesOf(client: Client, version: 'deployed' | 'declared') {
  const rows = [{ customer_id: CUSTOMER, terminal_id: 20 }]
  const answer = await client.ask('liveFeatures', { ...behaviour, body: { rows, version } })
  const values = answer.columns.map((name: string, i: number) => [name, answer.rows[0][i]])
  return { ...answer, values: Object.fromEntries(values) as Record<string, number | null> }
}

const decide = async (client: Client, payment: Body) => {
  const response = await client.send('decide', { params: { policy: 'tiny' }, body: payment })
  const text = await response.text()
  expect(response.status, text).toBe(200)
  return text
}

/** Two people who had no part in it approve, and the version gets the traffic. */
async function approveAndDeploy(url: string, client: Client): Promise<void> {
  const { items } = await client.ask('model', { params: { model: 'tiny-fraud' } })
  const waiting = items.find(({ status }: { status: string }) => status === 'candidate')
  const params = { model: 'tiny-fraud', version: waiting.version }
  for (const name of ['Ada', 'Grace']) {
    const made = run(['keys', 'create', '--role', 'approver', '--name', name, '--home', home])
    const approver = createClient(url, /ak_[\w-]{43}/.exec(made.out)![0])
    const { approvals } = await approver.ask('version', { params })
    const verdict = { decision: 'approve', reason: 'I looked at it', binds: approvals.binds }
    await approver.ask('giveApproval', { params, body: verdict })
  }
  // While a base is loaded nothing can be recorded; the deployment waits for that by itself.
  await client.ask('deploy', { params, body: { reason: 'It is better' } })
}

test('both versions answer until the deployment moves, and each event counts once', async () => {
  const rows = [
    ...simulate({
      from: '2018-06-01',
      until: '2018-07-12',
      customers: 200,
      terminals: 1000,
      seed: 7,
    }),
  ]
  writeFileSync(data, rows.join(''))
  const first = endsWithTest(await startServer({ home, project: before, args: ['--data', data] }))
  await first.printed(allDone)
  const key = first.key!
  const now = () => formatTimestamp(systemClock.nowUs())
  const payments = [body(1, now(), '10.00'), body(2, now(), '20.00'), body(3, now(), '60.00')]
  const answers: string[] = []
  let client = createClient(first.url, key)
  for (const payment of payments) answers.push(await decide(client, payment))
  const old = await valuesOf(client, 'deployed')
  expect(old.values).toMatchObject({ CUSTOMER_COUNT_7D: 3, CUSTOMER_MEAN_7D: 30 })
  expect(old.version).toBe(old.declared)
  expect(await first.stop()).toBe(0)

  // The night's file has what was decided by day, one row of it wrong, and one that nobody asked about.
  const night = [
    lineOf(payments[0]),
    lineOf(payments[1]),
    lineOf({ ...payments[2], amount: '61.00' }),
    lineOf(body(4, payments[2].paid_at, '70.00')),
  ]
  writeFileSync(data, rows.concat(night).join(''))
  const second = endsWithTest(await startServer({ home, project: after, args: ['--data', data] }))
  await second.printed(allDone)
  client = createClient(second.url, key)
  const held = await client.ask('quarantine', { query: { dataset: 'payments' } })
  expect(JSON.stringify(held)).toContain('event_conflict')

  // The old version decides as before, the new one has values of its own beside it.
  const deployed = await valuesOf(client, 'deployed')
  expect(deployed.values).toEqual(old.values)
  expect(deployed.version).toBe(old.version)
  const declared = await valuesOf(client, 'declared')
  expect(declared.version).toBe(deployed.declared)
  expect(declared.version).not.toBe(old.version)
  expect(declared.values).toMatchObject({
    CUSTOMER_COUNT_7D: 4,
    CUSTOMER_COUNT_30D: 4,
    CUSTOMER_MEAN_7D: 40,
  })
  expect(await decide(client, payments[1])).toBe(answers[1])
  const fifth = JSON.parse(await decide(client, body(5, now(), '10.00')))
  expect(fifth.versions).toEqual(JSON.parse(answers[0]).versions)

  await approveAndDeploy(second.url, client)
  const moved = await eventually('the deployment moved', async () => {
    const found = await valuesOf(client, 'deployed')
    return found.version === declared.version && found
  })
  // The file's fourth payment, and each of the others once.
  expect(moved.values).toMatchObject({ CUSTOMER_COUNT_7D: 5, CUSTOMER_COUNT_30D: 5 })
  expect(await decide(client, payments[1])).toBe(answers[1])
  const sixth = JSON.parse(await decide(client, body(6, now(), '10.00')))
  expect(sixth.versions).not.toEqual(fifth.versions)
  expect((await valuesOf(client, 'declared')).values).toMatchObject({ CUSTOMER_COUNT_7D: 6 })
  const audit = run(['features', 'audit', '--home', home])
  expect(audit.out).toMatch(/every value is the same/)
  expect(audit.code).toBe(0)
  expect(await second.stop()).toBe(0)

  await plantDifference('live-5', 'CUSTOMER_COUNT_7D', 7)
  const found = run(['features', 'audit', '--home', home])
  expect(found.out).toMatch(
    /event live-5 \(sequence \d+, policy tiny\): CUSTOMER_COUNT_7D was 7, history gives 4/,
  )
  expect(found.err).toMatch(/not equal: live: 1 of [\d,]+ values of 5 events differ/)
  expect(found.code).toBe(3)
})

/** Rewrites the journal with another value of a feature in the record of a decision. */
async function plantDifference(eventId: string, feature: string, value: number): Promise<void> {
  const journal = join(home, 'decide', 'live', 'journal')
  const planted = `${journal}-planted`
  const records = []
  for await (const { payload } of readJournal(journal, nodeFiles, 1)) {
    const record = decodeRecord(payload)
    if (record.type !== 'decision' || record.eventId !== eventId) {
      records.push(payload)
      continue
    }
    const at = behaviourFeatures.indexOf(feature)
    const features = record.features.with(at, value)
    records.push(encodeRecord({ ...record, features }, answerOf(payload)))
  }
  const writer = await openJournal({ directory: planted, files: nodeFiles })
  for (const payload of records) await writer.append(payload).durable
  await writer.close()
  rmSync(journal, { recursive: true })
  renameSync(planted, journal)
}
