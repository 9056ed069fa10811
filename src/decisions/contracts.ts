// The contracts that a namespace's deployments bring, made ready to check what comes in.
import { createLabelParser, createRowParser } from '../data/index.ts'
import type { CompiledLabels, CompiledSource, LabelParser, Row, RowParser } from '../data/index.ts'
import { contentHash } from '../lib/hash.ts'
import type { EventBody, ShownFields } from './records.ts'

/** A source made ready: rows in, and what records need of them out. */
export interface ReadySource {
  readonly source: CompiledSource
  readonly parser: RowParser
  eventId(row: Row): string
  eventTimeUs(row: Row): number
  body(row: Row): EventBody
  shown(row: Row): ShownFields
  /** The event id of a body that may be wrong otherwise; undefined where it has none. */
  claimedId(body: unknown): string | undefined
}

export interface ReadyLabels {
  readonly labels: CompiledLabels
  readonly parser: LabelParser
  nameOf(code: number): string
}

export function readySource(source: CompiledSource): ReadySource {
  const { columns } = source
  const id = columns.findIndex((column) => column.name === source.id)
  const time = columns.findIndex((column) => column.name === source.eventTime)
  const keys = columns.flatMap(({ kind, name }, index) =>
    kind === 'key' ? [[name, index] as const] : [],
  )
  const money = columns.findIndex(({ kind }) => kind === 'money')
  const moneyColumn = columns[money]
  const currency = moneyColumn?.kind === 'money' ? moneyColumn.currency : null
  const idColumn = columns[id]
  return {
    source,
    parser: createRowParser(source),
    eventId: (row) => String(row[id]),
    eventTimeUs: (row) => Number(row[time]),
    body(row) {
      const event: Record<string, number | string> = {}
      columns.forEach(({ name }, index) => {
        const value = row[index]
        // JSON has no −0, and what is recorded must be what was calculated with.
        if (value !== undefined) event[name] = value === 0 ? 0 : value
      })
      return event
    },
    shown(row) {
      return {
        keys: Object.fromEntries(
          keys.flatMap(([name, index]) =>
            row[index] === undefined ? [] : [[name, String(row[index])]],
          ),
        ),
        amountMinor: money < 0 || row[money] === undefined ? null : Number(row[money]),
        currency,
      }
    },
    claimedId(body) {
      if (typeof body !== 'object' || body === null) return undefined
      const members = body as Record<string, unknown>
      const claimed = members[idColumn.name] ?? members[idColumn.from]
      return typeof claimed === 'string' || typeof claimed === 'number'
        ? String(claimed)
        : undefined
    },
  }
}

export function readyLabels(labels: CompiledLabels): ReadyLabels {
  const names = new Map(Object.entries(labels.values).map(([name, code]) => [code, name]))
  return {
    labels,
    parser: createLabelParser(labels),
    nameOf: (code) => names.get(code) ?? String(code),
  }
}

export function eventHashOf(event: EventBody): string {
  return contentHash(event)
}
