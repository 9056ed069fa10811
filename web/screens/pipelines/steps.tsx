import type { ReactNode } from 'react'
import type { PipelineRun } from '../../../src/server/contract/index.ts'
import { duration } from '../../parts/figures.ts'

/** The steps of a run, each with its figure and how long it took beside the others. */
export function Steps({
  steps,
  figure = ({ figure: text }) => text ?? '',
}: {
  readonly steps: PipelineRun['steps']
  readonly figure?: (step: PipelineRun['steps'][number]) => ReactNode
}) {
  const longest = Math.max(1, ...steps.map((step) => step.durationMs ?? 0))
  return (
    <ol className="steps">
      {steps.map((step) => (
        <li key={step.name}>
          <span className={`status-mark is-${step.state}`}>{step.state}</span>
          <b>{step.title}</b>
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
