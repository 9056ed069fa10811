// NSL-KDD as a stream: ours beside a faithful MINAS and an isolation forest, on the same records in one
// run. The settings of all three were chosen on the stream of development (docs/decisions/0115).
import { join } from 'node:path'
import { monotonicUs } from '../src/lib/clock.ts'
import { fit, isolationForest, predictor } from '../src/learning/index.ts'
import { fromRows } from '../src/lib/matrix.ts'
import { quantile } from '../src/lib/statistics.ts'
import { type MemorySettings, NoveltyStream } from '../src/novelty/index.ts'
import { encoderOf, learnEncoding } from '../src/novelty/memory/encoding.ts'
import { distanceOf } from '../src/novelty/memory/points.ts'
import { kddColumns, type KddRecord, type KddStream, measuredStream } from './novelty-kdd.ts'
import { Minas, type MinasOptions } from './novelty-minas.ts'
import { type Heard, scoreStream, type StreamScore, type Told } from './novelty-score.ts'
import type { BenchOptions, Figures } from './run.ts'

/** Seeds of the measured streams; those of development are 1, 2 and 3. */
const seeds = [11, 12, 13]

const minasSettings: Omit<MinasOptions, 'seed'> = {
  k: 100,
  memory: 1000,
  least: 5,
  factor: 6,
  window: 4000,
}
const forestOutside = 0.02

/** `--data FOLDER` that holds `nsl_kdd`. Means over the streams; shares in percent. */
export function measureStreams(options: BenchOptions, say: (line: string) => void): Figures {
  const data = options.data ?? join(import.meta.dirname, '../../shared/data')
  const folder = join(data, 'nsl_kdd')
  const scores = new Map<string, StreamScore[]>()
  const names = ['ours', 'minas', 'minas_our_points', 'forest']
  let records = 0
  for (const seed of seeds) {
    const stream = measuredStream(folder, seed)
    records += stream.records.length
    const heard = [
      runOurs(stream, { seed }),
      runMinas(stream, plainPoints(stream), { ...minasSettings, seed }),
      runMinas(stream, ourPoints(stream), { ...minasSettings, factor: 4, seed }),
      runForest(stream, ourPoints(stream), forestOutside, seed),
    ]
    heard.forEach((one, i) => {
      const score = scoreStream(stream.records, one)
      scores.set(names[i], [...(scores.get(names[i]) ?? []), score])
      const { MNew, FNew, Err, auroc } = score
      say(
        `stream ${seed}, ${names[i]}: MNew ${MNew.toFixed(1)} FNew ${FNew.toFixed(1)} Err ${Err.toFixed(1)} AUROC ${auroc.toFixed(3)}`,
      )
    })
  }
  const figures: Record<string, number> = { kdd_streams: seeds.length, kdd_records: records }
  for (const [name, all] of scores) Object.assign(figures, meansOf(`kdd_${name}`, all))
  return figures
}

function meansOf(prefix: string, scores: readonly StreamScore[]): Record<string, number> {
  const mean = (name: keyof StreamScore, digits = 1) =>
    Number((scores.reduce((sum, one) => sum + one[name], 0) / scores.length).toFixed(digits))
  return {
    [`${prefix}_mnew_pct`]: mean('MNew'),
    [`${prefix}_fnew_pct`]: mean('FNew'),
    [`${prefix}_err_pct`]: mean('Err'),
    [`${prefix}_auroc`]: mean('auroc', 4),
    [`${prefix}_false_novel_returns_pct`]: mean('falseNovelReturns'),
    [`${prefix}_drift_as_novel_pct`]: mean('driftAsNovel'),
    [`${prefix}_noise_pct`]: mean('noise'),
    [`${prefix}_types_found`]: mean('typesFound'),
    [`${prefix}_types`]: mean('types'),
    [`${prefix}_delay_records`]: mean('delay'),
    [`${prefix}_events_per_s`]: mean('eventsPerSecond', 0),
  }
}

/** The whole room, from texts to verdicts. The files name no entity, so there is no history of one. */
export function runOurs(stream: KddStream, settings: Partial<MemorySettings>): Heard {
  const event = (fields: readonly string[], at: number) => ({
    timeUs: at * 1_000_000,
    entity: 'network',
    fields,
  })
  const novelty = NoveltyStream.learn(
    stream.training.map(({ fields, type }, i) => ({ ...event(fields, i), label: type })),
    { columns: kddColumns, parties: false, history: false, settings },
  )
  const { memory } = novelty
  const told = emptyTold(stream)
  const scores = new Float64Array(told.length)
  const newIn = (id: string) => memory.pattern(id)?.origin === 'novelty'
  const labelOf = (id: string | null) => (id === null ? '' : (memory.pattern(id)?.label ?? ''))
  const began = monotonicUs()
  stream.records.forEach(({ fields }, i) => {
    const { pattern, nearest, score, verdict, findings } = novelty.observe(event(fields, i))
    scores[i] = score + (pattern !== null && newIn(pattern) ? 1 : 0)
    told[i] = { kind: 'noise', fresh: false, label: labelOf(nearest), at: i }
    if (pattern !== null && verdict !== 'unknown') {
      const kind = newIn(pattern) ? 'novelty' : 'known'
      told[i] = { kind, fresh: false, label: labelOf(pattern), at: i }
    }
    for (const finding of findings) {
      if (finding.pattern === null || finding.evidence === null) continue
      const kind = newIn(finding.pattern) ? 'novelty' : 'known'
      const fresh = finding.verdict === 'novelty'
      for (const at of finding.members) {
        told[at] = { kind, fresh, label: finding.label ?? '', at: i }
      }
    }
  })
  memory.finish()
  return { told, scores, eventsPerSecond: rate(told.length, began) }
}

