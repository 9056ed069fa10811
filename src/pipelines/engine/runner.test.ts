import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { check } from '../../data/index.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { approval, given, pipeline, step } from './declare.ts'
import { differences } from './explain.ts'
import { allSteps } from './plan.ts'
import { testEngine } from './runner.cases.ts'
import { partitionBy } from './when.ts'

let ran: string[] = []

const clean = step('clean', {
  inputs: { raw: 'file' },
  params: { days: 7 },
  outputs: { rows: { kind: 'table', checks: [check.rows({ min: 1 })] }, report: 'json' },
  async run({ inputs, outputs, params, report }) {
    ran.push('clean')
    const lines = (await inputs.raw.text()).trim().split('\n')
    report('reading')
    const rows = lines.filter(Boolean).map((line) => ({ word: line, length: line.length }))
    await outputs.rows.write(rows)
    await outputs.report.write({ lines: lines.length, days: params.days })
    return `${rows.length} rows`
  },
})

const train = step('train', {
  inputs: { rows: 'table' },
  outputs: { model: 'json', scores: 'metrics' },
  async run({ inputs, outputs }) {
    ran.push('train')
    const rows = await inputs.rows.rows()
    const mean = rows.reduce((sum, { length }) => sum + Number(length), 0) / rows.length
    await outputs.model.write({ mean })
    await outputs.scores.write({ mean })
    return `mean ${mean}`
  },
})

const words = pipeline('words', {
  params: { days: 7 },
  steps({ params }) {
    const cleaned = clean({
      inputs: { raw: given.file('words.txt') },
      params: { days: params.days },
    })
    return { cleaned, trained: train({ inputs: { rows: cleaned.outputs.rows } }) }
  },
  products: ({ cleaned }) => ({ rows: cleaned.outputs.rows }),
})

function engineWithWords() {
  ran = []
  const engine = testEngine()
  writeFileSync(join(engine.folder, 'words.txt'), 'one\nthree\n')
  return engine
}

test('steps run in the order of their wires, and what they made is kept by its content', async () => {
  const engine = engineWithWords()
  const { run, of } = await engine.run(words)
  expect(run).toMatchObject({ status: 'done', engine: { counts: { done: 2 } } })
  expect(ran).toEqual(['clean', 'train'])
  const { digest } = of('trained').outputs['model']
  expect(readFileSync(engine.objects.path(digest), 'utf8')).toBe('{"mean":4}')
  expect(of('cleaned')).toMatchObject({ figure: '2 rows', outputs: { rows: { rows: 2 } } })
  expect(await engine.store.product('words', 'rows', null)).toMatchObject({ version: 1 })
})

test('what was run before is not run again, and says of which run it is the same', async () => {
  const engine = engineWithWords()
  const first = await engine.run(words)
  const { statuses, of } = await engine.run(words)
  expect(statuses).toEqual(['cached', 'cached'])
  expect(of('trained').cache?.words[0]).toContain(
    `same as run ${first.run.id}, step trained, of 2023`,
  )
  expect(ran).toHaveLength(2)
})

test('a changed parameter runs what depends on it, and is named', async () => {
  const engine = engineWithWords()
  await engine.run(words)
  const { statuses, of } = await engine.run(words, { params: { days: 14 } })
  expect(of('cleaned').cache?.words).toEqual(['parameter `days` was 7, is 14'])
  // The rows are the same whatever the days, so the model is looked up by their content.
  expect(statuses).toEqual(['done', 'cached'])
})

test('a changed file is named by its digests', async () => {
  const engine = engineWithWords()
  await engine.run(words)
  writeFileSync(join(engine.folder, 'words.txt'), 'one\nthree\nfour\n')
  const { of } = await engine.run(words)
  expect(of('cleaned').cache?.words[0]).toMatch(/^input raw changed \(digest \w{12} → \w{12}\)$/)
  expect(of('trained').cache?.words[0]).toMatch(/^input rows changed/)
})

test('what a step made and somebody removed is made again', async () => {
  const engine = engineWithWords()
  const { of } = await engine.run(words)
  const { rm } = await import('node:fs/promises')
  await rm(engine.objects.path(of('cleaned').outputs['report'].digest))
  const again = await engine.run(words)
  expect(again.statuses).toEqual(['done', 'cached'])
  expect(again.of('cleaned').cache?.words).toEqual(['what it made was removed from the store'])
})

