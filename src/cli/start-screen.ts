// What a person sees in the terminal while the server starts: one line a stage with its figure.
import type { PipelineRun } from '../pipelines/index.ts'
import type { Terminal } from './output.ts'
import { stageLines } from './stages.ts'

/** What the work of a start came to. */
export interface StartOutcome {
  readonly problem: string | null
  /** Nothing had changed, so nothing was learned. */
  readonly skipped: boolean
  /** Whether the project declares what learns and decides. */
  readonly decides: boolean
  /** Whether it declares log streams. */
  readonly readsLogs: boolean
}

export interface StartScreen {
  opening(directory: string): void
  ready(found: {
    readonly url: string
    readonly signInUrl: string
    readonly firstKey: string | undefined
  }): void
  /** The server keeps nothing and knows nobody. */
  ephemeral(url: string): void
  progress(run: PipelineRun): void
  done(outcome: StartOutcome, url: string): void
  warn(text: string): void
  stopping(): void
}

/** For people at a terminal. `home` is the directory as it was asked for. */
export function createStartScreen(
  { out, err }: Terminal,
  version: string,
  home: string,
): StartScreen {
  const where = homeHint(home)
  const stages = stageLines(out)
  return {
    opening: (directory) => out.line(`Assay ${version}, everything is kept in ${directory}`),
    ready({ url, signInUrl, firstKey }) {
      out.line(`Page       ${out.style('bold', url)}`)
      out.line(`Sign in    ${out.style('cyan', signInUrl)}`)
      out.line(
        out.style(
          'dim',
          `           once, within ten minutes; \`npx assay open${where}\` makes another link`,
        ),
      )
      if (firstKey !== undefined) {
        out.line(`Key        ${out.style('bold', firstKey)}`)
        out.line(
          out.style(
            'dim',
            `           of the administrator, shown this once; \`npx assay keys reset${where}\` replaces it`,
          ),
        )
      }
      out.line()
    },
    ephemeral(url) {
      out.line(`Page       ${out.style('bold', url)}`)
      out.line(`MLflow     export MLFLOW_TRACKING_URI=${url}`)
      out.line(
        out.style(
          'red',
          'Everything here is forgotten at the stop, and anyone on this machine may write.',
        ),
      )
    },
    progress: stages,
    done({ problem, skipped, decides, readsLogs }, url) {
      if (problem !== null) {
        err.line(`\n${err.style('red', 'error:')} ${problem}`)
        return err.line('The server goes on; correct the project or the data and start again.')
      }
      if (skipped) out.line('Nothing changed since the last run, so it was not run again.')
      if (!decides) out.line('The project declares no policy: it learns and decides nothing.')
      out.line()
      out.line(out.style('bold', 'Try next'))
      if (decides) {
        out.line(`  watch decisions, and labels come home late   ${url}`)
        out.line('  decide on a payment of your own              npx assay decide --help')
      } else if (readsLogs) {
        out.line(`  see who visits, by the lines of the logs     ${url}/visitors`)
        out.line('  count the visitors of another log            npx assay logs visitors --help')
      } else {
        out.line(`  look at the pipelines and their runs         ${url}/pipelines`)
        out.line('  run one of them                              npx assay pipelines --help')
      }
      out.line(`  prove that nobody changed the record         npx assay audit verify${where}`)
      out.line()
      out.line(out.style('dim', 'Ctrl-C stops; the next start goes on where this one ended.'))
    },
    warn: (text) => err.line(`${err.style('yellow', 'warning:')} ${text}`),
    stopping: () => out.line(out.style('dim', 'Stopping…')),
  }
}

/** The option that a command for another home than the usual one needs. */
export function homeHint(home: string): string {
  if (home === '.assay') return ''
  return ` --home ${/^[\w./~+-]+$/.test(home) ? home : JSON.stringify(home)}`
}

/** For machines that read logs: one JSON object a line, without the link and the key. */
export function createStartLog({ out }: Terminal, version: string): StartScreen {
  const told = new Set<string>()
  const log = (level: 'info' | 'warn' | 'error', message: string, fields: object = {}) =>
    out.line(JSON.stringify({ level, role: 'start', message, ...fields }))
  return {
    opening: (home) => log('info', 'starting', { version, home }),
    ready: ({ url }) => log('info', 'ready', { url }),
    ephemeral: (url) => log('warn', 'ready, and everything is forgotten at the stop', { url }),
    progress(run) {
      for (const { name, status, figure } of run.steps) {
        if (status === 'waiting' || status === 'running' || told.has(name)) continue
        told.add(name)
        log(status === 'done' ? 'info' : 'error', 'stage', { stage: name, status, figure })
      }
    },
    done: ({ problem, skipped, decides }) =>
      problem === null
        ? log('info', 'pipeline done', { skipped, decides })
        : log('error', 'pipeline failed', { problem }),
    warn: (text) => log('warn', text),
    stopping: () => log('info', 'stopping'),
  }
}
