import type {
  EntityKey,
  OnlineAddress,
  OnlineEntity,
  OnlineReading,
  OnlineSet,
  OnlineValues,
} from '../../features/index.ts'
import {
  checkOnlineAddress,
  checkOnlineNamespace,
  checkOnlineRead,
  checkOnlineScan,
  checkOnlineSet,
  checkOnlineWrite,
  checkSameOnlineSet,
  encodeEntityKey,
  featureErrors,
  onlineSetUnknown,
} from '../../features/index.ts'
import type { RedisClient, RedisConnection } from './connection.ts'
import { connectRedis } from './connection.ts'
import {
  AS_OF_FIELD,
  SEQUENCE_FIELD,
  entityOf,
  entityPrefix,
  registerField,
  registerKey,
  registerText,
  registeredSet,
  valueOf,
  valueText,
} from './layout.ts'
import { WRITE_SCRIPT } from './write-script.ts'

/** Values in one run of the script: the server does nothing else meanwhile, about a millisecond. */
const SCRIPT_VALUES = 2_000
const SCRIPTS_AHEAD = 8
/** Keys that the server looks at in one step of a scan, and steps of one page. */
const SCAN_COUNT = 1_000
const SCAN_STEPS_MAX = 100
/** Sets whose features are kept at hand. */
const KNOWN_MAX = 1_000

export interface RedisOnlineOptions {
  /** `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS. */
  readonly url: string
  /** Certificate (PEM) of the authority that signed the server's; default: those of the system. */
  readonly certificateAuthority?: string
  /** What all keys begin with. Default: `assay:online`. */
  readonly prefix?: string
  /** How long a call may take, milliseconds. Default: 2,000. */
  readonly timeoutMs?: number
  /** Told when the connection is lost, and why it cannot be made again. */
  readonly onTrouble?: (detail: string) => void
}

/**
 * Online values in Redis or Valkey, laid out as `docs/reference/online-values.md` says. Fails with
 * `online_store_unavailable` or `online_store_refused` where it cannot connect; a connection that is
 * lost later is made again by itself, and calls fail at once until then.
 */
export async function openRedisOnlineValues(options: RedisOnlineOptions): Promise<OnlineValues> {
  const { prefix = 'assay:online', timeoutMs = 2_000, ...address } = options
  if (!/^[A-Za-z0-9][A-Za-z0-9:_.-]{0,99}$/.test(prefix)) {
    throw featureErrors.online_store_refused(`"${prefix}" cannot be the prefix of keys.`)
  }
  return new RedisOnlineValues(await connectRedis({ ...address, timeoutMs }), prefix)
}

class RedisOnlineValues implements OnlineValues {
  private readonly connection: RedisConnection
  private readonly prefix: string
  /** Sets as the register had them, by register key and field; it is asked again when they fail. */
  private readonly known = new Map<string, { readonly set: OnlineSet; readonly text: string }>()
  private scriptSha: Promise<string> | undefined

  constructor(connection: RedisConnection, prefix: string) {
    this.connection = connection
    this.prefix = prefix
  }

  async declare(set: OnlineSet): Promise<void> {
    checkOnlineSet(set)
    const [register, field] = this.registered(set)
    const text = registerText(set)
    const isNew = await this.connection.run((client) => client.hSetNX(register, field, text))
    if (isNew === 0) {
      const declared = await this.registeredAt(set)
      if (declared !== undefined) checkSameOnlineSet(declared.set, set)
      if (declared?.text !== text) {
        await this.connection.run((client) => client.hSet(register, field, text))
      }
    }
    this.remember(set, text)
  }

  async sets(namespace: string): Promise<readonly OnlineSet[]> {
    checkOnlineNamespace(namespace)
    const register = registerKey(this.prefix, namespace)
    const fields = await this.connection.run((client) => client.hGetAll(register))
    return Object.entries(fields).map(([field, text]) => {
      const set = registeredSet(namespace, text)
      if (set === undefined) throw damaged(`${register}, field ${field}`)
      return set
    })
  }

