import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { changeSentence, requestToGoOn } from './go-on.ts'
import { approval, pipeline, step, type PipelineDeclaration } from './declare.ts'
import { allSteps, loadedPipeline, type RunRequest } from './plan.ts'
import { testEngine } from './runner.cases.ts'
import { markBrokenOff, newRun, runPipelineSteps } from './runner.ts'

let ran: string[] = []

const make = step('make', {
  params: { days: 7 },
  outputs: { out: 'json' },
  async run({ outputs, params }) {
    ran.push('make')
    await outputs.out.write(params.days)
  },
})
const use = step('use', {
  outputs: { out: 'json' },
  async run({ outputs }) {
    ran.push('use')
    await outputs.out.write(1)
  },
})

interface Shape {
  readonly days?: number
  readonly isAsked?: boolean
  readonly hasUse?: boolean
  readonly hasMore?: boolean
  readonly parameter?: string
}

function asked({
  days = 7,
  isAsked = true,
  hasUse = true,
  hasMore,
  parameter = 'days',
}: Shape = {}) {
  return pipeline('asked', {
    params: { [parameter]: days },
    steps({ params }) {
      const made = make({ params: { days: params[parameter] } })
      const look = approval({ question: 'Good?', shows: { made: made.outputs.out } })
      return {
        made,
        ...(isAsked && { look }),
        ...(hasUse && { used: use({ after: isAsked ? [look] : [made] }) }),
        ...(hasMore === true && { more: use({}) }),
      }
    },
  })
}

/** A run that waits for people, in a folder whose step files can be changed. */
async function waitingRun(params: RunRequest['params'] = {}) {
  ran = []
  const engine = testEngine()
  const [first, second] = ['made.ts', 'used.ts'].map((name) => join(engine.folder, name))
  writeFileSync(first, "import './shared.ts'")
  writeFileSync(join(engine.folder, 'shared.ts'), '1')
  writeFileSync(second, '2')
  const loaded = (declaration: PipelineDeclaration) => {
    const { compiled } = loadedPipeline(declaration)
    return { compiled, files: { made: first, used: second, more: second } }
  }
  const held = await engine.run(asked(), { pipeline: loaded(asked()), params })
  expect(held.run.status).toBe('waiting')
  const goOn = async (shape: Shape = {}) => {
    const declaration = asked(shape)
    const run = (await engine.runs.get(held.run.id))!
    const request = requestToGoOn(
      { ...run, engine: run.engine! },
      { directory: engine.folder, pipeline: loaded(declaration), runner: 'another' },
    )
    return engine.run(declaration, { ...request, again: run })
  }
  const answer = () =>
    engine.store.answer({
      runId: held.run.id,
      step: 'look',
      identityId: 'bea',
      identityName: 'Bea',
      verdict: 'approve',
      reason: 'looked at it',
      atUs: 1,
      shown: held.of('look').approval!.shown,
    })
  return { ...engine, held, goOn, answer }
}

test('a run that goes on as it began says nothing, and who runs it now', async () => {
  const { goOn, answer } = await waitingRun()
  await answer()
  const { run } = await goOn()
  expect(run).toMatchObject({ status: 'done', engine: { runner: 'another' } })
  expect(run.engine?.changes).toBeUndefined()
  expect(ran).toEqual(['make', 'use'])
})

test('changed code is named by the steps that it belongs to, and once', async () => {
  const { goOn, answer, folder } = await waitingRun()
  writeFileSync(join(folder, 'used.ts'), '3')
  const still = await goOn()
  expect(still.run.status).toBe('waiting')
  await answer()
  const { run } = await goOn()
  expect(run.engine?.changes).toMatchObject([
    { runner: 'another', words: ['changed code: step used'] },
  ])
  expect(changeSentence(run.engine!.changes![0])).toMatch(
    /^Went on with changed code: step used\. /,
  )
  expect(ran).toEqual(['make', 'use'])
})

test('a step that had ended runs again where code that it reaches changed', async () => {
  const { goOn, folder } = await waitingRun()
  writeFileSync(join(folder, 'shared.ts'), '2')
  const { run, of } = await goOn()
  expect(run.engine?.changes?.[0].words).toEqual(['changed code: step made'])
  expect(of('made').cache?.words).toEqual(['code of shared.ts changed'])
  expect(ran).toEqual(['make', 'make'])
})