test('from, only and no-cache run what they say', async () => {
  const engine = engineWithWords()
  await engine.run(words)
  const statuses = async (options: Partial<typeof allSteps>) =>
    (await engine.run(words, { options: { ...allSteps, ...options } })).statuses
  expect(await statuses({ from: 'trained' })).toEqual(['cached', 'done'])
  expect(await statuses({ only: ['cleaned'] })).toEqual(['done', 'skipped'])
  expect(await statuses({ noCache: true })).toEqual(['done', 'done'])
  expect(ran).toEqual(['clean', 'train', 'train', 'clean', 'clean', 'train'])
})

test('a step asked for alone fails where one before it was never run', async () => {
  const engine = engineWithWords()
  const { run, statuses } = await engine.run(words, {
    options: { ...allSteps, only: ['trained'] },
  })
  expect(statuses).toEqual(['failed', 'skipped'])
  expect(run.problem).toContain('it was never run before')
})

test('a check that does not hold stops what depends on it, with the figures', async () => {
  const engine = engineWithWords()
  writeFileSync(join(engine.folder, 'words.txt'), '\n')
  const strict = pipeline('strict', {
    steps() {
      const cleaned = step('clean', {
        ...clean.options,
        outputs: { rows: { kind: 'table', checks: [check.rows({ min: 5 })] } },
        async run({ outputs }) {
          await outputs.rows.write([{ word: 'a', length: 1 }])
        },
      })({ inputs: { raw: given.file('words.txt') } })
      return { cleaned, trained: train({ inputs: { rows: cleaned.outputs.rows } }) }
    },
  })
  const { run, of, statuses } = await engine.run(strict)
  expect(statuses).toEqual(['failed', 'skipped'])
  expect(run.problem).toContain('1 rows; at least 5.')
  expect(of('cleaned').checks[0]).toMatchObject({ output: 'rows', evidence: [{ passed: false }] })
  // What failed a check is never a hit.
  expect((await engine.run(strict)).statuses).toEqual(['failed', 'skipped'])
})

test('a branch that fails lets the others end', async () => {
  const engine = testEngine()
  const broken = step('broken', {
    outputs: { out: 'json' },
    run: async () => Promise.reject(new Error('no luck')),
  })
  const fine = step('fine', {
    inputs: { of: 'json' },
    outputs: { out: 'json' },
    run: async ({ inputs, outputs }) => outputs.out.write(await inputs.of.read()),
  })
  const branches = pipeline('branches', {
    steps() {
      const left = broken({})
      const right = fine({ inputs: { of: given.value({ a: 1 }) } })
      return {
        left,
        right,
        afterLeft: fine({ inputs: { of: left.outputs.out } }),
        afterRight: fine({ inputs: { of: right.outputs.out } }),
      }
    },
  })
  const { of, run } = await engine.run(branches)
  expect(run).toMatchObject({ status: 'failed', problem: 'left: no luck' })
  expect(of('afterLeft')).toMatchObject({ status: 'skipped' })
  // The very same function of the same content is looked up, whatever the step is called.
  expect([of('right').status, of('afterRight').status]).toEqual(['done', 'cached'])
})

test('a step is tried again after waits that double, with jitter, and every attempt is on record', async () => {
  const engine = testEngine()
  let tries = 0
  const flaky = pipeline('flaky', {
    steps: () => ({
      once: step('once', {
        outputs: { out: 'json' },
        retry: { attempts: 4, backoffS: 2, backoffMaxS: 5 },
        async run({ outputs }) {
          if (++tries < 4) throw new Error(`try ${tries}`)
          await outputs.out.write(tries)
        },
      })({}),
    }),
  })
  const { of, run } = await engine.run(flaky)
  expect(run.status).toBe('done')
  expect(of('once').attempts.map(({ status, problem }) => [status, problem])).toEqual([
    ['failed', 'try 1'],
    ['failed', 'try 2'],
    ['failed', 'try 3'],
    ['done', null],
  ])
  for (const [i, whole] of [2000, 4000, 5000].entries()) {
    expect(engine.waits[i]).toBeGreaterThanOrEqual(whole / 2)
    expect(engine.waits[i]).toBeLessThanOrEqual(whole)
  }
})

