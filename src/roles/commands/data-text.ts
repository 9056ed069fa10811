// How versions of datasets and their differences read in a terminal.
import { count } from '../../cli/index.ts'
import {
  cellText,
  type ColumnDifference,
  type DatasetHistory,
  type DatasetVersion,
  type DifferenceCell,
  type RowDifference,
  type VersionDifference,
} from '../../data/index.ts'
import { shortHash } from '../../lib/hash.ts'
import { formatTimestamp } from '../../lib/time.ts'

export const versionHeadings = ['version', 'hash', 'rows', 'from', 'recorded', 'by', 'notes']

export function versionRow(version: DatasetVersion, { tags, holds }: DatasetHistory): string[] {
  const { number, hash, rows, mode, origin, restores, removed } = version
  const isHeld = holds.some((hold) => hold.version === null || hold.version === number)
  const notes = [
    ...tags.filter((tag) => tag.version === number).map(({ tag }) => tag),
    ...(isHeld ? ['on hold'] : []),
    ...(removed === null ? [] : ['removed']),
  ]
  const from = mode === 'append' ? `+ ${origin.name}` : origin.name
  return [
    String(number),
    shortHash(hash),
    count(rows),
    restores === null ? from : `roll-back to ${restores}`,
    formatTimestamp(version.recordedAtUs),
    version.recordedBy ?? '',
    notes.join(', '),
  ]
}

/** What lies between two versions, in lines. */
export function differenceLines({ before, after, difference }: VersionDifference): string[] {
  const { rows, parts, schema, columns, sample, profile } = difference
  const text = rowText(difference.compared)
  return [
    `${before.dataset}: version ${before.number} (${count(rows.before, 'row')}) → ` +
      `version ${after.number} (${count(rows.after, 'row')})`,
    `Rows: ${count(rows.added)} added, ${count(rows.removed)} removed, ${count(rows.changed)} changed`,
    `Read: ${count(parts.rowsRead, 'row')}; ${count(parts.shared)} of ${count(parts.after, 'part')} are in both`,
    ...(schema.contractBefore === schema.contractAfter
      ? ['Schema: the same contract']
      : [
          `Schema: contract ${shortHash(schema.contractBefore)} → ${shortHash(schema.contractAfter)}`,
        ]),
    ...schema.added.map((column) => `  + ${column}`),
    ...schema.removed.map((column) => `  - ${column}`),
    ...schema.retyped.map((each) => `  ~ ${each.column}: ${each.before} → ${each.after}`),
    ...columns.map(({ column, changed }) => `  ${column}: ${count(changed)} of the changed rows`),
    ...sample.changed.map((row) => text.changed(row)),
    ...sample.added.map((row) => `+ ${row.id}: ${text.whole(row.after)}`),
    ...sample.removed.map((row) => `- ${row.id}: ${text.whole(row.before)}`),
    ...(profile ?? []).flatMap(profileLine),
  ]
}

/** Writes values as their columns are meant: money in decimals, times as times. */
function rowText(compared: VersionDifference['difference']['compared']) {
  const cell = (column: string, value: DifferenceCell): string => {
    const known = compared.find(({ name }) => name === column)
    return value === null || known === undefined ? 'empty' : cellText(value, known)
  }
  return {
    changed({ id, columns, before, after }: RowDifference): string {
      const changes = columns.map(
        (column) => `${column} ${cell(column, before![column])} → ${cell(column, after![column])}`,
      )
      return `~ ${id}: ${changes.join(', ')}`
    },
    whole(values: RowDifference['after']): string {
      const cells = Object.entries(values ?? {})
      return cells.map(([column, value]) => `${column} ${cell(column, value)}`).join(', ')
    },
  }
}

function profileLine({ column, before, after, psi, exponent = 0 }: ColumnDifference): string[] {
  const figures = [
    `missing ${count(before.missing)} → ${count(after.missing)}`,
    `distinct ${count(before.distinct)} → ${count(after.distinct)}`,
    ...(before.mean === null || after.mean === null
      ? []
      : [`mean ${meanText(before.mean, exponent)} → ${meanText(after.mean, exponent)}`]),
    ...(psi === null ? [] : [`PSI ${psi.toFixed(4)}`]),
  ]
  return [`${column}: ${figures.join(', ')}`]
}

/** A statistic, not an amount: money in major units. */
function meanText(mean: number, exponent: number): string {
  return String(Number((mean / 10 ** exponent).toPrecision(6)))
}
