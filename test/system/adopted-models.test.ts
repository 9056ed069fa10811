// A graph that only ONNX Runtime computes, from the file that Python wrote to decisions of a running server:
// brought, bound to features, measured, approved by two people, deployed, asked, and found again after a
// crash.
import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { isOnnxRuntimeInstalled } from '../../src/adapters/onnx/index.ts'
import { bringGraph, tinyGraph } from '../brought-graph.ts'
import { createClient } from './client.ts'
import { ownProject } from './own-project.ts'
import { serve } from './serve.ts'
import {
  allDone,
  endsWithTest,
  eventually,
  run,
  startServer,
  temporaryDirectory,
} from './server.ts'

vi.setConfig({ testTimeout: 300_000 })

test.skipIf(!isOnnxRuntimeInstalled())(
  'a graph of Python decides in a running bank, and its decisions are made again bit for bit',
  async () => {
    const home = temporaryDirectory('adopted')
    // Any difference from the champion passes the gate, because the network saw no payment of this bank.
    // However busy the machine is, the model has time to answer.
    const project = ownProject((source) =>
      source
        .replace('margin: 0,', 'margin: 1,')
        .replace(
          'reviewCapacityPerDay: 5,',
          'reviewCapacityPerDay: 5, fallback: { deadlineMs: 10000 },',
        ),
    )
    const args = ['--no-replay']
    const first = await startServer({ home, project, args })
    await first.printed(allDone)
    await bringGraph(first.url, first.key, 'graph')
    await first.stop()

    const adopt = ['models', 'adopt', 'graph@1', '--home', home, '--project', project]
    const unbound = run(adopt)
    expect(unbound.err).toContain('No feature "RISK" answers the input "RISK".')
    const bound = [...adopt, '--input', 'RISK=TERMINAL_RISK_7D', '--json']
    const { version, status, metrics, thresholds } = JSON.parse(run(bound).out)
    expect(status).toBe('candidate')
    expect(metrics.roc_auc.value).toBeGreaterThan(0.6)

    // Another server that computes the same graph, whose inputs have no names of their own.
    const other = await serve(tinyGraph)
    const features = ['AMOUNT', 'CUSTOMER_COUNT_1D', 'CUSTOMER_COUNT_7D', 'CUSTOMER_MEAN_7D']
    const inputs = [...features, 'TERMINAL_RISK_7D'].flatMap((name, j) => [
      '--input',
      `f${j}=${name}`,
    ])
    const at = ['--home', home, '--project', project, '--json', ...inputs]
    expect(run(['models', 'adopt', other.url, ...at]).err).toContain('names no version')
    const remote = JSON.parse(run(['models', 'adopt', `${other.url}/versions/1`, ...at]).out)
    expect([remote.metrics, remote.thresholds]).toEqual([metrics, thresholds])
    expect(await other.stop()).toBe(0)

    const person = (name: string) => {
      const made = run(['keys', 'create', '--name', name, '--role', 'approver', '--home', home])
      return /ak_[\w-]+/.exec(made.out)?.[0]
    }
    const keys = [person('Ann'), person('Ben')]
    const server = endsWithTest(await startServer({ home, project, args }))
    await server.printed(allDone)
    const admin = createClient(server.url, first.key)
    const params = { model: 'tiny-fraud', version }
    for (const key of keys) {
      const { approvals } = await admin.ask('version', { params })
      const body = { decision: 'approve', reason: 'Its figures are sound', binds: approvals.binds }
      await createClient(server.url, key).ask('giveApproval', { params, body })
    }
    await admin.ask('deploy', { params, body: { reason: 'It is approved' } })

    const { example } = await admin.ask('policy', { params: { policy: 'tiny' } })
    const decide = async (id: string, amount: string) => {
      const body = { ...example, payment_id: id, terminal_id: 998, amount }
      const response = await admin.send('decide', { params: { policy: 'tiny' }, body })
      return (await response.json()) as Decided
    }
    const small = await decide('a1', '12.00')
    const large = await decide('a2', '390.00')
    for (const { versions, unanswered } of [small, large]) {
      expect([versions.modelNumber, unanswered]).toEqual([version, undefined])
    }
    expect(large.score).toBeGreaterThan(small.score!)

    process.kill(server.roleProcess('decide')!, 'SIGKILL')
    let asked = 0
    const after = await eventually('the model decides again', async () => {
      const response = await decide(`b${(asked += 1)}`, '390.00').catch(() => undefined)
      return response?.versions && response.unanswered === undefined && response
    })
    expect(after.versions).toEqual(large.versions)
    expect(await decide('a2', '390.00')).toEqual(large)
    const again = { params: { policy: 'tiny', eventId: 'a2' } }
    expect(await admin.ask('recomputeDecision', again)).toMatchObject({ identical: true })

    const out = `${home}/scores.csv`
    const bulk = ['score', 'payments@latest', '--home', home, '--project', project, '--out', out]
    const scored = run(bulk)
    expect(scored.code, scored.err).toBe(0)
    expect(scored.err).toContain(`scored by tiny-fraud version ${version} (live)`)
    const [, ...rows] = readFileSync(out, 'utf8').trimEnd().split('\n')
    const chances = rows.map((row) => Number(row.split(',')[1] || Number.NaN))
    expect(chances.every((chance) => chance >= 0 && chance <= 1)).toBe(true)
    expect(new Set(chances).size).toBeGreaterThan(10)
  },
)

interface Decided {
  readonly score: number | null
  readonly unanswered?: unknown
  readonly versions: { readonly modelNumber: number }
}
