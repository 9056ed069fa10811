// Declared pipelines through the command line: real processes, files, a real kill.
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { monotonicUs } from '../../src/lib/clock.ts'
import { repositoryRoot } from '../source-text.ts'
import { temporaryDirectory } from '../system/server.ts'
import { assay } from './command-line.ts'

/** A copy of the project of the fixtures, or one of a single file. */
function project(source?: string): string {
  const folder = temporaryDirectory('pipelines')
  if (source === undefined) {
    cpSync(join(repositoryRoot, 'test', 'projects', 'pipelines'), folder, { recursive: true })
  } else writeFileSync(join(folder, 'project.ts'), source)
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(repositoryRoot, join(folder, 'node_modules', 'assay'), 'dir')
  return folder
}

interface Explained {
  readonly id: string
  readonly status: string
  readonly steps: readonly {
    readonly step: string
    readonly status: string
    readonly problem: string | null
    readonly cache: { readonly words: readonly string[] } | null
    readonly attempts: readonly { readonly status: string }[]
  }[]
}

function newest(folder: string): Explained {
  const [run] = JSON.parse(assay(folder, ['pipelines', 'runs', '--json']).out) as { id: string }[]
  return JSON.parse(assay(folder, ['pipelines', 'explain', run.id, '--json']).out) as Explained
}

test('a pipeline runs its steps once, looks them up afterwards, and says why', () => {
  const folder = project()
  expect(assay(folder, ['pipelines', 'run', 'create-texts'])).toMatchObject({ code: 0 })
  const again = assay(folder, ['pipelines', 'run', 'create-texts'])
  expect(again.out).toContain('= Clean  unchanged. 5 texts')
  const drifted = assay(folder, ['pipelines', 'run', 'create-texts', '--param', 'lengthMin=20'])
  expect(drifted.code).toBe(1)
  expect(drifted.out).toMatch(/stability index of length .* is \d\.\d+ \(at most 0\.5\)/)
  const { id, steps } = newest(folder)
  expect(steps.map(({ status, cache }) => [status, cache?.words])).toEqual([
    ['failed', ['parameter `lengthMin` was 3, is 20']],
    ['skipped', undefined],
  ])
  expect(assay(folder, ['pipelines', 'logs', id, 'clean']).out).toContain('4 of 6 texts')
})

test('a training pipeline uses the product of another once a person has approved it', () => {
  const folder = project()
  const early = assay(folder, ['pipelines', 'run', 'train-texts'])
  expect(early.out).toContain('The pipeline create-texts has not made its product rows yet.')
  assay(folder, ['pipelines', 'run', 'create-texts'])
  expect(assay(folder, ['pipelines', 'run', 'train-texts']).out).toContain('waits for 1 person')
  const { id } = newest(folder)
  const key = (role: string) => {
    const file = join(folder, `${role}.key`)
    writeFileSync(file, assay(folder, ['keys', 'create', '--name', role, '--role', role]).out)
    return ['--reason', 'looked at them', '--key-file', file]
  }
  const approve = ['pipelines', 'approve', id, 'look']
  expect(assay(folder, [...approve, ...key('analyst')]).err).toContain('(approval_forbidden)')
  expect(assay(folder, [...approve, ...key('approver')]).code).toBe(0)
  appendFileSync(join(folder, 'steps.ts'), '// Looked over once more.\n')
  const done = assay(folder, ['pipelines', 'run', 'train-texts', '--resume', id])
  expect(done.out).toContain('approved by approver')
  expect(done.out).toContain('Went on with changed code: step train. Steps whose code,')
  expect(assay(folder, ['pipelines', 'explain', id]).out).toContain('Went on with changed code')
  expect(done.out).toContain('share 0.60')
  const log = join(folder, 'audit.ndjson')
  assay(folder, ['audit', 'export', log])
  const actions = ['run-started', 'step-approved']
  for (const action of actions) expect(readFileSync(log, 'utf8')).toContain(`pipelines.${action}`)
})

