// What was told of each record of a stream, against what it was.
import { rocAuc } from '../src/learning/index.ts'
import { familyOf, type StreamRecord } from './novelty-kdd.ts'

/** The last word on a record, and when it was said. */
export interface Told {
  /** A record that was explained by nothing is noise. */
  kind: 'known' | 'novelty' | 'noise'
  /** Whether it was told as something new, and not as one of what was found before or has returned. */
  fresh: boolean
  /** The class that it is taken for, or, of noise, that of the nearest known pattern. */
  label: string
  /** Position of the record with which it was told. */
  at: number
}

export interface Heard {
  readonly told: readonly Told[]
  /** How strange each record was when it came. */
  readonly scores: Float64Array
  readonly eventsPerSecond: number
}

export interface StreamScore {
  /** Missed novel records, known ones told as novel, all errors: shares in percent. */
  readonly MNew: number
  readonly FNew: number
  readonly Err: number
  readonly auroc: number
  /** Records of what has returned that were told as something new, in percent. */
  readonly falseNovelReturns: number
  /** Drifted records that were told as novel, in percent. */
  readonly driftAsNovel: number
  /** Known records left as noise, in percent; no error where they lie nearest to their own class. */
  readonly noise: number
  /** Of held-back types with at least 20 records: how many were ever told, of how many. */
  readonly typesFound: number
  readonly types: number
  /** Records of a type that came before the first was told as novel: the mean over types found. */
  readonly delay: number
  readonly eventsPerSecond: number
}

const TYPE_ROWS_MIN = 20

/**
 * Err = (FP + FN + FE) / N: known as novel, novel as known or noise, known as another class. Classes
 * are families: normal, dos, probe, r2l, u2r.
 */
export function scoreStream(records: readonly StreamRecord[], heard: Heard): StreamScore {
  let [known, novel, fp, fn, fe, noise] = [0, 0, 0, 0, 0, 0]
  let [returns, freshReturns, drifted, driftedNovel] = [0, 0, 0, 0]
  records.forEach((record, i) => {
    const { kind, fresh, label } = heard.told[i]
    const isNovel = kind === 'novelty'
    if (record.known) {
      known++
      if (kind === 'noise') noise++
      if (isNovel) fp++
      else if (familyOf(label) !== familyOf(record.type)) fe++
    } else {
      novel++
      if (!isNovel) fn++
    }
    if (record.returned) {
      returns++
      if (isNovel && fresh) freshReturns++
    }
    if (record.drifted) {
      drifted++
      if (isNovel) driftedNovel++
    }
  })
  const truth = Float64Array.from(records, (record) => (record.known ? 0 : 1))
  const { delays, types } = delaysOf(records, heard.told)
  return {
    MNew: (100 * fn) / novel,
    FNew: (100 * fp) / known,
    Err: (100 * (fp + fn + fe)) / records.length,
    auroc: rocAuc(truth, heard.scores),
    falseNovelReturns: (100 * freshReturns) / returns,
    driftAsNovel: (100 * driftedNovel) / drifted,
    noise: (100 * noise) / known,
    typesFound: delays.length,
    types,
    delay: delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
    eventsPerSecond: heard.eventsPerSecond,
  }
}

function delaysOf(records: readonly StreamRecord[], told: readonly Told[]) {
  const positions = Map.groupBy(
    records.map((_, i) => i).filter((i) => !records[i].known),
    (i) => records[i].type,
  )
  const large = [...positions.values()].filter((rows) => rows.length >= TYPE_ROWS_MIN)
  const delays: number[] = []
  for (const rows of large) {
    const first = rows.reduce(
      (least, i) => (told[i].kind === 'novelty' ? Math.min(least, told[i].at) : least),
      Infinity,
    )
    if (first < Infinity) delays.push(rows.filter((i) => i < first).length)
  }
  return { delays, types: large.length }
}
