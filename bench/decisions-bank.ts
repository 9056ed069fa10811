// A home directory in which full decisions are measured: the handbook's payments up to a day as the
// base, trees learned from the weeks before it, and the payments after it as requests to come.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { columnOf, numbersOf, type Row } from '../src/data/index.ts'
import {
  canonicalVector,
  createEngine,
  publishDeployment,
  usualCircumstances,
  writeBaseCheckpoint,
  type DecideRemote,
  type DeployedPolicy,
} from '../src/decisions/index.ts'
import { historyWithState, restoreFeatureState } from '../src/features/index.ts'
import { boostedTrees, fit, type BoostedTreesModel } from '../src/learning/index.ts'
import { contentHash } from '../src/lib/hash.ts'
import { selectRows, selectValues } from '../src/lib/matrix.ts'
import { remote } from '../src/lib/rpc.ts'
import { DAY_US, formatTimestamp, parseTimestamp } from '../src/lib/time.ts'
import { rowsBefore, trainingTable } from '../src/pipelines/index.ts'
import { homeAt, loadProject } from '../src/projects/index.ts'
import type { Home } from '../src/projects/index.ts'
import { deploymentsDirectory } from '../src/server/decide/index.ts'
import { benchKey, publishAccess } from './decide-bank.ts'
import { featureSets, policy } from './decisions-policy.ts'
import { readStream, rowReader, timesOf, type Stream } from './features-stream.ts'
import type { BenchOptions } from './run.ts'

/** Live events begin here; trees are learned from the two weeks that end a week before. */
const liveFromUs = parseTimestamp('2018-08-08')!
const LIVE_EVENTS = 300_000
const TREES = 300
const DEPTH = 6
/** The share of events that are to be not allowed, and so carry reasons. */
const NOT_ALLOWED = 0.05
const CALIBRATED_ON = 40_000

export const NAMESPACE = 'bench'

export interface Prepared {
  readonly requests: string
  readonly bodies: string
  readonly base: string
  /** The base's state alone. */
  readonly state: string
  readonly deployment: string
  /** The same without anything not allowed, so that no reasons are looked for. */
  readonly withoutReasons: string
  readonly features: number
  readonly rules: number
  readonly trees: number
  readonly meanLeaves: number
  readonly trainedOn: number
  readonly baseEvents: number
}

export interface DecisionsBank extends Prepared {
  readonly home: Home
  /** Loads the base and deploys in a decide process that answers on the home's socket. */
  install(deployment?: string): Promise<void>
}

