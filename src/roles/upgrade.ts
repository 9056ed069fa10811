// What this version would change in a home, found by looking: formats against those of the code, rows, and
// room on the disk. Nothing is written, not even a lock.
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { freezeDatabase, metadataVersions } from '../adapters/sqlite/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { fileErrorCode, nodeFiles } from '../lib/files.ts'
import { decodeHeader, HEADER_BYTES } from '../lib/journal-format.ts'
import { segmentFiles, type SegmentFile } from '../lib/journal-segments.ts'
import { HOME_FORMAT, type Home } from '../projects/index.ts'

export interface UpgradeFinding {
  /** `ready`: nothing to do; `migrates`: the next start does it; `made anew`: derived, from the journal. */
  readonly verdict: 'ready' | 'migrates' | 'made anew' | 'refused'
  readonly what: string
  readonly sentence: string
}

export interface UpgradeReport {
  readonly findings: readonly UpgradeFinding[]
  /** Rows in the tables that migrations may touch; bytes of the metadata file. */
  readonly rows: number
  readonly metadataBytes: number
  readonly freeBytes: number
  readonly neededBytes: number
  /** Seconds, about: copying and writing the metadata once at `BYTES_PER_SECOND`. */
  readonly seconds: number
  /** Whether the version that wrote the home can open it after the upgrade. */
  readonly olderOpens: boolean
  readonly canUpgrade: boolean
}

/** A slow disk's; what is measured is the bytes, the time is a guess from them. */
const BYTES_PER_SECOND = 50 * 1024 * 1024

export async function checkUpgrade(home: Home): Promise<UpgradeReport> {
  const format = await formatOf(home)
  const metadata = await metadataFindings(home)
  const findings = [format, ...metadata.findings, ...(await journalFindings(home))]
  const migrates = metadata.findings.some(({ verdict }) => verdict === 'migrates')
  const stat = await fs.statfs(home.root)
  const freeBytes = stat.bavail * stat.bsize
  // The copy of before, and the write-ahead log of the migration.
  const neededBytes = migrates ? 2 * metadata.bytes : 0
  const isRefused = findings.some(({ verdict }) => verdict === 'refused')
  return {
    findings,
    rows: metadata.rows,
    metadataBytes: metadata.bytes,
    freeBytes,
    neededBytes,
    seconds: migrates ? Math.max(1, Math.ceil((2 * metadata.bytes) / BYTES_PER_SECOND)) : 0,
    olderOpens: !migrates,
    canUpgrade: !isRefused && freeBytes >= neededBytes,
  }
}

async function formatOf(home: Home): Promise<UpgradeFinding> {
  const what = 'format.json'
  let format: unknown
  try {
    const text = await fs.readFile(path.join(home.root, what), 'utf8')
    format = (JSON.parse(text) as { format?: unknown }).format
  } catch (error) {
    return { what, verdict: 'refused', sentence: `cannot be read: ${(error as Error).message}` }
  }
  if (typeof format !== 'number' || format > HOME_FORMAT) {
    const sentence = `has format ${String(format)}; this version reads up to ${HOME_FORMAT}`
    return { what, verdict: 'refused', sentence }
  }
  return format === HOME_FORMAT
    ? { what, verdict: 'ready', sentence: `has format ${format}` }
    : { what, verdict: 'migrates', sentence: `goes from format ${format} to ${HOME_FORMAT}` }
}

async function metadataFindings(home: Home) {
  const bytes = await fs.stat(home.database).then(
    ({ size }) => size,
    () => undefined,
  )
  if (bytes === undefined) {
    const sentence = 'is not there; the next start makes it'
    const finding = { what: 'keep/assay.sqlite', verdict: 'ready', sentence } as const
    return { findings: [finding], rows: 0, bytes: 0 }
  }
  const frozen = freezeDatabase(home.database, { leavesNoTrace: true })
  try {
    const findings = Object.entries(metadataVersions()).map(([room, known]) =>
      findingOf(room, frozen.versions[room] ?? 0, known),
    )
    const migrating = findings.some(({ verdict }) => verdict === 'migrates')
    const rows = migrating ? Object.values(frozen.rows()).reduce((sum, n) => sum + n, 0) : 0
    return { findings, rows, bytes }
  } finally {
    frozen.close()
  }
}

