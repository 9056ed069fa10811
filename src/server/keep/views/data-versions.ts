import { may, type Action, type Identity } from '../../../access/index.ts'
import {
  cellText,
  type ColumnDifference,
  type ColumnFigures,
  type DatasetDifference as KnownDifference,
  type DatasetHistory,
  type DatasetVersion as KnownVersion,
  type RowDifference as KnownRow,
  type VersionDifference,
} from '../../../data/index.ts'
import { parseTimestamp } from '../../../lib/time.ts'
import { psiAlert, psiWarning } from '../../../monitoring/index.ts'
import type {
  DatasetDifference,
  DatasetVersion,
  DatasetVersions,
  Permission,
  RowDifference,
  Verdict,
} from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { count, plural, time, timeOrNull, verdict } from '../present.ts'
import { cursorOf } from '../range.ts'
import type { Rooms } from '../rooms.ts'
import { usersOf, type Users } from './trained-on.ts'

const VERSIONS_PAGE = 50
const ROWS_SHOWN = 20

export function dataVersionViews(
  rooms: Rooms,
): Pick<
  Handlers,
  | 'datasetVersions'
  | 'datasetDifference'
  | 'tagDataset'
  | 'holdDataset'
  | 'releaseDataset'
  | 'rollBackDataset'
  | 'retainDataset'
  | 'cleanData'
> {
  const { versions, registry, work } = rooms

  /** Models learn from a snapshot, or from the whole version. */
  const trainedOn = (dataset: string, { lastSnapshot, hash }: KnownVersion) =>
    usersOf(
      registry,
      [...new Set([lastSnapshot, hash])].map((each) => ({
        kind: 'snapshot',
        name: dataset,
        hash: each,
      })),
    )

  return {
    async datasetVersions({ params, query, identity }): Promise<DatasetVersions> {
      const before = cursorOf(query.cursor)
      const limit = query.limit ?? VERSIONS_PAGE
      const page = { limit, ...(before !== undefined && { before }) }
      const found = await versions.history(params.dataset, page)
      return {
        items: await Promise.all(
          found.versions.map(async (version, index) => ({
            ...versionView(version, found.versions[index + 1], found),
            ...(await trainedOn(params.dataset, version)),
          })),
        ),
        next: found.next === null ? null : String(found.next),
        tags: found.tags.map(({ tag, version, by, reason, atUs }) => ({
          tag,
          version: version!,
          by,
          reason,
          at: time(atUs),
        })),
        holds: found.holds.map(({ id, version, reason, by, fromUs, untilUs }) => ({
          id,
          version,
          reason,
          by,
          from: time(fromUs),
          until: timeOrNull(untilUs),
        })),
        retention: found.retention && {
          versions: found.retention.versions,
          days: found.retention.days,
          sentence: retentionSentence(found.retention),
        },
        may: {
          tag: permission(identity, 'run-pipelines', 'put tags on data'),
          manage: permission(identity, 'manage-data', 'hold data or bring an old version back'),
        },
      }
    },
    async datasetDifference({ params, query }): Promise<DatasetDifference> {
      const { dataset } = params
      const found = await work.compareVersions({
        dataset,
        before: query.before,
        after: query.after,
        rowsMax: query.rows ?? ROWS_SHOWN,
        profile: query.profile === 'yes',
      })
      const history = await versions.history(dataset, { limit: 1 })
      const viewOf = async (version: KnownVersion) => ({
        ...versionView(version, undefined, history),
        ...(await trainedOn(dataset, version)),
      })
      return {
        ...differenceView(found),
        before: await viewOf(found.before),
        after: await viewOf(found.after),
      }
    },
    async tagDataset({ params: { dataset }, body: { tag, version, reason }, identity }) {
      const by = { actor: identity, reason }
      if (version === null) {
        await versions.untag({ dataset, tag }, by)
        return { sentence: `${tag} is taken away from ${dataset}.` }
      }
      const put = await versions.tag({ dataset, tag, version }, by)
      return { sentence: `${tag} is on version ${put.version} of ${dataset}.` }
    },
    async holdDataset({ params: { dataset }, body: { version, until, reason }, identity }) {
      const untilUs = until === null ? null : parseTimestamp(until)!
      const hold = await versions.hold({ dataset, version, untilUs }, { actor: identity, reason })
      const what = hold.version === null ? `All of ${dataset}` : `Version ${hold.version}`
      return { sentence: `${what} is on hold (${hold.id}).` }
    },
    async releaseDataset({ params: { dataset, hold }, body: { reason }, identity }) {
      await versions.release({ dataset, hold }, { actor: identity, reason })
      return { sentence: 'The hold has ended.' }
    },
    async rollBackDataset({ params: { dataset }, body: { version, reason }, identity }) {
      const made = await versions.rollBack({ dataset, version }, { actor: identity, reason })
      const sentence = `${dataset} holds the content of version ${made.restores} again, as version ${made.number}.`
      return { sentence }
    },
    async retainDataset({ params: { dataset }, body: { versions: kept, days, reason }, identity }) {
      const by = { actor: identity, reason }
      const set = await versions.setRetention({ dataset, versions: kept, days }, by)
      return { sentence: retentionSentence(set) }
    },
    async cleanData({ body: { dryRun, reason }, identity }) {
      const report = await work.cleanData({ dryRun }, { actor: identity, reason })
      const { files, bytes, waiting, more } = report
      const removed = [...report.versions]
      const would = dryRun ? 'Would remove' : 'Removed'
      const sentence = `${would} ${plural(removed.length, 'version')} and ${plural(files, 'file')} of ${count(bytes)} bytes.`
      return { sentence, versions: removed, files, bytes, waiting, more }
    },
  }
}

