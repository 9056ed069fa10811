// Which challenger takes an event. It follows from the event and the document alone, so that a decision
// made again meets the same one.
import type { Row } from '../data/index.ts'
import { sha256Hex } from '../lib/hash.ts'
import type { Challenger, DeployedPolicy } from './deployed.ts'
import { decisionErrors } from './errors.ts'
import { readyRules } from './rules.ts'

export interface ReadyTraffic<Scorer> {
  /** The challenger that decides in the champion's place. */
  taker(row: Row, vector: Float64Array): Scorer | undefined
  /** The challengers in shadow that are asked on this event. */
  shadows(row: Row): Scorer[]
}

const noScope = { score: Number.NaN, isListed: () => false }

/**
 * Error: `deployment_invalid` where shares are no shares, or add up to more than 1; `rule_invalid`
 * where a condition is none.
 */
export function readyTraffic<Scorer>(
  document: DeployedPolicy,
  featureNames: readonly string[],
  ready: (challenger: Challenger) => Scorer,
): ReadyTraffic<Scorer> {
  const { challengers = [], source, sticky } = document
  const column = source.columns.findIndex(({ name }) => name === sticky)
  checkChallengers(document, column)
  const scorers = new Map(challengers.map((each) => [each.name, ready(each)]))
  let from = 0
  const live = challengers.flatMap(({ name, traffic }) => {
    if (traffic.mode !== 'live') return []
    const { share, when } = traffic
    const lower = from
    from += share
    const conditions =
      when !== undefined &&
      readyRules(
        { rules: [{ name: `traffic of ${name}`, when, reason: '' }] },
        source,
        featureNames,
      )
    return [{ name, lower, upper: from, conditions }]
  })
  const shadows = challengers.filter(({ traffic }) => traffic.mode === 'shadow')
  return {
    taker(row, vector) {
      if (live.length === 0) return undefined
      const place = placeOf(`traffic\n${row[column] ?? ''}`)
      const taker = live.find(
        ({ lower, upper, conditions }) =>
          place >= lower &&
          place < upper &&
          (conditions === false || conditions.evaluate(row, vector, noScope).fired.length > 0),
      )
      return taker && scorers.get(taker.name)
    },
    shadows(row) {
      return shadows
        .filter(({ name, traffic }) => placeOf(`${name}\n${row[column] ?? ''}`) < traffic.share)
        .map(({ name }) => scorers.get(name)!)
    },
  }
}

/** Where a text falls between 0 and 1: the same for ever, and even over many texts. */
function placeOf(text: string): number {
  return Number.parseInt(sha256Hex(text).slice(0, 12), 16) / 2 ** 48
}

const RESERVED = ['champion', 'last-good']
/** Shares are written as decimals, whose sum may miss 1 by a rounding. */
const ROUNDING = 1e-9

function checkChallengers({ challengers = [], sticky }: DeployedPolicy, column: number): void {
  if (challengers.length === 0) return
  const invalid = (detail: string) => decisionErrors.deployment_invalid(detail)
  if (column < 0) throw invalid(`The source has no column "${sticky ?? ''}" to be sticky by.`)
  const names = challengers.map(({ name }) => name)
  if (new Set([...names, ...RESERVED]).size !== names.length + RESERVED.length) {
    throw invalid(`Names of challengers must differ, and be none of ${RESERVED.join(', ')}.`)
  }
  let sum = 0
  for (const { name, traffic } of challengers) {
    if (!(traffic.share >= 0 && traffic.share <= 1)) {
      throw invalid(`The share of ${name} must be 0 to 1, not ${traffic.share}.`)
    }
    if (traffic.mode === 'live') sum += traffic.share
  }
  if (sum > 1 + ROUNDING) throw invalid(`The challengers' shares add up to ${sum}.`)
}
