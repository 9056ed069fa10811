// What features are worth: the example's boosted trees, on the handbook's split, from the fifteen
// features alone and from longer lists. The same learner, parameters, seed and test rows for each;
// the difference in average precision has an interval from resamples of whole customers, each drawn
// for both. The same split 14 days earlier is printed beside it: lists are chosen there.
import { numbersOf, type FrameColumn } from '../src/data/index.ts'
import { historyWithState, type CompiledFeatureSet } from '../src/features/index.ts'
import {
  averagePrecision,
  fit,
  pairedDifference,
  predictor,
  shiftSplit,
  splitRows,
  type LearnerSpec,
  type TimeSplit,
} from '../src/learning/index.ts'
import { selectColumns, selectRows, selectValues } from '../src/lib/matrix.ts'
import { DAY_US } from '../src/lib/time.ts'
import { rowsBefore, trainingTable, type TrainingTable } from '../src/pipelines/index.ts'
import type { CompiledProject } from '../src/projects/index.ts'
import { significant } from './features-measure.ts'
import type { Stream } from './features-stream.ts'
import type { Figures } from './run.ts'

const SELECTION_EARLIER_US = 14 * DAY_US
const RESAMPLES = 1000

/** A list of features to learn from. */
export interface FeatureList {
  /** As it appears in the figures' names. */
  readonly name: string
  readonly sets: readonly CompiledFeatureSet[]
}

/** Figures of every list against the first. */
export async function measureLift(
  stream: Stream,
  project: CompiledProject,
  lists: readonly FeatureList[],
  say: (line: string) => void,
): Promise<Figures> {
  const { learner } = project.models.find(({ name }) => name === 'boosted-trees')!
  const table = tableOf(stream, project, [...new Set(lists.flatMap(({ sets }) => sets))])
  const splits = {
    selection: shiftSplit(project.split, -SELECTION_EARLIER_US),
    lift: project.split,
  }
  const figures: Record<string, number | string> = {}
  for (const [prefix, split] of Object.entries(splits)) {
    const scored = lists.map((list) => {
      const found = scoresOf(list, table, split, learner, project.seed)
      say(`${prefix}, ${list.name}: average precision ${found.value.toFixed(4)}`)
      return found
    })
    const [base, ...longer] = scored
    figures[`${prefix}_ap_${base.name}`] = significant(base.value)
    for (const list of longer) {
      const { value, interval } = pairedDifference(
        'averagePrecision',
        base.y,
        list.scores,
        base.scores,
        { seed: project.seed, resamples: RESAMPLES, cluster: base.customer },
      )
      Object.assign(figures, {
        [`${prefix}_ap_${list.name}`]: significant(list.value),
        [`${prefix}_${list.name}`]: significant(value),
        [`${prefix}_${list.name}_low`]: significant(interval.lower),
        [`${prefix}_${list.name}_high`]: significant(interval.upper),
      })
    }
  }
  return figures
}

/** Every feature of the sets for the rows that either split needs. */
function tableOf(
  stream: Stream,
  project: CompiledProject,
  sets: readonly CompiledFeatureSet[],
): TrainingTable {
  const { source, labels, labelsFrame } = stream
  const { train, test } = project.split
  const frame = rowsBefore(stream.frame, numbersOf(stream.frame, source.eventTime), test.toUs)
  const fromUs = train.fromUs - SELECTION_EARLIER_US
  const past = historyWithState({
    sets,
    source,
    frame,
    labels: [labels],
    fromUs,
    toUs: test.toUs,
  })
  return trainingTable(project, frame, labelsFrame, past, [])
}

interface Scored {
  readonly name: string
  readonly value: number
  readonly y: Float64Array
  readonly scores: Float64Array
  readonly customer: ArrayLike<number | string>
}

function scoresOf(
  { name, sets }: FeatureList,
  table: TrainingTable,
  split: TimeSplit,
  learner: LearnerSpec,
  seed: number,
): Scored {
  const customers = table.customer as ArrayLike<number | string>
  const rows = splitRows(split, {
    eventTimeUs: table.eventTimeUs,
    label: table.label,
    customer: customers,
  })
  const names = sets.flatMap(({ features }) => features.map((feature) => feature.name))
  const features = selectColumns(table.features, names)
  const model = fit(
    learner,
    { x: selectRows(features, rows.train), y: selectValues(table.label, rows.train) },
    { seed },
  )
  const y = selectValues(table.label, rows.test)
  const scores = predictor(model).scoreMatrix(selectRows(features, rows.test))
  const customer = Array.from(rows.test, (row) => (table.customer as FrameColumn)[row] ?? '')
  return { name, value: averagePrecision(y, scores), y, scores, customer }
}
