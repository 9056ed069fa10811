import { Type, type Static } from '@sinclair/typebox'
import { ComparedHistogram, Nullable, ObjectRef, Time, Verdict } from './shapes.ts'

export const FeatureSummary = Type.Object({
  name: Type.String(),
  set: Type.String(),
  words: Type.String({ description: 'The declaration in words' }),
  entity: Nullable(Type.String({ description: 'customer, terminal…; null: the event itself' })),
  window: Nullable(Type.String({ description: '"7 days, 7 days late"' })),
  unit: Nullable(Type.String()),
  trainingMean: Nullable(Type.Number()),
  liveMean: Nullable(Type.Number()),
  psi: Nullable(Type.Number()),
  importance: Nullable(Type.Number({ description: 'Mean |SHAP| in the live model, log-odds' })),
  verdict: Verdict,
})
export type FeatureSummary = Static<typeof FeatureSummary>

export const Features = Type.Object({
  sets: Type.Array(
    Type.Object({
      name: Type.String(),
      version: Type.String(),
      source: ObjectRef,
      features: Type.Integer(),
      file: Nullable(Type.String()),
      usedBy: Type.Array(ObjectRef),
    }),
  ),
  items: Type.Array(FeatureSummary),
  /** "Live equals history: 0 differences of 1,573,128" once that was checked. */
  skew: Verdict,
})
export type Features = Static<typeof Features>

export const FeatureParams = Type.Object({ set: Type.String(), feature: Type.String() })
export const DistributionStats = Type.Object({
  n: Type.Integer(),
  missing: Type.Integer(),
  mean: Nullable(Type.Number()),
  std: Nullable(Type.Number()),
  min: Nullable(Type.Number()),
  p50: Nullable(Type.Number()),
  p99: Nullable(Type.Number()),
  max: Nullable(Type.Number()),
})
export const Feature = Type.Composite([
  FeatureSummary,
  Type.Object({
    setVersion: Type.String(),
    expression: Type.String({ description: 'The compiled declaration, readable' }),
    reasonTemplate: Nullable(Type.String()),
    onMissing: Type.String({ description: 'What an empty window gives, in words' }),
    lineage: Type.Array(ObjectRef, { description: 'From source columns to models, in order' }),
    training: Nullable(DistributionStats),
    live: Nullable(DistributionStats),
    distribution: Nullable(ComparedHistogram),
    psiThreshold: Nullable(Type.Number()),
    overTime: Type.Array(
      Type.Object({
        at: Time,
        mean: Nullable(Type.Number()),
        psi: Nullable(Type.Number()),
        n: Type.Integer(),
      }),
    ),
    file: Nullable(Type.String()),
  }),
])
export type Feature = Static<typeof Feature>
