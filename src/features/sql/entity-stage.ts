/** How a window lies among the events of its entity, which end with the current one. */
export interface WindowPlace {
  /** Column with the number of events from the window's start to the current one; null: all. */
  readonly start: string | null
  /** How many of those, from the current one back, come after the window: a column or a number. */
  readonly skip: string
}

/**
 * The aggregates over one combination of keys, as two SELECTs one over the other. The first numbers
 * what lies between a window's edge and the current event and adds up everything so far; the second
 * takes differences of those sums. A window then costs two look-ups, however many events it holds.
 */
export class EntityStage {
  readonly keys: readonly string[]
  private readonly prefix: string
  private readonly tiesMax: number
  private readonly first = new Map<string, string>()
  private readonly second = new Map<string, string>()
  private readonly third: string[] = []

  /** `keys` are columns; the names of all other columns begin with `prefix`. */
  constructor(keys: readonly string[], prefix: string, tiesMax: number) {
    this.keys = keys
    this.prefix = prefix
    this.tiesMax = tiesMax
  }

  /** The place of the window (t − delay − window, t − delay]; null reaches back for ever. */
  place(windowUs: number | null, delayUs: number, excluded: boolean): WindowPlace {
    const start = windowUs === null ? null : this.back(windowUs + delayUs)
    return { start, skip: delayUs > 0 ? this.back(delayUs) : excluded ? '1' : '0' }
  }

  /** The number of events in (t − backUs, t], the current one included. */
  private back(backUs: number): string {
    // `place` is (time · ties + tie): from the first place that is later than t − backUs.
    const places = `tie + ${(BigInt(backUs) - 1n) * BigInt(this.tiesMax)}`
    return this.firstColumn(
      'm',
      `count(*) OVER (${this.order} RANGE BETWEEN ${places} PRECEDING AND CURRENT ROW)`,
    )
  }

  /** The number of all events of the window. */
  count({ start, skip }: WindowPlace): string {
    const all = start ?? this.firstColumn('m', `row_number() OVER (${this.order})`)
    return skip === '0' ? all : `(${all} - ${skip})`
  }

  /** The sum over the window of an integer that every event has; it and all sums fit the type. */
  sum(value: string, type: string, { start, skip }: WindowPlace): string {
    const running = this.firstColumn(
      'p',
      `CAST(sum(${value}) OVER (${this.order} ROWS UNBOUNDED PRECEDING) AS ${type})`,
    )
    const before = (events: string): string =>
      events === '0' ? running : `lag(${running}, ${events}, 0) OVER (${this.order})`
    const end = before(skip)
    const text = start === null ? end : `${end} - ${before(start)}`
    return this.secondColumn('s', text)
  }

  /** An aggregate of the engine's own over the window, which an empty window leaves NULL or 0. */
  over(aggregate: string, { start, skip }: WindowPlace): string {
    const from = start === null ? 'UNBOUNDED' : `${start} - 1`
    const rows = `ROWS BETWEEN ${from} PRECEDING AND ${skip} PRECEDING`
    return this.secondColumn('s', `${aggregate} OVER (${this.order} ${rows})`)
  }

  /** A value of the event that is so many before the current one. */
  previous(value: string, events = 1): string {
    return this.firstColumn('l', `lag(${value}, ${events}) OVER (${this.order})`)
  }

  /** Makes a figure a column of the result; it is NULL where the event lacks a key. */
  result(figure: string): string {
    const name = `${this.prefix}a${this.third.length}`
    const present = this.keys.map((key) => `${key} IS NOT NULL`).join(' AND ')
    this.third.push(`CASE WHEN ${present} THEN ${figure} END AS ${name}`)
    return name
  }

  /** The columns that hold the results. */
  get results(): readonly string[] {
    return this.third.map((_, index) => `${this.prefix}a${index}`)
  }

  /** The table with the results beside the columns that are kept. */
  write(table: string, kept: readonly string[]): string {
    const first = [...this.first].map(([text, name]) => `${text} AS ${name}`)
    const second = [...this.second].map(([text, name]) => `${text} AS ${name}`)
    const one = `SELECT ${['*', ...first].join(', ')} FROM ${table}`
    const two = `SELECT ${['*', ...second].join(', ')} FROM (${one})`
    return `SELECT ${[...kept, ...this.third].join(', ')} FROM (${two})`
  }

  private get order(): string {
    return `PARTITION BY ${this.keys.join(', ')} ORDER BY place`
  }

  private firstColumn(kind: string, text: string): string {
    return this.columnIn(this.first, kind, text)
  }

  private secondColumn(kind: string, text: string): string {
    return this.columnIn(this.second, kind, text)
  }

  private columnIn(stage: Map<string, string>, kind: string, text: string): string {
    const name = stage.get(text) ?? `${this.prefix}${kind}${stage.size}`
    stage.set(text, name)
    return name
  }
}