function findingOf(room: string, done: number, known: number): UpgradeFinding {
  const what = `tables of ${room}`
  if (done === known) return { what, verdict: 'ready', sentence: `at version ${done}` }
  if (done < known) {
    return { what, verdict: 'migrates', sentence: `go from version ${done} to ${known}` }
  }
  const sentence = `are at version ${done}; this version knows ${known}`
  return { what, verdict: 'refused', sentence }
}

async function journalFindings(home: Home): Promise<UpgradeFinding[]> {
  const names = await fs.readdir(home.decide).catch((error: unknown): string[] => {
    if (fileErrorCode(error) === 'ENOENT') return []
    throw error
  })
  const findings: UpgradeFinding[] = []
  for (const name of names.filter((each) => each.endsWith('.json')).toSorted()) {
    const namespace = name.slice(0, -'.json'.length)
    const directory = path.join(home.decide, namespace)
    findings.push(await journalFinding(namespace, path.join(directory, 'journal')))
    findings.push(...(await stateFindings(namespace, path.join(directory, 'state'))))
  }
  return findings
}

async function journalFinding(namespace: string, directory: string): Promise<UpgradeFinding> {
  const what = `journal of ${namespace}`
  let segments: SegmentFile[]
  try {
    segments = await segmentFiles(directory, nodeFiles)
  } catch (error) {
    if (isAssayError(error)) return { what, verdict: 'refused', sentence: error.detail }
    segments = []
  }
  for (const { first, name } of segments) {
    const open = await nodeFiles.open(path.join(directory, name), 'read')
    try {
      const header = new Uint8Array(HEADER_BYTES)
      await open.read(header, 0)
      if (decodeHeader(header) === first) continue
      const format = new DataView(header.buffer).getUint32(8, true)
      // The last one may be torn at its very beginning; the start puts that right.
      if (first === segments.at(-1)?.first && (await open.size()) < HEADER_BYTES) continue
      const sentence = `${name} has format ${format}, or is damaged; this version reads 1`
      return { what, verdict: 'refused', sentence }
    } finally {
      await open.close()
    }
  }
  return { what, verdict: 'ready', sentence: `format 1, ${segments.length} segments` }
}

async function stateFindings(namespace: string, directory: string): Promise<UpgradeFinding[]> {
  const names = await fs.readdir(directory).catch((): string[] => [])
  const findings: UpgradeFinding[] = []
  for (const name of names.filter((each) =>
    /^(base-[0-9a-f]{16}|\d{16}\.checkpoint)$/.test(each),
  )) {
    const format = await checkpointFormat(path.join(directory, name))
    if (format === 1) continue
    const isBase = name.startsWith('base-')
    findings.push({
      what: `live state of ${namespace}`,
      verdict: isBase ? 'refused' : 'made anew',
      sentence: `${name} has format ${String(format)}; this version reads 1`,
    })
  }
  if (findings.length > 0) return findings
  const sentence = 'fits; indexes and cold stores of another format are made anew from the journal'
  return [{ what: `live state of ${namespace}`, verdict: 'ready', sentence }]
}

/** The format that the first line of a checkpoint names, which its first bytes tell. */
async function checkpointFormat(file: string): Promise<number | undefined> {
  const open = await nodeFiles.open(file, 'read')
  try {
    const size = await open.size()
    const bytes = new Uint8Array(Math.min(size, 16 * 1024 * 1024))
    await open.read(bytes, 0)
    const line = Buffer.from(bytes).toString('utf8').split('\n', 1)[0]
    const { format } = JSON.parse(line) as { format?: unknown }
    return typeof format === 'number' ? format : undefined
  } catch {
    return undefined
  } finally {
    await open.close()
  }
}
