import { createCsvReader, fieldText } from '../../../data/index.ts'
import { decisionErrors, type ListEntry as KeptEntry } from '../../../decisions/index.ts'
import { defineErrors, isAssayError } from '../../../lib/errors.ts'
import { parseTimestamp } from '../../../lib/time.ts'
import type { ListEntry, ListsAnswer } from '../../contract/index.ts'
import { onAir } from '../bank.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, time, timeOrNull } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { orderedView } from './policy-drafts.ts'

const errors = defineErrors({
  list_file_invalid: {
    status: 422,
    title: 'The file cannot be put on a list',
    action: 'Send one value a line, or CSV whose header names the column of the list.',
  },
})

const PAGE = 100

export function listViews(
  rooms: Rooms,
): Pick<Handlers, 'lists' | 'listEntries' | 'changeListEntries'> {
  const { policyDesk, serving, access } = rooms

  async function declared() {
    const live = (await serving.history()).filter(({ toUs }) => toUs === undefined)
    const policies = await Promise.all(
      live.map(async ({ policy }) => (await rooms.livePolicy(policy)).policy),
    )
    return policies.flatMap(({ name: policy, lists = [] }) =>
      lists.map((list) => ({ ...list, policy })),
    )
  }

  /** What is on the list before a change; undefined while what decides is away. */
  async function heldNow(list: string): Promise<ReadonlySet<string> | undefined> {
    try {
      const { namespace } = await onAir(rooms)
      return new Set((await policyDesk.entries(namespace, list)).map(({ value }) => value))
    } catch (error) {
      if (!isAssayError(error)) throw error
      return undefined
    }
  }

  return {
    async lists(): Promise<ListsAnswer> {
      const { namespace, nowUs } = await onAir(rooms)
      const known = await declared()
      const names = [...new Set(known.map(({ name }) => name))].toSorted()
      return {
        lists: await Promise.all(
          names.map(async (name) => {
            const entries = await policyDesk.entries(namespace, name)
            const [first] = known.filter((list) => list.name === name)
            return {
              name,
              column: first?.column ?? '',
              description: first?.description ?? '',
              policies: known.filter((list) => list.name === name).map(({ policy }) => policy),
              entries: entries.length,
              expired: entries.filter((entry) => isExpired(entry, nowUs)).length,
            }
          }),
        ),
      }
    },

    async listEntries({ params, query }) {
      const { namespace, nowUs } = await onAir(rooms)
      const [held, identities] = await Promise.all([
        policyDesk.entries(namespace, params.list),
        access.identities(),
      ])
      const people = new Map(identities.map((each) => [each.id, each]))
      const wanted = query.text?.trim().toLowerCase() ?? ''
      const found = held
        .filter((entry) => `${entry.value}\n${entry.reason}`.toLowerCase().includes(wanted))
        .filter(
          (entry) =>
            (query.state ?? 'all') === 'all' ||
            isExpired(entry, nowUs) === (query.state === 'expired'),
        )
        .toSorted((a, b) => b.sequence - a.sequence || (a.value < b.value ? -1 : 1))
      const from = Number(query.cursor ?? 0) || 0
      const limit = query.limit ?? PAGE
      return {
        items: found.slice(from, from + limit).map((entry): ListEntry => ({
          value: entry.value,
          until: timeOrNull(entry.untilUs),
          expired: isExpired(entry, nowUs),
          by: identityView(people.get(entry.actor), entry.actor),
          reason: entry.reason,
          at: time(entry.atUs),
        })),
        next: from + limit < found.length ? String(from + limit) : null,
        total: found.length,
      }
    },

    async changeListEntries({ params, body, identity }) {
      const { list } = params
      const column = (await declared()).find(({ name }) => name === list)?.column
      const values = [
        ...(body.values ?? []),
        ...(body.csv === undefined ? [] : valuesIn(body.csv, column)),
      ]
      const untilUs = untilOf(body.until)
      const change = { list, change: body.change, values, untilUs }
      const by = { actor: identity, reason: body.reason }
      const held = await heldNow(list)
      const ordered = await policyDesk.changeList(change, by)
      if (held === undefined || ordered.of.kind !== 'list') return orderedView(ordered)
      const before = ordered.of.values.filter((value) => held.has(value)).length
      const others = new Set(values.map((value) => value.trim())).size - before
      return body.change === 'add'
        ? orderedView(ordered, { done: ordered.of.values.length - before, idle: before })
        : orderedView(ordered, { done: before, idle: Math.max(others, 0) })
    },
  }
}

function untilOf(until: string | null | undefined): number | null {
  if (until === undefined || until === null) return null
  const untilUs = parseTimestamp(until)
  if (untilUs === undefined) throw decisionErrors.list_values_invalid(`${until} is no time.`)
  return untilUs
}

function isExpired({ untilUs }: KeptEntry, nowUs: number): boolean {
  return untilUs !== null && untilUs <= nowUs
}

/** The values of a column of CSV: of the one that the list is on, or the only one. */
function valuesIn(text: string, column: string | undefined): string[] {
  const rows: string[][] = []
  const reader = createCsvReader({
    record: (record) => {
      rows.push(Array.from({ length: record.count }, (_, field) => fieldText(record, field)))
    },
    fault: ({ rule, line }) => {
      throw errors.list_file_invalid(`Line ${line}: ${rule.replaceAll('_', ' ')}.`)
    },
  })
  reader.push(Buffer.from(text))
  reader.end()
  const at = column === undefined ? -1 : (rows[0]?.indexOf(column) ?? -1)
  const body = at < 0 ? rows : rows.slice(1)
  if (at < 0 && rows.some((row) => row.length > 1)) {
    throw errors.list_file_invalid(
      `There are several columns, and none is named ${column ?? 'like the list’s'}.`,
    )
  }
  return body.map((row) => row[Math.max(at, 0)] ?? '').filter((value) => value.trim() !== '')
}