function permission(identity: Identity, action: Action, what: string): Permission {
  if (may(identity, action)) return { allowed: true, reason: null }
  return { allowed: false, reason: `Your roles do not let you ${what}.` }
}

function versionView(
  version: KnownVersion,
  parent: KnownVersion | undefined,
  { tags, holds }: DatasetHistory,
): Omit<DatasetVersion, keyof Users> {
  const { number, hash, rows, removed } = version
  return {
    number,
    hash,
    parent: version.parent,
    restores: version.restores,
    mode: version.mode,
    rows,
    rowsAgainstParent: parent === undefined ? null : rows - parent.rows,
    snapshots: version.snapshots,
    from: timeOrNull(version.fromUs),
    to: timeOrNull(version.toUs),
    file: version.origin.name,
    contract: version.contractVersion,
    recordedAt: time(version.recordedAtUs),
    recordedBy: version.recordedBy,
    reason: version.reason,
    removed: removed && { at: time(removed.atUs), by: removed.by, reason: removed.reason },
    tags: tags.filter((tag) => tag.version === number).map(({ tag }) => tag),
    held: holds.some((hold) => hold.version === null || hold.version === number),
  }
}

function retentionSentence({
  versions,
  days,
}: {
  readonly versions: number | null
  readonly days: number | null
}): string {
  const rules = [
    ...(versions === null ? [] : [`the newest ${plural(versions, 'version')}`]),
    ...(days === null ? [] : [`the versions of ${plural(days, 'day')}`]),
  ]
  return `Kept are ${rules.join(' and ')}, and whatever is tagged, on hold, or in use by a model or a running pipeline.`
}

function differenceView({
  before,
  after,
  difference,
}: VersionDifference): Omit<DatasetDifference, 'before' | 'after'> {
  const { rows, parts, schema, compared, sample, profile } = difference
  const { contractBefore, contractAfter, added, removed, retyped } = schema
  const rowsOf = (found: readonly KnownRow[]) => found.map((row) => rowView(row, compared))
  return {
    sentence: differenceSentence(before.number, after.number, rows),
    rows,
    parts,
    schema: {
      sameContract: contractBefore === contractAfter,
      added: [...added],
      removed: [...removed],
      retyped: retyped.map((each) => ({ ...each })),
    },
    columns: difference.columns.map((each) => ({ ...each })),
    sample: {
      added: rowsOf(sample.added),
      removed: rowsOf(sample.removed),
      changed: rowsOf(sample.changed),
    },
    profile: profile && profile.map(profileView),
  }
}

function differenceSentence(
  before: number,
  after: number,
  { added, removed, changed }: DatasetDifference['rows'],
): string {
  if (added + removed + changed === 0) return `Versions ${before} and ${after} hold the same rows.`
  return (
    `From version ${before} to ${after}: ${plural(added, 'row')} added, ` +
    `${count(removed)} removed, ${count(changed)} changed.`
  )
}

function rowView(row: KnownRow, columns: KnownDifference['compared']): RowDifference {
  const values = (cells: KnownRow['before']) =>
    cells &&
    Object.fromEntries(
      Object.entries(cells).map(([name, cell]) => {
        const column = columns.find((each) => each.name === name)
        return [name, column === undefined || cell === null ? null : cellText(cell, column)]
      }),
    )
  return {
    id: row.id,
    at: timeOrNull(row.atUs),
    columns: [...row.columns],
    before: values(row.before),
    after: values(row.after),
  }
}

function profileView({
  before,
  after,
  psi,
  ...column
}: ColumnDifference): NonNullable<DatasetDifference['profile']>[number] {
  const figures = ({ rows, missing, distinct, mean, quantiles }: ColumnFigures) => ({
    rows,
    missing,
    distinct,
    mean: mean === null ? null : meanText(mean, column),
    quantiles: quantiles.map((value) => cellText(value, column)),
  })
  return {
    column: column.column,
    unit: column.currency ?? null,
    before: figures(before),
    after: figures(after),
    psi,
    verdict: psiVerdict(psi),
  }
}

/** A statistic, not an amount: money in major units. */
function meanText(
  mean: number,
  { type, exponent }: Pick<ColumnDifference, 'type' | 'exponent'>,
): string {
  return String(Number((type === 'money' ? mean / 10 ** exponent! : mean).toPrecision(6)))
}

function psiVerdict(psi: number | null): Verdict {
  if (psi === null) return verdict('no-data', 'Not compared.')
  const figure = `PSI ${psi.toFixed(3)}`
  if (psi >= psiAlert) return verdict('alert', `Another distribution (${figure}).`)
  if (psi >= psiWarning) return verdict('warning', `The distribution has moved (${figure}).`)
  return verdict('ok', `As before (${figure}).`)
}
