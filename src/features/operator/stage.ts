import type { Row } from '../../data/index.ts'
import type { Dictionary, KeyValue } from './dictionary.ts'
import { EventValues } from './evaluate.ts'
import type { KeyPart, Output, Plan, SourcePlan } from './plan.ts'
import { Readings } from './readings.ts'
import type { StagedEvent } from './windows.ts'

/** The event of a source that is being taken in or looked at. */
export class SourceStage {
  readonly plan: SourcePlan
  /** What expressions see of it. */
  readonly values: EventValues
  /** What windows see of it. */
  readonly event: StagedEvent
  /** For events that are read back. */
  readonly scratch: StagedEvent
  /** By view: whose past is looked at. */
  readonly entities: Int32Array
  /** By view: what is read before the current event counts, and after. */
  readonly before: readonly Readings[]
  readonly after: readonly Readings[]
  /** The kinds that its events are of, with the view by which they look at them; −1: none. */
  readonly kinds: readonly { readonly kind: number; readonly view: number }[]
  private readonly outputs: readonly Output[]
  /** By output: the aggregate that it is, or −1. */
  private readonly direct: Int32Array
  private readonly plans: Plan['dictionaries']
  private readonly dictionaries: readonly Dictionary[]

  constructor(source: SourcePlan, plan: Plan, dictionaries: readonly Dictionary[]) {
    const { numbers, texts, aggregates, timeZone } = source
    this.plan = source
    this.outputs = plan.outputs
    this.direct = Int32Array.from(plan.outputs, ({ aggregate }) => aggregate)
    this.plans = plan.dictionaries
    this.dictionaries = dictionaries
    const figures = source.graphs.reduce((sum, { into }) => sum + into.length, 0)
    this.values = new EventValues(
      numbers.length,
      texts.length,
      aggregates.length,
      figures,
      timeZone,
    )
    const staged = (): StagedEvent => ({
      timeUs: 0,
      flags: 0,
      event: -1,
      numbers: new Float64Array(source.stored.length),
      codes: new Int32Array(dictionaries.length),
    })
    this.event = staged()
    this.scratch = staged()
    this.entities = new Int32Array(source.views.length)
    this.before = source.views.map(({ before }) => new Readings(before))
    this.after = source.views.map(({ after }) => new Readings(after))
    this.kinds = plan.kinds.flatMap((kind, k) => {
      if (plan.sources[kind.source] !== source) return []
      return [{ kind: k, view: source.views.findIndex((view) => view.own && view.kind === k) }]
    })
  }

  /** Turns to another row: its time, numbers, texts and the filters that it passes. */
  begin(row: Row): void {
    const { plan, values, event } = this
    event.timeUs = row[plan.timePosition] as number
    values.begin(event.timeUs)
    for (let i = 0; i < plan.numbers.length; i++) {
      const value = row[plan.numbers[i].position]
      // Adding 0 turns −0 into 0: they are one value.
      values.numbers[i] = value === undefined ? Number.NaN : (value as number) + 0
    }
    for (let i = 0; i < plan.texts.length; i++) {
      const value = row[plan.texts[i].position]
      values.texts[i] = typeof value === 'number' ? String(value) : value
    }
    let flags = 0
    for (const { holds, mask } of plan.filters) if (holds(values) === 1) flags |= mask
    event.flags = flags
  }

  /** Finds the codes of the row's keys and holds them, until `releaseKeys`. */
  acquireKeys(row: Row): void {
    for (const d of this.plan.dictionaries) {
      this.event.codes[d] = this.dictionaries[d].acquire(keyOf(row, this.plans[d].parts))
    }
  }
  releaseKeys(): void {
    for (const d of this.plan.dictionaries) this.dictionaries[d].release(this.event.codes[d])
  }

  /** Finds the codes of the row's keys that there are. */
  findKeys(row: Row): void {
    for (const d of this.plan.dictionaries) {
      this.event.codes[d] = this.dictionaries[d].find(keyOf(row, this.plans[d].parts))
    }
  }

  /** Works out the numbers that windows keep; what they need of the past has been read. */
  derive(): void {
    const { stored } = this.plan
    for (let i = 0; i < stored.length; i++) {
      this.event.numbers[i] = stored[i].value(this.values) + 0
    }
  }

  /** Works out the features; what they need of the past has been read. */
  evaluate(into: Float64Array): void {
    const { outputs, direct, values } = this
    const { aggregates } = values
    for (let i = 0; i < direct.length; i++) {
      const at = direct[i]
      into[i] = (at < 0 ? outputs[i].evaluate(values) : aggregates[at]) + 0
    }
  }
}

/** A key's value in a row; several columns are joined so that no two combinations look alike. */
export function keyOf(row: Row, parts: readonly KeyPart[]): KeyValue | undefined {
  if (parts.length === 1) return row[parts[0].position]
  let joined = ''
  for (const { position } of parts) {
    const value = row[position]
    if (value === undefined) return undefined
    const text = String(value)
    joined += `${text.length}:${text}`
  }
  return joined
}
