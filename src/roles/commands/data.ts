// `assay data`: datasets, their versions, and what lies between two of them. Rows are read from the
// home's immutable files; what changes goes through whoever keeps them.
import { duckdbDifferences } from '../../adapters/duckdb/index.ts'
import {
  count,
  exitCodes,
  printTable,
  type DataAct,
  type DataOptions,
  type Terminal,
} from '../../cli/index.ts'
import {
  cleanSnapshots,
  compareVersions,
  presentVersion,
  readParts,
  type CleaningReport,
  type SnapshotPart,
  type SnapshotRecord,
} from '../../data/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { formatMinor } from '../../lib/decimal.ts'
import { shortHash } from '../../lib/hash.ts'
import { remote } from '../../lib/rpc.ts'
import { formatTimestamp, parseTimestamp } from '../../lib/time.ts'
import type { WorkRemote } from '../../pipelines/index.ts'
import { byCommand, runningServer, withKept, type Kept } from './connection.ts'
import { differenceLines, versionRow, versionHeadings } from './data-text.ts'
import { snapshotsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { checkOutput, writeTable, type TableColumn } from './table-file.ts'

const LIMITS = { memory: '2GB', threads: 2 }

/** Does one thing with the home's datasets. Errors: those of the data room, `home_missing`. */
export function data(act: DataAct, options: DataOptions, terminal: Terminal): Promise<number> {
  return withKept(options.home, async (kept) => {
    const { value, lines } = await answer(act, options, kept, terminal)
    if (options.json) terminal.out.line(JSON.stringify(value))
    else lines()
    return exitCodes.ok
  })
}

interface Answer {
  /** What `--json` prints. */
  readonly value: unknown
  /** What people read. */
  readonly lines: () => void
}

function answer(
  act: DataAct,
  options: DataOptions,
  kept: Kept,
  terminal: Terminal,
): Promise<Answer> {
  switch (act.act) {
    case 'list':
      return list(kept, terminal)
    case 'versions':
      return history(act, kept, terminal)
    case 'show':
      return show(act, kept, terminal)
    case 'diff':
      return difference(act, kept, terminal)
    case 'export':
      return exportVersion(act, kept, terminal)
    case 'clean':
      return clean(act, options, kept, terminal)
    default:
      return change(act, options, kept, terminal)
  }
}

type Of<Name extends DataAct['act']> = Extract<DataAct, { readonly act: Name }>

async function list({ catalog }: Kept, { out, err }: Terminal): Promise<Answer> {
  const datasets = await catalog.datasets()
  return {
    value: { datasets },
    lines: () => {
      if (datasets.length === 0) {
        err.line('There are no datasets yet; `assay ingest FILE` makes the first.')
        return
      }
      const rows = datasets.map((each) => [
        each.dataset,
        each.kind === 'labels' ? 'labels' : 'events',
        count(each.rows),
        count(each.quarantinedOpen),
        shortHash(each.latestHash),
        formatTimestamp(each.recordedAtUs),
      ])
      const headings = ['dataset', 'holds', 'rows', 'quarantined', 'newest snapshot', 'recorded']
      printTable(out, headings, rows)
    },
  }
}

async function history(
  { dataset, limit }: Of<'versions'>,
  { versions }: Kept,
  { out }: Terminal,
): Promise<Answer> {
  const found = await versions.history(dataset, { limit })
  return {
    value: found,
    lines: () => {
      printTable(
        out,
        versionHeadings,
        found.versions.map((version) => versionRow(version, found)),
      )
      for (const { id, version, reason, by, untilUs } of found.holds) {
        const what = version === null ? 'every version' : `version ${version}`
        const until = untilUs === null ? '' : ` until ${formatTimestamp(untilUs).slice(0, 10)}`
        out.line(`On hold${until}: ${what}, by ${by}: ${reason} (${id})`)
      }
      if (found.retention !== null) out.line(retentionText(found.retention))
      if (found.next !== null) out.line(`Older ones: --limit ${limit * 2}`)
    },
  }
}

function retentionText({ versions, days }: { versions: number | null; days: number | null }) {
  const rules = [
    ...(versions === null ? [] : [`the newest ${count(versions, 'version')}`]),
    ...(days === null ? [] : [`those of ${count(days, 'day')}`]),
  ]
  return `Kept: ${rules.join(', and ')}; also what is tagged, held or in use.`
}

/** A snapshot of a version, with the parts that it is stored as; none where they are gone. */
interface Shown extends Pick<SnapshotRecord, 'rows' | 'recordedAtUs' | 'origin'> {
  readonly snapshot: string
  readonly parts: readonly SnapshotPart[]
}

async function show(
  { dataset, version: name }: Of<'show'>,
  { versions, home }: Kept,
  { out }: Terminal,
): Promise<Answer> {
  const found = await versions.find(dataset, name)
  const snapshots = snapshotsOf(home)
  const files: Shown[] = []
  for (const { hash, rows, recordedAtUs, origin } of found.parts) {
    const parts = (await snapshots.describe(hash))?.parts ?? []
    files.push({ snapshot: hash, rows, recordedAtUs, origin, parts })
  }
  const { version, manifest, tags, holds } = found
  return {
    value: { version, manifest, tags, holds, snapshots: files },
    lines: () => {
      const { number, hash, rows, restores, removed, contractVersion } = version
      out.line(`${dataset}, version ${number}: ${count(rows, 'row')}, ${hash}`)
      out.line(
        `Contract ${shortHash(contractVersion)}, recorded ${formatTimestamp(version.recordedAtUs)}`,
      )
      if (restores !== null) out.line(`Rolled back to version ${restores}: ${version.reason ?? ''}`)
      if (removed !== null) out.line(`Removed by ${removed.by}: ${removed.reason}`)
      if (tags.length > 0) out.line(`Tags: ${tags.map(({ tag }) => tag).join(', ')}`)
      for (const { reason, by } of holds) out.line(`On hold, by ${by}: ${reason}`)
      const rowsOf = files.map(({ snapshot, rows: n, parts, origin }) => [
        shortHash(snapshot),
        count(n),
        count(parts.length),
        count(parts.reduce((sum, { bytes }) => sum + bytes, 0)),
        origin.name,
      ])
      printTable(out, ['snapshot', 'rows', 'parts', 'bytes', 'read from'], rowsOf)
    },
  }
}

async function difference(
  { dataset, before, after, rows, profile }: Of<'diff'>,
  { versions, home }: Kept,
  { out }: Terminal,
): Promise<Answer> {
  const differences = duckdbDifferences({ directory: home.snapshots, ...LIMITS })
  const found = await compareVersions(
    { dataset, before, after, rowsMax: rows, profile },
    { versions, differences },
  )
  return {
    value: found,
    lines: () => {
      for (const line of differenceLines(found)) out.line(line)
    },
  }
}

async function exportVersion(
  { dataset, version: name, out: path }: Of<'export'>,
  { versions, home }: Kept,
  { err }: Terminal,
): Promise<Answer> {
  await checkOutput(path, [])
  const { version, parts } = await presentVersion(dataset, name, versions)
  const snapshots = snapshotsOf(home)
  const { frame } = await readParts(parts, { snapshots })
  const { schema } = (await snapshots.describe(parts[0].hash))!
  const asText = !path.endsWith('.parquet')
  const columns = schema.columns.map(({ name: column, type, exponent }): TableColumn => {
    const values = frame.columns[column]
    // An id that is a number in one snapshot may be text in another.
    if (!(values instanceof Float64Array)) return { name: column, values, type: 'text' }
    if (type !== 'money' || !asText) return { name: column, values, type }
    const amounts = Array.from(values, (minor) =>
      Number.isNaN(minor) ? undefined : formatMinor(minor, exponent!),
    )
    return { name: column, values: amounts, type: 'text' }
  })
  await writeTable(path, { rows: frame.rows, columns })
  const value = {
    dataset,
    version: version.number,
    hash: version.hash,
    rows: frame.rows,
    out: path,
  }
  return {
    value,
    lines: () =>
      err.line(`${path}: ${count(frame.rows, 'row')} of ${dataset}, version ${version.number}.`),
  }
}

async function clean(
  { dryRun }: Of<'clean'>,
  options: DataOptions,
  { versions, home }: Kept,
  { out }: Terminal,
): Promise<Answer> {
  const by = byOf('clean', options)
  // One process alone writes to the folder of snapshots: the server's, where one runs.
  const report =
    runningServer(home) === undefined
      ? await cleanSnapshots(
          { versions, snapshots: snapshotsOf(home), clock: systemClock },
          { dryRun },
          by,
        )
      : await remote<WorkRemote>(home.socket('work'), 'work').cleanData({ dryRun }, by)
  return {
    value: report,
    lines: () => {
      for (const line of cleaningLines(report)) out.line(line)
    },
  }
}

function cleaningLines({ dryRun, versions, files, bytes, waiting, more }: CleaningReport) {
  const would = dryRun ? 'Would remove' : 'Removed'
  return [
    `${would} ${count(versions.length, 'version')} by retention, and ${count(files, 'file')} of ` +
      `${count(bytes, 'byte')} that no version names.`,
    ...(waiting === 0
      ? []
      : [`${count(waiting, 'file')} more were used in the last day and stay for now.`]),
    ...(more ? ['There are more; run it again.'] : []),
  ]
}

async function change(
  act: Of<'tag' | 'untag' | 'hold' | 'release' | 'rollback' | 'retention'>,
  options: DataOptions,
  { versions }: Kept,
  { err, out }: Terminal,
): Promise<Answer> {
  const { dataset } = act
  const by = byOf(act.act, options)
  const said = (value: unknown, text: string): Answer => ({ value, lines: () => err.line(text) })
  switch (act.act) {
    case 'tag': {
      const tag = await versions.tag(act, by)
      return said(tag, `${act.tag} is on version ${tag.version} of ${dataset}.`)
    }
    case 'untag':
      await versions.untag(act, by)
      return said({ dataset, tag: act.tag }, `${act.tag} is taken away from ${dataset}.`)
    case 'hold': {
      const untilUs = act.until === undefined ? null : dayOf(act.until)
      const hold = await versions.hold({ dataset, version: act.version ?? null, untilUs }, by)
      return { value: hold, lines: () => out.line(hold.id) }
    }
    case 'release':
      await versions.release(act, by)
      return said({ dataset, hold: act.hold }, `The hold ${act.hold} has ended.`)
    case 'rollback': {
      const made = await versions.rollBack(act, by)
      const text = `${dataset} holds the content of version ${made.restores} again, as version ${made.number}.`
      return said(made, text)
    }
    case 'retention': {
      if (act.versions === undefined && act.days === undefined) {
        const { retention } = await versions.history(dataset, { limit: 1 })
        const text = retention === null ? 'Every version is kept.' : retentionText(retention)
        return { value: retention, lines: () => out.line(text) }
      }
      const { versions: kept = null, days = null } = act
      const set = await versions.setRetention({ dataset, versions: kept, days }, by)
      return said(set, retentionText(set))
    }
  }
}

function byOf(command: string, { reason }: DataOptions) {
  const by = byCommand(`data ${command}`)
  return reason === undefined ? by : { ...by, reason }
}

function dayOf(day: string): number {
  const us = /^\d{4}-\d{2}-\d{2}$/.test(day) ? parseTimestamp(`${day}T00:00:00Z`) : undefined
  if (us !== undefined) return us
  throw commandErrors.option_invalid(`--until ${day} is not a day; write YYYY-MM-DD.`)
}
