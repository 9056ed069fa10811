// HDFS's sessions: 30 % of the normal ones are held back by seed, the others are learnt. Beside ours stand filters of
// the literature and an isolation forest, on the same split and with the same budget of false alarms.
import { join } from 'node:path'
import { fit, isolationForest, predictor, rocAuc } from '../src/learning/index.ts'
import { monotonicUs } from '../src/lib/clock.ts'
import { fromRows, type Matrix } from '../src/lib/matrix.ts'
import { createRandom } from '../src/lib/random.ts'
import {
  readSessions,
  SequenceKnowledge,
  SequenceModel,
  SequenceTally,
} from '../src/novelty/index.ts'
import type { BenchOptions, Figures } from './run.ts'

type Session = readonly string[]

interface Split {
  readonly seed: number
  readonly train: readonly Session[]
  readonly normal: readonly Session[]
  readonly abnormal: readonly Session[]
}

/** A score for every held-back and every abnormal session, and above which one it is an alarm. */
interface Judged {
  readonly normal: Float64Array
  readonly abnormal: Float64Array
  readonly threshold: number
}

const HELD_BACK = 0.3
/** The normal sessions that published figures are measured on; ours are far fewer, so precision says less. */
const PUBLISHED_NORMAL = 553_366

/** Means over `--seeds` splits; shares and areas from 0 to 1. */
export async function measureSessions(
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Figures> {
  const data = options.data ?? join(import.meta.dirname, '../../shared/data')
  const folder = join(data, 'hdfs_deeplog')
  const budget = Number(options.budget ?? 0.001)
  const normal = await sessionsOf(join(folder, 'hdfs_train.gz'))
  const abnormal = await sessionsOf(join(folder, 'hdfs_test_abnormal.gz'))
  const seeds = Array.from({ length: Number(options.seeds ?? 5) }, (_, i) => i + 1)
  const found = new Map<string, Judged[]>()
  const rates: number[] = []
  for (const seed of seeds) {
    say(`HDFS, split ${seed} of ${seeds.length}`)
    const split = splitOf(normal, abnormal, seed)
    const begunUs = monotonicUs()
    const own = ours(split, budget)
    rates.push((normal.length + abnormal.length) / ((monotonicUs() - begunUs) / 1e6))
    const all = {
      hdfs: own,
      hdfs_new_event: newEvents(split),
      hdfs_two_gram: twoGrams(split),
      hdfs_any_counts: anyCounts(split),
      hdfs_forest: forest(split, budget),
    }
    for (const [name, judged] of Object.entries(all)) {
      found.set(name, [...(found.get(name) ?? []), judged])
    }
  }
  const figures: Record<string, number | string> = {
    hdfs_normal_sessions: normal.length,
    hdfs_abnormal_sessions: abnormal.length,
    hdfs_splits: seeds.length,
    hdfs_budget: budget,
  }
  for (const [name, judged] of found) Object.assign(figures, figuresOf(name, judged))
  figures['hdfs_sessions_per_s'] = Math.round(rates.toSorted((a, b) => a - b)[rates.length >> 1])
  return figures
}

async function sessionsOf(path: string): Promise<Session[]> {
  const sessions: Session[] = []
  await readSessions(path, (session) => sessions.push(session))
  return sessions
}

function splitOf(all: readonly Session[], abnormal: readonly Session[], seed: number): Split {
  const shuffled = createRandom(seed).shuffle([...all])
  const held = Math.floor(HELD_BACK * shuffled.length)
  return { seed, normal: shuffled.slice(0, held), train: shuffled.slice(held), abnormal }
}

/** Learns and judges all, as `assay novelty sessions` does. */
function ours({ train, normal, abnormal }: Split, budget: number): Judged {
  const knowledge = new SequenceKnowledge({ budget })
  for (const session of train) knowledge.learn(session)
  const model = SequenceModel.of(knowledge)
  const tally = new SequenceTally(model)
  return {
    normal: Float64Array.from(normal, (session) => tally.judge(session, 'normal').score),
    abnormal: Float64Array.from(abnormal, (session) => tally.judge(session, 'abnormal').score),
    threshold: model.threshold,
  }
}

/** Landauer et al. 2024, "new event": an alarm for an event that no training session has. */
function newEvents({ train, normal, abnormal }: Split): Judged {
  const known = new Set(train.flat())
  return alarms(normal, abnormal, (session) => session.some((event) => !known.has(event)))
}

/** The same authors' 2-gram detector: an alarm for two successive events that no training session has. */
function twoGrams({ train, normal, abnormal }: Split): Judged {
  const pairs = (session: Session) => session.slice(1).map((event, i) => `${session[i]} ${event}`)
  const known = new Set(train.flatMap(pairs))
  return alarms(normal, abnormal, (session) => pairs(session).some((pair) => !known.has(pair)))
}

/** Their count vectors without a threshold: an alarm for counts of events that no training session has. */
function anyCounts({ train, normal, abnormal }: Split): Judged {
  const countsOf = (session: Session) => session.toSorted().join(' ')
  const known = new Set(train.map(countsOf))
  return alarms(normal, abnormal, (session) => !known.has(countsOf(session)))
}

function alarms(
  normal: readonly Session[],
  abnormal: readonly Session[],
  isUnknown: (session: Session) => boolean,
): Judged {
  const score = (session: Session) => (isUnknown(session) ? 1 : 0)
  return {
    normal: Float64Array.from(normal, score),
    abnormal: Float64Array.from(abnormal, score),
    threshold: 0.5,
  }
}

/** An isolation forest on counts of the events of training; its threshold lets pass all of them but the budget. */
function forest({ train, normal, abnormal, seed }: Split, budget: number): Judged {
  const names = [...new Set(train.flat())].toSorted()
  const columns = new Map(names.map((name, column) => [name, column]))
  // Events that training does not have share the last column, which is 0 for all of training.
  const counts = (sessions: readonly Session[]): Matrix => {
    const rows = sessions.map((session) => {
      const row = new Float64Array(names.length + 1)
      for (const event of session) row[columns.get(event) ?? names.length]++
      return row
    })
    return fromRows([...names, 'other'], rows)
  }
  const model = fit(isolationForest({ trees: 200 }), { x: counts(train) }, { seed })
  const { predictMatrix } = predictor(model)
  const known = predictMatrix(counts(train)).toSorted().reverse()
  return {
    normal: predictMatrix(counts(normal)),
    abnormal: predictMatrix(counts(abnormal)),
    threshold: known[Math.floor(budget * known.length)],
  }
}

function figuresOf(name: string, judged: readonly Judged[]): Figures {
  const each = judged.map(({ normal, abnormal, threshold }) => {
    const above = (scores: Float64Array) => scores.filter((score) => score > threshold).length
    const [wrong, right] = [above(normal), above(abnormal)]
    const y = new Float64Array(normal.length + abnormal.length).fill(1, normal.length)
    return {
      best: bestF1(normal, abnormal, PUBLISHED_NORMAL / normal.length),
      auc: rocAuc(y, Float64Array.from([...normal, ...abnormal])),
      f1: (2 * right) / (right + wrong + abnormal.length),
      precision: right === 0 ? 0 : right / (right + wrong),
      recall: right / abnormal.length,
      falseAlarms: wrong / normal.length,
      abnormal: abnormal.length,
    }
  })
  const meanOf = (figure: keyof (typeof each)[number]) =>
    each.reduce((sum, one) => sum + one[figure], 0) / each.length
  const [recall, falseAlarms] = [meanOf('recall'), meanOf('falseAlarms')]
  const right = recall * each[0].abnormal
  const wrong = falseAlarms * PUBLISHED_NORMAL
  return Object.fromEntries(
    Object.entries({
      f1: meanOf('f1'),
      f1_least: Math.min(...each.map(({ f1 }) => f1)),
      auc: meanOf('auc'),
      precision: meanOf('precision'),
      recall,
      false_alarms: falseAlarms,
      // F1 if as many of the 553,366 normal sessions of the published figures were false alarms.
      f1_published_mix: (2 * right) / (right + wrong + each[0].abnormal),
      // The same at the threshold that is best for it, which nobody knows in practice: all that the score can do.
      f1_published_mix_at_best: meanOf('best'),
    }).map(([figure, value]) => [`${name}_${figure}`, Number(value.toFixed(6))]),
  )
}

/** The best F1 of any threshold, where each normal session counts so often. */
function bestF1(normal: Float64Array, abnormal: Float64Array, weight: number): number {
  const [wrong, right] = [normal.toSorted(), abnormal.toSorted()]
  let best = 0
  for (let below = 0, passed = 0; below < right.length; below++) {
    while (passed < wrong.length && wrong[passed] < right[below]) passed++
    const found = right.length - below
    const flagged = found + weight * (wrong.length - passed)
    best = Math.max(best, (2 * found) / (flagged + right.length))
  }
  return best
}
