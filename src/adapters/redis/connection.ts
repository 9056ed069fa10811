import { ErrorReply, createClient } from '@redis/client'
import { featureErrors } from '../../features/index.ts'
import type { AssayError } from '../../lib/errors.ts'
import { isAssayError } from '../../lib/errors.ts'

const RECONNECT_MS_MAX = 2_000
const PING_MS = 5_000
/** A server that is silent for so long, pings included, is taken for dead. */
const SILENCE_MS = 15_000
/** Commands that wait for an answer; more are refused. */
const WAITING_MAX = 100_000
const RETRY_AFTER_SECONDS = 1

export interface RedisAddress {
  /** `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS. */
  readonly url: string
  /** Certificate (PEM) of the authority that signed the server's; default: those of the system. */
  readonly certificateAuthority?: string
  /** How long a call may take, connecting included, milliseconds. */
  readonly timeoutMs: number
  /** Told when the connection is lost, and why it cannot be made again. Never holds a password. */
  readonly onTrouble?: (detail: string) => void
}

export type RedisClient = ReturnType<typeof clientOf>

export interface RedisConnection {
  /**
   * Runs commands under the time limit and tells their failures as errors of online values. Where
   * the connection is down, it fails at once: nothing waits for a server that may not come back.
   */
  run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/**
 * Connects, or fails with `online_store_unavailable` or `online_store_refused`. Afterwards a lost
 * connection is made again by itself, for as long as it takes.
 */
export async function connectRedis(address: RedisAddress): Promise<RedisConnection> {
  const where = placeOf(address.url)
  let opened = false
  const client = clientOf(address, () => opened)
  client.on('error', (error: unknown) => {
    if (opened) address.onTrouble?.(`${where}: ${messageOf(error)}`)
  })
  try {
    await within(client.connect(), address.timeoutMs, where)
    opened = true
  } catch (error) {
    client.destroy()
    throw explained(error, where)
  }
  return {
    async run(commands) {
      try {
        return await within(commands(client), address.timeoutMs, where)
      } catch (error) {
        // After a failover the name may lead elsewhere; only a new connection finds out.
        if (/^READONLY\b/.test(messageOf(error))) hangUp(client)
        throw explained(error, where)
      }
    },
    async close() {
      if (!client.isOpen) return
      if (!client.isReady) return client.destroy()
      await within(client.close(), address.timeoutMs, where).catch(() => client.destroy())
    },
  }
}

/** Has the server close the connection, whereupon the client makes a new one. */
function hangUp(client: RedisClient): void {
  client.sendCommand(['QUIT']).catch(() => undefined)
}

function clientOf(address: RedisAddress, opened: () => boolean) {
  const ca = address.url.startsWith('rediss:') ? address.certificateAuthority : undefined
  return createClient({
    url: checkedUrl(address.url),
    socket: {
      connectTimeout: address.timeoutMs,
      socketTimeout: SILENCE_MS,
      // The first attempt tells the caller; only what once stood is built again.
      reconnectStrategy: (retries) =>
        opened() && Math.min(50 * 2 ** Math.min(retries, 10), RECONNECT_MS_MAX),
      ...(ca === undefined ? {} : { tls: true as const, ca }),
    },
    name: 'assay-online',
    disableClientInfo: true,
    disableOfflineQueue: true,
    commandsQueueMaxLength: WAITING_MAX,
    pingInterval: PING_MS,
    maintNotifications: 'disabled',
  })
}

function checkedUrl(url: string): string {
  const { protocol = '', pathname = '', username = '', password = '' } = parsed(url) ?? {}
  const readable = isUriText(username) && isUriText(password)
  if (/^rediss?:$/.test(protocol) && /^(\/\d*)?$/.test(pathname) && readable) return url
  throw featureErrors.online_store_refused(
    'The address of the store must look like redis://user:password@host:6379/0 or rediss://…, ' +
      'with odd characters of user and password percent-encoded.',
  )
}

function isUriText(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Host and port, which may be shown; user and password may not. */
function placeOf(url: string): string {
  const { hostname, port } = parsed(checkedUrl(url))!
  return `Redis at ${hostname || '127.0.0.1'}:${port || '6379'}`
}

function parsed(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}

/** The result, or `online_store_unavailable` when the time is up. */
async function within<T>(result: Promise<T>, timeoutMs: number, where: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(unavailable(`${where} did not answer within ${timeoutMs} ms.`)),
      timeoutMs,
    )
  })
  try {
    return await Promise.race([result, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Answers of a server that will serve again by itself. */
const passing = /^(LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS|UNBLOCKED)\b/
/** Answers that stay the same until a person does something. */
const lasting: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/^(WRONGPASS|NOAUTH)\b|AUTH failed/, 'user or password is wrong'],
  [/^NOPERM\b/, 'the user lacks a right'],
  [/^OOM\b/, 'it has no memory left'],
  [/^MISCONF\b/, 'it cannot save to its disk'],
  [/^(MOVED|ASK|CROSSSLOT)\b/, 'it is a cluster; use one primary with replicas'],
]

function explained(error: unknown, where: string): AssayError {
  if (isAssayError(error)) return error
  const message = messageOf(error)
  if (!(error instanceof ErrorReply)) {
    // A certificate that is not trusted now will not be trusted in a second either.
    const lasts = /certificate/i.test(message)
    return lasts
      ? refused(`${where}: ${message}`, error)
      : unavailable(`${where}: ${message}`, error)
  }
  if (passing.test(message)) return unavailable(`${where} cannot serve now: ${message}`, error)
  const known = lasting.find(([pattern]) => pattern.test(message))
  const advice = known === undefined ? '' : ` (${known[1]})`
  return refused(`${where} answered: ${message}${advice}`, error)
}

function refused(detail: string, cause: unknown): AssayError {
  return featureErrors.online_store_refused(detail, { cause })
}

function unavailable(detail: string, cause?: unknown): AssayError {
  const extra = { retryAfter: RETRY_AFTER_SECONDS }
  return featureErrors.online_store_unavailable(detail, { extra, cause })
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  return error instanceof Error ? error.message || error.name : String(error)
}