test('a backfill leaves out what is done, and refuses keys that are none', () => {
  const folder = project()
  const fill = (range: string) =>
    assay(folder, ['pipelines', 'run', 'daily-counts', '--backfill', range])
  expect(fill('2026-01-03..2026-01-04').out).toBe('2 done, 0 were done before, 0 failed\n')
  expect(fill('2026-01-03..2026-01-05').out).toBe('1 done, 2 were done before, 0 failed\n')
  expect(fill('2026-01-03..2026-02-30').err).toContain('no partition "2026-02-30"')
  const states = JSON.parse(assay(folder, ['pipelines', 'backfills', '--json']).out) as {
    readonly id: string
    readonly state: string
  }[]
  expect(states.map(({ state }) => state)).toEqual(['done', 'done'])
  const cancel = ['pipelines', 'cancel', states[0].id, '--reason', 'wrong days']
  expect(assay(folder, cancel).err).toContain('(pipeline_run_ended)')
  assay(folder, ['audit', 'export', join(folder, 'audit.ndjson')])
  const audited = readFileSync(join(folder, 'audit.ndjson'), 'utf8')
  for (const state of ['started', 'ended']) {
    expect(audited.split(`pipelines.backfill-${state}`)).toHaveLength(3)
  }
})

test('without a partition it says how to name one, with keys that there are', () => {
  const { code, err } = assay(project(), ['pipelines', 'run', 'daily-counts'])
  expect(code).toBe(1)
  const [, key] = /name one, --partition (\S+), or several, --backfill \S+\.\.\S+\./.exec(err) ?? []
  expect(key).toMatch(/^2026-\d\d-\d\d$/)
})

test('one step runs by itself from files to files', () => {
  const folder = project()
  writeFileSync(join(folder, 'inputs.json'), '{"raw":"data/messages.csv"}')
  const step = [
    'pipelines',
    'step',
    'create-texts',
    'clean',
    '--inputs',
    'inputs.json',
    '--out',
    'out',
  ]
  const { code, out } = assay(folder, step)
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ passed: true, outputs: { rows: { rows: 5 } } })
  expect(readFileSync(join(folder, 'out', 'result.json'), 'utf8').trim()).toContain(
    '"figure":"5 texts"',
  )
  expect(existsSync(join(folder, '.assay'))).toBe(false)
  const few = assay(folder, [...step, '--param', 'lengthMin=30'])
  expect(few.code).toBe(3)
})

