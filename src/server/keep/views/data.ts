import {
  dataErrors,
  type ColumnProfile as KnownColumnProfile,
  type CompiledColumn,
  type CompiledLabels,
  type CompiledSource,
  type DatasetSummary as KnownDataset,
  type QuarantineEntry,
  type SnapshotRecord,
} from '../../../data/index.ts'
import { formatMinor } from '../../../lib/decimal.ts'
import { durationInWords, formatTimestamp } from '../../../lib/time.ts'
import type {
  ColumnProfile,
  Dataset,
  DatasetSummary,
  QuarantinedRow,
} from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { count, identityView, plural, short, time, timeOrNull, verdict } from '../present.ts'
import { cursorOf } from '../range.ts'
import type { Rooms } from '../rooms.ts'
import { usersOf } from './trained-on.ts'

const QUARANTINE_PAGE = 100
/** As many rows as the store gives at a time. */
const STORE_PAGE = 1000

export function dataViews(
  rooms: Rooms,
): Pick<Handlers, 'datasets' | 'dataset' | 'quarantine' | 'resubmit'> {
  const { catalog, quarantine, registry, access } = rooms

  const trainedOn = (name: string, hash?: string) =>
    usersOf(registry, [{ kind: 'snapshot', name, hash }])

  const snapshotView = async (record: SnapshotRecord) => ({
    hash: record.hash,
    rows: record.rows,
    from: timeOrNull(record.fromUs),
    to: timeOrNull(record.toUs),
    createdAt: time(record.recordedAtUs),
    file: record.origin.name,
    quarantined: record.counts.quarantined,
    ...(await trainedOn(record.dataset, record.hash)),
  })

  async function summaryOf(known: KnownDataset): Promise<DatasetSummary> {
    const latest = await catalog.snapshot(known.latestHash)
    return {
      name: known.dataset,
      description: latest?.contract.description ?? '',
      kind: known.kind === 'labels' ? 'labels' : 'events',
      version: known.contractVersion,
      rows: known.rows,
      quarantined: known.quarantinedOpen,
      latest: latest === undefined ? null : await snapshotView(latest),
      verdict:
        known.quarantinedOpen === 0
          ? verdict('ok', `${count(known.rows)} rows, all as the contract asks.`)
          : verdict('warning', `${plural(known.quarantinedOpen, 'row')} in quarantine.`),
    }
  }

  /** A page of the rows that hold by what the store cannot look for: it is read whole. */
  async function narrowed(
    filter: Parameters<typeof quarantine.list>[0],
    { limit, after = 0 }: { readonly limit: number; readonly after: number | undefined },
    holds: (entry: QuarantineEntry) => boolean,
  ): Promise<{ rows: QuarantineEntry[]; total: number }> {
    const rows: QuarantineEntry[] = []
    let total = 0
    for (let read = 0; ;) {
      const { rows: found } = await quarantine.list(filter, { limit: STORE_PAGE, after: read })
      for (const entry of found.filter(holds)) {
        total++
        if (entry.sequence > after && rows.length < limit) rows.push(entry)
      }
      if (found.length < STORE_PAGE) return { rows, total }
      read = found.at(-1)!.sequence
    }
  }

  return {
    async datasets() {
      return { items: await Promise.all((await catalog.datasets()).map(summaryOf)) }
    },
    async dataset({ params, query }): Promise<Dataset> {
      const known = (await catalog.datasets()).find(({ dataset }) => dataset === params.dataset)
      const snapshots = await catalog.snapshots(params.dataset, { limit: 100 })
      const shown =
        query.snapshot === undefined
          ? snapshots[0]
          : snapshots.find(({ hash }) => hash.startsWith(query.snapshot!))
      if (known === undefined || shown === undefined) {
        throw dataErrors.dataset_not_found(
          query.snapshot === undefined
            ? `There is no dataset named ${params.dataset}.`
            : `There is no dataset ${params.dataset} with a snapshot ${short(query.snapshot)}.`,
        )
      }
      const { contract, profile } = shown
      return {
        ...(await summaryOf(known)),
        timeZone: contract.timeZone,
        late: 'lateUs' in contract ? inWords(contract.lateUs) : null,
        future: 'futureUs' in contract ? inWords(contract.futureUs) : null,
        ignored: 'ignore' in contract ? [...contract.ignore] : [],
        columns: columnsOf(contract),
        snapshots: await Promise.all(snapshots.map(snapshotView)),
        profile: profile.columns.map(profileView),
        daily: profile.days.map(({ day, rows }) => ({ day, rows, quarantined: 0 })),
        ...(await trainedOn(params.dataset)),
        file: null,
      }
    },
    async quarantine({ query }) {
      const status = query.status ?? 'open'
      const filter = {
        ...(query.dataset !== undefined && { dataset: query.dataset }),
        ...(query.rule !== undefined && { rule: query.rule }),
        ...(status === 'open' && { status: 'open' as const }),
        ...(status === 'resubmitted' && { status: 'resolved' as const }),
      }
      const people = new Map((await access.identities()).map((each) => [each.id, each]))
      const limit = query.limit ?? QUARANTINE_PAGE
      const after = cursorOf(query.cursor)
      const wanted = query.text?.toLowerCase()
      const holds = (row: QuarantinedRow) =>
        (query.column === undefined || row.column === query.column) &&
        (wanted === undefined || JSON.stringify(row).toLowerCase().includes(wanted))
      const isNarrowed = query.column !== undefined || wanted !== undefined
      const page = isNarrowed
        ? await narrowed(filter, { limit, after }, (entry) => holds(quarantinedView(entry, people)))
        : await quarantine.list(filter, { limit, ...(after !== undefined && { after }) })
      const items = page.rows.map((entry) => quarantinedView(entry, people))
      const datasets =
        query.dataset === undefined ? await catalog.datasets() : [{ dataset: query.dataset }]
      const byRule = await Promise.all(
        datasets.map(async ({ dataset }) =>
          (await quarantine.summary({ dataset })).map(({ column, rule, rows }) => ({
            dataset,
            column,
            rule,
            count: rows,
          })),
        ),
      )
      return {
        items,
        next: page.rows.length === limit ? String(page.rows.at(-1)!.sequence) : null,
        total: page.total,
        byRule: byRule.flat(),
      }
    },
    async resubmit({ body, identity }) {
      const report = await rooms.work.resubmit(body.rows, { actor: identity, reason: body.reason })
      const refused =
        report.refused.length === 0 ? '' : ` ${plural(report.refused.length, 'row')} still fail.`
      return {
        accepted: report.accepted,
        refused: report.refused.map((each) => ({ ...each })),
        snapshot: report.snapshot,
        sentence: `${plural(report.accepted, 'row')} accepted.${refused}`,
      }
    },
  }
}

