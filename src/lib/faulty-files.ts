/**
 * A disk in memory for tests. It fills up, fails when told to, and when the power goes it keeps
 * only what had been synced, plus any part of the rest: writes that were not synced are kept,
 * dropped or torn at sectors, independently of one another; names survive in the order in which
 * they changed, up to any point. This is what POSIX allows, and worse than most disks do.
 */
import * as path from 'node:path'
import { syncedWrites, type FileSystem, type OpenFile } from './files.ts'

export type FileOperation = 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'rename' | 'remove'

export interface FaultyFiles extends FileSystem {
  /** How many bytes all files together may have; a write beyond it is cut short with ENOSPC. */
  capacityBytes: number
  /** Lets the next operations of a kind fail with an error code. */
  fail(operation: FileOperation, code: string, times?: number): void
  /** From the given number of changing operations on nothing completes, as if the power went. */
  stopAfter(operations: number): void
  /** Resolves when the disk has stopped. */
  readonly stopped: Promise<void>
  /** The disk as it is found when the power is back. `random` gives an integer in [0, below). */
  restart(random: (below: number) => number): FaultyFiles
  /** The present bytes of a file, which a test may change. */
  bytes(file: string): Uint8Array
}

const SECTOR_BYTES = 512

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number }

interface Inode {
  data: Uint8Array
  durable: Uint8Array
  unsynced: Change[]
}

interface NameChange {
  readonly directory: string
  readonly sets: ReadonlyArray<readonly [name: string, inode: Inode | undefined]>
}

type Names = Map<string, Inode>

export function faultyFiles(initial: Names = new Map()): FaultyFiles {
  const names = initial
  const durableNames: Names = new Map(initial)
  const directories = new Set<string>([...names.keys()].map((name) => path.dirname(name)))
  const faults: { operation: FileOperation; code: string }[] = []
  let nameChanges: NameChange[] = []
  let operationsLeft = Infinity
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()

  /** Resolves later, as a disk does; rejects with a planned fault; or never completes. */
  async function operate(operation: FileOperation): Promise<void> {
    await Promise.resolve()
    const changes = operation !== 'read' && operation !== 'open'
    if (operationsLeft <= 0 || (changes && --operationsLeft < 0)) {
      stop()
      await new Promise(() => undefined)
    }
    const fault = faults.findIndex((candidate) => candidate.operation === operation)
    if (fault >= 0) throw fileError(faults.splice(fault, 1)[0].code)
  }

  function changeNames(change: NameChange): void {
    nameChanges.push(change)
    applyNames(names, change)
  }

  function find(file: string): Inode {
    const inode = names.get(file)
    if (inode === undefined) throw fileError('ENOENT')
    return inode
  }

  const files: FaultyFiles = {
    capacityBytes: Infinity,
    stopped,
    fail(operation, code, times = 1) {
      for (let i = 0; i < times; i++) faults.push({ operation, code })
    },
    stopAfter(operations) {
      operationsLeft = operations
    },
    bytes: (file) => find(file).data,
    restart(random) {
      const kept = new Map(durableNames)
      for (const change of nameChanges.slice(0, random(nameChanges.length + 1))) {
        applyNames(kept, change)
      }
      return faultyFiles(new Map([...kept].map(([name, inode]) => [name, survive(inode, random)])))
    },
    async open(file, mode, { durable } = { durable: false }) {
      await operate('open')
      if (mode === 'create') {
        if (names.has(file)) throw fileError('EEXIST')
        const created: Inode = { data: new Uint8Array(), durable: new Uint8Array(), unsynced: [] }
        changeNames({ directory: path.dirname(file), sets: [[file, created]] })
      }
      const opened = openInode(find(file), operate, freeBytes)
      return durable ? syncedWrites(opened) : opened
    },
    async list(directory) {
      await operate('read')
      const inside = [...names.keys()].filter((name) => path.dirname(name) === directory)
      if (inside.length === 0 && !directories.has(directory)) throw fileError('ENOENT')
      return inside.map((name) => path.basename(name)).sort()
    },
    async makeDirectory(directory) {
      await operate('open')
      directories.add(directory)
    },
    async rename(from, to) {
      await operate('rename')
      const inode = find(from)
      const sets = [[to, inode] as const, [from, undefined] as const]
      changeNames({ directory: path.dirname(to), sets })
    },
    async remove(file) {
      await operate('remove')
      find(file)
      changeNames({ directory: path.dirname(file), sets: [[file, undefined]] })
    },
    async syncDirectory(directory) {
      await operate('sync')
      for (const change of nameChanges) {
        if (change.directory === directory) applyNames(durableNames, change)
      }
      nameChanges = nameChanges.filter((change) => change.directory !== directory)
    },
  }

  function freeBytes(): number {
    let used = 0
    for (const inode of names.values()) used += inode.data.length
    return files.capacityBytes - used
  }

  return files
}