  async write(address: OnlineAddress, entities: readonly OnlineEntity[]) {
    const { set } = await this.resolve(address)
    checkOnlineWrite(set, entities)
    const keys = this.keysOf(
      set,
      entities.map(({ key }) => key),
    )
    const values = set.features.length + 2
    const size = Math.max(1, Math.floor(SCRIPT_VALUES / values))
    let written = 0
    for (let from = 0; from < entities.length; from += size * SCRIPTS_AHEAD) {
      // While the server runs one script, the next are on their way.
      const starts = Array.from({ length: SCRIPTS_AHEAD }, (_, i) => from + i * size)
      const runs = starts
        .filter((start) => start < entities.length)
        .map((start) => {
          const end = start + size
          return this.writeSome(address, entities.slice(start, end), keys.slice(start, end))
        })
      for (const taken of await Promise.all(runs)) written += taken
    }
    return { written, outdated: entities.length - written }
  }

  async read(address: OnlineAddress, request: Parameters<OnlineValues['read']>[1]) {
    const { set } = await this.resolve(address)
    checkOnlineRead(set, request)
    const [register, field] = this.registered(address)
    const keys = this.keysOf(set, request.keys)
    const fields = [SEQUENCE_FIELD, AS_OF_FIELD, ...request.features]
    const [declared, hashes] = await this.connection.run((client) =>
      // Commands that are given without waiting travel together, and so do their answers.
      Promise.all([
        client.hExists(register, field),
        Promise.all(keys.map((key) => client.hmGet(key, fields).catch(damage(key)))),
      ]),
    )
    if (declared === 0) {
      this.forget(address)
      throw onlineSetUnknown(address)
    }
    const freshFromUs = request.freshFromUs ?? -Infinity
    return hashes.map((hash, i) => readingOf(hash, freshFromUs, keys[i]))
  }

  async scan(address: OnlineAddress, request: Parameters<OnlineValues['scan']>[1]) {
    checkOnlineScan(request)
    await this.resolve(address)
    let cursor = request.after ?? '0'
    const found = new Set<string>()
    for (let step = 0; step < SCAN_STEPS_MAX && found.size < request.limit; step++) {
      const page = await this.scanStep(address, cursor, Math.min(request.limit, SCAN_COUNT))
      for (const key of page.keys) found.add(key)
      cursor = page.cursor
      if (cursor === '0') break
    }
    const keys: EntityKey[] = []
    for (const key of found) {
      const entity = entityOf(this.prefix, address, key)
      if (entity !== undefined) keys.push(entity)
    }
    return { keys, next: cursor === '0' ? null : cursor }
  }

  async retire(address: OnlineAddress): Promise<number> {
    checkOnlineAddress(address)
    const [register, field] = this.registered(address)
    // First the register: from here on no writer adds to what is being removed.
    await this.connection.run((client) => client.hDel(register, field))
    this.forget(address)
    let removed = 0
    let cursor = '0'
    do {
      const page = await this.scanStep(address, cursor, SCAN_COUNT)
      const { keys } = page
      if (keys.length > 0) {
        removed += await this.connection.run((client) => client.unlink(keys))
      }
      cursor = page.cursor
    } while (cursor !== '0')
    return removed
  }

  close(): Promise<void> {
    return this.connection.close()
  }

