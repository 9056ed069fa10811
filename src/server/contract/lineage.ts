import { Type, type Static } from '@sinclair/typebox'
import { Nullable, ObjectRef, OneOf } from './shapes.ts'

export const lineageKinds = [
  'file',
  'snapshot',
  'outside-data',
  'feature-set',
  'pipeline-run',
  'product',
  'run',
  'logged-model',
  'version',
  'deployment',
  'decision',
] as const

export const LineageQuery = Type.Object({
  kind: OneOf(lineageKinds),
  id: Type.String({ minLength: 1, maxLength: 600, description: 'dataset/hash, model/number, …' }),
  direction: Type.Optional(OneOf(['up', 'down', 'both'])),
})
/** Nodes in the order in which they were found, what was asked for first. */
export const LineageGraph = Type.Object({
  nodes: Type.Array(
    Type.Object({
      key: Type.String(),
      kind: OneOf(lineageKinds),
      title: Type.String(),
      detail: Type.String(),
      target: Nullable(ObjectRef),
    }),
  ),
  edges: Type.Array(Type.Object({ from: Type.String(), to: Type.String() })),
  cut: Type.Boolean({ description: 'Whether more hangs on it than is told' }),
})
export type LineageGraph = Static<typeof LineageGraph>
