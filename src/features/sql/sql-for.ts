import type { CompiledColumn, CompiledSource } from '../../data/index.ts'
import type { CompiledFeatureSet, Expression } from '../compiled.ts'
import { DAY_US } from '../../lib/time.ts'
import type { SqlDialect } from './dialect.ts'
import type { EventFacts } from './facts.ts'
import { withLateLabels, type LateLabels } from './late-labels.ts'
import { Layers, type Sql } from './layers.ts'
import { AggregateWriter, type AggregateColumn } from './write-aggregate.ts'
import { ExpressionWriter, type SqlBindings } from './write-expression.ts'
import { zoneOffsets } from './zone-offsets.ts'

/** Windows and their delays reach back at most so far, together. */
const BACK_MAX_US = 180 * DAY_US
const PLACE_LIMIT = 2 ** 62

/** A column of the table of events that a statement reads. */
export interface EventColumn {
  /** Of the source. */
  readonly column: string
  /** In the table. */
  readonly name: string
  readonly type: 'integer' | 'number' | 'text'
}

/** A table of label changes: `row` of the event, `arrival` (microseconds), `change` (1 or −1). */
export interface LabelTable {
  readonly labels: string
  readonly name: string
}

/**
 * One SELECT that gives a row an event, in any order: the event's `row`, then a double a feature,
 * NaN where missing. It reads a table `events` with a row an event: `row` (which rises with event
 * time and sequence), `time` (microseconds), `tie` (the event's place, from 0, among those of its
 * time), and `columns`; and the tables of `labels`.
 */
export interface HistorySql {
  readonly sql: string
  /** Names of the features, and of their columns in the SELECT. */
  readonly features: readonly string[]
  readonly names: readonly string[]
  readonly columns: readonly EventColumn[]
  readonly labels: readonly LabelTable[]
}

/** A feature that SQL may not compute, and why. */
export interface UnsupportedFeature {
  readonly feature: string
  /** Part of a sentence: `a mean of measured numbers rounds in the order of events`. */
  readonly reason: string
}

export interface SqlOptions {
  readonly dialect: SqlDialect
  readonly facts: EventFacts
  /** Only rows from this one on are given; those before it still count. */
  readonly fromRow: number
}

/**
 * Writes a set's features as SQL, as far as an outside engine gives the operator's values bit for
 * bit: whole numbers in 64 or 128 bits, and + − × ÷ √. Features for which there is no such SQL are
 * returned with the reason, and then there is no statement.
 */
export function sqlFor(
  set: CompiledFeatureSet,
  source: CompiledSource,
  options: SqlOptions,
): HistorySql | { readonly unsupported: readonly UnsupportedFeature[] } {
  const writer = new StatementWriter(set, source, options)
  const unsupported = writer.features()
  return unsupported.length > 0 ? { unsupported } : writer.statement()
}

class StatementWriter {
  private readonly set: CompiledFeatureSet
  private readonly source: CompiledSource
  private readonly options: SqlOptions
  private readonly reasons: string[] = []
  private readonly columns: EventColumn[] = []
  private readonly labels: LabelTable[] = []
  /** Columns of labels, with the joins that make them. */
  private readonly flags = new Map<string, string>()
  private readonly late: LateLabels[] = []
  /** Columns of one event's own values, beneath the aggregates; and of features, above them. */
  private readonly eventLayers = new Layers('v')
  private readonly featureLayers = new Layers('f')
  private readonly outputs: string[] = []
  private readonly aggregates: AggregateWriter
  private readonly conditions: ExpressionWriter
  private readonly values: ExpressionWriter
  /** Columns of the event layers that aggregates or features read. */
  private readonly carried = new Set<string>()

