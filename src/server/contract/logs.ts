/** Log streams: the visitors behind their lines, and the statements that wrote them. */
import { Type, type Static } from '@sinclair/typebox'
import { Done, Nullable, OneOf, Time, Verdict } from './shapes.ts'

const Name = Type.String({ maxLength: 40 })

/** A count with the band in which the true one lies with a probability of 95 %. */
export const VisitorCount = Type.Object({
  value: Type.Integer(),
  low: Type.Integer(),
  high: Type.Integer(),
})
export type VisitorCount = Static<typeof VisitorCount>

export const LogStream = Type.Object({
  name: Name,
  title: Type.String(),
  description: Type.String(),
  from: Type.String({ description: 'Where its lines come from, in words' }),
  state: OneOf(['reading', 'caught up', 'ended', 'failed']),
  verdict: Verdict,
  format: Nullable(Type.String({ description: 'Null until the first lines came' })),
  latest: Nullable(Time),
  lines: Type.Integer(),
  counted: Type.Integer({ description: 'Lines that are a request with a time and a visitor' }),
  odd: Type.Array(
    Type.Object({ kind: Type.String(), lines: Type.Integer(), meaning: Type.String() }),
    { description: 'Lines with which something was wrong, by what; none was dropped silently' },
  ),
  notices: Type.Array(Type.String(), { description: 'What happened to the log, latest first' }),
  templates: Type.Integer(),
})
export type LogStream = Static<typeof LogStream>
export const LogStreams = Type.Object({ items: Type.Array(LogStream) })

export const LogStreamParams = Type.Object({ stream: Name })

const KeyCount = Type.Object({
  key: Type.String(),
  visitors: VisitorCount,
  hits: VisitorCount,
})
const Window = Type.Object({
  from: Time,
  to: Time,
  isFinal: Type.Boolean(),
  visitors: VisitorCount,
  hits: Type.Integer(),
  bots: VisitorCount,
  suspects: VisitorCount,
  firstSeen: VisitorCount,
  today: VisitorCount,
})
export type VisitorWindow = Static<typeof Window>

export const Visitors = Type.Object({
  every: Type.String({ description: 'Length of a slot, such as 1m' }),
  window: Type.String({ description: 'What a window covers' }),
  visitor: Type.Array(Type.String(), { description: 'Fields that tell one visitor from another' }),
  timeZone: Type.String({ description: 'The IANA zone in which days begin' }),
  windows: Type.Array(Window, { description: 'Oldest first; those that are not final come last' }),
  by: Type.Array(
    Type.Object({
      field: Type.String(),
      top: Type.Array(KeyCount),
      other: Type.Object({ keys: VisitorCount, visits: VisitorCount, hits: VisitorCount }),
    }),
    { description: 'Of the window that is asked for, else of the last final one' },
  ),
  at: Nullable(Time),
})
export type Visitors = Static<typeof Visitors>
export const VisitorsQuery = Type.Object({
  windows: Type.Optional(Type.Integer({ minimum: 1, maximum: 1500 })),
  at: Type.Optional(Type.String({ maxLength: 40, description: 'The end of a window' })),
})

export const LogTemplate = Type.Object({
  id: Type.String(),
  text: Type.String(),
  count: Type.Integer(),
  example: Type.String(),
  firstSeen: Nullable(Time),
  lastSeen: Nullable(Time),
  trend: Type.Array(Type.Integer(), { description: 'Messages by slot, oldest first' }),
})
export type LogTemplate = Static<typeof LogTemplate>
export const LogTemplates = Type.Object({
  total: Type.Integer(),
  items: Type.Array(LogTemplate, { description: 'Most messages first' }),
  news: Type.Array(
    Type.Object({
      kind: OneOf(['first-seen', 'evicted']),
      id: Type.String(),
      text: Type.String(),
      at: Nullable(Time),
    }),
  ),
})
export type LogTemplates = Static<typeof LogTemplates>
export const LogTemplatesQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
})

export const LogLines = Type.Object(
  { lines: Type.Array(Type.String({ maxLength: 65_536 }), { minItems: 1, maxItems: 10_000 }) },
  { additionalProperties: false },
)

export const logRoutes = {
  logStreams: { summary: 'Log streams and how they do', response: LogStreams },
  visitors: {
    summary: 'Unique visitors of a log stream, by window',
    params: LogStreamParams,
    query: VisitorsQuery,
    response: Visitors,
  },
  logTemplates: {
    summary: 'The templates of a log stream’s messages',
    params: LogStreamParams,
    query: LogTemplatesQuery,
    response: LogTemplates,
  },
  sendLogLines: {
    summary: 'Lines for a log stream; on disk when this is answered',
    params: LogStreamParams,
    body: LogLines,
    response: Done,
  },
} as const
