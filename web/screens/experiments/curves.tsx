import type { Run } from '../../../src/server/contract/index.ts'
import { LineChart } from '../../parts/charts.tsx'
import { percent, score, tick } from '../../parts/figures.ts'

type Curve = NonNullable<Run['roc']>
interface NamedCurve {
  readonly title: string
  readonly curve: Curve | null
}

const steps = Array.from({ length: 201 }, (_, i) => i / 200)

/** Curves of several runs brought onto one x: between two points, the straight line. */
function onSteps(curve: Curve): (number | null)[] {
  const points = curve.x
    .map((x, i) => [x, curve.y[i] ?? 0] as const)
    .toSorted((a, b) => a[0] - b[0])
  return steps.map((x) => {
    const after = points.findIndex((point) => point[0] >= x)
    const right = points[after]
    if (right === undefined) return null
    const left = points[after - 1]
    if (left === undefined || right[0] === left[0]) return right[1]
    return left[1] + ((right[1] - left[1]) * (x - left[0])) / (right[0] - left[0])
  })
}

function lines(curves: readonly NamedCurve[]) {
  return curves.flatMap(({ title, curve }) =>
    curve === null ? [] : [{ title, values: onSteps(curve) }],
  )
}

/** What the axes are about; of a bank's own models, payments. */
export interface CurveWords {
  readonly found: string
  readonly wrong: string
}

const ofPayments: CurveWords = {
  found: 'Frauds caught (recall)',
  wrong: 'Genuine payments stopped (false positive rate)',
}

export function RocChart({
  curves,
  words = ofPayments,
}: {
  readonly curves: readonly NamedCurve[]
  readonly words?: CurveWords
}) {
  return (
    <LineChart
      title="ROC"
      x={steps}
      xTitle={words.wrong}
      yTitle={words.found}
      yRange={[0, 1.02]}
      height={260}
      writeX={percent}
      writeY={score}
      writeTick={tick}
      series={[...lines(curves), { title: 'Guessing', values: steps, dashed: true }]}
    />
  )
}

export function PrecisionRecallChart({
  curves,
  positiveShare,
  words = ofPayments,
}: {
  readonly curves: readonly NamedCurve[]
  readonly positiveShare: number | null
  readonly words?: CurveWords
}) {
  return (
    <LineChart
      title="Precision and recall"
      x={steps}
      xTitle={words.found}
      yTitle="Precision"
      yRange={[0, 1.02]}
      height={260}
      writeX={percent}
      writeY={score}
      writeTick={tick}
      series={[
        ...lines(curves),
        ...(positiveShare === null
          ? []
          : [{ title: 'Guessing', values: steps.map(() => positiveShare), dashed: true }]),
      ]}
    />
  )
}