function openInode(
  inode: Inode,
  operate: (operation: FileOperation) => Promise<void>,
  freeBytes: () => number,
): OpenFile {
  function change(made: Change): void {
    inode.unsynced.push(made)
    inode.data = applyChange(inode.data, made)
  }
  return {
    async read(into, position) {
      await operate('read')
      const found = inode.data.subarray(position, position + into.length)
      into.set(found)
      return found.length
    },
    async write(bytes, position) {
      await operate('write')
      const growth = Math.max(0, position + bytes.length - inode.data.length)
      const missing = growth - freeBytes()
      const fits = missing > 0 ? Math.max(0, bytes.length - missing) : bytes.length
      change({ kind: 'write', at: position, bytes: bytes.slice(0, fits) })
      if (fits < bytes.length) throw fileError('ENOSPC')
    },
    async truncate(size) {
      await operate('truncate')
      change({ kind: 'truncate', size })
    },
    async sync() {
      await operate('sync')
      inode.durable = inode.data.slice()
      inode.unsynced = []
    },
    async size() {
      return inode.data.length
    },
    async close() {
      // Closing syncs nothing and has nothing to lose.
    },
  }
}

function applyNames(names: Names, change: NameChange): void {
  for (const [name, inode] of change.sets) {
    if (inode === undefined) names.delete(name)
    else names.set(name, inode)
  }
}

function applyChange(data: Uint8Array, change: Change): Uint8Array {
  if (change.kind === 'truncate') {
    const cut = new Uint8Array(change.size)
    cut.set(data.subarray(0, change.size))
    return cut
  }
  const grown = new Uint8Array(Math.max(data.length, change.at + change.bytes.length))
  grown.set(data)
  grown.set(change.bytes, change.at)
  return grown
}

/** What is left of a file: the synced bytes, and of each later change all, nothing or sectors. */
function survive(inode: Inode, random: (below: number) => number): Inode {
  let data: Uint8Array = inode.durable.slice()
  for (const change of inode.unsynced) {
    const fate = random(3)
    if (fate === 0) continue
    if (fate === 1 || change.kind === 'truncate') data = applyChange(data, change)
    else data = tear(data, change, random)
  }
  return { data, durable: data.slice(), unsynced: [] }
}

function tear(
  data: Uint8Array,
  { at, bytes }: Extract<Change, { kind: 'write' }>,
  random: (below: number) => number,
): Uint8Array {
  let torn = data
  for (let start = at; start < at + bytes.length;) {
    const end = Math.min((Math.floor(start / SECTOR_BYTES) + 1) * SECTOR_BYTES, at + bytes.length)
    if (random(2) === 1) {
      const sector = bytes.subarray(start - at, end - at)
      torn = applyChange(torn, { kind: 'write', at: start, bytes: sector })
    }
    start = end
  }
  return torn
}

function fileError(code: string): Error {
  return Object.assign(new Error(`${code} (planned by the test)`), { code })
}