  constructor(set: CompiledFeatureSet, source: CompiledSource, options: SqlOptions) {
    this.set = set
    this.source = source
    this.options = options
    const { dialect, facts } = options
    const refuse = (reason: string): undefined => this.refuse(reason)
    this.aggregates = new AggregateWriter(
      dialect,
      facts,
      {
        column: (name) => this.column(name),
        flag: (condition) => this.flag(condition),
        label: (labels, delayUs) => this.label(labels, delayUs),
        lateLabels: (labels, late) => this.lateLabels(labels, late),
      },
      refuse,
    )
    this.conditions = new ExpressionWriter(
      dialect,
      this.eventLayers,
      this.bindings(1, () => refuse('a filter looks at one event only')),
      refuse,
    )
    this.values = new ExpressionWriter(
      dialect,
      this.featureLayers,
      this.bindings(0, (aggregate) => {
        const text = this.aggregates.aggregate(aggregate)
        return text === undefined ? undefined : { text, layer: 0, type: 'number' }
      }),
      refuse,
    )
  }

  /** Writes every feature; returns those that cannot be. */
  features(): UnsupportedFeature[] {
    if (this.options.facts.rows > 0 && !this.placesFit()) {
      const reason = 'too many events share one instant over too long a time'
      return this.set.features.map(({ name }) => ({ feature: name, reason }))
    }
    const unsupported = new Map<string, string>()
    for (const { name, expression } of this.set.features) {
      this.reasons.length = 0
      const sql = this.values.number(expression)
      if (sql === undefined) unsupported.set(name, this.reasons[0] ?? 'another feature says why')
      else this.outputs.push(sql.text)
    }
    return [...unsupported].map(([feature, reason]) => ({ feature, reason }))
  }

  statement(): HistorySql {
    const { dialect, facts, fromRow } = this.options
    const own = this.columns.map(({ name }) => name)
    const place = `(time - (${facts.fromUs})) * ${facts.tiesMax} + tie AS place`
    const read = ['events.row', 'time', 'tie', place, ...own, ...this.flags.keys()].join(', ')
    const joins = [...this.flags.values()].join('')
    const events = this.eventLayers.over(`(SELECT ${read} FROM events${joins})`)
    let table = 'own'
    for (const late of this.late) table = withLateLabels(dialect, 'own', table, late)
    const kept = ['row', 'time', 'tie', 'place', ...own, ...this.carried]
    for (const stage of this.aggregates.stages.values()) {
      table = `(${stage.write(table, kept)})`
      kept.push(...stage.results)
    }
    const features = this.featureLayers.over(table)
    const outputs = this.outputs.map(
      (text, at) => `coalesce(${text}, ${dialect.missing}) AS x${at}`,
    )
    return {
      sql:
        `WITH own AS ${dialect.common(this.late.length > 0)} (${events}) ` +
        `SELECT row, ${outputs.join(', ')} FROM (${features}) WHERE row >= ${fromRow}`,
      features: this.set.features.map(({ name }) => name),
      names: outputs.map((_, at) => `x${at}`),
      columns: this.columns,
      labels: this.labels,
    }
  }

  private refuse(reason: string): undefined {
    this.reasons.push(reason)
    return undefined
  }

  /** Whether the order key and the windows' edges stay far below 2^63. */
  private placesFit(): boolean {
    const { fromUs, toUs, tiesMax } = this.options.facts
    return (toUs - fromUs + BACK_MAX_US) * tiesMax < PLACE_LIMIT
  }

  /** What one event's own expressions (`layer` 1) or features (0) look at. */
  private bindings(layer: 0 | 1, aggregate: SqlBindings['aggregate']): SqlBindings {
    const { types } = this.options.dialect
    return {
      number: (name) => {
        const column = this.column(name)
        if (column === undefined) return undefined
        const number = `CAST(${column.name} AS ${types.number})`
        const text = column.scale === 1 ? number : `(${number} / ${column.scale}e0)`
        return { text, layer: 0, type: 'number' }
      },
      text: (name) => {
        const column = this.column(name)
        if (column === undefined) return undefined
        return { text: `CAST(${column.name} AS ${types.text})`, layer: 0, type: 'number' }
      },
      localTime: () => {
        const text = this.localTime()
        return text === undefined ? undefined : { text, layer, type: 'number' }
      },
      aggregate,
    }
  }

