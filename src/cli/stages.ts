// A running pipeline as lines of the terminal: one a stage, with the figure that matters.
import type { PipelineRun, StepState } from '../pipelines/index.ts'
import type { TextOutput } from './output.ts'

/**
 * Returns what to call with every state of a run. A stage is printed once it is over; while it
 * runs, a person who watches sees its figure move.
 */
export function stageLines(output: TextOutput): (run: PipelineRun) => void {
  const printed = new Set<string>()
  let transient = false
  const clear = () => {
    if (transient) output.raw('\r\u001b[K')
    transient = false
  }
  return (run) => {
    const width = Math.max(...run.steps.map(({ title }) => title.length))
    for (const step of run.steps) {
      const over = step.status === 'done' || step.status === 'failed'
      if (!over || printed.has(`${run.id}/${step.name}`)) continue
      printed.add(`${run.id}/${step.name}`)
      clear()
      output.line(stageLine(output, step, width))
    }
    const running = run.steps.find(({ status }) => status === 'running')
    if (running === undefined || !output.interactive) return
    clear()
    output.raw(output.style('dim', `… ${running.title.padEnd(width)}  ${running.figure}`))
    transient = true
  }
}

function stageLine(output: TextOutput, step: StepState, width: number): string {
  const mark = step.status === 'done' ? output.style('green', '✓') : output.style('red', '✗')
  const title = output.style('bold', step.title.padEnd(width))
  return `${mark} ${title}  ${step.figure}  ${output.style('dim', tookOf(step))}`.trimEnd()
}

function tookOf({ startedAtUs, endedAtUs }: StepState): string {
  return startedAtUs === null || endedAtUs === null
    ? ''
    : `${((endedAtUs - startedAtUs) / 1e6).toFixed(1)} s`
}
