import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { inspectFile, readChunks } from '../../data/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { fail } from '../errors.ts'
import { checkEventId, checkSession } from './knowledge.ts'

/** Bytes of a line; what is longer is rejected without being held. */
const LINE_BYTES_MAX = 2 ** 20

export interface RejectedLine {
  /** From 1. */
  readonly line: number
  readonly reason: string
}

export interface SessionsRead {
  /** SHA-256 of the sessions in their order, whatever the file's spaces and compression. */
  readonly hash: string
  readonly sessions: number
  /** Lines without any event. */
  readonly empty: number
  readonly rejected: number
  readonly firstRejected?: RejectedLine
}

/**
 * Reads a file with one session a line, event ids parted by white space, plain or gzip. A line that is no session is
 * rejected and counted; the good ones are passed on in their order, with the number of their line. Errors:
 * `file_not_found`, `file_empty`, `file_truncated` and others of `data`; `sessions_unusable` where no line, or
 * fewer lines than were rejected, holds a session.
 */
export async function readSessions(
  path: string,
  onSession: (session: string[], line: number) => void,
): Promise<SessionsRead> {
  const input = await inspectFile(path, 'csv')
  const name = basename(path)
  if (input.format === 'parquet') {
    throw fail.sessions_unusable(`${name} is a Parquet file, not lines of event ids.`)
  }
  const found = { sessions: 0, empty: 0, rejected: 0 }
  let firstRejected: RejectedLine | undefined
  const hash = createHash('sha256')
  await forEachLine(readChunks(input), (bytes, line) => {
    const reason = whyRejected(bytes, (session) => {
      if (session.length === 0) found.empty++
      else {
        found.sessions++
        hash.update(`${session.join(' ')}\n`)
        onSession(session, line)
      }
    })
    if (reason === undefined) return
    found.rejected++
    firstRejected ??= { line, reason }
  })
  if (found.sessions === 0 || found.rejected > found.sessions) {
    const first =
      firstRejected === undefined ? '' : ` Line ${firstRejected.line}: ${firstRejected.reason}`
    throw fail.sessions_unusable(
      `${name} holds ${found.sessions} sessions; ${found.empty} lines are empty and ${found.rejected} are none.${first}`,
    )
  }
  return { hash: hash.digest('hex'), ...found, firstRejected }
}

/** Takes the line as a session, or says why it is none. `bytes` are missing where the line is too long. */
function whyRejected(
  bytes: Buffer | undefined,
  take: (session: string[]) => void,
): string | undefined {
  if (bytes === undefined) return `It is longer than ${LINE_BYTES_MAX} bytes.`
  if (!isUtf8(bytes)) return 'It is no UTF-8 text.'
  const session = bytes
    .toString('utf8')
    .split(/\s+/u)
    .filter((event) => event !== '')
  try {
    if (session.length > 0) checkSession(session)
    for (const event of new Set(session)) checkEventId(event)
  } catch (error) {
    if (isAssayError(error, 'sessions_unusable')) return error.detail
    throw error
  }
  take(session)
  return undefined
}

/** Lines without their end; undefined for one that is longer than a mebibyte, of which nothing is held. */
async function forEachLine(
  chunks: AsyncIterable<Buffer>,
  onLine: (bytes: Buffer | undefined, line: number) => void,
): Promise<void> {
  let held: Buffer[] = []
  let heldBytes = 0
  let line = 0
  const hold = (part: Buffer) => {
    heldBytes += part.length
    if (heldBytes > LINE_BYTES_MAX) held = []
    else held.push(Buffer.from(part))
  }
  const end = () => {
    line++
    onLine(heldBytes > LINE_BYTES_MAX ? undefined : Buffer.concat(held), line)
    held = []
    heldBytes = 0
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      hold(chunk.subarray(from, to))
      end()
      from = to + 1
    }
    hold(chunk.subarray(from))
  }
  if (heldBytes > 0) end()
}
