// What models that are computed elsewhere say of events of the past. Live decisions keep the score that
// they got; what was never asked is asked now, many rows at a time.
import type {
  DeployedModel,
  DeployedPolicy,
  OutsideAnswers,
  OutsideModel,
  PastEvent,
} from '../../decisions/index.ts'
import { fromRows, type Matrix } from '../../lib/matrix.ts'
import { pipelineErrors } from '../errors.ts'

/** The chances of rows whose columns hold the model's features; NaN where it has none for a row. */
export type ScoreOutside = (model: OutsideModel, x: Matrix) => Promise<Float64Array>

/** A model of a deployment that is computed elsewhere. */
type Elsewhere = Omit<DeployedModel, 'body'> & { readonly body: OutsideModel }

/** Rows that are asked for at once. */
const ROWS_AT_ONCE = 1000

/** Those that may be asked on what is live, each once. */
export function outsideModels(...documents: readonly DeployedPolicy[]): readonly Elsewhere[] {
  const all = documents.flatMap(({ model, lastGood, challengers = [] }) => [
    model,
    ...(lastGood ? [lastGood.model] : []),
    ...challengers.flatMap((each) => (each.traffic.mode === 'live' ? [each.model] : [])),
  ])
  return [...new Map(all.filter(isElsewhere).map((model) => [model.version, model])).values()]
}

function isElsewhere(model: DeployedModel): model is Elsewhere {
  return model.body.kind === 'outside'
}

/** The answers on each row of a matrix. Error: `outside_model_unasked`. */
export async function answersOn(
  models: readonly Elsewhere[],
  x: Matrix,
  score: ScoreOutside | undefined,
): Promise<(row: number) => OutsideAnswers> {
  if (models.length === 0) return () => noAnswers
  const told: (readonly [string, Float64Array])[] = []
  for (const { name, number, version, body } of models) {
    if (score === undefined) {
      throw pipelineErrors.outside_model_unasked(
        `${name} version ${number} is computed elsewhere, and nothing here could ask it.`,
      )
    }
    told.push([version, await score(body, x)])
  }
  return (row) =>
    new Map(
      told.map(([version, chances]) => [
        version,
        Number.isNaN(chances[row]) ? 'It answered no chance' : chances[row],
      ]),
    )
}

const noAnswers: OutsideAnswers = new Map()

/** The events with the answers that they lack, vectors being in the order of `names`. Error as above. */
export async function* withAnswers(
  past: AsyncIterable<PastEvent>,
  names: readonly string[],
  models: readonly Elsewhere[],
  score: ScoreOutside | undefined,
): AsyncGenerator<PastEvent> {
  if (models.length === 0) return yield* past
  let waiting: PastEvent[] = []
  for await (const event of past) {
    waiting.push({ ...event, vector: event.vector.slice() })
    if (waiting.length < ROWS_AT_ONCE) continue
    yield* await answered(waiting, names, models, score)
    waiting = []
  }
  if (waiting.length > 0) yield* await answered(waiting, names, models, score)
}

async function answered(
  events: readonly PastEvent[],
  names: readonly string[],
  models: readonly Elsewhere[],
  score: ScoreOutside | undefined,
): Promise<PastEvent[]> {
  const lacking = (event: PastEvent) =>
    models.some(({ version }) => !event.circumstances.outside.has(version))
  const asked = events.filter(lacking)
  const x = fromRows(
    names,
    asked.map(({ vector }) => vector),
  )
  const answers = asked.length === 0 ? () => noAnswers : await answersOn(models, x, score)
  const places = new Map(asked.map((event, row) => [event, row]))
  return events.map((event) => {
    const row = places.get(event)
    if (row === undefined) return event
    const { circumstances } = event
    // What was recorded then stands.
    const outside = new Map([...answers(row), ...circumstances.outside])
    return { ...event, circumstances: { ...circumstances, outside } }
  })
}
