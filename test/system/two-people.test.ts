// Every act that changes what decides, at the door of a running bank that is no example: who may, who may
// not, and that what one person does at once is looked at by another afterwards.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { createKey, mustEndWell } from './bank.ts'
import type { OperationName } from '../../src/server/contract/index.ts'
import { createClient, type Client, type Request } from './client.ts'
import { ownProject } from './own-project.ts'
import {
  allDone,
  eventually,
  run,
  startServer,
  temporaryDirectory,
  type TestServer,
} from './server.ts'

const changed = (source: string) =>
  source
    .replace('example: true', 'example: false')
    .replace(/  approvers: .*\n/, '')
    .replace('  key,\n', '  key,\n  list,\n')
    .replace(
      'reviewCapacityPerDay: 5,',
      `reviewCapacityPerDay: 5,
      lists: [list('travelling', { column: 'customer_id', description: 'Told us' })],`,
    )
    .replace(
      "rule('watched-terminal', {",
      `rule('travels', {
          when: 'listed("travelling")',
          then: 'allow',
          reason: 'The customer told us',
          priority: 1,
        }),
        rule('watched-terminal', {`,
    )

const reason = 'A test'
const home = temporaryDirectory('two-people')
/** By what they are: `…Program` prove a key that no person holds. */
type Who =
  | 'admin'
  | 'analyst'
  | 'ann'
  | 'ben'
  | 'adminProgram'
  | 'analystProgram'
  | 'approverProgram'
const roles: Readonly<Record<Exclude<Who, 'admin'>, readonly [string, ...string[]]>> = {
  analyst: ['analyst'],
  ann: ['approver'],
  ben: ['approver'],
  adminProgram: ['administrator', '--program'],
  analystProgram: ['analyst', '--program'],
  approverProgram: ['approver', '--program'],
}

let server: TestServer
let as: Record<Who, Client>
const keys = new Map<Who, string>()
/** The administrator once more, signed in on the page. */
let cookie: string

const project = ownProject(changed)

/** Starts the server over the home, and waits until so many versions wait for people. */
async function opened(waitingMin: number) {
  server = await startServer({ home, project })
  if (server.key !== undefined) {
    keys.set('admin', server.key)
    for (const [who, [role, ...program]] of Object.entries(roles)) {
      keys.set(who as Who, createKey(home, who, role, ...program))
    }
  }
  as = Object.fromEntries(
    [...keys].map(([who, key]) => [who, createClient(server.url, key)]),
  ) as typeof as
  await eventually('versions wait for people', async () => {
    const { waiting } = await as.admin.ask('governance')
    return waiting.length >= waitingMin
  })
  await server.printed(allDone)
}

beforeAll(() => opened(2), 180_000)

mustEndWell(() => server)

/** Each is refused, and by which code; then whoever may does it. */
async function only(
  who: Who,
  name: OperationName,
  request: Request,
  refused: Partial<Record<Who, string>>,
) {
  for (const [other, code] of Object.entries(refused)) {
    expect(await as[other as Who].refusal(name, request), `${name} by ${other}`).toBe(code)
  }
  return as[who].ask(name, request)
}

const forbidden = '403 forbidden'
const version = (number: number) => ({ model: 'tiny-fraud', version: number })
const policy = { policy: 'tiny' }
const because = { reason }

async function approved(number: number) {
  const params = version(number)
  const { approvals } = await as.ann.ask('version', { params })
  const request = { params, body: { decision: 'approve', reason, binds: approvals.binds } }
  await only('ann', 'giveApproval', request, {
    analyst: forbidden,
    adminProgram: forbidden,
    approverProgram: '403 approval_by_script',
  })
  expect(await as.ann.refusal('giveApproval', request)).toMatch(/^409 /)
  return request
}

