import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { memoryDeployments, payment, deployment } from '../../test/small-bank.ts'
import { manualClock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import { nodeFiles } from '../lib/files.ts'
import { parseTimestamp } from '../lib/time.ts'
import { createMemoryIndex, decideRemote, openDecisionService } from './index.ts'

const NOW_US = parseTimestamp('2024-06-01T00:00:00Z')!
const DECISIONS = 60
const deployments = memoryDeployments()

/** Removes all that is old, and prints a line before each change of the disk. */
const remover = `
  const at = (file) => import(new URL(file, ${JSON.stringify(new URL('.', import.meta.url).href)}).href)
  const { createMemoryIndex, decideRemote, openDecisionService } = await at('index.ts')
  const { manualClock } = await at('../lib/clock.ts')
  const { nodeFiles } = await at('../lib/files.ts')
  const { deployment, memoryDeployments } = await at('../../test/small-bank.ts')
  const { writeSync } = await import('node:fs')
  const told = (act) => async (...args) => { writeSync(1, '.'); return await act(...args) }
  const { open, remove, rename, syncDirectory } = nodeFiles
  const files = { ...nodeFiles, remove: told(remove), rename: told(rename),
    open: told(open), syncDirectory: told(syncDirectory) }
  const deployments = memoryDeployments(deployment())
  const service = await openDecisionService({
    directory: process.argv[1], files, clock: manualClock(${NOW_US}), deployments,
    openIndex: async () => createMemoryIndex(), removeDirectory: async () => undefined,
    segmentBytes: 30_000, onFatal: (error) => { throw error },
  })
  const remote = decideRemote(service)
  const beforeUs = ${NOW_US} - 86_400_000_000
  const found = await remote.removable({ namespace: 'live', beforeUs })
  const segments = found.map(({ firstSequence }) => firstSequence)
  writeSync(1, '!')
  await remote.removeRecords({ namespace: 'live', beforeUs, segments, exportedTo: null, actor: 'a', reason: 'r' })
  writeSync(1, '#')
  setInterval(() => {}, 1000)
`

let folder: string
const answers = new Map<number, string>()

async function opened(directory: string, nowUs: number) {
  const clock = manualClock(nowUs)
  const service = await openDecisionService({
    directory,
    files: nodeFiles,
    clock,
    deployments,
    openIndex: async () => createMemoryIndex(),
    removeDirectory: async () => undefined,
    segmentBytes: 30_000,
    onFatal: (error) => {
      throw error
    },
  })
  return { service, remote: decideRemote(service) }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assay-removal-'))
  const { service, remote } = await opened(path.join(folder, 'old'), NOW_US - 20 * 86_400_000_000)
  await remote.openNamespace({ namespace: 'live', clock: 'wall' })
  const request = { namespace: 'live', actor: 'ann', reason: 'r' }
  await remote.switchDeployment({ ...request, deployment: deployments.add(deployment()) })
  for (let n = 1; n <= DECISIONS; n++) {
    const decided = await service.decide({ namespace: 'live', policy: 'card', body: payment(n) })
    answers.set(n, decided.body)
  }
  await service.namespace('live').journal.seal()
  await service.close()
})
afterAll(() => rm(folder, { recursive: true }))

/** Kills the removal at its n-th step; says whether it had come to its end before. */
async function removeAndKill(directory: string, steps: number): Promise<boolean> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', remover, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    const begun = output.indexOf('!')
    const isDone = output.includes('#')
    if (begun >= 0 && (isDone || output.length - begun > steps)) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.once('close', resolve))
  return output.includes('#')
}

test('a removal that is killed at any step loses no decision, and is finished at the next start', async () => {
  for (const steps of [0, 20, 40, Infinity]) {
    const directory = path.join(folder, `killed-${steps}`)
    await cp(path.join(folder, 'old'), directory, { recursive: true })
    const isDone = await removeAndKill(directory, steps)
    if (steps === Infinity) expect(isDone).toBe(true)
    const { service, remote } = await opened(directory, NOW_US)
    let expired = 0
    for (const [n, answer] of answers) {
      const again = await service
        .decide({ namespace: 'live', policy: 'card', body: payment(n) })
        .then(
          ({ body }) => body,
          (error: unknown) => {
            if (!isAssayError(error, 'decision_expired')) throw error
            expired++
            return answer
          },
        )
      expect(again).toBe(answer)
    }
    expect((await remote.namespaces())[0].decisions).toBe(DECISIONS)
    expect(isDone ? [DECISIONS] : [0, DECISIONS]).toContain(expired)
    await service.close()
  }
}, 60_000)