/** What was prepared in a folder before is taken as it is; the decisions made then are forgotten. */
export async function prepareDecisions(
  root: string,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<DecisionsBank> {
  const home = homeAt(root)
  const file = join(root, 'prepared.json')
  if (!existsSync(file)) {
    const prepared = await prepare(home, options, say)
    writeFileSync(file, JSON.stringify(prepared))
  }
  rmSync(home.decide, { recursive: true, force: true })
  mkdirSync(home.decide, { recursive: true })
  const prepared = JSON.parse(readFileSync(file, 'utf8')) as Prepared
  return {
    ...prepared,
    home,
    async install(deployment = prepared.deployment) {
      const decide = remote<DecideRemote>(home.socket('decide'), 'decide')
      await installIn(decide, prepared.base, deployment)
    },
  }
}

export async function installIn(
  decide: Pick<DecideRemote, 'openNamespace' | 'loadBase' | 'switchDeployment' | 'changeList'>,
  base: string,
  deployment: string,
): Promise<void> {
  const by = { actor: 'bench', reason: 'measurement' }
  const namespace = NAMESPACE
  await decide.openNamespace({ namespace, clock: 'replay' })
  await decide.loadBase({ namespace, path: base })
  await decide.switchDeployment({ namespace, deployment, ...by })
  const values = Array.from({ length: 20 }, (_, n) => String(n * 7))
  await decide.changeList({
    namespace,
    list: 'blocked',
    values,
    change: 'add',
    untilUs: null,
    ...by,
  })
}

async function prepare(
  home: Home,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Prepared> {
  for (const folder of [home.published, home.decide, join(home.root, 'run')]) {
    mkdirSync(folder, { recursive: true })
  }
  publishAccess(home)
  say('Reading payments …')
  const stream = await readStream(options)
  const { source, labels } = stream
  say('Working out history …')
  const frame = rowsBefore(stream.frame, timesOf(stream), liveFromUs)
  const past = historyWithState({
    sets: featureSets,
    source,
    frame,
    labels: [labels],
    fromUs: liveFromUs - 21 * DAY_US,
    untilUs: liveFromUs,
  })
  const { compiled } = await loadProject(join(import.meta.dirname, '../examples/card-fraud'))
  const table = trainingTable(compiled, frame, stream.labelsFrame, past, [])
  const rows = Uint32Array.from(table.eventTimeUs.keys()).filter(
    (row) => table.eventTimeUs[row] < liveFromUs - 7 * DAY_US && !Number.isNaN(table.label[row]),
  )
  say(`Learning ${TREES} trees from ${rows.length} payments …`)
  const learner = boostedTrees({
    trees: TREES,
    depth: DEPTH,
    learningRate: 0.04,
    l2: 3,
    minChildWeight: 1,
    rowSample: 0.7,
    columnSample: 0.6,
  })
  const data = { x: selectRows(table.features, rows), y: selectValues(table.label, rows) }
  const body = fit(learner, data, { seed: compiled.seed }) as BoostedTreesModel
  const state = past.state.snapshot()
  const base = join(home.root, 'base.checkpoint')
  const stateFile = join(home.root, 'state')
  writeFileSync(stateFile, state)
  await writeBaseCheckpoint(base, {
    featureSets,
    source,
    state,
    lastSequence: past.state.lastSequence,
    newestEventTimeUs: past.state.newestUs,
  })
  const document: DeployedPolicy = {
    format: 1,
    policy,
    source,
    labels: compiled.labels,
    featureSets,
    model: { name: 'card-fraud', number: 1, version: contentHash(body), body },
    thresholds: never,
  }
  say('Looking for the threshold …')
  const scored = scoreLive(document, stream, frame.rows, state)
  const thresholds = thresholdsOf(scored)
  const folder = deploymentsDirectory(home)
  const leaves = body.trees.reduce((sum, tree) => sum + (tree.feature.length + 1) / 2, 0)
  return {
    ...writeRequests(home, stream, frame.rows),
    base,
    state: stateFile,
    deployment: await publishDeployment(folder, { ...document, thresholds }),
    withoutReasons: await publishDeployment(folder, {
      ...document,
      policy: { ...policy, rules: policy.rules.map((rule) => ({ ...rule, mode: 'shadow' })) },
    }),
    features: past.state.names.length,
    rules: policy.rules.length,
    trees: body.trees.length,
    meanLeaves: leaves / body.trees.length,
    trainedOn: rows.length,
    baseEvents: frame.rows,
  }
}

/** Above any score. */
const never = { decline: 2, review: 2 }

interface Scored {
  readonly score: number
  readonly byRules: boolean
}

/** The first live events as they will be decided, with no threshold. */
function scoreLive(document: DeployedPolicy, stream: Stream, first: number, state: Uint8Array) {
  const operator = restoreFeatureState(state, featureSets, stream.source)
  const engine = createEngine(document, operator.names)
  const read = rowReader(stream)
  const scored: Scored[] = []
  const end = Math.min(stream.frame.rows, first + CALIBRATED_ON)
  for (let at = first; at < end; at++) {
    const row: Row = [...read(at)]
    const vector = canonicalVector(operator.apply(row, at + 1))
    const { result } = engine.decide(row, vector, usualCircumstances)
    scored.push({ score: result.score!, byRules: result.outcome !== 'allow' })
  }
  return scored
}

/** Rules and scores together leave `NOT_ALLOWED` of the events; a third of it is declined. */
function thresholdsOf(scored: readonly Scored[]): DeployedPolicy['thresholds'] {
  const left = scored.filter(({ byRules }) => !byRules).map(({ score }) => score)
  const wanted = scored.length * NOT_ALLOWED - (scored.length - left.length)
  const sorted = left.toSorted((a, b) => b - a)
  const at = (n: number) => sorted[Math.max(0, Math.round(n))]
  return { decline: at(wanted / 3), review: at(wanted) }
}

/** Whole requests, as bytes in base64, and their bodies, one a line. */
function writeRequests(home: Home, { source, frame }: Stream, first: number) {
  const names = source.columns.map(({ name }) => name)
  const [ids, customers, terminals, amounts] = [
    source.id,
    'customer_id',
    'terminal_id',
    'amount',
  ].map((name) => columnOf(frame, name))
  const times = numbersOf(frame, source.eventTime)
  const head =
    `POST /api/v1/decisions/${policy.name}?namespace=${NAMESPACE} HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
    `authorization: Bearer ${benchKey}\r\ncontent-type: application/json\r\n`
  const lines: string[] = []
  const bodies: string[] = []
  const end = Math.min(frame.rows, first + LIVE_EVENTS)
  for (let at = first; at < end; at++) {
    const cents = Number(amounts[at])
    const values = [
      String(ids[at]),
      formatTimestamp(times[at]),
      customers[at],
      terminals[at],
      `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
    ]
    const body = JSON.stringify(Object.fromEntries(names.map((name, i) => [name, values[i]])))
    bodies.push(body)
    const text = `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    lines.push(Buffer.from(text).toString('base64'))
  }
  const [requests, bodiesFile] = ['requests', 'bodies'].map((name) => join(home.root, name))
  writeFileSync(requests, `${lines.join('\n')}\n`)
  writeFileSync(bodiesFile, `${bodies.join('\n')}\n`)
  return { requests, bodies: bodiesFile }
}
