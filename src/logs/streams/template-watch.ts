// The templates of a stream: how often each came lately, with an example, and which are new.
import type { LogRecord } from '../sources/formats.ts'
import {
  createTemplates,
  restoreTemplates,
  type TemplateEvent,
  type Templates,
} from '../parsing/templates.ts'

export interface TemplateView {
  readonly id: string
  readonly text: string
  readonly count: number
  /** The message by which it was last seen. */
  readonly example: string
  readonly firstSeenUs: number | null
  readonly lastSeenUs: number | null
  /** Messages by slot, oldest first; the last one is the slot of the latest record whose time is believed. */
  readonly trend: readonly number[]
}

/** A template that came for the first time, or that there was no room for. */
export interface TemplateNews {
  readonly kind: 'first-seen' | 'evicted'
  readonly id: string
  readonly text: string
  readonly timeUs: number | null
}

export interface TemplateWatch {
  add(record: LogRecord): void
  /** Most messages first. */
  views(limit: number): readonly TemplateView[]
  readonly size: number
  /** Latest first. */
  readonly news: readonly TemplateNews[]
  save(): string
}

const TREND_SLOTS = 60
/** Records in a row far from the others after which theirs is the time: one wrong clock must not empty all trends. */
const BELIEVED_AFTER = 16
const NEWS_MAX = 100
const EXAMPLE_CHARS = 400

interface Seen {
  example: string
  firstSeenUs: number | null
  lastSeenUs: number | null
  /** Counts by number of slot, of the latest `TREND_SLOTS`. */
  slots: Map<number, number>
}

interface Saved {
  readonly templates: string
  readonly seen: readonly (readonly [
    string,
    Omit<Seen, 'slots'> & { readonly slots: readonly (readonly [number, number])[] },
  ])[]
  readonly news: readonly TemplateNews[]
  readonly slot: number
}

/** `everyUs` is the length of a trend's slot. Error: `log_templates_damaged`. */
export function createTemplateWatch(everyUs: number, text?: string): TemplateWatch {
  const saved = text === undefined ? undefined : (JSON.parse(text) as Saved)
  const seen = new Map<string, Seen>(
    saved?.seen.map(([id, each]) => [id, { ...each, slots: new Map(each.slots) }]),
  )
  const news: TemplateNews[] = [...(saved?.news ?? [])]
  let latestSlot = saved?.slot ?? 0
  let nowUs: number | null = null
  let farInRow = 0

  const onEvent = (event: TemplateEvent) => {
    if (event.kind === 'generalised') {
      const before = seen.get(event.from)
      if (before === undefined) return
      seen.delete(event.from)
      const after = seen.get(event.id)
      if (after === undefined) seen.set(event.id, before)
      else {
        after.firstSeenUs = least(before.firstSeenUs, after.firstSeenUs)
        for (const [slot, count] of before.slots) add(after, slot, count)
      }
      return
    }
    if (event.kind === 'evicted') seen.delete(event.id)
    const { kind, id, text } = event
    news.unshift({ kind, id, text, timeUs: nowUs })
    news.length = Math.min(news.length, NEWS_MAX)
  }
  const templates: Templates =
    saved === undefined
      ? createTemplates({ parser: 'brook' }, onEvent)
      : restoreTemplates(Buffer.from(saved.templates, 'base64'), onEvent)

  function add(to: Seen, slot: number, count: number): void {
    to.slots.set(slot, (to.slots.get(slot) ?? 0) + count)
    for (const each of to.slots.keys()) if (!isShown(each)) to.slots.delete(each)
  }

  function isShown(slot: number): boolean {
    return slot > latestSlot - TREND_SLOTS && slot <= latestSlot
  }

  /** The slot of the latest record is believed when it is near the others, or when many in a row say so. */
  function moveTo(slot: number): void {
    const isFar = latestSlot > 0 && Math.abs(slot - latestSlot) >= TREND_SLOTS
    farInRow = isFar ? farInRow + 1 : 0
    if (isFar && farInRow < BELIEVED_AFTER) return
    latestSlot = isFar ? slot : Math.max(latestSlot, slot)
    farInRow = 0
  }

  return {
    add({ timeUs, message }) {
      nowUs = timeUs ?? nowUs
      const { id } = templates.templateOf(templates.add(message))
      let known = seen.get(id)
      if (known === undefined) {
        known = { example: '', firstSeenUs: nowUs, lastSeenUs: null, slots: new Map() }
        seen.set(id, known)
      }
      known.example = message.slice(0, EXAMPLE_CHARS)
      if (nowUs === null) return
      known.lastSeenUs = Math.max(known.lastSeenUs ?? -Infinity, nowUs)
      const slot = Math.floor(nowUs / everyUs)
      moveTo(slot)
      if (isShown(slot)) add(known, slot, 1)
    },
    views(limit) {
      const all = templates.list().toSorted((a, b) => b.count - a.count)
      return all.slice(0, limit).map(({ id, text, count }) => {
        const known = seen.get(id)
        const trend = Array.from(
          { length: TREND_SLOTS },
          (_, i) => known?.slots.get(latestSlot - TREND_SLOTS + 1 + i) ?? 0,
        )
        const { example = '', firstSeenUs = null, lastSeenUs = null } = known ?? {}
        return { id, text, count, example, firstSeenUs, lastSeenUs, trend }
      })
    },
    get size() {
      return templates.list().length
    },
    news,
    save() {
      const all = [...seen].map(([id, each]) => [id, { ...each, slots: [...each.slots] }] as const)
      const saved: Saved = {
        templates: Buffer.from(templates.save()).toString('base64'),
        seen: all,
        news,
        slot: latestSlot,
      }
      return JSON.stringify(saved)
    },
  }
}

function least(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other)
}
