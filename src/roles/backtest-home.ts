// A back-test over what a home holds, for the thread of `work` and for the command alike.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { duckdbHistoryEngine, duckdbSnapshots } from '../adapters/duckdb/index.ts'
import type { DatasetCatalog } from '../data/index.ts'
import {
  decisionErrors,
  directoryDeployments,
  draftDocument,
  summariseJournal,
  type DeployedModel,
  type DeployedPolicy,
} from '../decisions/index.ts'
import { createChosenEngine, createSweepEngine } from '../features/index.ts'
import { nodeFiles } from '../lib/files.ts'
import type { Remote } from '../lib/rpc.ts'
import {
  backtest,
  type BacktestAsked,
  type BacktestEvidence,
  type BacktestPorts,
} from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'
import type { Registry } from '../registry/index.ts'
import { deploymentsDirectory } from '../server/decide/index.ts'
import { scoreOutside } from './outside-adoption.ts'
import { allowsPrivate } from './outside-runtimes.ts'

export interface BacktestHomePorts {
  readonly home: Home
  readonly catalog: Pick<Remote<DatasetCatalog>, 'current'>
  readonly registry: Pick<Remote<Registry>, 'version' | 'modelJson'>
  /** What decides where nothing was ever deployed. */
  readonly undeployed?: () => Promise<DeployedPolicy>
  readonly onProgress?: BacktestPorts['onProgress']
}

const LIVE = 'live'
const LIMITS = { memory: '2GB', threads: 2 }

/** Errors: those of `backtest`, `policy_not_found` where the policy was never deployed. */
export async function backtestHome(
  asked: BacktestAsked,
  ports: BacktestHomePorts,
): Promise<BacktestEvidence> {
  const { home, catalog, onProgress } = ports
  const namespace = namespaceOf(home)
  const directory = join(home.decide, namespace)
  const before = await liveDocument(asked.policy, directory, ports)
  const { draft = before.policy, modelVersion, fromUs, toUs, over } = asked
  const champion =
    modelVersion === undefined ? before : await versionOf(before.model.name, modelVersion, ports)
  const isAsLive = asked.draft === undefined && modelVersion === undefined
  return backtest(
    {
      draft: isAsLive ? before : draftDocument(before, draft, champion),
      before,
      fromUs: fromUs ?? -Infinity,
      toUs: toUs ?? Infinity,
      over,
    },
    {
      catalog,
      snapshots: duckdbSnapshots({ directory: home.snapshots, ...LIMITS }),
      history: createChosenEngine({ sweep: createSweepEngine(), sql: duckdbHistoryEngine(LIMITS) }),
      directory,
      files: nodeFiles,
      deployments: directoryDeployments(deploymentsDirectory(home)),
      namespace,
      scoreOutside: scoreOutside(home, { allowPrivate: allowsPrivate() }),
      onProgress,
    },
  )
}

/** The document that decides now. Error: `policy_not_found`. */
async function liveDocument(
  policy: string,
  directory: string,
  { home, undeployed }: BacktestHomePorts,
): Promise<DeployedPolicy> {
  const { deployment } = await summariseJournal({ directory, files: nodeFiles }, policy, undefined)
  const found =
    deployment && (await directoryDeployments(deploymentsDirectory(home)).read(deployment))
  if (found !== undefined && found !== '') return found
  if (undeployed !== undefined) return undeployed()
  throw decisionErrors.policy_not_found(`"${policy}" was never deployed in ${home.root}.`)
}

async function versionOf(
  name: string,
  number: number,
  { registry }: BacktestHomePorts,
): Promise<{ readonly model: DeployedModel; readonly thresholds: DeployedPolicy['thresholds'] }> {
  const { thresholds, modelHash: version } = await registry.version(name, number)
  const body = JSON.parse(await registry.modelJson(name, number)) as DeployedModel['body']
  const { decline, review } = thresholds
  return { model: { name, number, version, body }, thresholds: { decline, review } }
}

/** The replay that was started last, else the bank's own events. */
function namespaceOf(home: Home): string {
  const folders = existsSync(home.decide) ? readdirSync(home.decide) : []
  const replays = folders
    .flatMap((name) => /^replay-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((number) => existsSync(join(home.decide, `replay-${number}`, 'journal')))
  return replays.length === 0 ? LIVE : `replay-${Math.max(...replays)}`
}
