// What a person sees in the terminal while the server starts: one line a stage with its figure.
import type { PipelineRun, StepState } from '../pipelines/index.ts'

export interface StartScreenOptions {
  /** One JSON object a line, for machines that read logs. */
  readonly json: boolean
  readonly version: string
  readonly out?: NodeJS.WriteStream
}

const TITLE_WIDTH = 10

export function createStartScreen({ json, version, out = process.stdout }: StartScreenOptions) {
  const shown = new Map<string, StepState['status']>()
  const live = out.isTTY && !json
  let pending = false
  const paint = (code: number, text: string) =>
    out.isTTY && process.env['NO_COLOR'] === undefined ? `\u001B[${code}m${text}\u001B[0m` : text
  const line = (text: string, fields: object) => {
    if (json) return out.write(`${JSON.stringify({ level: 'info', ...fields })}\n`)
    clearPending()
    return out.write(`${text}\n`)
  }
  const clearPending = () => {
    if (pending) out.write('\r\u001B[2K')
    pending = false
  }
  const progressLine = (step: StepState, mark: string, seconds: string) =>
    `${mark} ${step.title.padEnd(TITLE_WIDTH)} ${step.figure}${seconds === '' ? '' : `  ${paint(2, seconds)}`}`

  return {
    opening(directory: string) {
      line(`Assay ${version}, everything is kept in ${directory}`, { message: 'starting', version, home: directory })
    },
    ready({ url, signInUrl, firstKey }: { url: string; signInUrl: string; firstKey: string | undefined }) {
      // The link and the key are for people at the terminal; a log must not hold them.
      if (json) return line('', { message: 'ready', url })
      line(`Page       ${paint(1, url)}`, {})
      line(`Sign in    ${paint(36, signInUrl)}`, {})
      line(paint(2, '           once, within ten minutes; `npx assay open` makes another link'), {})
      if (firstKey !== undefined) {
        line(`Key        ${paint(1, firstKey)}`, {})
        line(paint(2, '           of the administrator, shown this once; `npx assay keys reset` replaces it'), {})
      }
      return line('', {})
    },
    progress(run: PipelineRun) {
      for (const step of run.steps) {
        if (step.status === 'running' && live) {
          clearPending()
          out.write(progressLine(step, paint(2, '·'), ''))
          pending = true
        }
        if (shown.get(step.name) === step.status || step.status === 'waiting' || step.status === 'running') continue
        shown.set(step.name, step.status)
        const tookUs = (step.endedAtUs ?? 0) - (step.startedAtUs ?? 0)
        const mark = step.status === 'done' ? paint(32, '✔') : paint(31, '✘')
        line(progressLine(step, mark, `${(tookUs / 1e6).toFixed(1)} s`), {
          message: 'stage',
          stage: step.name,
          status: step.status,
          figure: step.figure,
          seconds: tookUs / 1e6,
        })
      }
    },
    done({ problem, skipped }: { problem: string | null; skipped: boolean }, url: string) {
      if (problem !== null) {
        line(`\n${paint(31, '✘')} ${problem}`, { level: 'error', message: 'pipeline failed', problem })
        return
      }
      if (skipped) line('✔ Nothing changed since the last run: everything is as it was.', { message: 'unchanged' })
      if (json) return
      line('', {})
      line(paint(1, 'Try next'), {})
      line(`  watch decisions and late labels come home   ${url}`, {})
      line('  decide on a payment yourself                npx assay decide payment.json', {})
      line('  prove that nobody changed the record        npx assay audit verify', {})
      line(paint(2, '\nCtrl-C stops; the next start goes on where this one ended.'), {})
    },
    warn(text: string) {
      if (json) return void out.write(`${JSON.stringify({ level: 'warn', message: text })}\n`)
      clearPending()
      return void process.stderr.write(`${paint(33, '!')} ${text}\n`)
    },
    stopping() {
      line(paint(2, 'Stopping…'), { message: 'stopping' })
    },
  }
}