test('a lock file tells a build server what has changed since', () => {
  const folder = project()
  for (const name of ['create-texts']) assay(folder, ['pipelines', 'run', name])
  assay(folder, ['pipelines', 'lock'])
  const check = () =>
    JSON.parse(assay(folder, ['pipelines', 'check', '--json']).out) as Record<string, string>[]
  expect(check().map(({ pipeline, step }) => [pipeline, step])).toEqual([['train-texts', 'train']])
  writeFileSync(join(folder, 'data', 'messages.csv'), 'id,topic,text\n1,cards,Hello\n')
  const found = check()
  expect(found[0]).toMatchObject({ step: 'clean', state: 'changed' })
  expect(found[0]['why']).toMatch(/^input raw changed \(digest/)
  expect(found[1]).toMatchObject({ step: 'describe', state: 'stale' })
  rmSync(join(folder, '.assay'), { recursive: true })
  expect(assay(folder, ['pipelines', 'check']).code).toBe(1)
  expect(existsSync(join(folder, '.assay'))).toBe(false)
})

const begin = `
import { existsSync, writeFileSync } from 'node:fs'
import { pipelineProject, pipeline, step } from 'assay'
`

test('a run that was killed goes on from the step that was broken off', async () => {
  const folder = project(`${begin}
const first = step('first', {
  outputs: { out: 'json' },
  run: ({ outputs }) => outputs.out.write({ pid: process.pid }),
})
const second = step('second', {
  inputs: { of: 'json' },
  outputs: { out: 'json' },
  async run({ outputs }) {
    writeFileSync(${JSON.stringify('PLACE')}, String(process.pid))
    while (!existsSync(${JSON.stringify('GO')})) {}
    await outputs.out.write(2)
  },
})
export default pipelineProject('killed', { title: 'Killed', owner: 'Tests', pipelines: [
  pipeline('killed', { steps() {
    const one = first({})
    return { one, two: second({ inputs: { of: one.outputs.out } }) }
  } }),
] })
`)
  const [place, go] = [join(folder, 'pid'), join(folder, 'go')]
  const file = join(folder, 'project.ts')
  writeFileSync(
    file,
    readFileSync(file, 'utf8')
      .replace('"PLACE"', JSON.stringify(place))
      .replace('"GO"', JSON.stringify(go)),
  )
  const child = spawn(
    process.execPath,
    [join(repositoryRoot, 'bin', 'assay.js'), 'pipelines', 'run', 'killed'],
    { cwd: folder, stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => child.once('exit', resolve))
  while (!existsSync(place)) await sleep(20)
  child.kill('SIGKILL')
  await ended
  // The step is in a loop that never ends by itself, and does not outlive who started it.
  const pid = Number(readFileSync(place, 'utf8'))
  while (isAlive(pid)) await sleep(50)
  const broken = newest(folder)
  expect(broken.status).toBe('interrupted')
  expect(broken.steps.map(({ status }) => status)).toEqual(['done', 'running'])
  writeFileSync(go, '')
  expect(assay(folder, ['pipelines', 'run', 'killed', '--resume', broken.id]).code).toBe(0)
  const { id, steps, status } = newest(folder)
  expect([id, status]).toEqual([broken.id, 'done'])
  expect(steps.map(({ attempts }) => attempts.map((each) => each.status))).toEqual([
    ['done'],
    ['lost', 'done'],
  ])
})

test('a step that takes too long or too much is ended, whatever it does', () => {
  const folder = project(`${begin}
const outputs = { out: 'json' } as const
const endless = step('endless', { outputs, timeoutS: 1, run: async () => { for (;;) {} } })
const heap = step('heap', { outputs, memoryMb: 192, async run() {
  const kept: unknown[] = []
  for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => ({ i })))
} })
const beside = step('beside', { outputs, memoryMb: 256, async run() {
  const kept: unknown[] = []
  for (;;) { kept.push(Buffer.alloc(8_000_000, 1)); await new Promise((r) => setTimeout(r, 5)) }
} })
export default pipelineProject('bounds', { title: 'Bounds', owner: 'Tests', pipelines: [
  pipeline('bounds', { steps: () => ({ endless: endless({}), heap: heap({}), beside: beside({}) }) }),
] })
`)
  expect(assay(folder, ['pipelines', 'run', 'bounds']).code).toBe(1)
  const { steps } = newest(folder)
  expect(steps.map(({ step, attempts }) => [step, attempts.map(({ status }) => status)])).toEqual([
    ['endless', ['timeout']],
    ['heap', ['memory']],
    ['beside', ['memory']],
  ])
  expect(steps[0].problem).toBe('It was ended after 1 s')
})

test('nobody waits for what a step leaves behind, nor for an output that it did not write', () => {
  const folder = project(`${begin}
import { spawn } from 'node:child_process'
const outputs = { out: 'json' } as const
const leaves = step('leaves', { outputs, timeoutS: 60, async run({ outputs }) {
  // In a group of its own, and holding what the step writes to.
  const child = spawn('sleep', ['45'], { detached: true, stdio: 'inherit' })
  writeFileSync(${JSON.stringify('sleeper')}, String(child.pid))
  child.unref()
  await outputs.out.write(1)
} })
const half = step('half', { outputs: { one: 'json', two: 'json' }, async run({ outputs }) {
  await outputs.one.write(1)
} })
export default pipelineProject('left', { title: 'Left', owner: 'Tests', pipelines: [
  pipeline('left', { steps: () => ({ leaves: leaves({}), half: half({}) }) }),
] })
`)
  const startedUs = monotonicUs()
  expect(assay(folder, ['pipelines', 'run', 'left']).code).toBe(1)
  expect(monotonicUs() - startedUs).toBeLessThan(40_000_000)
  process.kill(Number(readFileSync(join(folder, 'sleeper'), 'utf8')), 'SIGKILL')
  const { steps } = newest(folder)
  expect(steps.map(({ status, problem }) => [status, problem])).toEqual([
    ['done', null],
    ['failed', 'The step ended without writing its output "two".'],
  ])
  expect(readdirSync(join(folder, '.assay', 'pipelines', 'scratch'))).toEqual([])
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] !== 'Z'
  } catch {
    return false
  }
}
