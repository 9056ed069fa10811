import { Type, type Static } from '@sinclair/typebox'
import { Nullable, OneOf, Verdict } from './shapes.ts'

/** How fast decisions fill the disk, measured over the last day or since the start. */
export const Storage = Type.Object({
  freeBytes: Type.Integer(),
  totalBytes: Type.Integer(),
  measuredOverS: Type.Number(),
  parts: Type.Array(
    Type.Object({
      part: OneOf(['journal', 'index', 'metadata']),
      title: Type.String(),
      bytes: Type.Integer(),
      bytesPerDay: Nullable(Type.Number()),
    }),
  ),
  bytesPerDecision: Nullable(Type.Number()),
  decisions: Type.Integer({ description: 'Decisions of the time, from which the figure is made' }),
  daysUntilFull: Nullable(Type.Number()),
  warningDays: Type.Integer({ description: 'Fewer days are a warning' }),
  verdict: Verdict,
})
export type Storage = Static<typeof Storage>
