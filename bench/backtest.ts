// A month of payments back-tested with twenty rules and three hundred trees, over history and over what
// was recorded; a part of it is decided live before, and every answer is compared with that.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdbHistoryEngine } from '../src/adapters/duckdb/index.ts'
import type { SnapshotRecord } from '../src/data/index.ts'
import {
  decideRemote,
  directoryDeployments,
  recordedNames,
  type DeployedPolicy,
  type DeploymentFiles,
} from '../src/decisions/index.ts'
import { createChosenEngine, createSweepEngine } from '../src/features/index.ts'
import { monotonicUs } from '../src/lib/clock.ts'
import { nodeFiles } from '../src/lib/files.ts'
import { DAY_US, parseTimestamp } from '../src/lib/time.ts'
import {
  backtest,
  type BacktestAnswer,
  type BacktestOver,
  type DatasetPorts,
} from '../src/pipelines/index.ts'
import { deploymentsDirectory } from '../src/server/decide/index.ts'
import { installIn, NAMESPACE, prepareDecisions, type DecisionsBank } from './decisions-bank.ts'
import { readStream, type Stream } from './features-stream.ts'
import { openHastyService, playLive } from './live-play.ts'
import type { BenchOptions, Figures } from './run.ts'

/** Where the base of the bank ends, and the days that are decided live from there on. */
const liveFromUs = parseTimestamp('2018-08-08')!
const LIVE_DAYS = 3
const MONTH_DAYS = 30

type Say = (line: string) => void
type Answers = Map<string, string>

export async function run(options: BenchOptions, say: Say): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  try {
    const bank = await prepareDecisions(join(folder, 'home'), options, say)
    const stream = await readStream(options)
    const deployments = directoryDeployments(deploymentsDirectory(bank.home))
    const document = (await deployments.read(bank.deployment))!
    say(`Deciding ${LIVE_DAYS} days live …`)
    await decideLive(bank, document, stream, deployments)
    const toUs = liveFromUs + LIVE_DAYS * DAY_US
    const test = (over: BacktestOver, fromUs: number) =>
      measured({ over, fromUs, toUs, document, deployments, bank, stream })
    const records = await test('records', liveFromUs)
    say(`Records: ${records.events} events in ${records.seconds.toFixed(1)} s`)
    const history = await test('history', toUs - MONTH_DAYS * DAY_US)
    say(`History: ${history.events} events in ${history.seconds.toFixed(1)} s`)
    const decided = records.before
    return {
      month_events: history.events,
      month_s: rounded(history.seconds),
      month_features_s: rounded(history.featuresSeconds),
      month_us_cpu_per_event: rounded(history.cpuUs / history.events),
      month_us_cpu_per_event_deciding: rounded(history.decidingCpuUs / history.events),
      records_events: records.events,
      records_s: rounded(records.seconds),
      records_us_cpu_per_event: rounded(records.cpuUs / records.events),
      live_decisions: decided.size,
      records_mismatches: differing(decided, records.answers),
      history_mismatches: differing(decided, history.answers),
      features: recordedNames(document).length,
      rules: bank.rules,
      trees: bank.trees,
      rss_mb: Math.round(process.memoryUsage().rss / 2 ** 20),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Measured {
  readonly events: number
  readonly seconds: number
  readonly featuresSeconds: number
  readonly cpuUs: number
  readonly decidingCpuUs: number
  readonly answers: Answers
  readonly before: Answers
}

async function measured(of: {
  readonly over: BacktestOver
  readonly fromUs: number
  readonly toUs: number
  readonly document: DeployedPolicy
  readonly deployments: DeploymentFiles
  readonly bank: DecisionsBank
  readonly stream: Stream
}): Promise<Measured> {
  const { over, fromUs, toUs, document, deployments, bank, stream } = of
  const answers: Answers = new Map()
  const before: Answers = new Map()
  const startUs = monotonicUs()
  const cpu = process.cpuUsage()
  let [featuresUs, decidingUs, decidingCpu] = [startUs, startUs, cpu]
  const evidence = await backtest(
    { draft: document, before: document, fromUs, toUs, over },
    {
      ...datasetsOf(stream, document),
      history: createChosenEngine({
        sweep: createSweepEngine(),
        sql: duckdbHistoryEngine({ memory: '2GB', threads: 2 }),
      }),
      directory: join(bank.home.decide, NAMESPACE),
      files: nodeFiles,
      deployments,
      // Not `live`: the datasets hold all of the events already.
      namespace: NAMESPACE,
      onProgress({ stage, done }) {
        if (stage === 'features') featuresUs = monotonicUs()
        if (stage !== 'deciding' || done > 0) return
        decidingUs = monotonicUs()
        decidingCpu = process.cpuUsage()
      },
      onAnswer(event, draft) {
        answers.set(event.eventId, said(draft))
        if (over === 'records') before.set(event.eventId, said(event.before))
      },
    },
  )
  const { user, system } = process.cpuUsage(cpu)
  const deciding = process.cpuUsage(decidingCpu)
  return {
    events: evidence.report.events.n,
    seconds: (monotonicUs() - startUs) / 1e6,
    featuresSeconds: (decidingUs - featuresUs) / 1e6,
    cpuUs: user + system,
    decidingCpuUs: deciding.user + deciding.system,
    answers,
    before,
  }
}

function said({ outcome, rules }: Pick<BacktestAnswer, 'outcome' | 'rules'>): string {
  return `${outcome} ${rules.join()}`
}

/** Decisions that a back-test does not give, or gives otherwise. */
function differing(decided: Answers, again: Answers): number {
  return [...decided].filter(([id, answer]) => again.get(id) !== answer).length
}

function datasetsOf({ frame, labelsFrame }: Stream, document: DeployedPolicy): DatasetPorts {
  const [labels] = document.labels
  const frames = new Map([
    [document.source.name, frame],
    [labels.name, labelsFrame],
  ])
  const current = (name: string) =>
    [document.source, labels]
      .filter((contract) => contract.name === name)
      .map((contract) => ({ hash: name, contract, rows: frames.get(name)!.rows }) as SnapshotRecord)
  return {
    catalog: { current: async (name) => current(name) },
    snapshots: { read: async (hash) => frames.get(hash)! },
  }
}

async function decideLive(
  bank: DecisionsBank,
  document: DeployedPolicy,
  { frame, labelsFrame }: Stream,
  deployments: DeploymentFiles,
): Promise<void> {
  const service = await openHastyService(bank.home.decide, deployments)
  try {
    const decide = decideRemote(service)
    await installIn(decide, bank.base, bank.deployment)
    const { source, policy } = document
    const [labels] = document.labels
    const period = { fromUs: liveFromUs, untilUs: liveFromUs + LIVE_DAYS * DAY_US }
    const rows = { frame, labelsFrame, ...period }
    await playLive({ source, policy: policy.name, labels, ...rows }, NAMESPACE, decide)
  } finally {
    await service.close()
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
