// `assay backtest`: a draft of the project's policy on events of the past.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { count, exitCodes, type BacktestOptions, type Terminal } from '../../cli/index.ts'
import { draftPolicy, type CompiledPolicy, type DraftChanges } from '../../decisions/index.ts'
import { deploymentDocument, type BacktestProgress } from '../../pipelines/index.ts'
import type { CompiledProject } from '../../projects/index.ts'
import { monotonicUs, systemClock } from '../../lib/clock.ts'
import { backtestFiles } from '../backtest-files.ts'
import { backtestHome } from '../backtest-home.ts'
import { printBacktest } from './backtest-text.ts'
import { byCommand, withKept } from './connection.ts'
import { periodOf } from './days.ts'
import { commandErrors } from './errors.ts'
import { projectIn } from './project.ts'
import { chooseVersion } from './score.ts'

export async function backtest(options: BacktestOptions, terminal: Terminal): Promise<number> {
  const { compiled } = await projectIn(options.project)
  const source = compiled.sources.find(({ name }) => name === compiled.policies[0].source.name)!
  const { fromUs, toUs } = periodOf(options, source.timeZone)
  const draft = draftOf(compiled, options.policy)
  const startedUs = monotonicUs()
  const bar = progressLine(terminal)
  const kept = await withKept(options.home, async (home) => {
    const asked = {
      policy: draft.name,
      title: options.policy === undefined ? 'The policy of the project' : basename(options.policy),
      draft,
      modelVersion: options.modelVersion,
      fromUs: Number.isFinite(fromUs) ? fromUs : null,
      toUs: Number.isFinite(toUs) ? toUs : null,
      over: options.over,
    }
    const evidence = await backtestHome(asked, {
      home: home.home,
      catalog: home.catalog,
      registry: home.registry,
      onProgress: bar.show,
      undeployed: async () => {
        const chosen = await chooseVersion(compiled, home)
        const model = await home.registry.modelJson(chosen.model, chosen.version)
        return deploymentDocument(compiled, chosen, model)
      },
    })
    bar.end()
    return backtestFiles(home.home).keep(evidence, {
      title: asked.title,
      actor: byCommand('backtest').actor.id,
      atUs: systemClock.nowUs(),
      seconds: (monotonicUs() - startedUs) / 1e6,
    })
  }).finally(bar.end)
  if (options.json) terminal.out.line(JSON.stringify(kept))
  else printBacktest(kept, source, draft, terminal.out)
  return exitCodes.ok
}

const CHANGES: readonly (keyof DraftChanges)[] = [
  'description',
  'rules',
  'lists',
  'typologies',
  'thresholds',
  'fallback',
  'reviewCapacityPerDay',
]

/** The project's policy with what a file changes of it. Errors: `policy_invalid`, `rule_invalid`. */
function draftOf(
  { policies, sources, featureSets }: CompiledProject,
  file?: string,
): CompiledPolicy {
  const [policy] = policies
  if (file === undefined) return policy
  const given = readChanges(file)
  const unknown = Object.keys(given).filter(
    (name) => !(name in policy) && !CHANGES.some((known) => known === name),
  )
  if (unknown.length > 0) {
    throw commandErrors.option_invalid(
      `${file} says ${unknown.join(', ')}; a draft may change ${CHANGES.join(', ')}.`,
    )
  }
  const changes = Object.fromEntries(
    CHANGES.flatMap((name) => (name in given ? [[name, given[name]]] : [])),
  ) as DraftChanges
  if (changes.rules !== undefined && !changes.rules.every(isRule)) {
    throw commandErrors.option_invalid(
      `${file}: every rule needs the texts name, when and reason; then is allow, review or decline.`,
    )
  }
  const used = new Set(policy.featureSets.map(({ name }) => name))
  return draftPolicy(policy, changes, {
    source: sources.find(({ name }) => name === policy.source.name)!,
    featureSets: featureSets.filter(({ name }) => used.has(name)),
  })
}

function isRule(rule: unknown): boolean {
  const { name, when, reason } = (rule ?? {}) as Record<string, unknown>
  return [name, when, reason].every((text) => typeof text === 'string')
}

function readChanges(file: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
  }
  try {
    const given: unknown = JSON.parse(text)
    if (typeof given === 'object' && given !== null && !Array.isArray(given))
      return given as Record<string, unknown>
  } catch (cause) {
    throw commandErrors.option_invalid(`${file} is not JSON: ${(cause as Error).message}`, {
      cause,
    })
  }
  throw commandErrors.option_invalid(`${file} holds no JSON object.`)
}

/** One line that is written over while a person watches. */
function progressLine({ err }: Terminal) {
  let shown = false
  return {
    show({ stage, done, total }: BacktestProgress) {
      if (!err.interactive) return
      shown = true
      const share = total === 0 ? '' : ` ${Math.floor((done / total) * 100)} %`
      const what = {
        reading: 'Reading events',
        features: 'Working features out',
        deciding: 'Deciding',
      }
      err.raw(
        `\r\u001B[K${what[stage]}${stage === 'deciding' ? `${share} of ${count(total)}` : ' …'}`,
      )
    },
    end() {
      if (shown) err.raw('\r\u001B[K')
      shown = false
    },
  }
}
