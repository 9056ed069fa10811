// A run of the engine as lines of the terminal.
import type { TextOutput } from '../../cli/index.ts'
import {
  changeSentence,
  type PipelineRun,
  type StepRecord,
  type StepState,
} from '../../pipelines/index.ts'

const marks: Readonly<Record<StepState['status'], string>> = {
  waiting: '·',
  running: '…',
  done: '✓',
  cached: '=',
  failed: '✗',
  held: '?',
  skipped: '-',
  cancelled: '-',
}
/** Lists of more cached steps than this are counted instead. */
const CACHED_SHOWN_MAX = 40

/**
 * Prints each step once, when it has ended or waits for people, and what a run goes on with that is
 * different; `told` counts those differences that were on record before.
 */
export function runLines(output: TextOutput, told = 0): (run: PipelineRun) => void {
  const printed = new Set<string>()
  let cached = 0
  return ({ steps, engine }) => {
    for (const change of engine?.changes?.slice(told) ?? []) {
      output.line(changeSentence(change))
      told++
    }
    for (const step of steps) {
      if (step.status === 'waiting' || step.status === 'running' || printed.has(step.name)) continue
      printed.add(step.name)
      if (step.status === 'cached' && ++cached > CACHED_SHOWN_MAX) continue
      output.line(stepLine(output, step))
    }
  }
}

function stepLine(output: TextOutput, step: StepState): string {
  const style = step.status === 'failed' ? 'red' : step.status === 'done' ? 'green' : 'dim'
  const took =
    step.status !== 'done' || step.startedAtUs === null || step.endedAtUs === null
      ? ''
      : `${((step.endedAtUs - step.startedAtUs) / 1e6).toFixed(1)} s`
  const mark = output.style(style, marks[step.status])
  const said = step.status === 'cached' ? `unchanged. ${step.figure}` : step.figure
  return `${mark} ${output.style('bold', step.title)}  ${said}  ${output.style('dim', took)}`.trimEnd()
}

/** Why a step ran or did not, as one line. */
export function explained({ cache, status, figure, problem }: StepRecord): string {
  if (cache !== null) return `${cache.hit ? 'hit' : 'miss'}: ${cache.words.join('; ')}`
  return problem ?? (figure === '' ? status : figure)
}
