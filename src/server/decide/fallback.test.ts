// Each rung of a declared fallback ladder, as a caller of the door meets it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { behaviour, deployment, payment, payments } from '../../../test/small-bank.ts'
import {
  compilePolicy,
  createMemoryIndex,
  decisionPolicy,
  publishDeployment,
  rule,
  typology,
} from '../../decisions/index.ts'
import type { DecideRemote, DeployedModel, DeployedPolicy } from '../../decisions/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { remote } from '../../lib/rpc.ts'
import { deploymentsDirectory, startDecide } from './start.ts'
import type { RunningDecide } from './start.ts'

/** Asked in this order; each is a server elsewhere that may hang. */
const NEXT = 3
const CHAMPION = 2
const LAST_GOOD = 1

const declared = compilePolicy(
  decisionPolicy('ladder', {
    source: payments,
    features: [behaviour],
    model: 'card-fraud',
    rules: [
      rule('huge', { when: 'event.amount > 5000.0', then: 'decline', reason: 'It is huge' }),
      rule('large', { when: 'event.amount > 1000.0', reason: 'It is large' }),
      rule('odd', { when: 'event.terminal == 13', reason: 'The terminal is odd' }),
    ],
    typologies: [
      typology('mule', { weights: { large: 60, odd: 50 }, alert: 100, reason: 'As a mule pays' }),
    ],
    thresholds: { decline: 0.9, review: 0.5 },
    fallback: { deadlineMs: 25, outcome: 'allow', failures: 3, pauseS: 60 },
  }),
)
const thresholds = { decline: 0.9, review: 0.5 }
const elsewhere = (number: number): DeployedModel => {
  const body = { kind: 'outside', features: ['AMOUNT'], served: `served ${number}` } as const
  return { name: 'graph', number, version: sha256Hex(`graph ${number}`), body }
}
const key = `ak_${'k'.repeat(43)}`

let root: string
let running: RunningDecide
let local: ReturnType<typeof remote<DecideRemote>>
/** Versions that hang, and how often each was asked. */
let hung: ReadonlySet<number>
let asked: number[]

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'assay-ladder-'))
  const home = {
    decide: join(root, 'decide'),
    published: join(root, 'published'),
    socket: (role: string) => join(root, `${role}.sock`),
  }
  mkdirSync(home.published)
  const ann = { id: 'ann', name: 'Ann', kind: 'person', roles: ['analyst'], createdAtUs: 0 }
  const snapshot = { format: 1, atUs: 0, identities: { ann }, sessions: {} }
  const keys = { [sha256Hex(key)]: 'ann' }
  writeFileSync(join(home.published, 'access.json'), JSON.stringify({ ...snapshot, keys }))
  hung = new Set()
  asked = []
  running = await startDecide({
    home,
    host: '127.0.0.1',
    port: 0,
    openIndex: async () => createMemoryIndex(),
    outsideModels: {
      score: (model) => {
        asked.push(model.number)
        return hung.has(model.number) ? new Promise(() => {}) : Promise.resolve(0.1 * model.number)
      },
    },
    log: { info: () => undefined, warn: () => undefined, error: console.error },
    onFatal: (error) => console.error(error),
  })
  local = remote<DecideRemote>(home.socket('decide'), 'decide')
  const directory = deploymentsDirectory(home)
  const deploy = async (over: Partial<DeployedPolicy>) => {
    const document = deployment({ policy: declared, model: elsewhere(CHAMPION), ...over })
    const hash = await publishDeployment(directory, document)
    const by = { actor: 'ann', reason: 'A test' }
    await local.switchDeployment({ namespace: 'live', deployment: hash, ...by })
  }
  const traffic = { mode: 'live', share: 1 } as const
  await deploy({
    lastGood: { model: elsewhere(LAST_GOOD), thresholds },
    sticky: 'customer',
    challengers: [{ name: 'next', model: elsewhere(NEXT), thresholds, traffic }],
  })
})

afterEach(async () => {
  await running.close()
  rmSync(root, { recursive: true, force: true })
})

interface Answer {
  readonly outcome: string
  readonly path: string
  readonly score: number | null
  readonly versions: { readonly modelNumber: number }
  readonly unanswered?: readonly { readonly by: string; readonly why: string }[]
}

let sent = 0
async function decide(over: object = {}): Promise<Answer & { readonly recorded: unknown }> {
  const eventId = `p${(sent += 1)}`
  const at = new Date(systemClock.nowUs() / 1000).toISOString()
  const body = payment(sent, { payment_id: eventId, at, terminal: 1, amount: '12.00', ...over })
  const response = await fetch(`${running.url}/api/v1/decisions/ladder`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Answer
  expect(response.status, JSON.stringify(answer)).toBe(200)
  const of = { namespace: 'live', policy: 'ladder', eventId }
  const { record } = await local.decision(of)
  expect((await local.recompute(of)).identical).toBe(true)
  return { ...answer, recorded: { path: record.path, unanswered: record.unanswered } }
}

const late = 'It did not answer within 25 ms'

describe('the fallback ladder of a policy', () => {
  test.each<readonly [string, readonly number[], number, readonly string[]]>([
    ['a challenger answers its share', [], NEXT, []],
    ['the champion answers for its challenger', [NEXT], CHAMPION, ['next']],
    ['the version before answers for both', [NEXT, CHAMPION], LAST_GOOD, ['next', 'champion']],
  ])('%s, each in its own time', async (_, hanging, number, silent) => {
    hung = new Set(hanging)
    const unanswered = silent.length === 0 ? undefined : silent.map((by) => ({ by, why: late }))
    const answer = await decide()
    expect(answer).toMatchObject({ outcome: 'allow', path: 'score', score: 0.1 * number })
    expect(answer.versions.modelNumber).toBe(number)
    expect(answer.unanswered).toEqual(unanswered)
    expect(answer.recorded).toEqual({ path: 'score', unanswered })
  })

  test.each<readonly [string, object, string, string]>([
    ['rules answer', { amount: '6000.00' }, 'decline', 'rule'],
    ['typologies answer', { amount: '1200.00', terminal: 13 }, 'review', 'typology'],
    ['the declared outcome is given', {}, 'allow', 'default'],
  ])('where no model does, %s', async (_, over, outcome, path) => {
    hung = new Set([NEXT, CHAMPION, LAST_GOOD])
    const unanswered = ['next', 'champion', 'last-good'].map((by) => ({ by, why: late }))
    const answer = await decide(over)
    expect(answer).toMatchObject({ outcome, path, score: null, unanswered })
    expect(answer.recorded).toEqual({ path, unanswered })
  })

  test('a model that keeps failing is left alone for the declared while, and the others are not', async () => {
    hung = new Set([NEXT])
    for (let failure = 0; failure < 3; failure++) await decide()
    expect(asked).toEqual([NEXT, CHAMPION, NEXT, CHAMPION, NEXT, CHAMPION])
    const { unanswered, versions } = await decide()
    expect(versions.modelNumber).toBe(CHAMPION)
    expect(unanswered).toEqual([
      { by: 'next', why: 'It failed 3 times in a row and is not asked for 60 s' },
    ])
    expect(asked.slice(6)).toEqual([CHAMPION])
  })
})
