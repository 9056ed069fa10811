// The bank as the page sees it: its clock, the namespace on air, and who its customers and
// terminals are among the key columns of the contract.
import type { CompiledSource } from '../../data/index.ts'
import type { NamespaceInfo } from '../../decisions/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { DeclaredProject } from '../../projects/index.ts'
import type { BankClock } from '../contract/index.ts'
import { time } from './present.ts'
import type { Rooms } from './rooms.ts'

export interface OnAir {
  readonly namespace: string
  readonly kind: BankClock['kind']
  readonly nowUs: number
}

/** The namespace of what really happens. */
export const LIVE = 'live'

/**
 * The namespace that views show unless asked for another: the replay that was started last, else
 * the live one. While `decide` is away the live one is assumed, so that the page still answers.
 */
export async function onAir(rooms: Pick<Rooms, 'decide' | 'clock'>): Promise<OnAir> {
  const wall: OnAir = { namespace: LIVE, kind: 'live', nowUs: rooms.clock.nowUs() }
  const newest = await newestNamespace(rooms)
  if (newest === undefined) return wall
  const { namespace, clock, nowUs } = newest
  if (clock === 'wall') return { ...wall, namespace }
  return {
    namespace,
    kind: 'replay',
    nowUs: nowUs ?? newest.newestEventTimeUs ?? rooms.clock.nowUs(),
  }
}

/** Undefined where nothing was decided, and while `decide` is away. */
export async function newestNamespace({
  decide,
}: Pick<Rooms, 'decide'>): Promise<NamespaceInfo | undefined> {
  try {
    const known = await decide.namespaces()
    return known.toSorted((a, b) => ordinal(b.namespace) - ordinal(a.namespace))[0]
  } catch (error) {
    if (isAssayError(error, 'peer_unavailable', 'peer_failed')) return undefined
    throw error
  }
}

const ordinal = (namespace: string): number =>
  namespace === LIVE ? 0 : Number(/-(\d+)$/.exec(namespace)?.[1] ?? 1)

export function clockView({ kind, nowUs }: OnAir, project: DeclaredProject | undefined): BankClock {
  return { kind, now: time(nowUs), timeZone: project?.sources[0]?.timeZone ?? 'UTC' }
}

export interface KeyColumns {
  readonly customer: string | undefined
  readonly terminal: string | undefined
}

/** The customer is the first personal key, the terminal (or shop, or counterparty) the next other one. */
export function keyColumns(source: CompiledSource | undefined): KeyColumns {
  const keys = source?.columns.filter(({ kind }) => kind === 'key') ?? []
  const customer = keys.find(({ personal }) => personal) ?? keys[0]
  const terminal = keys.find((column) => column !== customer)
  return { customer: customer?.name, terminal: terminal?.name }
}