export function runMinas(stream: KddStream, points: Points, options: MinasOptions): Heard {
  const training = Map.groupBy(
    stream.training.map(({ type }, i) => ({ type, point: points.training[i] })),
    ({ type }) => type,
  )
  const minas = new Minas(
    options,
    new Map([...training].map(([type, rows]) => [type, rows.map(({ point }) => point)])),
  )
  const told = emptyTold(stream)
  const scores = new Float64Array(told.length)
  const met = new Set<string>()
  const began = monotonicUs()
  stream.records.forEach(({ fields }, i) => {
    const answer = minas.take(i, points.of(fields))
    scores[i] = answer.score
    for (const { sequence, kind, label, group } of answer.told) {
      const fresh = kind === 'novelty' && group !== null && sequence !== i && !met.has(group)
      told[sequence] = {
        kind: group !== null ? 'novelty' : kind === 'unknown' ? 'noise' : 'known',
        fresh,
        label,
        at: i,
      }
    }
    for (const { group } of answer.told) if (group !== null) met.add(group)
  })
  return { told, scores, eventsPerSecond: rate(told.length, began) }
}

/** A threshold on the score, which leaves `outside` of the training; classes by the nearest row. */
export function runForest(stream: KddStream, points: Points, outside: number, seed: number): Heard {
  const names = Array.from(points.training[0], (_, i) => `p${i}`)
  const scorer = predictor(
    fit(isolationForest(), { x: fromRows(names, points.training) }, { seed }),
  )
  const threshold = quantile(
    points.training.map((point) => scorer.score(point)),
    1 - outside,
  )
  const began = monotonicUs()
  const scores = Float64Array.from(stream.records, ({ fields }) =>
    scorer.score(points.of(fields).slice()),
  )
  const eventsPerSecond = rate(scores.length, began)
  const told = stream.records.map(({ fields }, at): Told => {
    if (scores[at] > threshold) return { kind: 'novelty', fresh: true, label: '', at }
    return { kind: 'known', fresh: false, label: nearestType(stream, points, fields), at }
  })
  return { told, scores, eventsPerSecond }
}

const ROWS_COMPARED = 1000

function nearestType(stream: KddStream, points: Points, fields: readonly string[]): string {
  const point = points.of(fields)
  let least = Infinity
  let type = ''
  for (let row = 0; row < Math.min(ROWS_COMPARED, points.training.length); row++) {
    const distance = distanceOf(points.training[row], point)
    if (distance < least) [least, type] = [distance, stream.training[row].type]
  }
  return type
}

export interface Points {
  readonly training: readonly Float64Array[]
  readonly of: (fields: readonly string[]) => Float64Array
}

/** As MINAS's paper has them: the numeric fields, scaled to [0, 1] by the training rows. */
export function plainPoints({ training }: KddStream): Points {
  const symbolic = new Set(['protocol_type', 'service', 'flag'])
  const columns = kddColumns.map((_, i) => i).filter((i) => !symbolic.has(kddColumns[i]))
  const ranges = columns.map((column) => {
    const values = training.map(({ fields }) => Number(fields[column]))
    const low = values.reduce((a, b) => Math.min(a, b))
    const high = values.reduce((a, b) => Math.max(a, b))
    return { low, span: high > low ? high - low : 1 }
  })
  const of = (fields: readonly string[]) =>
    Float64Array.from(columns, (column, i) => {
      return (Number(fields[column]) - ranges[i].low) / ranges[i].span
    })
  return { training: training.map(({ fields }: KddRecord) => of(fields)), of }
}

/** The points that ours works on, so that the rules can be compared alone. */
export function ourPoints({ training }: KddStream): Points {
  const encoder = encoderOf(
    learnEncoding(
      kddColumns,
      training.map(({ fields }) => fields),
    ),
  )
  const of = (fields: readonly string[]) => {
    const point = new Float64Array(encoder.width)
    encoder.write(fields, point)
    return point
  }
  return { training: training.map(({ fields }) => of(fields)), of }
}

function emptyTold({ records }: KddStream): Told[] {
  return records.map((_, at) => ({ kind: 'noise', fresh: false, label: '', at }))
}

function rate(events: number, beganUs: number): number {
  return events / ((monotonicUs() - beganUs) / 1e6)
}