/** The newest act of one person: who may look at it, and who may not. */
async function lookedAt(act: string, by: Who, self: boolean) {
  const { afterReviews } = await as.ann.ask('governance')
  const [review] = afterReviews
  expect(review).toMatchObject({ act, by: { kind: 'person' }, overdue: false, signed: null })
  const request = {
    params: { review: review.id },
    body: { verdict: 'right', note: 'Saw the cases' },
  }
  const signed = await only('ben', 'signAfterReview', request, {
    // Only an approver looks at anything, and never at what they did.
    [by]: self ? '403 after_review_self' : forbidden,
    analystProgram: forbidden,
    approverProgram: '403 after_review_by_script',
  })
  expect(signed.signed).toMatchObject({ by: { name: 'ben' }, verdict: 'right' })
  expect(await as.ann.refusal('signAfterReview', request)).toBe('409 after_review_signed')
}

describe('a model', () => {
  test('goes live once two people approved it and one deploys it', async () => {
    const deploy = { params: version(1), body: because }
    expect(await as.admin.refusal('deploy', deploy)).toMatch(/^409 /)
    const approval = await approved(1)
    expect(await as.admin.refusal('deploy', deploy)).toMatch(/^409 /)
    await as.ben.ask('giveApproval', approval)
    await only('admin', 'deploy', deploy, { analyst: forbidden, ann: forbidden })
  }, 60_000)

  test('that comes after it is approved against it', async () => {
    await server.stop()
    run(['run', project, '--no-cache', '--home', home])
    await opened(1)
    const signedIn = await as.admin.send('signIn', { body: { key: keys.get('admin') } })
    cookie = signedIn.headers.get('set-cookie')!.split(';')[0]
    await as.ben.ask('giveApproval', await approved(3))
  }, 120_000)

  test('is suspended by one person, looked at by another, and asked again by two', async () => {
    const request = { params: policy, body: because }
    await only('admin', 'suspendModel', request, { analyst: forbidden, ann: forbidden })
    await lookedAt('model-suspended', 'admin', true)
    const { open } = await only('admin', 'proposeResume', request, {
      analyst: forbidden,
      ann: forbidden,
      adminProgram: '403 proposal_by_script',
    })
    const { suspended } = await confirmed(open[0].id)
    expect(suspended).toBeNull()
  }, 60_000)

  test('is rolled back by one person, and looked at by another', async () => {
    await as.admin.ask('deploy', { params: version(3), body: because })
    const request = { params: { model: 'tiny-fraud' }, body: { to: 1, reason } }
    await only('admin', 'rollBack', request, { analyst: forbidden, ann: forbidden })
    await lookedAt('rolled-back', 'admin', true)
  }, 60_000)
})

/** A second person, who is neither a program nor the first one behind another key or a session. */
async function confirmed(proposal: string) {
  const request = { params: { ...policy, proposal }, body: because }
  const headers = { cookie, origin: server.url }
  const signedIn = createClient(server.url, undefined)
  expect(await signedIn.refusal('confirmProposal', { ...request, headers })).toBe(
    '403 proposal_self',
  )
  return only('ann', 'confirmProposal', request, {
    analyst: forbidden,
    adminProgram: forbidden,
    approverProgram: '403 proposal_by_script',
    admin: '403 proposal_self',
  })
}

test('a challenger is turned on by two people and off by one', async () => {
  const body = { version: 3, mode: 'live', share: 0.2, reason }
  const { open } = await only(
    'admin',
    'proposeChallenger',
    { params: policy, body },
    {
      analyst: forbidden,
      ann: forbidden,
      adminProgram: '403 proposal_by_script',
    },
  )
  const proposal = open[0].id as string
  const file = join(home, 'admin.key')
  writeFileSync(file, keys.get('admin')!)
  const command = ['models', 'confirm', 'tiny', proposal, '--reason', reason, '--key-file', file]
  const refused = run([...command, '--home', home])
  expect(refused.code).not.toBe(0)
  expect(refused.err).toContain('proposal_self')
  expect((await confirmed(proposal)).traffic).toMatchObject([{ name: 'v3' }])
  const end = { params: { ...policy, name: 'v3' }, body: because }
  const ended = await only('admin', 'endChallenger', end, { analyst: forbidden, ann: forbidden })
  expect(ended.traffic).toEqual([])
  await lookedAt('challenger-ended', 'admin', true)
}, 60_000)