  private column(name: string): AggregateColumn | undefined {
    const column = this.source.columns.find((candidate) => candidate.name === name)
    if (column === undefined) return this.refuse(`the source has no column "${name}"`)
    const type = typeOf(column)
    const known = this.columns.find((own) => own.column === name)
    const own = known ?? { column: name, name: `c${this.columns.length}`, type }
    if (known === undefined) this.columns.push(own)
    return {
      name: own.name,
      nullable: column.nullable,
      whole: type === 'integer',
      scale: column.kind === 'money' ? 10 ** column.exponent : 1,
    }
  }

  private flag(condition: Expression): string | undefined {
    const sql = this.conditions.condition(condition)
    return sql && this.carry(sql)
  }

  private label(labels: string, delayUs: number): string | undefined {
    const lateUs = this.options.facts.labelLateUs[labels]
    if (lateUs === undefined) {
      return this.refuse(`the labels "${labels}" are not one list with one event an id`)
    }
    const { name } = this.labelTable(labels)
    // Where no label is later, all delays share one column.
    const [column, timely] =
      lateUs <= delayUs
        ? [`${name}_positive`, '']
        : [`${name}_positive_${delayUs}`, ` WHERE c.arrival <= e.time + ${delayUs}`]
    this.flags.set(
      column,
      ` LEFT JOIN (SELECT c.row AS event, sum(c.change) = 1 AS ${column} FROM ${name} AS c ` +
        `JOIN events AS e ON e.row = c.row${timely} GROUP BY c.row) AS ${column}_of ` +
        `ON ${column}_of.event = events.row`,
    )
    this.carried.add(column)
    return column
  }

  private lateLabels(labels: string, late: Omit<LateLabels, 'name' | 'changes'>): string | null {
    if (this.options.facts.labelLateUs[labels] <= late.delayUs) return null
    const name = `late${this.late.length}`
    this.late.push({ ...late, name, changes: this.labelTable(labels).name })
    this.carried.add(name)
    return name
  }

  private labelTable(labels: string): LabelTable {
    const known = this.labels.find((own) => own.labels === labels)
    if (known !== undefined) return known
    const table = { labels, name: `labels${this.labels.length}` }
    this.labels.push(table)
    return table
  }

  /** The column of local time: the event time and what the zone was ahead of UTC then. */
  private localTime(): string | undefined {
    const { fromUs, toUs } = this.options.facts
    const offsets = zoneOffsets(this.set.timeZone, fromUs, toUs)
    if (offsets === undefined) {
      return this.refuse(`the clocks of ${this.set.timeZone} are not listed for so long a time`)
    }
    const cases = offsets.slice(1).map(({ fromUs: until }, index) => {
      return `WHEN time < ${until} THEN ${offsets[index].offsetUs} `
    })
    const last = offsets.at(-1)!.offsetUs
    const offset = cases.length === 0 ? last : `CASE ${cases.join('')}ELSE ${last} END`
    return this.carry({ text: `time + ${offset}`, layer: 0, type: 'number' })
  }

  /** Gives an event's own value a column that is there beneath and above the aggregates. */
  private carry(sql: Sql): string {
    const { text } = this.eventLayers.column(sql)
    this.carried.add(text)
    return text
  }
}

function typeOf(column: CompiledColumn): EventColumn['type'] {
  switch (column.kind) {
    case 'eventTime':
    case 'arrivalTime':
    case 'money':
    case 'integer':
    case 'boolean':
      return 'integer'
    case 'number':
      return 'number'
    case 'key':
      return column.type === 'integer' ? 'integer' : 'text'
    case 'id':
    case 'text':
    case 'category':
      return 'text'
  }
}
