// Where the processor time of a decision goes, stage by stage, in one process and without HTTP: each
// stage alone over the same live events, and the whole service with and without a disk.
import { readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openLmdbDecisionIndex } from '../src/adapters/lmdb/index.ts'
import { createRowParser, type Row } from '../src/data/index.ts'
import {
  canonicalVector,
  createEngine,
  decideRemote,
  directoryDeployments,
  openDecisionService,
  usualCircumstances,
} from '../src/decisions/index.ts'
import { restoreFeatureState } from '../src/features/index.ts'
import { parseStrictJson } from '../src/lib/canonical-json.ts'
import { systemClock } from '../src/lib/clock.ts'
import { nodeFiles, type FileSystem } from '../src/lib/files.ts'
import { contentHash } from '../src/lib/hash.ts'
import { deploymentsDirectory } from '../src/server/decide/index.ts'
import { installIn, NAMESPACE, type DecisionsBank } from './decisions-bank.ts'
import { featureSets, policy } from './decisions-policy.ts'
import { handbookSource } from './features-stream.ts'
import { significant, spent } from './features-measure.ts'
import type { Figures } from './run.ts'

const EVENTS = 20_000
/** Events before the clock starts. */
const WARM_UP = 6000

/** `whole`, CPU µs of a decision over HTTP, says what is left for HTTP. */
export async function measureStages(
  bank: DecisionsBank,
  whole: number | undefined,
): Promise<Figures> {
  const bodies = readFileSync(bank.bodies, 'utf8').split('\n', WARM_UP + EVENTS)
  const { contract, features, rules, reasons, reasonsOnly } = await measureParts(bank, bodies)
  const noDisk = await measureService(bank, bodies, bank.deployment, hasty)
  const full = await measureService(bank, bodies, bank.deployment, nodeFiles)
  const plain = await measureService(bank, bodies, bank.withoutReasons, nodeFiles)
  const figures: Record<string, number> = {
    stage_contract_us: contract,
    stage_features_us: features,
    stage_rules_model_us: rules,
    stage_reasons_us: reasons,
    stage_record_us: noDisk - contract - features - rules - reasons,
    stage_journal_us: full - noDisk,
    ...(whole !== undefined && { stage_http_us: whole - full }),
    service_us: full,
    service_us_without_reasons: plain,
    reasons_us_where_not_allowed: reasonsOnly,
  }
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, significant(value, 3)]),
  )
}

async function measureParts(bank: DecisionsBank, bodies: readonly string[]) {
  const published = directoryDeployments(deploymentsDirectory(bank.home))
  const document = (await published.read(bank.deployment))!
  const never = { ...document, thresholds: { decline: 2, review: 2 } }
  const parser = createRowParser(handbookSource)
  const state = restoreFeatureState(readFileSync(bank.state), featureSets, handbookSource)
  const engine = createEngine(document, state.names)
  const silent = createEngine(
    {
      ...never,
      policy: { ...policy, rules: policy.rules.map((each) => ({ ...each, mode: 'shadow' })) },
    },
    state.names,
  )
  const rows: Row[] = []
  const vectors: Float64Array[] = []
  const contract = await stage(bodies, (body) => {
    const value = parseStrictJson(Buffer.from(body))
    contentHash(value)
    const parsed = parser.fromJson(value)
    if (!parsed.ok) throw new Error('An event is none')
    rows.push(parsed.row)
  })
  let sequence = state.lastSequence
  const features = await stage(rows, (row) => {
    vectors.push(canonicalVector(state.apply(row, ++sequence)))
  })
  let notAllowed = 0
  const all = [...rows.keys()]
  const rules = await stage(all, (at) => {
    silent.decide(rows[at], vectors[at], usualCircumstances)
  })
  const withReasons = await stage(all, (at) => {
    const { result } = engine.decide(rows[at], vectors[at], usualCircumstances)
    if (result.outcome !== 'allow' && at >= WARM_UP) notAllowed++
  })
  const reasons = withReasons - rules
  return { contract, features, rules, reasons, reasonsOnly: (reasons * EVENTS) / notAllowed }
}

/** CPU µs an event, of those after the warm-up. */
async function stage<T>(events: readonly T[], work: (event: T) => void): Promise<number> {
  for (const event of events.slice(0, WARM_UP)) work(event)
  const { cpuS } = await spent(() => {
    for (const event of events.slice(WARM_UP)) work(event)
  })
  return (cpuS * 1e6) / (events.length - WARM_UP)
}

/** Nothing waits for the disk, and nothing is written to it. */
const hasty: FileSystem = {
  ...nodeFiles,
  open: async (file, mode) => {
    const opened = await nodeFiles.open(file, mode)
    if (!file.endsWith('.journal')) return opened
    return { ...opened, write: async () => undefined, sync: async () => undefined }
  },
}

async function measureService(
  bank: DecisionsBank,
  bodies: readonly string[],
  deployment: string,
  files: FileSystem,
): Promise<number> {
  const directory = join(bank.home.root, 'stages')
  rmSync(directory, { recursive: true, force: true })
  const service = await openDecisionService({
    directory,
    files,
    clock: systemClock,
    deployments: directoryDeployments(deploymentsDirectory(bank.home)),
    openIndex: openLmdbDecisionIndex,
    removeDirectory: (folder) => rm(folder, { recursive: true, force: true }),
    onFatal: (error) => {
      throw error
    },
  })
  try {
    await installIn(decideRemote(service), bank.base, deployment)
    const decideAll = (from: number, to: number) =>
      atOnce(32, from, to, (at) => {
        const body = parseStrictJson(Buffer.from(bodies[at]))
        return service.decide({ namespace: NAMESPACE, policy: policy.name, body })
      })
    await decideAll(0, WARM_UP)
    const { cpuS } = await spent(() => decideAll(WARM_UP, bodies.length))
    return (cpuS * 1e6) / (bodies.length - WARM_UP)
  } finally {
    await service.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function atOnce(
  width: number,
  from: number,
  to: number,
  work: (at: number) => Promise<unknown>,
): Promise<void> {
  let next = from
  const strand = async () => {
    while (next < to) await work(next++)
  }
  await Promise.all(Array.from({ length: width }, strand))
}