test('a cancelled run ends what runs and begins nothing more', async () => {
  const engine = testEngine()
  const stop = new AbortController()
  const hanging = step('hang', {
    outputs: { out: 'json' },
    run: () => {
      stop.abort('cancelled by Ada: too slow')
      return new Promise<void>(() => {})
    },
  })
  const { run, statuses } = await engine.run(
    pipeline('hanging', {
      steps() {
        const hang = hanging({})
        return { hang, next: hanging({ after: [hang] }) }
      },
    }),
    { signal: stop.signal },
  )
  expect(run).toMatchObject({ status: 'cancelled', problem: 'cancelled by Ada: too slow' })
  expect(statuses).toEqual(['cancelled', 'cancelled'])
})

test('a run waits for people, and goes on from there when they have said yes', async () => {
  const engine = engineWithWords()
  const asked = pipeline('asked', {
    steps() {
      const cleaned = clean({ inputs: { raw: given.file('words.txt') } })
      const looked = approval({
        question: 'Is the text clean?',
        approvers: 2,
        shows: { report: cleaned.outputs.report },
      })
      const trained = train({ inputs: { rows: cleaned.outputs.rows }, after: [looked] })
      return { cleaned, looked, trained }
    },
  })
  const held = await engine.run(asked)
  expect(held.run.status).toBe('waiting')
  expect(held.statuses).toEqual(['done', 'held', 'waiting'])
  const answer = async (identityId: string, verdict: 'approve' | 'refuse') =>
    engine.store.answer({
      runId: held.run.id,
      step: 'looked',
      identityId,
      identityName: identityId,
      verdict,
      reason: 'looked at it',
      atUs: 1,
      shown: held.of('looked').approval!.shown,
    })
  await answer('bea', 'approve')
  const half = await engine.run(asked, { again: held.run })
  expect(half.of('looked')).toMatchObject({ figure: 'approved by bea; waits for 1 person' })
  await answer('bea', 'approve')
  expect((await engine.run(asked, { again: held.run })).run.status).toBe('waiting')
  await answer('cy', 'approve')
  const done = await engine.run(asked, { again: held.run })
  expect(done.run.status).toBe('done')
  expect(done.statuses).toEqual(['done', 'done', 'done'])
  expect(ran).toEqual(['clean', 'train'])
  await answer('dee', 'refuse')
})

test('a file that changes while a step reads it fails the step', async () => {
  const engine = testEngine()
  const path = join(engine.folder, 'words.txt')
  writeFileSync(path, 'one\n')
  const { run } = await engine.run(
    pipeline('moving', {
      steps: () => ({
        copy: step('copy', {
          inputs: { raw: 'file' },
          outputs: { out: 'file' },
          async run({ inputs, outputs }) {
            await outputs.out.write(await inputs.raw.bytes())
            writeFileSync(path, 'one\ntwo\n')
          },
        })({ inputs: { raw: given.file('words.txt') } }),
      }),
    }),
  )
  expect(run.problem).toMatch(/^copy: file words.txt changed while the step read it/)
})

test('a run names a partition that there is, where there are any', async () => {
  const engine = engineWithWords()
  await expect(engine.run(words, { partition: 'a' })).rejects.toThrow('words has no partitions.')
  const parted = pipeline('parted', {
    steps: ({ partition }) => ({
      one: step('one', {
        params: { key: '' },
        outputs: { out: 'json' },
        run: ({ outputs, params }) => outputs.out.write(params.key),
      })({ params: { key: partition } }),
    }),
    partitions: partitionBy.list(['a', 'b']),
  })
  await expect(engine.run(parted)).rejects.toThrow(
    'runs over partitions; name one, --partition b, or several, --backfill a..b.',
  )
  await expect(engine.run(parted, { partition: 'c' })).rejects.toThrow('no partition "c": a to b.')
  const { run, of } = await engine.run(parted, { partition: 'b' })
  expect(run).toMatchObject({ about: 'b', status: 'done' })
  expect(readFileSync(engine.objects.path(of('one').outputs['out'].digest), 'utf8')).toBe('"b"')
  expect(await engine.store.partitionCounts('parted')).toMatchObject({ done: 1 })
})

