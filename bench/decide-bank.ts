// A home directory in which decide can be measured: the example's own features and rules, trees that
// were grown on simulated payments, and a month of history in live state.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { behaviour, handbook } from '../examples/card-fraud/features.ts'
import { policy } from '../examples/card-fraud/policy.ts'
import { fraud, transactions } from '../examples/card-fraud/sources.ts'
import { compileLabels, compileSource } from '../src/data/index.ts'
import type { Row } from '../src/data/index.ts'
import { compilePolicy, publishDeployment, writeBaseCheckpoint } from '../src/decisions/index.ts'
import type { DecideRemote } from '../src/decisions/index.ts'
import { compileFeatureSet, createFeatureState } from '../src/features/index.ts'
import { boostedTrees, fit } from '../src/learning/index.ts'
import { contentHash, sha256Hex } from '../src/lib/hash.ts'
import { fromRows } from '../src/lib/matrix.ts'
import { createRandom } from '../src/lib/random.ts'
import type { Random } from '../src/lib/random.ts'
import { remote } from '../src/lib/rpc.ts'
import { DAY_US, formatTimestamp, parseTimestamp } from '../src/lib/time.ts'
import { homeAt } from '../src/projects/index.ts'
import type { Home } from '../src/projects/index.ts'
import { deploymentsDirectory } from '../src/server/decide/index.ts'

const CUSTOMERS = 5000
const TERMINALS = 10_000
const PAYMENTS_PER_DAY = 9600
/** Trees that a fraud model of this size has. */
const TREES = 200

export const benchKey = `ak_${'b'.repeat(43)}`

export interface BenchBank {
  readonly home: Home
  readonly policy: string
  /** Makes the n-th live payment, a second after the one before. */
  payment(n: number): Record<string, unknown>
  /** Loads history and deploys the policy in a decide process that answers on the home's socket. */
  install(): Promise<void>
}

/** Writes what decide needs into a home directory; `history` payments precede the live ones. */
export async function prepareBank(root: string, history: number): Promise<BenchBank> {
  const home = homeAt(root)
  for (const folder of [home.published, home.decide, join(root, 'run')])
    mkdirSync(folder, { recursive: true })
  publishAccess(home)
  const random = createRandom('decide bench')
  const source = compileSource(transactions)
  const featureSets = [compileFeatureSet(handbook), compileFeatureSet(behaviour)]
  const liveFromUs = parseTimestamp('2018-08-15')!
  const state = createFeatureState(featureSets, source)
  const sample: Float64Array[] = []
  const fromUs = liveFromUs - (history / PAYMENTS_PER_DAY) * DAY_US
  for (let i = 0; i < history; i++) {
    const atUs = Math.floor(fromUs + ((liveFromUs - fromUs) * i) / history)
    const vector = state.apply(row(random, `h${i}`, atUs), i + 1)
    if (i >= history - 8000) sample.push(vector)
  }
  const base = join(root, 'base')
  await writeBaseCheckpoint(base, {
    featureSets,
    source,
    state: state.snapshot(),
    lastSequence: history,
    newestEventTimeUs: liveFromUs,
  })
  const body = growTrees(state.names, sample, random)
  const model = { name: 'card-fraud', number: 1, version: contentHash(body), body }
  const compiled = compilePolicy(policy)
  const deployment = await publishDeployment(deploymentsDirectory(home), {
    format: 1,
    policy: compiled,
    source,
    labels: [compileLabels(fraud)],
    featureSets,
    model,
    thresholds: { decline: 0.9, review: 0.6 },
  })
  return {
    home,
    policy: compiled.name,
    payment: (n) => payment(n, liveFromUs),
    async install() {
      const decide = remote<DecideRemote>(home.socket('decide'), 'decide')
      await decide.openNamespace({ namespace: 'bench', clock: 'replay' })
      await decide.loadBase({ namespace: 'bench', path: base })
      const by = { actor: 'bench', reason: 'measurement' }
      await decide.switchDeployment({ namespace: 'bench', deployment, ...by })
    },
  }
}

/** One script whose key is known, which may decide. */
export function publishAccess(home: Home): void {
  const bench = { id: 'bench', name: 'bench', kind: 'script', roles: ['analyst'], createdAtUs: 0 }
  const snapshot = {
    format: 1,
    atUs: 0,
    identities: { bench },
    keys: { [sha256Hex(benchKey)]: 'bench' },
    sessions: {},
  }
  writeFileSync(join(home.published, 'access.json'), JSON.stringify(snapshot))
}

function row(random: Random, id: string, atUs: number): Row {
  const amountMinor = 100 + random.int(20_000)
  return [id, atUs, random.int(CUSTOMERS), random.int(TERMINALS), amountMinor]
}

/** Live payments are a function of n alone, so that another process can check them. */
function payment(n: number, fromUs: number): Record<string, unknown> {
  const random = createRandom(`payment ${n}`)
  const cents = 100 + random.int(20_000)
  return {
    transaction_id: String(1_000_000 + n),
    datetime: formatTimestamp(fromUs + n * 1_000_000),
    customer_id: random.int(CUSTOMERS),
    terminal_id: random.int(TERMINALS),
    amount: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
  }
}

/** Labels follow the amount and chance: the trees need something to split on, not to be right. */
function growTrees(names: readonly string[], sample: readonly Float64Array[], random: Random) {
  const amount = names.indexOf('TX_AMOUNT')
  const y = Float64Array.from(sample, (vector) =>
    vector[amount] / 250 + random.next() > 1.55 ? 1 : 0,
  )
  const learner = boostedTrees({ trees: TREES, depth: 5, learningRate: 0.05 })
  return fit(learner, { x: fromRows(names, sample), y }, { seed: 1 })
}
