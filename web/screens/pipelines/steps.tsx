import type { ReactNode } from 'react'
import type { PipelineRun } from '../../../src/server/contract/index.ts'
import { duration } from '../../parts/figures.ts'

/** The steps of a run, each with its figure and how long it took beside the others. */
export function Steps({
  steps,
  figure = ({ figure: text }) => text ?? '',
  selected,
  onSelect,
}: {
  readonly steps: PipelineRun['steps']
  readonly figure?: (step: PipelineRun['steps'][number]) => ReactNode
  readonly selected?: string | undefined
  /** Where a step can be looked at more closely. */
  readonly onSelect?: (name: string) => void
}) {
  const longest = Math.max(1, ...steps.map((step) => step.durationMs ?? 0))
  return (
    <ol className="steps">
      {steps.map((step) => (
        <li key={step.name}>
          <span className={`status-mark is-${step.state}`}>{step.state}</span>
          {onSelect === undefined ? (
            <b>{step.title}</b>
          ) : (
            <button
              type="button"
              className="text-button step-name"
              aria-pressed={step.name === selected}
              onClick={() => onSelect(step.name)}
            >
              {step.title}
            </button>
          )}
          <span className="step-figure">{figure(step)}</span>
          <span className="weight" aria-hidden>
            <i style={{ width: `${((step.durationMs ?? 0) / longest) * 100}%` }} />
          </span>
          <span className="num quiet">
            {duration(step.durationMs === null ? null : step.durationMs * 1000)}
          </span>
        </li>
      ))}
    </ol>
  )
}
