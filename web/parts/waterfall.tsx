/**
 * From what every row starts at to what this one came to, reason by reason. Zero means nothing on
 * this axis: it spans what the reasons do, so that they can be seen.
 */
import { Chart } from './charts.tsx'
import { SmallTable } from './small-table.tsx'

export interface Push {
  readonly name: string
  /** What the row has there, in words. */
  readonly value: string
  readonly contribution: number
}

export interface WaterfallProps {
  readonly title: string
  readonly base: number
  readonly pushes: readonly Push[]
  /** All that is not listed, together. */
  readonly others: number
  readonly margin: number
  readonly note: string
}

interface Step {
  readonly key: string
  readonly name: string
  readonly value: string
  readonly from: number
  readonly to: number
  readonly kind: 'sum' | 'up' | 'down'
}

export function Waterfall({ title, base, pushes, others, margin, note }: WaterfallProps) {
  const steps = stepsOf({ base, pushes, others, margin })
  const ends = steps.flatMap(({ from, to }) => [from, to])
  const low = Math.min(...ends)
  const span = Math.max(...ends) - low || 1
  const at = (value: number) => `${((value - low) / span) * 100}%`
  return (
    <Chart title={title} note={note} table={() => <Table title={title} steps={steps} />}>
      <ul
        className="waterfall"
        role="img"
        aria-label={`${title}: from ${signed(base)} to ${signed(margin)}`}
      >
        {steps.map((step) => (
          <li
            key={step.key}
            className={step.kind === 'sum' ? 'is-sum' : ''}
            title={`${step.name}${step.value === '' ? '' : `: ${step.value}`}`}
          >
            <span className="waterfall-name">{step.name}</span>
            <span
              className="waterfall-plot"
              style={{ '--base': at(base) } as Record<string, string>}
            >
              <i
                className={`is-${step.kind}`}
                style={{
                  left: at(Math.min(step.from, step.to)),
                  width: `${(Math.abs(step.to - step.from) / span) * 100}%`,
                }}
              />
            </span>
            <span className="num">
              {signed(step.kind === 'sum' ? step.to : step.to - step.from)}
            </span>
          </li>
        ))}
      </ul>
    </Chart>
  )
}

/** The strongest first; what is left over, and the sum, at the end. */
function stepsOf({
  base,
  pushes,
  others,
  margin,
}: Pick<WaterfallProps, 'base' | 'pushes' | 'others' | 'margin'>): Step[] {
  const steps: Step[] = [
    {
      key: ' base',
      name: 'Base',
      value: 'what every case starts from',
      from: base,
      to: base,
      kind: 'sum',
    },
  ]
  let sum = base
  const push = (key: string, name: string, value: string, contribution: number) => {
    const kind = contribution < 0 ? 'down' : 'up'
    steps.push({ key, name, value, from: sum, to: sum + contribution, kind })
    sum += contribution
  }
  const ordered = pushes.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
  for (const { name, value, contribution } of ordered) push(name, name, value, contribution)
  push(' others', 'All others', '', others)
  steps.push({ key: ' margin', name: 'Margin', value: '', from: margin, to: margin, kind: 'sum' })
  return steps
}

function Table({ title, steps }: { readonly title: string; readonly steps: readonly Step[] }) {
  return (
    <SmallTable
      label={title}
      head={[
        { title: 'Step' },
        { title: 'Value' },
        { title: 'Push', right: true },
        { title: 'Sum', right: true },
      ]}
      rows={steps.map((step) => ({
        key: step.key,
        cells: [
          step.name,
          step.value,
          step.kind === 'sum' ? '' : signed(step.to - step.from),
          signed(step.to),
        ],
      }))}
    />
  )
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
}