test('a changed default is told, and the run keeps the value that it began with', async () => {
  const { goOn } = await waitingRun()
  const { run } = await goOn({ days: 14 })
  expect(run.engine?.changes?.[0].words).toEqual(['`days` = 7 as it began; its default is 14 now'])
  expect(ran).toEqual(['make'])
})

test('steps that are new, and steps that had ended and are gone, are told', async () => {
  const { goOn } = await waitingRun()
  const { run } = await goOn({ hasMore: true })
  expect(run.engine?.changes?.[0].words).toEqual(['declared in addition: step more'])
  expect((await goOn()).run.engine?.changes?.[1].words).toEqual(['declared no more: step more'])
})

test('a run that waits for a step that is declared no more ends, and names it', async () => {
  const { goOn, store, held } = await waitingRun()
  const { run } = await goOn({ isAsked: false })
  expect(run).toMatchObject({ status: 'failed', engine: { counts: { done: 1, failed: 1 } } })
  expect(run.problem).toBe(
    `asked declares step look no more, which this run has yet to end. Declare it again and go on with --resume ${held.run.id}, or start another run.`,
  )
  expect((await store.steps(held.run.id)).map(({ status }) => status)).toEqual([
    'done',
    'failed',
    'skipped',
  ])
  // Asked once more it is the same; brought back, it goes on.
  expect((await goOn({ isAsked: false })).run.status).toBe('failed')
  expect((await goOn()).run.status).toBe('waiting')
})

test('a parameter that was given and is declared no more ends the run; a default falls away', async () => {
  const byDefault = await waitingRun()
  const renamed = await byDefault.goOn({ parameter: 'weeks' })
  expect(renamed.run.status).toBe('waiting')
  expect(renamed.run.engine?.changes?.[0].words).toEqual([
    'a new parameter `weeks` = 7',
    'without the parameter `days`',
  ])
  const given = await waitingRun({ days: 3 })
  const { run } = await given.goOn({ parameter: 'weeks' })
  expect(run.status).toBe('failed')
  expect(run.problem).toContain('asked has no parameter "days"; it has weeks.')
})

test('a step whose code changes while it runs fails, so that its key never names another result', async () => {
  const engine = testEngine()
  const file = join(engine.folder, 'edited.ts')
  writeFileSync(file, '1')
  const edited = pipeline('edited', {
    steps: () => ({
      one: step('one', {
        outputs: { out: 'json' },
        async run({ outputs }) {
          await outputs.out.write(1)
          if (ran.push('one') === 1) writeFileSync(file, '22')
        },
      })({}),
    }),
  })
  const { compiled } = loadedPipeline(edited)
  const run = async () => engine.run(edited, { pipeline: { compiled, files: { one: file } } })
  ran = []
  expect((await run()).run.problem).toMatch(
    /^one: code of edited.ts changed while the step read it/,
  )
  expect((await run()).run.status).toBe('done')
  expect((await run()).statuses).toEqual(['cached'])
})

test('runs and backfills of processes that fell are marked, those of others stay', async () => {
  const { runs, ports, store } = testEngine()
  const request = (runner: string): RunRequest => ({
    directory: '.',
    pipeline: loadedPipeline(asked()),
    params: {},
    partition: null,
    options: allSteps,
    why: { kind: 'person', words: '' },
    actor: 'ada',
    backfill: null,
    runner,
  })
  const ids: string[] = []
  for (const runner of ['command 1', 'command 2', 'work']) {
    const run = newRun(request(runner), ports)
    ids.push(run.id)
    await runs.save(run)
  }
  const isAlive = (runner: string) => runner !== 'command 1'
  await markBrokenOff(runs, { store, clock: ports.clock, isAlive })
  const statuses = await Promise.all(ids.map(async (id) => (await runs.get(id))?.status))
  expect(statuses).toEqual(['interrupted', 'running', 'running'])
  const { signal } = new AbortController()
  const done = await runPipelineSteps(
    (await runs.get(ids[0]))!,
    request('command 3'),
    ports,
    signal,
  )
  expect(done.engine?.runner).toBe('command 3')
})