test('a rule is paused by one person and goes on by two', async () => {
  const request = { params: { ...policy, rule: 'huge' }, body: because }
  await only('analyst', 'pauseRule', request, { ann: forbidden })
  await lookedAt('rule-paused', 'analyst', false)
  const { id } = await only('analyst', 'resumeRule', request, {
    ann: forbidden,
    analystProgram: '403 change_by_script',
  })
  const answer = { params: { change: id }, body: { action: 'confirm', reason } }
  await only('admin', 'answerChange', answer, {
    ann: forbidden,
    analyst: '409 change_needs_another',
    analystProgram: '403 change_by_script',
    adminProgram: '403 change_by_script',
  })
}, 60_000)

test('a draft goes live by two people, none of whom wrote any of it', async () => {
  const { parts } = await as.analyst.ask('policyWork', { params: policy })
  const content = { parts: { ...parts, description: 'Stricter' }, tests: [] }
  const body = { ...content, reason }
  const { id } = await only('analyst', 'newDraft', { params: policy, body }, { ann: forbidden })
  const at = { params: { ...policy, draft: id as string } }
  const edited = { ...content, parts: { ...parts, description: 'Stricter still' }, reason }
  await only('admin', 'saveDraft', { ...at, body: edited }, { ann: forbidden })
  const propose = { ...at, body: { action: 'propose', reason } }
  const { binds } = await only('analyst', 'actOnDraft', propose, { ann: forbidden })
  const verdict = { ...at, body: { verdict: 'approve', reason, binds } }
  const refused = {
    analyst: forbidden,
    adminProgram: forbidden,
    approverProgram: '403 draft_verdict',
    admin: '403 draft_verdict',
  }
  expect(await only('ann', 'answerDraft', verdict, refused)).toMatchObject({ state: 'proposed' })
  expect(
    await only('ben', 'answerDraft', verdict, { ...refused, ann: '403 draft_verdict' }),
  ).toMatchObject({ state: 'live' })
}, 60_000)

test('a value is put on a list by one person, and what it lets through is confirmed as it was shown', async () => {
  const entries = { params: { list: 'travelling' } }
  const body = { change: 'add', values: ['4711'], until: '2099-01-01T00:00:00Z', reason }
  await only('analyst', 'changeListEntries', { ...entries, body }, { ann: forbidden })

  const { example } = await as.admin.ask('policy', { params: policy })
  const event = { ...example, payment_id: 'refused', terminal_id: 999, amount: '9.00' }
  expect(await as.analyst.ask('decide', { params: policy, body: event })).toMatchObject({
    outcome: 'review',
  })
  const { clock } = await as.admin.ask('session')
  const until = new Date(Date.parse(clock.now) + 86_400_000).toISOString()
  const params = { ...policy, eventId: 'refused' }
  const wish = { list: 'travelling', until }
  const preview = { params, body: wish }
  const { token } = await only('analyst', 'previewAllow', preview, { ann: forbidden })
  // What one person was shown, another one has not seen.
  const allow = { params, body: { ...wish, token, reason } }
  await only('analyst', 'confirmAllow', allow, { ann: forbidden, admin: '409 allow_changed' })
}, 60_000)

test('what an action could not deliver is sent again by whoever deploys', async () => {
  const params = { ...policy, action: 'tell' }
  for (const who of ['analyst', 'ann', 'approverProgram'] as const) {
    expect(await as[who].refusal('redriveAction', { params, body: because }), who).toBe(forbidden)
  }
}, 60_000)
