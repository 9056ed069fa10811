import type { Clock } from '../lib/clock.ts'
import { decodeEntityKey, encodeEntityKey } from './entity-key.ts'
import type { OnlineAddress, OnlineReading, OnlineSet, OnlineValues } from './online.ts'
import {
  checkOnlineAddress,
  checkOnlineNamespace,
  checkOnlineRead,
  checkOnlineScan,
  checkOnlineSet,
  checkOnlineWrite,
  checkSameOnlineSet,
  onlineSetUnknown,
} from './online.ts'

interface Kept {
  readonly asOfUs: number
  readonly sequence: number
  readonly values: Float64Array
  readonly expiresUs: number
}

interface KeptSet {
  set: OnlineSet
  readonly entities: Map<string, Kept>
}

/** Online values in this process: for tests, and for a bank whose readers share it. */
export function createMemoryOnlineValues(clock: Clock): OnlineValues {
  const kept = new Map<string, KeptSet>()

  function at(address: OnlineAddress): KeptSet {
    checkOnlineAddress(address)
    const found = kept.get(nameOf(address))
    if (found === undefined) throw onlineSetUnknown(address)
    return found
  }

  return {
    async declare(set) {
      checkOnlineSet(set)
      const found = kept.get(nameOf(set))
      if (found === undefined) kept.set(nameOf(set), { set, entities: new Map() })
      else {
        checkSameOnlineSet(found.set, set)
        found.set = set
      }
    },

    async sets(namespace) {
      checkOnlineNamespace(namespace)
      return [...kept.values()].map(({ set }) => set).filter((set) => set.namespace === namespace)
    },

    async write(address, writes) {
      const { set, entities } = at(address)
      checkOnlineWrite(set, writes)
      const keys = writes.map(({ key }) => encodeEntityKey(set.entity, key))
      const nowUs = clock.nowUs()
      let written = 0
      writes.forEach(({ asOfUs, sequence, values }, i) => {
        const old = entities.get(keys[i])
        if (old !== undefined && old.expiresUs > nowUs && isAfter(old, { asOfUs, sequence })) return
        const expiresUs = set.timeToLiveUs === null ? Infinity : nowUs + set.timeToLiveUs
        // Adding 0 turns −0 into 0: they are one value.
        const own = Float64Array.from(values, (value) => value + 0)
        entities.set(keys[i], { asOfUs, sequence, values: own, expiresUs })
        written++
      })
      return { written, outdated: writes.length - written }
    },

    async read(address, request) {
      const { set, entities } = at(address)
      checkOnlineRead(set, request)
      const nowUs = clock.nowUs()
      const positions = request.features.map((feature) => set.features.indexOf(feature))
      return request.keys.map((key): OnlineReading => {
        const encoded = encodeEntityKey(set.entity, key)
        const found = entities.get(encoded)
        if (found === undefined) return { found: 'absent' }
        if (found.expiresUs <= nowUs) {
          entities.delete(encoded)
          return { found: 'absent' }
        }
        const { asOfUs, sequence } = found
        const values = positions.map((position) => known(found.values[position]))
        const stale = asOfUs < (request.freshFromUs ?? -Infinity)
        return { found: stale ? 'stale' : 'fresh', asOfUs, sequence, values }
      })
    },

    async scan(address, request) {
      const { set, entities } = at(address)
      checkOnlineScan(request)
      const { after, limit } = request
      const nowUs = clock.nowUs()
      const rest = [...entities]
        .filter(([key, { expiresUs }]) => expiresUs > nowUs && (after === null || key > after))
        .map(([key]) => key)
        .sort()
      const page = rest.slice(0, limit)
      const keys = page.map((key) => decodeEntityKey(set.entity, key)!)
      return { keys, next: rest.length > limit ? page[limit - 1] : null }
    },

    async retire(address) {
      checkOnlineAddress(address)
      const found = kept.get(nameOf(address))
      kept.delete(nameOf(address))
      const nowUs = clock.nowUs()
      return [...(found?.entities.values() ?? [])].filter((one) => one.expiresUs > nowUs).length
    },

    async close() {
      kept.clear()
    },
  }
}

function isAfter(
  a: { readonly asOfUs: number; readonly sequence: number },
  b: { readonly asOfUs: number; readonly sequence: number },
): boolean {
  return a.sequence > b.sequence || (a.sequence === b.sequence && a.asOfUs > b.asOfUs)
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

function nameOf({ namespace, version, entity }: OnlineAddress): string {
  return `${namespace} ${version} ${entity.join('+')}`
}