function quarantinedView(
  entry: QuarantineEntry,
  people: ReadonlyMap<string, NonNullable<Parameters<typeof identityView>[0]>>,
): QuarantinedRow {
  const [first] = entry.failures
  const values = fieldsOf(entry)
  return {
    id: entry.id,
    dataset: entry.dataset,
    file: entry.input,
    // People count the header line, as their editor does.
    row: entry.line,
    column: first?.column ?? null,
    rule: first?.rule ?? '',
    value: first?.value ?? null,
    message: entry.failures.map(({ message }) => message).join(' '),
    status: entry.status === 'open' ? 'open' : 'resubmitted',
    at: time(entry.quarantinedAtUs),
    fields: values,
    resubmitted:
      entry.resolution === null
        ? null
        : {
            by: identityView(people.get(entry.resolution.actor), entry.resolution.actor),
            at: time(entry.resolution.atUs),
          },
  }
}

/** The row's fields by name as far as it can be told: quoted fields with commas stay whole. */
function fieldsOf({ header, raw }: QuarantineEntry): { name: string; value: string | null }[] {
  if (header.length === 0) {
    try {
      const object = JSON.parse(raw) as Record<string, unknown>
      return Object.entries(object).map(([name, value]) => ({
        name,
        value: value === null ? null : String(value),
      }))
    } catch {
      return [{ name: 'row', value: raw }]
    }
  }
  const fields = [...raw.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
  return header.map((name, index) => ({ name, value: fields[index] ?? null }))
}

const inWords = (us: number | null): string | null => (us === null ? null : durationInWords(us))

function columnsOf(contract: CompiledSource | CompiledLabels): Dataset['columns'] {
  if (!('columns' in contract)) {
    return Object.entries(contract.values).map(([name, value]) => ({
      name,
      from: String(value),
      type: 'label value',
      nullable: false,
      personal: false,
      description: name === contract.positive ? 'What models look for' : '',
      checks: [],
    }))
  }
  return contract.columns.map((column) => ({
    name: column.name,
    from: column.from,
    type: typeInWords(column),
    nullable: column.nullable,
    personal: column.personal,
    description: column.description,
    checks: checksInWords(column),
  }))
}

function typeInWords(column: CompiledColumn): string {
  switch (column.kind) {
    case 'id':
      return `unique id, ${column.type}`
    case 'eventTime':
      return 'event time'
    case 'arrivalTime':
      return 'arrival time'
    case 'key':
      return `key, ${column.type}`
    case 'money':
      return `money, ${column.currency}`
    default:
      return column.kind
  }
}

function checksInWords(column: CompiledColumn): string[] {
  switch (column.kind) {
    case 'id':
      return ['unique']
    case 'eventTime':
    case 'arrivalTime':
      return [
        `${formatTimestamp(column.min).slice(0, 10)} to ${formatTimestamp(column.max).slice(0, 10)}`,
      ]
    case 'money':
      return [
        `${formatMinor(column.min, column.exponent)} to ${formatMinor(column.max, column.exponent)}`,
        `${column.exponent} decimal places`,
      ]
    case 'integer':
      return [`${count(column.min)} to ${count(column.max)}`]
    case 'number':
      return [
        ...(column.min === null ? [] : [`at least ${column.min}`]),
        ...(column.max === null ? [] : [`at most ${column.max}`]),
      ]
    case 'text':
      return [`at most ${column.lengthMax} characters`]
    case 'category':
      return [`one of ${column.values.join(', ')}`]
    default:
      return []
  }
}

function profileView(column: KnownColumnProfile): ColumnProfile {
  const scale = column.type === 'integer' ? 'number' : column.type
  const unit = 10 ** (column.exponent ?? 0)
  const inUnit = (value: number | null) => (value === null ? null : value / unit)
  const bins = column.histogram
  return {
    column: column.name,
    scale,
    unit: column.currency ?? null,
    count: column.count,
    nulls: column.nulls,
    distinct: column.distinct,
    distinctExact: column.distinctExact,
    min: inUnit(column.min),
    max: inUnit(column.max),
    mean: inUnit(column.mean),
    std: inUnit(column.std),
    top: column.top.map(({ value, count }) => ({
      value:
        column.currency === undefined ? value : (Number(value) / unit).toFixed(column.exponent),
      count,
    })),
    histogram:
      bins.length === 0
        ? null
        : {
            edges: [...bins.map(({ from }) => from / unit), bins.at(-1)!.to / unit],
            counts: bins.map((bin) => bin.count),
          },
  }
}