test('folders pass between steps as they were', async () => {
  const engine = testEngine()
  const write = step('write', {
    outputs: { parts: 'folder' },
    async run({ outputs }) {
      writeFileSync(join(outputs.parts.path, 'a.txt'), 'a')
      writeFileSync(join(outputs.parts.path, 'b.txt'), 'b')
    },
  })
  const read = step('read', {
    inputs: { parts: 'folder' },
    outputs: { text: 'file' },
    run: ({ inputs, outputs }) =>
      outputs.text.write(readFileSync(join(inputs.parts.path, 'a.txt'), 'utf8')),
  })
  const { of } = await engine.run(
    pipeline('folders', {
      steps() {
        const parts = write({})
        return { parts, text: read({ inputs: { parts: parts.outputs.parts } }) }
      },
    }),
  )
  expect(readFileSync(engine.objects.path(of('text').outputs['text'].digest), 'utf8')).toBe('a')
})

test('a variable is kept under the home’s secret, and a change of either is told', async () => {
  const engine = testEngine()
  const secret = pipeline('secret', {
    steps: () => ({
      one: step('one', {
        env: ['TOKEN'],
        outputs: { out: 'json' },
        run: ({ outputs }) => outputs.out.write(1),
      })({}),
    }),
  })
  const words = async () => (await engine.run(secret)).of('one').cache?.words[0]
  expect(await words()).toBe('it was never run before')
  engine.variables.set('TOKEN', 'a')
  expect(await words()).toBe('environment variable TOKEN is set now')
  engine.variables.set('TOKEN', 'b')
  expect(await words()).toBe('environment variable TOKEN changed')
  engine.sealed.by = 'another'
  expect(await words()).toBe(
    'environment variable TOKEN was kept under another secret of the home, and cannot be compared',
  )
  const { parts } = (await engine.run(secret, { options: { ...allSteps, noCache: true } })).of(
    'one',
  )
  expect(JSON.stringify(parts)).not.toContain('"b"')
})

test('a variable that an earlier version kept as a plain hash is a miss that says so', () => {
  const parts = (kept: string) => ({
    step: 'one',
    code: { files: {}, packages: null },
    params: {},
    inputs: {},
    environment: { assay: '1', node: '26', platform: 'x', variables: { TOKEN: kept } },
  })
  expect(differences(parts(sha256Hex('b')), parts(`hmac:1:${sha256Hex('b')}`))).toEqual([
    'environment variable TOKEN was kept as a plain hash, with which nothing is compared any more',
  ])
})

test('an output that somebody changed is not read by the step after it', async () => {
  const engine = engineWithWords()
  const spoilt = pipeline('spoilt', {
    steps() {
      const cleaned = clean({ inputs: { raw: given.file('words.txt') } })
      const between = step('between', {
        outputs: { out: 'json' },
        async run({ outputs }) {
          const { digest } = (await engine.store.steps(runId))[0].outputs['rows']
          const path = engine.objects.path(digest)
          chmodSync(path, 0o644)
          writeFileSync(path, '[]')
          await outputs.out.write(1)
        },
      })({ after: [cleaned] })
      return {
        cleaned,
        between,
        trained: train({ inputs: { rows: cleaned.outputs.rows }, after: [between] }),
      }
    },
  })
  let runId = ''
  const { save } = engine.runs
  engine.runs.save = (run) => {
    runId = run.id
    return save(run)
  }
  const { run, statuses } = await engine.run(spoilt)
  expect(statuses).toEqual(['done', 'done', 'failed'])
  expect(run.problem).toMatch(/^trained: What was kept of step cleaned\/rows \(\w+\) is gone/)
})

test('a disk that is full fails the step alone, and nothing of it is left in scratch', async () => {
  const full = () => Promise.reject(new Error('ENOSPC: no space left on device, write'))
  const engine = testEngine()
  const objects = { ...engine.objects, adopt: full }
  const two = pipeline('two', {
    steps: () => ({
      big: step('big', { outputs: { out: 'json' }, run: ({ outputs }) => outputs.out.write(1) })(
        {},
      ),
      none: step('none', { outputs: {}, run: async () => {} })({}),
    }),
  })
  const { run, statuses } = await testEngine({ objects }).run(two)
  expect(statuses).toEqual(['failed', 'done'])
  expect(run).toMatchObject({
    status: 'failed',
    problem: 'big: ENOSPC: no space left on device, write',
  })
  const attempts = { run: full }
  const unmade = await testEngine({ attempts }).run(two)
  expect(unmade.statuses).toEqual(['failed', 'failed'])
  expect(unmade.of('big').attempts).toMatchObject([
    { status: 'failed', endedAtUs: expect.any(Number) },
  ])
})
