import { expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import { deployment, memoryDeployments, payment, startUs } from '../../test/small-bank.ts'
import { createCaseDesk, type VerdictLabels } from './case-desk.ts'
import { createMemoryIndex, createMemoryReadModel } from './memory.ts'
import { caseId } from './projection.ts'
import { createProjector } from './projector.ts'
import { decideRemote } from './remote-service.ts'
import { openDecisionService } from './service.ts'

async function bank(labels: Partial<VerdictLabels> = {}) {
  const clock = manualClock(startUs + 1_000_000_000)
  const deployments = memoryDeployments()
  const service = await openDecisionService({
    directory: '/decide',
    files: faultyFiles(),
    clock,
    deployments,
    openIndex: async () => createMemoryIndex(),
    removeDirectory: async () => undefined,
    onFatal: (error) => {
      throw error
    },
  })
  const decide = decideRemote(service)
  await decide.openNamespace({ namespace: 'live', clock: 'wall' })
  const hash = deployments.add(deployment())
  await decide.switchDeployment({
    namespace: 'live',
    deployment: hash,
    actor: 'ann',
    reason: 'first',
  })
  const model = createMemoryReadModel()
  const projector = createProjector({ decide, sinks: [model], batch: 3 })
  const desk = createCaseDesk({
    store: model,
    decide,
    clock,
    labelsOf: () => ({ labels: 'fraud', fraud: 'fraud', genuine: 'genuine', ...labels }),
  })
  const ask = (n: number, amount = '5.00') =>
    service.decide({ namespace: 'live', policy: 'card', body: payment(n, { amount }) })
  return { clock, service, decide, model, projector, desk, ask }
}

const idOf = (n: number) => caseId('live', 'card', `p${n}`)

test('the projection follows the journal, batch by batch, and repeats nothing', async () => {
  const { model, projector, ask, service } = await bank()
  for (let n = 1; n <= 10; n++) await ask(n)
  expect(await projector.catchUp()).toBe(11)
  expect(await projector.catchUp()).toBe(0)
  expect(await model.count({ namespace: 'live' })).toBe(10)
  expect(await model.position('live')).toBe(11)
  expect(await model.deployments('live')).toMatchObject([{ policy: 'card', actor: 'ann' }])
  await service.close()
})

test('a running projector hears of what comes later', async () => {
  const { model, projector, ask, service } = await bank()
  projector.start()
  await ask(1)
  while ((await model.count({ namespace: 'live' })) === 0)
    await new Promise((r) => setTimeout(r, 10))
  await projector.stop()
  await service.close()
})

test('a review becomes a case, its verdict a label after ten seconds, and the decision shows it', async () => {
  const { clock, model, projector, desk, ask, service } = await bank()
  await ask(1, '1000.00')
  await projector.catchUp()
  const closed = await desk.giveVerdict({ caseId: idOf(1), verdict: 'fraud', by: 'Ann' })
  expect(closed).toMatchObject({ status: 'closed', verdict: 'fraud', by: 'Ann' })
  expect(await desk.sendDueLabels()).toBe(0)
  clock.advance(10_000_000)
  expect(await desk.sendDueLabels()).toBe(1)
  expect(await desk.sendDueLabels()).toBe(0)
  await projector.catchUp()
  expect((await model.get('live', 'card', 'p1'))?.label).toMatchObject({
    value: 'fraud',
    author: 'Ann',
  })
  expect((await model.caseHistory(idOf(1))).map(({ action }) => action)).toEqual([
    'verdict',
    'label-sent',
  ])
  await service.close()
})

test('a label that is refused is not sent again: its case says why', async () => {
  const { clock, model, projector, desk, ask, service } = await bank({ fraud: 'no such value' })
  await ask(1, '1000.00')
  await projector.catchUp()
  await desk.giveVerdict({ caseId: idOf(1), verdict: 'fraud', by: 'Ann' })
  clock.advance(10_000_000)
  expect(await desk.sendDueLabels()).toBe(0)
  expect(await model.dueLabels(clock.nowUs(), 10)).toEqual([])
  const history = await model.caseHistory(idOf(1))
  expect(history.at(-1)).toMatchObject({
    action: 'label-refused',
    reason: expect.stringMatching(/^label_invalid: .*must be one of/),
  })
  await service.close()
})

test('a label whose source is not there waits longer each time, and for a week at most', async () => {
  const { clock, model, projector, desk, ask, service } = await bank({ labels: 'gone' })
  await ask(1, '1000.00')
  await projector.catchUp()
  await desk.giveVerdict({ caseId: idOf(1), verdict: 'fraud', by: 'Ann' })
  let tries = 0
  for (let row = (await model.case(idOf(1)))!.case; row.labelDueUs !== null; tries++) {
    clock.advance(row.labelDueUs - clock.nowUs())
    expect(await desk.sendDueLabels()).toBe(0)
    row = (await model.case(idOf(1)))!.case
  }
  expect(tries).toBeLessThan(30)
  const history = await model.caseHistory(idOf(1))
  expect(history.at(-1)).toMatchObject({
    action: 'label-refused',
    reason: expect.stringMatching(/^source_not_found/),
  })
  await service.close()
})

test('a verdict can be undone for ten seconds, and corrected with a reason afterwards', async () => {
  const { clock, model, projector, desk, ask, service } = await bank()
  await ask(1, '1000.00')
  await projector.catchUp()
  await desk.giveVerdict({ caseId: idOf(1), verdict: 'fraud', by: 'Ann' })
  expect(await desk.undo({ caseId: idOf(1), by: 'Ann' })).toMatchObject({
    status: 'open',
    verdict: null,
  })
  clock.advance(20_000_000)
  expect(await desk.sendDueLabels()).toBe(0)
  await expect(desk.undo({ caseId: idOf(1), by: 'Ann' })).rejects.toMatchObject({
    code: 'case_state',
  })
  await desk.giveVerdict({ caseId: idOf(1), verdict: 'fraud', by: 'Ann' })
  await expect(
    desk.giveVerdict({ caseId: idOf(1), verdict: 'genuine', by: 'Bob' }),
  ).rejects.toMatchObject({
    code: 'case_state',
  })
  clock.advance(10_000_000)
  await desk.sendDueLabels()
  clock.advance(60_000_000)
  await desk.correct({
    caseId: idOf(1),
    verdict: 'genuine',
    by: 'Bob',
    reason: 'The customer called',
  })
  clock.advance(10_000_000)
  await desk.sendDueLabels()
  await projector.catchUp()
  expect((await model.get('live', 'card', 'p1'))?.label).toMatchObject({
    value: 'genuine',
    author: 'Bob',
  })
  expect(await model.labels('live', 'payments', 'p1')).toHaveLength(2)
  await service.close()
})

test('a label whose namespace is gone does not hold up the others', async () => {
  const { clock, decide, projector, desk, ask, service } = await bank()
  const [live] = (await decide.namespaces())[0].policies
  const { deployment: hash } = live
  await decide.openNamespace({ namespace: 'replay-1', clock: 'replay' })
  const request = { namespace: 'replay-1', deployment: hash, actor: 'player', reason: 'replay' }
  await decide.switchDeployment(request)
  const body = payment(1, { amount: '1000.00' })
  await service.decide({ namespace: 'replay-1', policy: 'card', body })
  await ask(1, '1000.00')
  await projector.catchUp()
  for (const namespace of ['replay-1', 'live']) {
    const verdict = {
      caseId: caseId(namespace, 'card', 'p1'),
      verdict: 'fraud',
      by: 'Ann',
    } as const
    await desk.giveVerdict(verdict)
    clock.advance(1_000_000)
  }
  await decide.removeNamespace({ namespace: 'replay-1' })
  clock.advance(10_000_000)
  expect(await desk.sendDueLabels()).toBe(1)
  await service.close()
})

test('an unsure verdict makes no label', async () => {
  const { clock, model, projector, desk, ask, service } = await bank()
  await ask(1, '1000.00')
  await projector.catchUp()
  await desk.giveVerdict({ caseId: idOf(1), verdict: 'unsure', by: 'Ann' })
  clock.advance(20_000_000)
  expect(await desk.sendDueLabels()).toBe(0)
  await projector.catchUp()
  expect((await model.get('live', 'card', 'p1'))?.label).toBeNull()
  await expect(desk.undo({ caseId: idOf(1), by: 'Ann' })).rejects.toMatchObject({
    code: 'case_state',
  })
  await service.close()
})

test('a person may open a case on any decision', async () => {
  const { model, projector, desk, ask, service } = await bank()
  await ask(1)
  await projector.catchUp()
  const request = {
    namespace: 'live',
    policy: 'card',
    eventId: 'p1',
    by: 'Ann',
    reason: 'Looks odd',
    atUs: 77,
  }
  expect(await desk.open(request)).toMatchObject({
    status: 'open',
    openedBecause: 'Ann: Looks odd',
    openedAtUs: 77,
  })
  expect((await model.cases({ namespace: 'live' })).total).toBe(1)
  await expect(desk.open({ ...request, eventId: 'none' })).rejects.toMatchObject({
    code: 'decision_not_found',
  })
  await expect(desk.undo({ caseId: 'none', by: 'Ann' })).rejects.toMatchObject({
    code: 'case_not_found',
  })
  await service.close()
})