  /** One run of the script; where the register has changed, once more with what it holds now. */
  private async writeSome(
    address: OnlineAddress,
    entities: readonly OnlineEntity[],
    keys: readonly string[],
  ): Promise<number> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const { set, text } = await this.resolve(address)
      const [register, field] = this.registered(address)
      const ttlMs = set.timeToLiveUs === null ? 0 : Math.ceil(set.timeToLiveUs / 1000)
      const head = [field, text, String(ttlMs), String(set.features.length), ...set.features]
      const options = { keys: [register, ...keys], arguments: scriptArguments(head, entities) }
      const taken = await this.connection.run((client) =>
        this.runScript(client, options).catch(damageAmong(keys)),
      )
      if (taken >= 0) return taken
      this.forget(address)
      if (taken === -1) throw onlineSetUnknown(address)
    }
    throw featureErrors.online_store_unavailable(
      'The set was declared anew again and again while it was written.',
      { extra: { retryAfter: 1 } },
    )
  }

  /** By its hash; in full where the server does not know it, as after its restart. */
  private async runScript(
    client: RedisClient,
    options: { readonly keys: string[]; readonly arguments: string[] },
  ): Promise<number> {
    this.scriptSha ??= client.scriptLoad(WRITE_SCRIPT)
    try {
      return (await client.evalSha(await this.scriptSha, options)) as number
    } catch (error) {
      this.scriptSha = undefined
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return (await client.eval(WRITE_SCRIPT, options)) as number
    }
  }

  private async scanStep(address: OnlineAddress, cursor: string, count: number) {
    const pattern = `${entityPrefix(this.prefix, address).replace(/[*?[\]\\^]/g, '\\$&')}*`
    return this.connection.run((client) => client.scan(cursor, { MATCH: pattern, COUNT: count }))
  }

  private async resolve(address: OnlineAddress) {
    checkOnlineAddress(address)
    const known = this.known.get(this.registered(address).join(' '))
    if (known !== undefined && known.set.version === address.version) return known
    const found = await this.registeredAt(address)
    // Keys hold only the first digits of a version; the register tells two such versions apart.
    if (found === undefined || found.set.version !== address.version) {
      throw onlineSetUnknown(address)
    }
    this.remember(found.set, found.text)
    return found
  }

  private remember(set: OnlineSet, text: string): void {
    if (this.known.size >= KNOWN_MAX) this.known.clear()
    this.known.set(this.registered(set).join(' '), { set, text })
  }

  private async registeredAt(address: OnlineAddress) {
    const [register, field] = this.registered(address)
    const text = await this.connection.run((client) => client.hGet(register, field))
    if (text === null) return undefined
    const set = registeredSet(address.namespace, text)
    if (set === undefined) throw damaged(`${register}, field ${field}`)
    return { set, text }
  }

  private forget(address: OnlineAddress): void {
    this.known.delete(this.registered(address).join(' '))
  }

  private registered(address: OnlineAddress): [register: string, field: string] {
    return [registerKey(this.prefix, address.namespace), registerField(address)]
  }

  private keysOf(set: OnlineSet, keys: readonly EntityKey[]): string[] {
    const prefix = entityPrefix(this.prefix, set)
    return keys.map((key) => prefix + encodeEntityKey(set.entity, key))
  }
}

function scriptArguments(head: readonly string[], entities: readonly OnlineEntity[]): string[] {
  const all = [...head]
  for (const { sequence, asOfUs, values } of entities) {
    all.push(String(sequence), String(asOfUs))
    // Adding 0 turns −0 into 0: they are one value.
    for (let i = 0; i < values.length; i++) all.push(valueText(values[i] + 0))
  }
  return all
}

function readingOf(
  hash: readonly (string | null)[],
  freshFromUs: number,
  key: string,
): OnlineReading {
  if (hash[0] === null && hash[1] === null) return { found: 'absent' }
  const [sequence, asOfUs, ...values] = hash.map(valueOf)
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(asOfUs)) throw damaged(key)
  if (values.includes(undefined)) throw damaged(key)
  return {
    found: asOfUs! < freshFromUs ? 'stale' : 'fresh',
    asOfUs: asOfUs!,
    sequence: sequence!,
    values: values as (number | null)[],
  }
}

/** Tells at which key something else was found. */
function damage(key: string): (error: unknown) => never {
  return (error) => {
    throw isWrongType(error) ? damaged(key, error) : error
  }
}

function damageAmong(keys: readonly string[]): (error: unknown) => never {
  return (error) => {
    const at = error instanceof Error ? /ASSAY_DAMAGED (\d+)/.exec(error.message) : null
    throw at === null ? error : damaged(keys[Number(at[1]) - 1], error)
  }
}

function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE')
}

function damaged(key: string, cause?: unknown): Error {
  return featureErrors.online_value_damaged(`${key} does not hold online values.`, { cause })
}
