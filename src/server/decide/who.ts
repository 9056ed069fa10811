// Who asks, and whether the request may have come here at all. Checked against the snapshot of hashes
// that keep publishes, so that the answer needs no other process.
import { promises as fs } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { authenticateWith, requireMay, sessionOf } from '../../access/index.ts'
import type { AccessSnapshot, Action, Identity } from '../../access/index.ts'
import type { Clock } from '../../lib/clock.ts'
import { doorErrors } from './errors.ts'

const POLL_MS = 500

export interface Doorkeeper {
  /** Who sent these headers, if they may do this. Errors: `unauthenticated`, `forbidden`, `cross_site_refused`. */
  admit(headers: IncomingHttpHeaders, action: Action): Promise<Identity>
  close(): void
}

/** Watches the published snapshot; a key that is not in it yet is looked for once more on disk. */
export async function createDoorkeeper(file: string, clock: Clock): Promise<Doorkeeper> {
  let snapshot: AccessSnapshot = { format: 1, atUs: 0, identities: {}, keys: {}, sessions: {} }
  let seen = ''

  async function look(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await fs.stat(file)
      const mark = `${mtimeMs} ${size} ${ino}`
      if (mark === seen) return
      snapshot = JSON.parse(await fs.readFile(file, 'utf8')) as AccessSnapshot
      seen = mark
    } catch {
      // Not published yet, or just being replaced: what is known stays in force until the next look.
    }
  }

  let lastLook: Promise<void> = Promise.resolve()
  // One look after the other, so that what an earlier one read never replaces what a later one did.
  const refresh = (): Promise<void> => {
    lastLook = lastLook.then(look)
    return lastLook
  }

  await refresh()
  const timer = setInterval(() => void refresh(), POLL_MS).unref()
  return {
    async admit(headers, action) {
      const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
      const session = bearer === undefined ? sessionOf(headers.cookie) : undefined
      if (session !== undefined) refuseCrossSite(headers)
      let identity = authenticateWith(snapshot, { bearer, session }, clock.nowUs())
      if (identity === undefined && (bearer ?? session) !== undefined) {
        await refresh()
        identity = authenticateWith(snapshot, { bearer, session }, clock.nowUs())
      }
      return requireMay(identity, action)
    },
    close: () => clearInterval(timer),
  }
}

/**
 * A browser sends the cookie along with whatever any page asks for, and reaches this machine for any
 * page; it says which page that was. Error: `cross_site_refused`.
 */
export function refuseCrossSite(headers: IncomingHttpHeaders): void {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  const isOther =
    (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none')
  if (isOther) throw doorErrors.cross_site_refused(`The request was sent from ${origin ?? site}.`)
}

/**
 * Refuses names that somebody else may point at this machine (DNS rebinding): a host must be an
 * address, `localhost`, or a name that this server was told it has. Error: `host_refused`.
 */
export function refuseForeignHost(host: string | undefined, own: ReadonlySet<string>): void {
  const name = hostName(host ?? '')
  if (name === 'localhost' || isIP(name) !== 0 || own.has(name)) return
  throw doorErrors.host_refused(`The request is for "${(host ?? '').slice(0, 100)}".`)
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host)
  if (bracketed !== null) return bracketed[1]
  return host.replace(/:\d+$/, '').toLowerCase()
}
